"""JSON values, their canonical form (RFC 8785), and the limits that every input must keep.

The hashes of steps and packages, and so the proof, depend on `canonical`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeAlias

import rfc8785

from .errors import InvalidSubmission

Json: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

MAX_DEPTH = 12
MAX_VALUES = 5_000
MAX_TEXT = 20_000
MAX_KEY = 100
MAX_INTEGER = 2**53 - 1  # the largest integer RFC 8785 can write

# PostgreSQL keeps no NUL in a text; half of a character (a lone surrogate) has no UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def whole_number(text: str) -> int | None:
    """The number *text* spells in at most nine plain digits; None for anything else, which no column could hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def canonical(value: Json) -> bytes:
    """
    The one byte string that stands for *value* (RFC 8785, JSON Canonicalization Scheme).

    Where no number has a fraction and all keys are ASCII, `json` writes the same bytes in a tenth of the time;
    tests/properties compares the two. Everything else is the library's.
    """
    if _is_plain(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return rfc8785.dumps(value)


def _is_plain(value: Json) -> bool:
    pending: list[Any] = [[value]]
    while pending:
        for item in pending.pop():
            kind = type(item)
            if kind is str or kind is bool or item is None:
                continue
            if kind is dict:
                if not all(map(str.isascii, item)):
                    return False
                pending.append(item.values())
            elif kind is list:
                pending.append(item)
            elif kind is not int or not -MAX_INTEGER <= item <= MAX_INTEGER:
                return False
    return True


def parse_canonical(written: bytes) -> Any:
    """Parse bytes written by `canonical`; a whole number too large for an integer is read back as a float."""
    return json.loads(written, parse_int=_whole)


def _whole(digits: str) -> int | float:
    number = int(digits)
    return number if -MAX_INTEGER <= number <= MAX_INTEGER else float(digits)


def compact(value: Json) -> str:
    """JSON for storage: short, keys in the order given, text kept as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_stored_json(value: Any) -> Any:
    """*value* as it reads back from its canonical form: keys in order, whole numbers as integers.

    Every input of a run passes through this first, so that re-executing the record gives the same state, byte for byte.
    """
    kind = type(value)
    if kind is dict:
        return {key: as_stored_json(value[key]) for key in sorted(value)}
    if kind is list:
        return [as_stored_json(item) for item in value]
    if kind is float and value.is_integer() and abs(value) <= MAX_INTEGER:
        return int(value)
    if kind is int and abs(value) > MAX_INTEGER:
        return float(value)
    return value


def changes(before: Mapping[str, Json], after: Mapping[str, Json], *, exact: bool = True) -> dict[str, Json]:
    """The fields of *after* that are missing or different in *before*; *exact* distinguishes true from 1."""
    return {
        key: value
        for key, value in after.items()
        if key not in before
        or ((old := before[key]) is not value and (old != value or (exact and not _of_a_kind(old, value))))
    }


def _of_a_kind(left: Any, right: Any) -> bool:
    """Whether two values that Python considers equal have true and false in the same places."""
    if isinstance(left, dict):
        items: Iterable[tuple[Any, Any]] = left.items()
    elif isinstance(left, list):
        items = enumerate(left)
    else:
        return isinstance(left, bool) is isinstance(right, bool)
    for key, value in items:
        other = right[key]
        if value is not other and type(value) is not str and not _of_a_kind(value, other):
            return False
    return True


def is_storable(text: str) -> bool:
    """Whether both databases can store every character of *text*; every printable character can be stored."""
    return text.isprintable() or _UNSTORABLE.search(text) is None


def is_reserved(key: str) -> bool:
    """Whether *key* could be mistaken for one of the engine library's own (engine/decisions/0003)."""
    return key == "typename" or key.startswith("__")


def check_input(value: Any, *, where: str = "body") -> Json:
    """
    Refuse values that must not enter an instance, from a form, the API, a job or an import.

    Args:
        value: Parsed JSON.
        where: Name of the top level of *value* in messages, for example ``body``.

    Returns:
        *value*, unchanged.

    Raises:
        InvalidSubmission: ``fields`` maps the path of the first invalid value to the reason.
    """
    _walk(value, [where], [MAX_VALUES])
    return value  # type: ignore[no-any-return]


def _walk(value: Any, path: list[str | int], budget: list[int]) -> None:
    """Check *value*; *path* is the name of the top level, then the fields and indexes that lead to *value*."""
    budget[0] -= 1
    if budget[0] < 0:
        _refuse(path, f"has more than {MAX_VALUES} values")
    if len(path) > MAX_DEPTH + 1:
        _refuse(path, f"is nested deeper than {MAX_DEPTH} levels")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, path, MAX_TEXT)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            _refuse(path, f"is a number beyond ±{MAX_INTEGER}")
    elif isinstance(value, float):
        if not math.isfinite(value):
            _refuse(path, "is not a finite number")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            path.append(index)
            _walk(item, path, budget)
            path.pop()
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_key(key, path)
            path.append(key)
            _walk(item, path, budget)
            path.pop()
    else:
        _refuse(path, f"is {type(value).__name__}; only JSON values are taken")


def _check_key(key: Any, path: list[str | int]) -> None:
    if not isinstance(key, str):
        _refuse(path, "has a field name that is not text")
    _check_text(key, path, MAX_KEY)
    if is_reserved(key):
        _refuse([*path, key], "is a reserved name; choose another")


def _check_text(value: str, path: list[str | int], limit: int) -> None:
    if len(value) > limit:
        _refuse(path, f"is longer than {limit} characters")
    if not is_storable(value):
        _refuse(path, "holds a character that cannot be stored")


def _refuse(path: list[str | int], reason: str) -> NoReturn:
    top, *steps = path
    words = f"{top}{''.join(f'[{step}]' if isinstance(step, int) else f'.{step}' for step in steps)}"
    raise InvalidSubmission(f"{words} {reason}.", fields={words: reason})
