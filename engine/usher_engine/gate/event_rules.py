"""Rules for timers, messages, repetitions and other events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from keyword import iskeyword

from usher_engine.core.canonical import is_reserved
from usher_engine.core.errors import ExpressionError
from usher_engine.core.limits import MAX_ITEMS, MAX_ROUNDS
from usher_engine.definitions import Node, Repeat
from usher_engine.expressions import compile_expression

from ..definitions.lint_finding import Finding
from .data_names import assigned_names
from .known_values import UNKNOWN, known_value
from .process_graph import Sheet, quoted, throws_message
from .timer_rules import timer_findings

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_RECEIVERS = ("intermediateCatchEvent", "receiveTask")
#: Kinds whose answers have a name without an output item.
_ANSWERS = ("userTask", "manualTask", "serviceTask")


def event_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about events that would fail or never happen."""
    for node in sheet.process.nodes:
        yield from timer_findings(sheet, node)
        yield from (sheet.finding(node.id, "message", message) for message in _message(node))
        yield from (sheet.finding(node.id, "repeat", message) for message in _repeat(node))
        yield from (sheet.finding(node.id, "event", message) for message in _event(sheet, node))
        for name in sorted(assigned_names(node) & sheet.names.by_engine):
            message = f"The engine sets {quoted(name)} and may overwrite this value. Choose another name."
            yield sheet.finding(node.id, "engine-name", message, "warning")


def _message(node: Node) -> Iterator[str]:
    if throws_message(node):
        return
    waits = "message" in node.events or node.kind == "receiveTask"
    if waits and not node.message:
        yield "It refers to no message with a name. Choose one in its properties."
    if waits:
        yield from variable_problems(node.properties.get("resultVariable") or node.id, "message's variable")


def _repeat(node: Node) -> Iterator[str]:
    repeat = node.repeat
    if repeat is None:
        return
    texts = {"collection": repeat.collection, "number of times": repeat.cardinality, "condition": repeat.condition}
    for what, text in texts.items():
        yield from _problems_in(compile_expression, text, what) if text else ()
    yield from _number_of_items(repeat)
    if "loop" in node.markers:
        yield from _loop(repeat)
        return
    if bool(repeat.collection) == bool(repeat.cardinality):
        yield "Set what it repeats for: either a list (loopDataInputRef) or a number of times (loopCardinality)."
    if repeat.collection and not repeat.item:
        yield "Each item needs a name (inputDataItem)."
    if repeat.result and not repeat.output:
        yield "The result of each item is lost: name the list that collects the results (loopDataOutputRef)."
    if repeat.output and not repeat.result and node.kind not in _ANSWERS:
        yield "Name the result of each item (outputDataItem)."
    names = {"item's name": repeat.item, "list's name": repeat.output, "result's name": repeat.result}
    for what, name in names.items():
        yield from variable_problems(name, what) if name else ()
    if repeat.output and repeat.output == repeat.item:
        yield "The item and the list of results have the same name. Choose another."


def _number_of_items(repeat: Repeat) -> Iterator[str]:
    """What the run would refuse, if the number or list does not depend on case data."""
    try:
        found = known_value(repeat.collection or repeat.cardinality or "0")
    except ExpressionError:
        return  # _repeat has reported it
    many = len(found) if isinstance(found, list) and repeat.collection else found
    if found is UNKNOWN:
        return
    if type(many) is not int or many < 0 or (repeat.collection and not isinstance(found, list)):
        yield "loopDataInputRef must be a list." if repeat.collection else "loopCardinality must be a whole number."
    elif many > MAX_ITEMS:
        yield f"It may have {MAX_ITEMS} items at most. Repeat fewer items, or split them over several elements."


def _loop(repeat: Repeat) -> Iterator[str]:
    if repeat.maximum and not (repeat.maximum.isascii() and repeat.maximum.isdigit() and int(repeat.maximum[:9]) > 0):
        yield "loopMaximum must be a whole number from 1."
    elif repeat.maximum and int(repeat.maximum[:9]) > MAX_ROUNDS and not repeat.condition:
        yield f"A loop repeats {MAX_ROUNDS:,} times at most. Write a smaller loopMaximum, or its condition."
    if not repeat.maximum and not repeat.condition:
        yield "The loop never ends. Write its condition (loopCondition), or a limit (loopMaximum)."


def _event(sheet: Sheet, node: Node) -> Iterator[str]:
    if "eventSubProcess" in node.markers and node.kind == "subProcess":
        if sheet.incoming.get(node.id) or sheet.outgoing.get(node.id):
            yield "An event sub-process has no flows: remove those that lead to it or from it."
        starts = [n for n in sheet.scopes[node.id] if n.kind == "startEvent"]
        if starts and not starts[0].events:
            yield f"Nothing triggers it. Give {quoted(starts[0].id)} a timer, message, error or escalation."
    if node.kind == "endEvent" and node.events == ("error",) and not _can_be_caught(sheet, node):
        yield "Nothing around the process can catch this error. Use a plain end event, or an error event sub-process."
    if node.kind == "eventBasedGateway":
        yield from _event_gateway(sheet, node)


def _can_be_caught(sheet: Sheet, node: Node) -> bool:
    if node.scope != sheet.process.id:
        return True
    event_sub_processes = [n.id for n in sheet.scopes[sheet.process.id] if "eventSubProcess" in n.markers]
    if any(
        "error" in n.events for key in event_sub_processes for n in sheet.scopes.get(key, ()) if n.kind == "startEvent"
    ):
        return True
    calls = (n.called for process in sheet.callable_processes.values() for n in process.nodes)
    return sheet.process.id in calls


def _event_gateway(sheet: Sheet, node: Node) -> Iterator[str]:
    flows = sheet.outgoing.get(node.id, [])
    if len(flows) < 2:
        yield "It has nothing to choose from. Draw two or more events after it."
    for flow in flows:
        target = sheet.nodes.get(flow.target)
        if flow.condition:
            yield f"The flow {quoted(flow.id)} has a condition, but the first event to happen decides the way."
        if target is None:
            continue
        if target.kind not in _RECEIVERS:
            yield f"Only timers and messages can follow it, not {quoted(target.id)}."
        elif len(sheet.incoming.get(target.id, ())) > 1:
            yield f"{quoted(target.id)} after it has another incoming flow. Draw a second event for that flow."
        elif sheet.boundaries.get(target.id):
            yield f"{quoted(target.id)} after it has boundary events. Use a catching event without them."


def variable_problems(name: str, what: str) -> Iterator[str]:
    """Yield why *name* cannot be a variable of the process."""
    if is_reserved(name) or name in ("error", "cancelled", "escalation", "loopCounter") or iskeyword(name):
        yield f"The {what} “{name}” is a reserved name. Choose another."
    elif not _NAME.fullmatch(name):
        yield f"The {what} “{name}” must be a letter followed by letters, digits or _."


def _problems_in(compile_text: Callable[[str], object], text: str, what: str) -> Iterator[str]:
    try:
        compile_text(text)
    except ExpressionError as error:
        yield f"In the {what}: {error.message}"
