"""Limits of one evaluation: fuel, sizes and nesting. Values may only be JSON.

Constant work needs no accounting because the number of nodes is bounded. Loops spend fuel (the nodes of their body for
each round), and so do operations whose cost grows with the size of a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from usher_engine.core.canonical import MAX_KEY, is_reserved, is_storable
from usher_engine.core.errors import ExpressionError
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar

EXPRESSION_FUEL = 20_000
SCRIPT_FUEL = 50_000
TEMPLATE_FUEL = 50_000
MAX_SIZE = 100_000  # characters of a text, elements of a list or record
MAX_RESULT = 300_000  # characters of the whole result, roughly as JSON; more than an instance may hold
MAX_INTEGER = 10**30
MAX_NESTING = 40  # levels of nested lists and records
MAX_RANGE = 1_000

CHARACTERS_A_UNIT = 64  # characters copied, compared or searched per unit of fuel
ELEMENTS_A_UNIT = 8  # list elements moved per unit of fuel

#: Since this version of the step rules (`bpmn/step.py`), types never mix and moments compare as such (decisions/0022).
STRICT = 2

NUMBERS = frozenset({int, float, bool})
SCALARS = frozenset({type(None), bool, int, float, str})
KINDS: dict[type, str] = {
    type(None): "nothing",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a record",
}


class Run:
    """One evaluation: the data it reads; the time, rules and calendar of its step; and the remaining fuel."""

    __slots__ = ("calendar", "data", "fuel", "line", "local", "now", "strict")

    def __init__(
        self, data: Mapping[str, Any], now: datetime, fuel: int, rules: int = STRICT, calendar: Calendar = UTC_CALENDAR
    ) -> None:
        self.data = data
        self.now = now
        self.calendar = calendar
        self.fuel = fuel
        self.strict = rules >= STRICT
        self.local: dict[str, Any] = {}
        self.line = 1

    @property
    def variables(self) -> dict[str, Any]:
        """The data as a writable dict; only a script, which has its own copy, may write."""
        if not isinstance(self.data, dict):
            raise ExpressionError("Only a script may change data.")
        return self.data

    def spend(self, fuel: int) -> None:
        self.fuel -= fuel
        if self.fuel < 0:
            raise ExpressionError("This needs too much work: loop over fewer elements, or use smaller values.")

    def spend_text(self, text: str) -> None:
        if len(text) > CHARACTERS_A_UNIT:
            self.spend(len(text) // CHARACTERS_A_UNIT)

    def spend_elements(self, count: int) -> None:
        if count > ELEMENTS_A_UNIT:
            self.spend(count // ELEMENTS_A_UNIT)

    def spend_deep(self, value: Any, level: int = 0) -> None:
        """Charge for a visit of every element of *value*; shared parts count each time they appear."""
        kind = type(value)
        if kind is str:
            self.spend_text(value)
        elif kind is list or kind is dict:
            if level >= MAX_NESTING:
                raise nesting_error()
            self.spend(1 + len(value))
            for element in value if kind is list else value.values():
                if type(element) not in SCALARS or type(element) is str:
                    self.spend_deep(element, level + 1)
        elif kind not in SCALARS:
            raise not_json("a value")


Code: TypeAlias = Callable[[Run], Any]


def checked_copy(value: Any, *, storable: bool = True) -> Any:
    """
    Return a deep copy of *value*; raises `ExpressionError` if it is not JSON, too large or too deep.

    With *storable*, texts and field names must be storable in a database.
    """
    return _copy_value(value, 0, [MAX_RESULT], storable)


def _copy_value(value: Any, level: int, left: list[int], storable: bool) -> Any:
    kind = type(value)
    left[0] -= 2 + len(value) if kind is str else 2  # the least JSON needs for it
    if left[0] < 0:
        raise ExpressionError(f"The result is longer than {MAX_RESULT} characters; make it smaller.")
    if kind is str and storable:
        return checked_text(value)
    if kind in SCALARS:
        return value
    if level >= MAX_NESTING:
        raise nesting_error()
    if kind is list:
        return [_copy_value(element, level + 1, left, storable) for element in value]
    if kind is dict:
        left[0] -= sum(map(len, value))
        if storable:
            checked_text("".join(value))
        return {key: _copy_value(element, level + 1, left, storable) for key, element in value.items()}
    raise not_json("a value")


def kind_of(value: Any) -> str:
    """The type of *value* for a message; never the value itself, which may be patient data."""
    return KINDS.get(type(value), "something that is not JSON")


def checked_number(value: Any) -> Any:
    """Return *value*, a result of arithmetic, if it is finite and short enough."""
    if type(value) is int:
        if not -MAX_INTEGER < value < MAX_INTEGER:
            raise ExpressionError("A whole number may have at most 30 digits.")
    elif type(value) is not float or value - value != 0.0:  # infinity and not-a-number
        raise ExpressionError("The result is not a finite number.")
    return value


def check_size(size: int) -> None:
    if size > MAX_SIZE:
        raise ExpressionError(f"A text or list may have at most {MAX_SIZE} characters or elements.")


def checked_text(text: str) -> str:
    """Return *text* if the databases can store it."""
    if not is_storable(text):
        raise ExpressionError("A text holds a character that cannot be stored: NUL, or half of one like \\ud800.")
    return text


def checked_key(key: Any) -> str:
    """Return *key* if it is a valid field name of a record."""
    if type(key) is not str:
        raise ExpressionError(f"The name of a field must be a text, not {kind_of(key)}.")
    if is_reserved(key) or len(key) > MAX_KEY:
        raise ExpressionError(f"A field name is reserved or longer than {MAX_KEY} characters; choose another.")
    return key


def nesting_error() -> ExpressionError:
    return ExpressionError(f"Lists and records may be nested at most {MAX_NESTING} levels deep.")


def not_json(what: str) -> ExpressionError:
    return ExpressionError(f"{what} is not text, number, true/false, nothing, list or record, so it cannot be used.")
