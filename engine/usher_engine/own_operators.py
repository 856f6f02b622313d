"""Operators of a clinic's own: installed Python packages bring them by entry points of the group ``usher.operators``.

An entry point names a function without parameters that returns the operators (docs/how-to/operator.md). What cannot be
used is put aside by name, with the reason, and everything else runs: see decisions/0034.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .core import faults
from .operator_use import Origin, Refused, Wording
from .services import MailUse, Mode, Operator, Parameter

GROUP = "usher.operators"
#: The part before the slash that no package may use, beside those of Usher's own operators.
RESERVED = "usher"

_NAME = re.compile(r"[a-z][a-z0-9-]*/[a-z][a-z0-9-]*")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")
_CODE = re.compile(r"[a-z][a-z0-9-]*")
#: Characters of an operator's name, and of a title or sentence.
_MOST_NAME, _MOST_TEXT = 80, 300
_MAKER = "a function without parameters that returns the package's operators"
_ASK = "Ask the package's maintainer to mend it."


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnOperators:
    """The operators of installed packages, each with its origin, and what is put aside."""

    operators: tuple[Operator, ...] = ()
    refused: tuple[Refused, ...] = ()


@cache
def installed_operators() -> OwnOperators:
    """The operators of the packages installed here; read once in a process, because packages change by a restart."""
    return load_operators(entry_points(group=GROUP))


def load_operators(found: Iterable[EntryPoint]) -> OwnOperators:
    """
    The operators that the entry points *found* give, in order of their names.

    An operator that two packages bring, or one brings twice, is used from neither: which one a diagram means cannot be
    known, and it may do something outside. Never raises.
    """
    given: list[tuple[Origin, Any]] = []
    refused: list[Refused] = []
    for point in sorted(found, key=lambda one: (one.dist.name if one.dist else "", one.name)):
        origin = _origin(point)
        try:
            made = _given_by(point)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the code of others may fail in any way
            refused.append(Refused(origin=origin, reason=_why_not_loaded(error, point, origin)))
            continue
        given += [(origin, one) for one in made]
    twice = _given_twice(given)
    used: list[Operator] = []
    for origin, one in given:
        name = _name_of(one)
        reason = _why_refused(one) or twice.get(name, "")
        if reason:
            refused.append(Refused(origin=origin, operator=name, reason=reason))
        else:
            used.append(_settled(one, origin))
    return OwnOperators(operators=tuple(sorted(used, key=lambda one: one.name)), refused=tuple(dict.fromkeys(refused)))


def beside(own: Collection[Operator], installed: OwnOperators) -> OwnOperators:
    """*installed* without operators whose prefix is Usher's: that of one of its *own*, or `RESERVED`."""
    prefixes = {operator.name.partition("/")[0] for operator in own} | {RESERVED, "message"}
    used: list[Operator] = []
    refused = list(installed.refused)
    for operator in installed.operators:
        prefix = operator.name.partition("/")[0]
        if prefix not in prefixes or operator.origin is None:
            used.append(operator)
            continue
        reason = f"Names that begin with “{prefix}/” are Usher's own. {_ASK}"
        refused.append(Refused(origin=operator.origin, operator=operator.name, reason=reason))
    return OwnOperators(operators=tuple(used), refused=tuple(refused))


def _origin(point: EntryPoint) -> Origin:
    if point.dist is None:
        return Origin(package=point.value.partition(":")[0].partition(".")[0], version="")
    return Origin(package=point.dist.name, version=point.dist.version)


def _given_by(point: EntryPoint) -> list[Any]:
    make = point.load()
    if not callable(make):
        raise _NotAMaker(f"{point.value} must be {_MAKER}.")
    made = make()
    if isinstance(made, Operator | str | bytes | Mapping) or not isinstance(made, Iterable):
        raise _NotAMaker(f"{point.value} must be {_MAKER}, in a tuple or list.")
    return list(made)


class _NotAMaker(TypeError):
    """An entry point that is not what it must be; its text is ours."""


def _why_not_loaded(error: BaseException, point: EntryPoint, origin: Origin) -> str:
    if isinstance(error, _NotAMaker):
        return f"{error} {_ASK}"
    if isinstance(error, ImportError | SyntaxError):  # their texts name modules and lines, never a setting or secret
        words = " ".join(str(error).split())[:_MOST_TEXT].rstrip(".")
        return f"{point.value} cannot be imported: {words}. Install what it needs, and restart Usher."
    reference = faults.report(error, where="operator", at=f"loading {origin}")
    return f"{point.value} failed with {type(error).__name__}; the log has the way there under {reference}. {_ASK}"


