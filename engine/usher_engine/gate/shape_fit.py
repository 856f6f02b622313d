"""Whether a value of one shape fits where another is wanted: an operator's parameter, a column, a setting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from usher_engine.core.shape_algebra import usual_texts
from usher_engine.core.shapes import KIND_WORDS, Shape, kinds
from usher_engine.expressions import close_to, did_you_mean, listed

#: ``kind``: another kind. ``null``: null, which is not taken. ``unknown``: a field that is not taken. ``lacking``: a
#: field that is. ``value``: texts of which none is taken.
Misfit: TypeAlias = Literal["kind", "null", "unknown", "lacking", "value"]

_DEPTH = 5
_ALIKE = {"integer": "number"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """*path* are the fields that lead to the place; *close* is what was probably meant."""

    misfit: Misfit
    message: str
    path: tuple[str, ...] = ()
    close: str = ""


def mismatches(given: Shape, wanted: Shape, path: tuple[str, ...] = ()) -> Iterator[Mismatch]:
    """What of a value of the shape *given* does not fit *wanted*; nothing about what is not known."""
    has, takes = _kinds(given), _kinds(wanted)
    if not has or not takes or len(path) > _DEPTH:
        return
    if not has & takes and not ("number" in has and "integer" in kinds(wanted)):
        said = " or ".join(KIND_WORDS[kind] for kind in kinds(wanted))
        found = " or ".join(KIND_WORDS[kind] for kind in kinds(given))
        yield Mismatch(misfit="kind", message=f"must be {said}, and is {found}", path=path)
        return
    if "null" in has and "null" not in takes:
        yield Mismatch(misfit="null", message="may be null, which is not taken", path=path)
    if "string" in has & takes:
        yield from _texts(given, wanted, path)
    if "object" in has & takes:
        yield from _fields(given, wanted, path)
    if "array" in has & takes:
        yield from mismatches(given.get("items", {}), wanted.get("items", {}), (*path, "[…]"))


def _kinds(shape: Shape) -> set[str]:
    return {_ALIKE.get(kind, kind) for kind in kinds(shape)}


def _texts(given: Shape, wanted: Shape, path: tuple[str, ...]) -> Iterator[Mismatch]:
    taken, has = wanted.get("enum"), given.get("enum")
    if taken is None or has is None or set(map(str, has)) & set(map(str, taken)):
        return
    texts = usual_texts(wanted) or ()
    close = close_to(str(has[0]), texts) if len(has) == 1 else ""
    message = f"is never one of what is taken.{did_you_mean(close) or f' It may be: {listed(texts)}.'}"
    yield Mismatch(misfit="value", message=message.removesuffix("."), path=path, close=close)


def _fields(given: Shape, wanted: Shape, path: tuple[str, ...]) -> Iterator[Mismatch]:
    has, taken = given.get("properties", {}), wanted.get("properties")
    if taken is None:
        return
    for name, shape in has.items():
        if name in taken:
            yield from mismatches(shape, taken[name], (*path, name))
        elif wanted.get("additionalProperties") is False:
            close = close_to(name, [one for one in taken if one not in has])
            hint = did_you_mean(close) or f" It takes: {listed(taken)}."
            message = f"is a field that is not taken.{hint}"
            yield Mismatch(misfit="unknown", message=message.removesuffix("."), path=(*path, name), close=close)
    if given.get("additionalProperties") is False:
        for name in wanted.get("required", ()):
            if name not in has:
                yield Mismatch(misfit="lacking", message=f"lacks the field “{name}”", path=path)
