"""Rules for what a timer is set to: ISO 8601 as it stands, or an expression that can give it."""

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
from .process_graph import Sheet, called

_WRITTEN: Mapping[str, str] = {
    "timeDate": "Write a date like 2026-05-03T09:00:00Z, or an expression that gives one.",
    "timeDuration": "Write a duration like PT1H or P2D, in capitals, or an expression that gives one.",
    "timeCycle": "Write a cycle like R3/PT1H or R/P1D, in capitals, or an expression that gives one.",
}
#: A name that is meant as a duration or cycle: pt1h, P, R3.
_MEANT = re.compile(r"[pr]t?(?:[0-9][0-9a-z]*)?", re.IGNORECASE)
#: What never gives a text.
_NO_TEXT = (ast.UnaryOp, ast.Compare, ast.BoolOp, ast.List, ast.Dict, ast.Tuple, ast.ListComp, ast.DictComp)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def timer_findings(sheet: Sheet, node: Node) -> Iterator[Finding]:
    """Timers without a time, with one that is none, and with one that only the data of a case can tell."""
    if "timer" not in node.events:
        return
    timer = node.timer
    if timer is None or not timer.text:
        message = "The timer has no date, duration or cycle. Write one, like P2D or 2026-05-03T09:00:00Z."
        yield sheet.finding(node.id, "timer", message)
        return
    if problem := _problem(timer, sheet):
        yield sheet.finding(node.id, "timer", f"In the timer: {problem}")
    elif unset := _unset(timer, sheet):
        message = f"Nothing in the package sets {called(unset)}, the timer's time. A case needs it from its start."
        yield sheet.finding(node.id, "timer", message, "warning")
    if timer.form == "timeCycle" and "nonInterrupting" not in node.markers:
        message = "Only a boundary event or event sub-process that does not interrupt can come again. Use a duration."
        yield sheet.finding(node.id, "timer", message)
    if node.properties.get(MISSED, MISSED_ALL) not in (MISSED_ALL, MISSED_SKIP):
        message = f"Set {MISSED} to “{MISSED_ALL}” (make up for missed times) or “{MISSED_SKIP}” (leave them out)."
        yield sheet.finding(node.id, "property", message)


def _problem(timer: Timer, sheet: Sheet) -> str:
    """Why the timer can never be set; empty where it can."""
    value: object = timer_literal(timer.text)
    try:
        if value is None:
            value = known_value(timer.text)
            if value is UNKNOWN:
                return _misread(timer, sheet)
        timer_due(timer.form, value, _NOW)
    except ExpressionError as error:
        return error.message
    return ""


def _misread(timer: Timer, sheet: Sheet) -> str:
    """Why an expression that reads data gives no time whatever they are."""
    tree = ast.parse(timer.text.strip(), mode="eval").body
    if _never_a_text(tree) or _MEANT.fullmatch(_unset(timer, sheet)):
        return f"{called(timer.text[:80])} gives no time. {_WRITTEN[timer.form]}"
    return ""


def _never_a_text(tree: ast.expr) -> bool:
    if isinstance(tree, ast.IfExp):
        return _never_a_text(tree.body) or _never_a_text(tree.orelse)
    if isinstance(tree, ast.Constant):
        return not isinstance(tree.value, str)
    return isinstance(tree, _NO_TEXT) or (isinstance(tree, ast.BinOp) and not isinstance(tree.op, ast.Add))


def _unset(timer: Timer, sheet: Sheet) -> str:
    """The name the timer is set by, where it is nothing but a name that nothing in the package sets."""
    name = timer.text.strip()
    if timer_literal(name) is not None or not name.isidentifier():
        return ""
    return name if name not in sheet.names.set else ""
