"""The functions an expression may call, in a fixed table that data can neither extend nor replace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from usher_engine.core.errors import ExpressionError

from . import date_texts
from .budget import (
    MAX_RANGE,
    NUMBERS,
    Run,
    check_size,
    checked_key,
    checked_number,
    kind_of,
    not_json,
)
from .comparison import NUMERIC, order_keys
from .operators import JSON, add, json_value

_MISSING = object()
_PAIR = 2
_MAX_DIGITS = 30
_MAX_NUMERAL = 80  # characters of a number written as text
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """``call`` takes the `Run` and between ``least`` and ``most`` values."""

    call: Callable[..., Any]
    least: int = 1
    most: int = 1


def text_of(value: Any) -> str:
    """Return *value* as Python writes it; raises `ExpressionError` for lists and records."""
    if type(value) is str:
        return value
    if type(value) is list or type(value) is dict:
        raise ExpressionError("A list or record cannot be written as text; use join(…) or name a field.")
    if type(value) not in JSON:
        raise not_json("A value")
    return str(value)


def elements(run: Run, value: Any, user: str) -> list[Any]:
    """Return what a loop over *value* visits: elements, field names or characters; a copy, so it cannot grow."""
    if type(value) is not list and type(value) is not dict and type(value) is not str:
        raise ExpressionError(f"{user} takes a list, not {kind_of(value)}.")
    check_size(len(value))
    run.spend_elements(len(value))
    return list(value)


def _len(_run: Run, value: Any) -> int:
    if type(value) is list or type(value) is dict or type(value) is str:
        return len(value)
    raise ExpressionError(f"len takes a text, a list or a record, not {kind_of(value)}.")


def _str(_run: Run, value: Any = "") -> str:
    return text_of(value)


def _int(_run: Run, value: Any = 0) -> Any:
    if type(value) in NUMBERS:
        return checked_number(int(value))
    if type(value) is str and len(value) <= _MAX_NUMERAL and _WHOLE.fullmatch(value.strip()):
        return checked_number(int(value))
    raise ExpressionError(f"int takes a number or a text of digits; this is {kind_of(value)} of another form.")


def _float(_run: Run, value: Any = 0.0) -> Any:
    if type(value) in NUMBERS:
        return float(value)
    if type(value) is str and len(value) <= _MAX_NUMERAL and _DECIMAL.fullmatch(value.strip()):
        return checked_number(float(value))
    raise ExpressionError(f"float takes a number or a text like 12.5; this is {kind_of(value)} of another form.")


def _bool(_run: Run, value: Any = False) -> bool:
    return bool(value)


def _round(_run: Run, value: Any, digits: Any = None) -> Any:
    if type(value) not in NUMBERS:
        raise ExpressionError(f"round takes a number, not {kind_of(value)}.")
    if digits is None:
        return checked_number(round(value))
    if type(digits) is not int or abs(digits) > _MAX_DIGITS:
        raise ExpressionError("round takes a whole number of digits between -30 and 30.")
    try:
        return checked_number(round(value, digits))
    except OverflowError:  # when rounding up the largest numbers
        raise ExpressionError("The result is not a finite number.") from None


def _abs(_run: Run, value: Any) -> Any:
    if type(value) not in NUMBERS:
        raise ExpressionError(f"abs takes a number, not {kind_of(value)}.")
    return abs(value)


def _min(run: Run, *values: Any) -> Any:
    chosen = _many(run, values, "min")
    keys = _keys(run, chosen, "min")
    return chosen[keys.index(min(keys))]


def _max(run: Run, *values: Any) -> Any:
    chosen = _many(run, values, "max")
    keys = _keys(run, chosen, "max")
    return chosen[keys.index(max(keys))]


def _many(run: Run, values: tuple[Any, ...], user: str) -> list[Any]:
    chosen = elements(run, values[0], user) if len(values) == 1 else list(values)
    if not chosen:
        raise ExpressionError(f"{user} needs at least one element; look at len(…) first.")
    return chosen


def _sorted(run: Run, value: Any) -> list[Any]:
    chosen = elements(run, value, "sorted")
    keys = _keys(run, chosen, "sorted")
    run.spend(len(chosen) * len(chosen).bit_length() // 8)
    return [chosen[place] for place in sorted(range(len(keys)), key=keys.__getitem__)]


def _keys(run: Run, values: list[Any], user: str) -> list[Any]:
    """The sort keys of *values*, in the same order."""
    numbers = NUMERIC if run.strict else NUMBERS
    if all(type(value) in numbers for value in values):
        run.spend_elements(len(values))
        return values
    if all(type(value) is str for value in values):
        run.spend((len(values) + sum(map(len, values)) // 64 * len(values).bit_length()) // 4)
        return order_keys(values) if run.strict else values
    raise ExpressionError(f"{user} compares numbers only or texts only; here the kinds are mixed or of no order.")


def _sum(run: Run, value: Any) -> Any:
    total: Any = 0
    for element in elements(run, value, "sum"):
        run.spend(1)
        if type(element) not in NUMBERS:
            raise ExpressionError(f"sum adds numbers, not {kind_of(element)}.")
        total = add(run, total, element)
    return total


def _any(run: Run, value: Any) -> bool:
    return any(_lazy_elements(run, value, "any"))


def _all(run: Run, value: Any) -> bool:
    return all(_lazy_elements(run, value, "all"))


def _lazy_elements(run: Run, value: Any, user: str) -> Iterable[Any]:
    """Return *value* unevaluated if it is a loop written inside the call, so ``any`` stops at the first hit."""
    return value if type(value) is Lazy else elements(run, value, user)


class Lazy:
    """A loop written as the only argument of ``any`` or ``all``; never a value of the language."""

    __slots__ = ("_rounds",)

    def __init__(self, rounds: Iterable[Any]) -> None:
        self._rounds = rounds

    def __iter__(self) -> Any:
        return iter(self._rounds)


def _list(run: Run, value: Any = ()) -> list[Any]:
    return [] if value == () else elements(run, value, "list")


def _dict(run: Run, value: Any = None) -> dict[str, Any]:
    if value is None:
        return {}
    if type(value) is dict:
        run.spend_elements(len(value))
        return dict(value)
    made: dict[str, Any] = {}
    for pair in elements(run, value, "dict"):
        run.spend(1)
        if type(pair) is not list or len(pair) != _PAIR:
            raise ExpressionError("dict takes a record or a list of pairs: [[name, value], …].")
        made[checked_key(pair[0])] = pair[1]
    return made


def _range(run: Run, first: Any, last: Any = None, step: Any = 1) -> list[int]:
    bounds = (0, first, step) if last is None else (first, last, step)
    if any(type(bound) is not int for bound in bounds) or step == 0:
        raise ExpressionError("range takes whole numbers, and a step that is not zero.")
    numbers = range(*bounds)
    # Not len(): it overflows on the 30-digit numbers the language knows.
    if numbers and abs(numbers[-1] - numbers.start) // abs(step) >= MAX_RANGE:
        raise ExpressionError(f"range gives at most {MAX_RANGE} numbers.")
    run.spend_elements(len(numbers))
    return list(numbers)


def join_texts(run: Run, value: Any, separator: Any = ", ") -> str:
    """Join the elements into one text; numbers are converted to text."""
    if type(separator) is not str:
        raise ExpressionError(f"join takes a text to put between, not {kind_of(separator)}.")
    texts = []
    for element in elements(run, value, "join"):
        run.spend(1)
        texts.append(text_of(element))
    size = sum(map(len, texts)) + len(separator) * len(texts)
    check_size(size)
    run.spend(size // 64)
    return separator.join(texts)


def _get(run: Run, name: Any, default: Any = None) -> Any:
    """Read a variable of the case that may be missing."""
    if type(name) is not str:
        raise ExpressionError(f"get takes the name of a variable as a text, not {kind_of(name)}.")
    value = run.data.get(name, _MISSING)
    return default if value is _MISSING else json_value(value, "A variable")


FUNCTIONS: dict[str, Function] = {
    "abs": Function(call=_abs),
    "all": Function(call=_all),
    "any": Function(call=_any),
    "bool": Function(call=_bool, least=0),
    "date_text": Function(call=date_texts.date_text),
    "datetime_text": Function(call=date_texts.datetime_text),
    "dict": Function(call=_dict, least=0),
    "float": Function(call=_float, least=0),
    "get": Function(call=_get, most=2),
    "int": Function(call=_int, least=0),
    "join": Function(call=join_texts, most=2),
    "len": Function(call=_len),
    "list": Function(call=_list, least=0),
    "max": Function(call=_max, most=100),
    "min": Function(call=_min, most=100),
    "now": Function(call=date_texts.now, least=0, most=0),
    "range": Function(call=_range, most=3),
    "round": Function(call=_round, most=2),
    "sorted": Function(call=_sorted),
    "str": Function(call=_str, least=0),
    "sum": Function(call=_sum),
    "today": Function(call=date_texts.today, least=0, most=0),
}

#: Functions that stop at the first element that decides.
LAZY = ("any", "all")
