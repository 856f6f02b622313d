"""Which names of a case's data the elements of its processes set, and which of them the engine sets as well."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from textwrap import dedent

from usher_engine.definitions import Node, Process

#: What the engine sets by itself.
ENGINE_NAMES = frozenset({"error", "cancelled", "escalation", "loopCounter"})


@dataclass(frozen=True, slots=True)
class Names:
    """What elements set; *kept* are those the engine sets, where something in the package makes it do so."""

    set: frozenset[str] = ENGINE_NAMES
    kept: frozenset[str] = frozenset()


def names_of(processes: Iterable[Process]) -> Names:
    """The names some element of *processes* may set; what a case is started with is not known here."""
    nodes = [node for process in processes for node in process.nodes]
    return Names(
        set=ENGINE_NAMES.union(name for node in nodes for name in _of(node) if name),
        kept=frozenset(name for node in nodes for name in _kept(node)),
    )


def _of(node: Node) -> Iterator[str]:
    yield node.properties.get("resultVariable") or node.id
    yield node.service.variable if node.service else ""
    yield node.extensions.get("calledDecisionId", "").strip()
    if node.repeat:
        yield from (node.repeat.item, node.repeat.output, node.repeat.result)
    yield from assigned_by(node)


def assigned_by(node: Node) -> set[str]:
    """The names the scripts of *node* assign to."""
    scripts = (node.script, node.extensions.get("preScript"), node.extensions.get("postScript"))
    return {name for script in scripts if script for name in _assigned(script)}


def _assigned(script: str) -> Iterator[str]:
    """The names *script* assigns to; none where it is not understood, which another rule reports."""
    try:
        tree = ast.parse(dedent(script).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _kept(node: Node) -> Iterator[str]:
    """What the engine itself sets when *node* happens."""
    if node.repeat is not None:
        yield "loopCounter"
    if node.kind in ("boundaryEvent", "startEvent"):
        yield from (kind for kind in ("error", "escalation") if kind in node.events)
        if "cancel" in node.codes:
            yield "cancelled"
