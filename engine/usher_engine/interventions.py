"""Events of what people do to a case from outside its diagram; part of `events`, where they are used from."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InstanceMigrated:
    """
    The case goes on under version *to_version* of its process, whose package has the hash *definition*.

    *mapping* says which element takes the place of which, where that is another one; *places* are the visits a token
    rested on and where it rests now, where that is another one. Tasks that are open are opened anew after it.
    """

    from_version: int
    to_version: int
    definition: str
    mapping: dict[str, str]
    reason: str
    places: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InstanceRepaired:
    """
    The stored state of the case was made again from its history.

    *rules* are those its steps were decided by then, 0 where each kept its own. *parted* is the first step from which
    on the diagram goes another way than was recorded, 0 where it goes the same. *closed* are the places that had been
    opened and are not on that way, *opened* those that lie on it and had not been; events that follow tell of each.
    """

    rules: int = 0
    parted: int = 0
    closed: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
