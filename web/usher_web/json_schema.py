"""JSON Schemas of typed dictionaries, and parsing of request bodies: one shape describes, types and checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, NotRequired, TypeVar, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

import usher_engine

T = TypeVar("T")

#: Each type in Python, in JSON Schema and in words.
_PLAIN: Mapping[Any, tuple[str, str]] = {
    str: ("string", "text"),
    bool: ("boolean", "true or false"),
    int: ("integer", "a whole number"),
    dict: ("object", "an object"),
    NoneType: ("null", "null"),
}


def reference(shape: Any) -> dict[str, Any]:
    """The schema that names the component of *shape*."""
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def components(shapes: Iterable[Any], *, strict: Iterable[Any] = ()) -> dict[str, Any]:
    """The schemas of *shapes*, and of all shapes in them, by name; *strict* ones take no other fields."""
    found: dict[str, Any] = {}
    refused = list(strict)
    for shape in (*shapes, *refused):
        for part in _nested_shapes(shape):
            found[part.__name__] = _component(part, strict=part in refused)
    return found


def read(shape: type[T], body: dict[str, Any]) -> T:
    """*body* as *shape*; raises `InvalidSubmission` with each field that is missing, unknown or of another type."""
    hints = get_type_hints(shape, include_extras=True)
    wrong = {name: "is missing" for name, hint in hints.items() if _is_required(hint) and name not in body}
    for name, value in body.items():
        if name not in hints:
            wrong[name] = "is not known here"
            continue
        kinds = _kinds(hints[name])
        if type(value) not in kinds:
            wrong[name] = f"must be {_PLAIN[kinds[0]][1]}"
    if wrong:
        raise usher_engine.InvalidSubmission("Some fields need another look.", fields=wrong)
    return cast("T", body)


def _component(shape: Any, *, strict: bool) -> dict[str, Any]:
    hints = get_type_hints(shape, include_extras=True)
    found: dict[str, Any] = {"type": "object"}
    if words := shape.__dict__.get("__doc__"):
        found["description"] = " ".join(words.split())
    found["required"] = [name for name, hint in hints.items() if _is_required(hint)]
    found["properties"] = {name: _schema(hint) for name, hint in hints.items()}
    return {**found, "additionalProperties": False} if strict else found


def _schema(hint: Any) -> dict[str, Any]:
    origin, args = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return _schema(args[0])
    if origin is Annotated:
        return {**_schema(args[0]), **args[1]}
    if is_typeddict(hint):
        return reference(hint)
    if origin in (Union, UnionType):
        first, *others = (_schema(arg) for arg in args)
        return {**first, "type": [first["type"], *(other["type"] for other in others)]}
    if origin is list:
        return {"type": "array", "items": _schema(args[0])}
    if origin is dict and args[1] is not Any:
        return {"type": "object", "additionalProperties": _schema(args[1])}
    return {"type": _PLAIN[origin or hint][0]}


def _is_required(hint: Any) -> bool:
    return get_origin(hint) is not NotRequired


def _kinds(hint: Any) -> list[Any]:
    """The Python types of the values that *hint* allows; for request bodies, whose fields are all plain."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (NotRequired, Annotated):
        return _kinds(args[0])
    if origin in (Union, UnionType):
        return [kind for arg in args for kind in _kinds(arg)]
    return [origin or hint]


def _nested_shapes(shape: Any) -> Iterator[Any]:
    """*shape* and every shape in it."""
    yield shape
    pending = list(get_type_hints(shape, include_extras=True).values())
    while pending:
        hint = pending.pop(0)
        if is_typeddict(hint):
            yield from _nested_shapes(hint)
        else:
            pending += [arg for arg in get_args(hint) if not isinstance(arg, dict)]
