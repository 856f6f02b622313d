"""Arithmetic, comparison, membership, indexing: each checks the types of its values and costs fuel by their size."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeAlias

from usher_engine.core.errors import ExpressionError

from .budget import CHARACTERS_A_UNIT, ELEMENTS_A_UNIT, NUMBERS, Run, check_size, checked_number, kind_of, not_json
from .comparison import NUMERIC, order_keys, same

Operation: TypeAlias = Callable[[Run, Any, Any], Any]

JSON = frozenset({type(None), bool, int, float, str, list, dict})


def json_value(value: Any, what: str) -> Any:
    """Return *value* if it is JSON; host objects never enter an expression."""
    if type(value) in JSON:
        return value
    raise not_json(what)


def equal(run: Run, left: Any, right: Any) -> bool:
    kind = type(left)
    if kind is str:
        if len(left) > CHARACTERS_A_UNIT:  # asked here too: a call less on the commonest path
            run.spend_text(left)
    elif (kind is list or kind is dict) and type(right) is kind:
        run.spend_deep(left)
        run.spend_deep(right)
    return same(left, right) if run.strict else bool(left == right)


def unequal(run: Run, left: Any, right: Any) -> bool:
    return not equal(run, left, right)


def less(run: Run, left: Any, right: Any) -> Any:
    left, right = _in_order(run, left, right)
    return left < right


def less_or_equal(run: Run, left: Any, right: Any) -> Any:
    left, right = _in_order(run, left, right)
    return left <= right


def greater(run: Run, left: Any, right: Any) -> Any:
    left, right = _in_order(run, left, right)
    return left > right


def greater_or_equal(run: Run, left: Any, right: Any) -> Any:
    left, right = _in_order(run, left, right)
    return left >= right


def _in_order(run: Run, left: Any, right: Any) -> tuple[Any, Any]:
    """Return the sort keys of *left* and *right*."""
    numbers = NUMERIC if run.strict else NUMBERS
    if type(left) in numbers and type(right) in numbers:
        return left, right
    if type(left) is not str or type(right) is not str:
        raise ExpressionError(
            f"Smaller and larger are known of two numbers or two texts, not of {kind_of(left)} and {kind_of(right)}."
        )
    run.spend_text(left)
    first, second = order_keys([left, right]) if run.strict else (left, right)
    return first, second


def contains(run: Run, part: Any, whole: Any) -> bool:
    """``part in whole``."""
    kind = type(whole)
    if kind is dict:
        return type(part) is str and part in whole
    if kind is list:
        return index_of(run, part, whole) >= 0
    if kind is not str:
        raise ExpressionError(f"“in” looks into a list, a text or a record, not into {kind_of(whole)}.")
    if type(part) is not str:
        raise ExpressionError(f"“in” finds a text in a text, not {kind_of(part)}.")
    run.spend_text(whole)
    return part in whole


def index_of(run: Run, part: Any, whole: list[Any]) -> int:
    """Index of the first *part* in *whole*; -1 if there is none."""
    run.spend(len(whole))
    for index, element in enumerate(whole):
        if type(element) in JSON and equal(run, part, element):
            return index
    return -1


def lacks(run: Run, part: Any, whole: Any) -> bool:
    return not contains(run, part, whole)


def add(run: Run, left: Any, right: Any) -> Any:
    kind = type(left)
    if kind in NUMBERS and type(right) in NUMBERS:
        return checked_number(left + right)
    if kind is not type(right) or (kind is not str and kind is not list):
        raise ExpressionError(
            f"“+” takes two numbers, two texts or two lists, not {kind_of(left)} and {kind_of(right)}; "
            "str(…) makes a text of a number."
        )
    size = len(left) + len(right)
    check_size(size)
    run.spend(1 + size // (CHARACTERS_A_UNIT if kind is str else ELEMENTS_A_UNIT))
    return left + right


def subtract(_run: Run, left: Any, right: Any) -> Any:
    _check_numbers("-", left, right)
    return checked_number(left - right)


def multiply(_run: Run, left: Any, right: Any) -> Any:
    _check_numbers("*", left, right)
    return checked_number(left * right)


def divide(_run: Run, left: Any, right: Any) -> Any:
    _check_numbers("/", left, right)
    return checked_number(left / _divisor(right))


def divide_whole(_run: Run, left: Any, right: Any) -> Any:
    _check_numbers("//", left, right)
    return checked_number(left // _divisor(right))


def remainder(_run: Run, left: Any, right: Any) -> Any:
    _check_numbers("%", left, right)
    return checked_number(left % _divisor(right))


def _check_numbers(sign: str, left: Any, right: Any) -> None:
    if type(left) not in NUMBERS or type(right) not in NUMBERS:
        raise ExpressionError(f"“{sign}” takes two numbers, not {kind_of(left)} and {kind_of(right)}.")


def _divisor(number: Any) -> Any:
    if not number:
        raise ExpressionError("A number cannot be divided by zero.")
    return number


def negative(value: Any) -> Any:
    if type(value) not in NUMBERS:
        raise ExpressionError(f"“-” in front takes a number, not {kind_of(value)}.")
    return -value


def positive(value: Any) -> Any:
    if type(value) not in NUMBERS:
        raise ExpressionError(f"“+” in front takes a number, not {kind_of(value)}.")
    return +value


def item(owner: Any, key: Any, label: str) -> Any:
    """``owner[key]``; *label* names the owner in messages."""
    kind = type(owner)
    if kind is dict:
        return json_value(_field(owner, key, label), f"A field of {label}")
    if kind is not list and kind is not str:
        raise ExpressionError(f"{label} is {kind_of(owner)}; “[…]” takes from a list, a text or a record.")
    return json_value(owner[checked_index(owner, key, label)], f"An element of {label}")


def _field(owner: dict[str, Any], key: Any, label: str) -> Any:
    if type(key) is not str:
        raise ExpressionError(f"{label} is a record; its fields are found by text, not by {kind_of(key)}.")
    if key not in owner:
        raise ExpressionError(f"{label} has no field of that name; use .get(…) if it may be missing.")
    return owner[key]


def checked_index(owner: Any, key: Any, label: str) -> int:
    """Return *key* if it is a position in the list or text *owner*."""
    if type(key) is not int:
        raise ExpressionError(f"A position in {label} is a whole number, not {kind_of(key)}.")
    if not -len(owner) <= key < len(owner):
        raise ExpressionError(f"{label} is shorter than the position asked for; look at len(…) first.")
    return key


def slice_of(run: Run, owner: Any, bounds: tuple[Any, Any, Any], label: str) -> Any:
    """``owner[start:stop:step]``."""
    if type(owner) is not list and type(owner) is not str:
        raise ExpressionError(f"{label} is {kind_of(owner)}; a slice takes from a list or a text.")
    for bound in bounds:
        if bound is not None and type(bound) is not int:
            raise ExpressionError(f"The bounds of a slice are whole numbers, not {kind_of(bound)}.")
    if bounds[2] == 0:
        raise ExpressionError("The step of a slice cannot be zero.")
    part = slice(*bounds)
    run.spend(1 + len(range(*part.indices(len(owner)))) // ELEMENTS_A_UNIT)
    return owner[part]


BINARY: dict[type[ast.operator], Operation] = {
    ast.Add: add,
    ast.Sub: subtract,
    ast.Mult: multiply,
    ast.Div: divide,
    ast.FloorDiv: divide_whole,
    ast.Mod: remainder,
}

COMPARE: dict[type[ast.cmpop], Operation] = {
    ast.Eq: equal,
    ast.NotEq: unequal,
    ast.Lt: less,
    ast.LtE: less_or_equal,
    ast.Gt: greater,
    ast.GtE: greater_or_equal,
    ast.In: contains,
    ast.NotIn: lacks,
}
