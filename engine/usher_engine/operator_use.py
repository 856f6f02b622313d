"""Facts about operators beside what they do: the package they come from, and how an element of a diagram calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .core.canonical import Json
from .definitions import Package


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """The installed package that an operator comes from."""

    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """An operator of a package that is not in use, or a whole package (*operator* is empty); *reason* is a sentence."""

    origin: Origin
    operator: str = ""
    reason: str

    def __str__(self) -> str:
        what = f"The operator “{self.operator}” of {self.origin}" if self.operator else f"The package {self.origin}"
        return f"{what} is not in use: {self.reason}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """
    How an element of *package* calls an operator.

    *sources* are the expressions of the parameters, *values* the values of those that do not depend on case data.
    """

    package: Package
    sources: Mapping[str, str]
    values: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """
    What the narrative of a case says of an operator's work; where a text is empty, it says so in general words.

    *queued* and *done* are sentences, *failed* is the beginning of one: “The label was not printed”.
    """

    queued: str = ""
    done: str = ""
    failed: str = ""


IN_GENERAL = Wording()


@dataclass(frozen=True, slots=True)
class UseProblem:
    """What is wrong with a `Use`, in a sentence; a warning does not keep the package from being deployed."""

    message: str
    is_warning: bool = False
