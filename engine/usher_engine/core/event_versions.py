"""Event classes: the version of their fields, and how the log writes and reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, TypeAlias, TypeVar, dataclass_transform, get_type_hints

from .canonical import Json
from .errors import Corrupt

T = TypeVar("T")

#: Text that may be empty; the log omits it then. The log must contain every other field without a default.
MaybeEmpty: TypeAlias = Annotated[str, "may be empty"]

_NAMES: dict[type[Any], tuple[str, ...]] = {}
_NEEDED: dict[type[Any], tuple[tuple[str, bool], ...]] = {}


@dataclass_transform(frozen_default=True)
def event(*, version: int) -> Callable[[type[T]], type[T]]:
    """Make a class an event whose fields have *version*. The log contains versions above 1."""

    def decorate(cls: type[T]) -> type[T]:
        frozen = dataclass(frozen=True, slots=True)(cls)
        frozen.event_version = version  # type: ignore[attr-defined]
        _NAMES[frozen] = tuple(field.name for field in fields(frozen))  # type: ignore[arg-type]  # made one above
        _NEEDED[frozen] = _required_fields(frozen)
        return frozen

    return decorate


def version_of(kind: type[Any]) -> int:
    """The version of the fields of an event class."""
    return kind.event_version  # type: ignore[no-any-return]


def to_record(event: Any) -> dict[str, Json]:
    """*event* as written to the log, with its ``kind``, without fields that are empty text, null or false."""
    kind = type(event)
    record: dict[str, Json] = {"kind": kind.__name__}
    if (version := version_of(kind)) > 1:
        record["event_version"] = version
    for name in _NAMES[kind]:
        value = getattr(event, name)
        if not (value is None or value is False or value == ""):
            record[name] = value
    return record


def from_record(kind: type[T], record: Mapping[str, Any]) -> T:
    """
    The event of *kind* that `to_record` wrote as *record*; omitted fields get their defaults.

    Raises `Corrupt` for another version, and for a missing field that has no default and cannot be empty.
    """
    version = record.get("event_version", 1)
    if version != version_of(kind):
        known = version_of(kind)
        raise Corrupt(f"{kind.__name__} has version {str(version)[:20]!a}; this version of Usher knows {known}.")
    values = {name: record[name] for name in _NAMES[kind] if name in record}
    for name, may_be_empty in _NEEDED[kind]:
        if name not in values:
            if not may_be_empty:
                raise Corrupt(f"{kind.__name__} has no {name}.")
            values[name] = ""
    return kind(**values)


def _required_fields(kind: type[Any]) -> tuple[tuple[str, bool], ...]:
    """The fields without a default, and whether the log may omit them when they are empty."""
    types = get_type_hints(kind, include_extras=True)
    missing = (field.name for field in fields(kind) if field.default is field.default_factory)  # both MISSING
    return tuple((name, types[name] == MaybeEmpty) for name in missing)
