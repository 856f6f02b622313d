"""What one evaluation may use: fuel, sizes, nesting; and the values it may touch, which are JSON's and nothing else.

Constant work needs no accounting, since the number of nodes is bounded: fuel is spent by loops (the nodes of their
body for each round) and by whatever costs in proportion to a value's size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from usher_engine.core.canonical import MAX_KEY, is_reserved, is_storable
from usher_engine.core.errors import ExpressionError

EXPRESSION_FUEL = 20_000
SCRIPT_FUEL = 50_000
TEMPLATE_FUEL = 50_000
MAX_SIZE = 100_000  # characters of a text, elements of a list or record
MAX_RESULT = 300_000  # characters of all that comes out, about as JSON counts; above what an instance may hold
MAX_INTEGER = 10**30
MAX_NESTING = 40  # levels of lists and records inside each other
MAX_RANGE = 1_000

CHARACTERS_A_UNIT = 64  # how many characters are copied, compared or searched for one unit of fuel
ELEMENTS_A_UNIT = 8  # the same for list elements that are only moved

#: From these rules of a step on (`bpmn/step.py`) kinds never mix and moments compare as such (decisions/0022).
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
    """One evaluation: the data it reads, the time and the rules of its step, the fuel it has left."""

    __slots__ = ("data", "fuel", "line", "local", "now", "strict")

    def __init__(self, data: Mapping[str, Any], now: datetime, fuel: int, rules: int = STRICT) -> None:
        self.data = data
        self.now = now
        self.fuel = fuel
        self.strict = rules >= STRICT
        self.local: dict[str, Any] = {}
        self.line = 1

    @property
    def variables(self) -> dict[str, Any]:
        """The data as something to write to; only a script's own copy ever is."""
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
        """Pay for looking at every element of *value*; shared parts count as often as they appear."""
        kind = type(value)
        if kind is str:
            self.spend_text(value)
        elif kind is list or kind is dict:
            if level >= MAX_NESTING:
                raise too_nested()
            self.spend(1 + len(value))
            for element in value if kind is list else value.values():
                if type(element) not in SCALARS or type(element) is str:
                    self.spend_deep(element, level + 1)
        elif kind not in SCALARS:
            raise foreign("a value")


Code: TypeAlias = Callable[[Run], Any]


def copied(value: Any, *, storable: bool = True) -> Any:
    """
    A copy of *value* that shares nothing with it and is certainly JSON; refuses what is too large or too deep.

    With *storable*, texts and the names of fields are held to what a database can keep.
    """
    return _copied(value, 0, [MAX_RESULT], storable)


def _copied(value: Any, level: int, left: list[int], storable: bool) -> Any:
    kind = type(value)
    left[0] -= 2 + len(value) if kind is str else 2  # the least JSON needs for it
    if left[0] < 0:
        raise ExpressionError(f"The result is longer than {MAX_RESULT} characters; make it smaller.")
    if kind is str and storable:
        return checked_text(value)
    if kind in SCALARS:
        return value
    if level >= MAX_NESTING:
        raise too_nested()
    if kind is list:
        return [_copied(element, level + 1, left, storable) for element in value]
    if kind is dict:
        left[0] -= sum(map(len, value))
        if storable:
            checked_text("".join(value))
        return {key: _copied(element, level + 1, left, storable) for key, element in value.items()}
    raise foreign("a value")


def kind_of(value: Any) -> str:
    """What *value* is, for a message: never the value itself, which may be a patient's."""
    return KINDS.get(type(value), "something that is not JSON")


def checked_number(value: Any) -> Any:
    """*value*, a fresh result of arithmetic, if it is finite and short enough."""
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
    """*text* if the databases can keep it."""
    if not is_storable(text):
        raise ExpressionError("A text holds a character that cannot be stored: NUL, or half of one like \\ud800.")
    return text


def checked_key(key: Any) -> str:
    """*key* if a record may have it as the name of a field."""
    if type(key) is not str:
        raise ExpressionError(f"The name of a field must be a text, not {kind_of(key)}.")
    if is_reserved(key) or len(key) > MAX_KEY:
        raise ExpressionError(f"A field name is reserved or longer than {MAX_KEY} characters; choose another.")
    return key


def too_nested() -> ExpressionError:
    return ExpressionError(f"Lists and records may be nested at most {MAX_NESTING} levels deep.")


def foreign(what: str) -> ExpressionError:
    return ExpressionError(f"{what} is not text, number, true/false, nothing, list or record, so it cannot be used.")
