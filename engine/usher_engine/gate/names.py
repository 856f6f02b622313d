"""Which names of a case's data the elements of its processes set, and which of them the engine sets as well."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from textwrap import dedent

from usher_engine.definitions import Node, Process

from .finding import Finding
from .sheet import Sheet, called

#: What the engine sets by itself.
ENGINE_NAMES = frozenset({"error", "cancelled", "escalation", "loopCounter"})


def names_set(processes: Iterable[Process]) -> frozenset[str]:
    """Every name some element of *processes* may set; what a case is started with is not known here."""
    return ENGINE_NAMES | {name for process in processes for node in process.nodes for name in _of(node) if name}


def _of(node: Node) -> Iterator[str]:
    yield node.properties.get("resultVariable") or node.id
    yield node.service.variable if node.service else ""
    yield node.extensions.get("calledDecisionId", "").strip()
    if node.repeat:
        yield from (node.repeat.item, node.repeat.output, node.repeat.result)
    for script in (node.script, node.extensions.get("preScript"), node.extensions.get("postScript")):
        yield from assigned(script or "")


def assigned(script: str) -> Iterator[str]:
    """The names *script* assigns to; none where it is not understood, which another rule reports."""
    try:
        tree = ast.parse(dedent(script).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def engine_name_findings(sheet: Sheet) -> Iterator[Finding]:
    """Scripts that set a name the engine sets too, where something in the package makes it do so."""
    kept = {name for process in sheet.callable_processes.values() for node in process.nodes for name in _kept(node)}
    for node in sheet.process.nodes:
        scripts = (node.script, node.extensions.get("preScript"), node.extensions.get("postScript"))
        for name in sorted(kept & {name for script in scripts for name in assigned(script or "")}):
            message = f"{called(name)} is what the engine sets, so this value may be overwritten. Choose another name."
            yield sheet.finding(node.id, "engine-name", message, "warning")


def _kept(node: Node) -> Iterator[str]:
    """What the engine itself sets when *node* happens."""
    if node.repeat is not None:
        yield "loopCounter"
    if node.kind in ("boundaryEvent", "startEvent"):
        yield from (kind for kind in ("error", "escalation") if kind in node.events)
        if "cancel" in node.codes:
            yield "cancelled"