def _name_of(one: Any) -> str:
    name = getattr(one, "name", None)
    return name[:_MOST_NAME] if isinstance(name, str) and name else f"({type(one).__name__})"


def _given_twice(given: Iterable[tuple[Origin, Any]]) -> dict[str, str]:
    """Why an operator that is given more than once is not used, by name."""
    packages: dict[str, list[str]] = {}
    for origin, one in given:
        packages.setdefault(_name_of(one), []).append(str(origin))
    found = {}
    for name, origins in packages.items():
        if len(origins) > 1:
            times = " and ".join(f"{one}{' twice' if n > 1 else ''}" for one, n in Counter(origins).items())
            found[name] = f"It comes from {times}. Keep one of them."
    return found


def _why_refused(one: Any) -> str:
    """The first thing wrong with what is to be an operator, and what to do; "" if it can be used."""
    if not isinstance(one, Operator):
        return f"It must be an Operator, not {type(one).__name__}. {_ASK}"
    try:
        wrong = next(_faults_in(one), "")
    except Exception as error:  # noqa: BLE001 - fields may hold anything
        wrong = f"its declaration cannot be read ({type(error).__name__})"
    return f"{wrong[:1].upper()}{wrong[1:].rstrip('.')}. {_ASK}" if wrong else ""


def _faults_in(one: Any) -> Iterator[str]:
    if not (isinstance(one.name, str) and _NAME.fullmatch(one.name) and len(one.name) <= _MOST_NAME):
        yield f"the name must be like lab/look-up, in small letters, at most {_MOST_NAME} characters"
        return
    if not (_is_line(one.title) and one.title.strip()):
        yield f"its title must be a text of 1 to {_MOST_TEXT} characters in one line"
    if not isinstance(one.mode, Mode):
        yield "its mode must be one of Mode.DERIVED, READ, WRITE and EFFECT"
    for what in ("call", "recall", "check", "result_of"):
        value = getattr(one, what)
        if not callable(value) and not (value is None and what != "call"):
            yield f"its “{what}” must be a function"
    if one.recall is not None and one.mode is not Mode.READ:
        yield "only a READ operator can recall"
    if one.mails is not None and not isinstance(one.mails, MailUse):
        yield "its “mails” must be a MailUse"
    if not isinstance(one.wording, Wording) or not all(_is_line(text) for text in astuple(one.wording)):
        yield f"its wording must be a Wording, each text one line of at most {_MOST_TEXT} characters"
    yield from _parameter_faults(one.parameters)
    yield from _error_faults(one.errors)
    if not isinstance(one.result, Mapping):
        yield "its result must be a shape (usher_engine.core.shapes)"
        return
    _written(one.result)
    yield from one.declaration_problems()


def _is_line(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= _MOST_TEXT and (text.isprintable() or not text)


def _parameter_faults(parameters: Any) -> Iterator[str]:
    if not isinstance(parameters, tuple) or not all(isinstance(one, Parameter) for one in parameters):
        yield "its parameters must be a tuple of Parameter"
        return
    for parameter in parameters:
        if not (isinstance(parameter.name, str) and _PARAMETER.fullmatch(parameter.name)):
            yield f"the parameter “{str(parameter.name)[:40]}” must be named in small letters, digits and _"
        _written(parameter.shape)
    names = Counter(parameter.name for parameter in parameters)
    yield from (f"the parameter “{name}” is declared twice" for name, times in names.items() if times > 1)


def _error_faults(errors: Any) -> Iterator[str]:
    if not isinstance(errors, Mapping):
        yield "its errors must map each code to a sentence"
        return
    for code, sentence in errors.items():
        if not (isinstance(code, str) and _CODE.fullmatch(code) and isinstance(sentence, str) and sentence.strip()):
            yield f"the error “{str(code)[:40]}” must be a code in small letters, with a sentence that says when"


def _settled(one: Operator, origin: Origin) -> Operator:
    """*one* with its *origin*, and with shapes that its package can no longer change."""
    parameters = tuple(replace(parameter, shape=_written(parameter.shape)) for parameter in one.parameters)
    return replace(one, origin=origin, parameters=parameters, result=_written(one.result), errors=dict(one.errors))


def _written(shape: Any) -> Any:
    """A copy of *shape* as plain JSON; raises `TypeError` or `ValueError` where it holds anything else."""
    return json.loads(json.dumps(shape, allow_nan=False))
