"""Which names of a case's data the elements of its processes set."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from textwrap import dedent

from usher_engine.definitions import Node, Process

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
