"""Rules for timer values: ISO 8601 text, or an expression that can return it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from usher_engine.bpmn import timer_due, timer_literal
from usher_engine.core.errors import ExpressionError
from usher_engine.definitions import MISSED, MISSED_ALL, MISSED_SKIP, Node, Timer

from ..definitions.lint_finding import Finding
from .known_values import UNKNOWN, known_value
from .process_graph import Sheet, quoted

_ADVICE: Mapping[str, str] = {
    "timeDate": "Write a date like 2026-05-03T09:00:00Z, or an expression that returns one.",
    "timeDuration": "Write a duration like PT1H or P2D, in capitals, or an expression that returns one.",
    "timeCycle": "Write a cycle like R3/PT1H or R/P1D, in capitals, or an expression that returns one.",
}
#: A name probably meant as a duration or cycle: pt1h, P, R3.
_LIKE_A_TIME = re.compile(r"[pr]t?(?:[0-9][0-9a-z]*)?", re.IGNORECASE)
#: Syntax whose value is never a text.
_NO_TEXT = (ast.UnaryOp, ast.Compare, ast.BoolOp, ast.List, ast.Dict, ast.Tuple, ast.ListComp, ast.DictComp)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def timer_findings(sheet: Sheet, node: Node) -> Iterator[Finding]:
    """Findings about timers with no value, with an invalid one, or with a name that nothing in the package sets."""
    if "timer" not in node.events:
        return
    timer = node.timer
    if timer is None or not timer.text:
        message = "The timer has no date, duration or cycle. Write one, like P2D or 2026-05-03T09:00:00Z."
        yield sheet.finding(node.id, "timer", message)
        return
    if problem := _timer_problem(timer, sheet):
        yield sheet.finding(node.id, "timer", f"In the timer: {problem}")
    elif unset := _unset_name(timer, sheet):
        message = f"Nothing in the package sets {quoted(unset)}, the timer's time. A case needs it from its start."
        yield sheet.finding(node.id, "timer", message, "warning")
    if timer.form == "timeCycle" and "nonInterrupting" not in node.markers:
        message = "Only a boundary event or event sub-process that does not interrupt can repeat. Use a duration."
        yield sheet.finding(node.id, "timer", message)
    if node.properties.get(MISSED, MISSED_ALL) not in (MISSED_ALL, MISSED_SKIP):
        message = f"Set {MISSED} to “{MISSED_ALL}” (make up for missed times) or “{MISSED_SKIP}” (leave them out)."
        yield sheet.finding(node.id, "property", message)


def _timer_problem(timer: Timer, sheet: Sheet) -> str:
    """Return why the timer can never be set, or "" if it can."""
    value: object = timer_literal(timer.text)
    try:
        if value is None:
            value = known_value(timer.text)
            if value is UNKNOWN:
                return _not_a_time(timer, sheet)
        timer_due(timer.form, value, _NOW)
    except ExpressionError as error:
        return error.message
    return ""


def _not_a_time(timer: Timer, sheet: Sheet) -> str:
    """Return why an expression that reads data can never return a time, or "" if it can."""
    tree = ast.parse(timer.text.strip(), mode="eval").body
    if _never_a_text(tree) or _LIKE_A_TIME.fullmatch(_unset_name(timer, sheet)):
        return f"{quoted(timer.text[:80])} does not return a time. {_ADVICE[timer.form]}"
    return ""


def _never_a_text(tree: ast.expr) -> bool:
    if isinstance(tree, ast.IfExp):
        return _never_a_text(tree.body) or _never_a_text(tree.orelse)
    if isinstance(tree, ast.Constant):
        return not isinstance(tree.value, str)
    return isinstance(tree, _NO_TEXT) or (isinstance(tree, ast.BinOp) and not isinstance(tree.op, ast.Add))


def _unset_name(timer: Timer, sheet: Sheet) -> str:
    """Return the timer's expression if it is a single name that nothing in the package sets, else ""."""
    name = timer.text.strip()
    if timer_literal(name) is not None or not name.isidentifier():
        return ""
    return name if name not in sheet.names.set else ""
