"""The names in case data that the elements of a package set, and those that the engine sets too."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from textwrap import dedent

from usher_engine.definitions import Node, Process

#: Names that the engine sets.
ENGINE_NAMES = frozenset({"error", "cancelled", "escalation", "loopCounter"})


@dataclass(frozen=True, slots=True)
class Names:
    """*set* are all names that elements may set; *by_engine* those that the engine sets while running this package."""

    set: frozenset[str] = ENGINE_NAMES
    by_engine: frozenset[str] = frozenset()


def data_names(processes: Iterable[Process]) -> Names:
    """Return the names that elements of *processes* may set; the initial data of a case are unknown here."""
    nodes = [node for process in processes for node in process.nodes]
    return Names(
        set=ENGINE_NAMES.union(name for node in nodes for name in _names_set_by(node) if name),
        by_engine=frozenset(name for node in nodes for name in _engine_names(node)),
    )


def _names_set_by(node: Node) -> Iterator[str]:
    yield node.properties.get("resultVariable") or node.id
    yield node.service.variable if node.service else ""
    yield node.extensions.get("calledDecisionId", "").strip()
    if node.repeat:
        yield from (node.repeat.item, node.repeat.output, node.repeat.result)
    yield from assigned_names(node)


def assigned_names(node: Node) -> set[str]:
    """Return the names that the scripts of *node* assign."""
    scripts = (node.script, node.extensions.get("preScript"), node.extensions.get("postScript"))
    return {name for script in scripts if script for name in _names_assigned_in(script)}


def _names_assigned_in(script: str) -> Iterator[str]:
    """Yield the names that *script* assigns; none if it does not parse, which another rule reports."""
    try:
        tree = ast.parse(dedent(script).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _engine_names(node: Node) -> Iterator[str]:
    """Yield the names that the engine sets when it runs *node*."""
    if node.repeat is not None:
        yield "loopCounter"
    if node.kind in ("boundaryEvent", "startEvent"):
        yield from (kind for kind in ("error", "escalation") if kind in node.events)
        if "cancel" in node.codes:
            yield "cancelled"
