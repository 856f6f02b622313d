"""Reads rows that may have been tampered with. Implausible values are replaced and their columns listed.

Lists and pages use this, so that one bad row is reported without hiding the others. Commands refuse such a row, and
verify reads rows as stored (`stored_cases`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Integer, LargeBinary, Table

#: Replaces a moment that cannot be read.
NO_TIME = "1970-01-01T00:00:00.000000Z"
NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)

#: Upper bound of the numbers that SQLite and PostgreSQL both store.
LARGEST = 2**63

#: Columns that hold a moment, in addition to those that end in ``_at``.
MOMENTS = frozenset({"at"})

Check = Callable[[Any], bool]


def plausible_values(table: Table, row: Mapping[Any, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values of *row* by column, and the columns whose implausible values were replaced."""
    values, altered = dict(row), []
    for name, fits, instead in _columns(table):
        if name in values and not fits(values[name]):
            altered.append(name)
            values[name] = instead(values[name])
    return values, tuple(altered)


def moment(text: Any) -> datetime:
    """The moment in a column, for display; `NO_MOMENT` if it cannot be read."""
    return datetime.fromisoformat(text) if text and is_moment(text) else NO_MOMENT


def tampering_message(altered: tuple[str, ...]) -> str:
    """A sentence for people about the *altered* columns; empty if there are none."""
    if not altered:
        return ""
    names = ", ".join(name.replace("_", " ") for name in altered)
    return f"This record was altered outside Usher ({names}). Keep the database as it is, and tell your administrator."


@cache
def _columns(table: Table) -> list[tuple[str, Check, Callable[[Any], Any]]]:
    found: list[tuple[str, Check, Callable[[Any], Any]]] = []
    for column in table.columns:
        fits, instead = _kind(column)
        if column.nullable:
            found.append((column.name, _or_nothing(fits), lambda _: None))
        else:
            found.append((column.name, fits, instead))
    return found


def _or_nothing(fits: Check) -> Check:
    return lambda value: value is None or fits(value)


def _kind(column: Any) -> tuple[Check, Callable[[Any], Any]]:
    if isinstance(column.type, Boolean):
        return lambda value: type(value) is bool, bool
    if isinstance(column.type, Integer):
        return _is_number, lambda _: 0
    if isinstance(column.type, LargeBinary):
        return lambda value: type(value) is bytes, lambda _: b""
    if column.name.endswith("_at") or column.name in MOMENTS:
        return is_moment, lambda _: NO_TIME
    return is_text, as_text


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def is_moment(value: Any) -> bool:
    """Whether *value* is a moment as `to_text` writes it, or empty."""
    if value == "":
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def is_text(value: Any) -> bool:
    return type(value) is str and "\0" not in value


def as_text(value: Any) -> str:
    """*value* of a text column in a form that can be displayed."""
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value or "")
    return text.replace("\0", "\\x00")
