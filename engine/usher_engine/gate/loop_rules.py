"""Rules against endless runs: each round of a loop passes a person, timer or message, and no process calls itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from usher_engine.definitions import Node, Process

from ..definitions.lint_finding import Finding
from .process_graph import Sheet, quoted, waits

Neighbours: TypeAlias = Callable[[str], Iterable[str]]


def loop_findings(sheet: Sheet) -> Iterator[Finding]:
    """One finding for each group of elements that could loop forever."""
    passable = _passable(sheet)
    for nodes in sheet.scopes.values():
        inside = {node.id for node in nodes if node.id in passable}
        for knot in _loops(inside, sheet):
            names = ", ".join(map(quoted, knot[:6]))
            message = f"These loop without a wait: {names}. Put a user task, timer or message into the loop."
            yield sheet.finding(knot[0], "loop", message)
    yield from _calls_itself(sheet)


def _passable(sheet: Sheet) -> set[str]:
    """Return the nodes a token can pass without waiting: no user tasks, timers, messages or sub-processes with one."""
    passable = {node.id for node in sheet.process.nodes if not waits(node) and not _comes_later(node)}
    # Inner sub-processes follow their owner in file order, so this judges the innermost first.
    for scope in reversed([node.id for node in sheet.process.nodes if node.kind == "subProcess"]):
        if not _can_run_through(sheet.scopes[scope], sheet, passable):
            passable.discard(scope)
    return passable


def _comes_later(node: Node) -> bool:
    return node.kind == "boundaryEvent" and node.events in (("timer",), ("message",))


def _can_run_through(nodes: list[Node], sheet: Sheet, passable: set[str]) -> bool:
    ends = {node.id for node in nodes if node.kind == "endEvent"}
    waiting = [node.id for node in nodes if node.kind == "startEvent"]
    seen: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key in ends:
            return True
        if key in passable and key not in seen:
            seen.add(key)
            waiting.extend(sheet.successors(key))
    return False


def _loops(inside: set[str], sheet: Sheet) -> Iterator[list[str]]:
    """Yield groups of nodes that lead back to themselves: those left after removing dead ends on both sides."""
    left = _remove_dead_ends(inside, sheet.successors)
    before: dict[str, list[str]] = {}
    for key in left:
        for following in sheet.successors(key):
            before.setdefault(following, []).append(key)
    left = _remove_dead_ends(left, lambda key: before.get(key, ()))
    while left:
        first = min(left)
        group = _reachable(first, left, lambda key: (*sheet.successors(key), *before.get(key, ())))
        left -= group
        yield [key for key in sheet.nodes if key in group]


def _remove_dead_ends(nodes: set[str], neighbours: Neighbours) -> set[str]:
    left = set(nodes)
    while True:
        dead = {key for key in left if not any(other in left for other in neighbours(key))}
        if not dead:
            return left
        left -= dead


def _reachable(first: str, within: set[str], neighbours: Neighbours) -> set[str]:
    seen: set[str] = set()
    waiting = [first]
    while waiting:
        key = waiting.pop()
        if key in within and key not in seen:
            seen.add(key)
            waiting.extend(neighbours(key))
    return seen


def _calls_itself(sheet: Sheet) -> Iterator[Finding]:
    for node in sheet.process.nodes:
        if node.kind == "callActivity" and _calls(node.called, sheet.process.id, sheet.callable_processes):
            message = f"Calling {quoted(node.called)} leads back to {quoted(sheet.process.id)}, endlessly."
            yield sheet.finding(node.id, "loop", message)


def _calls(first: str, wanted: str, processes: Mapping[str, Process]) -> bool:
    return wanted in _reachable(first, set(processes), lambda key: _called_by(processes[key]))


def _called_by(process: Process) -> Iterable[str]:
    return (node.called for node in process.nodes if node.kind == "callActivity")
