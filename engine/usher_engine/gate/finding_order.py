"""The order a person would put things right in: what refuses first, then file by file, along the flow."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from usher_engine.definitions import Diagram, Process

from ..definitions.lint_finding import Finding

_SEVERITIES = ("error", "warning", "info")


def as_written(findings: Iterable[Finding], written: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """*findings* with the ids their files came with, where the translation gave elements others."""
    renaming = {file: _renaming(ids) for file, ids in written.items()}
    for finding in findings:
        name = renaming.get(finding.file)
        yield finding if name is None else replace(
            finding,
            element=name(finding.element),
            message=name(finding.message),
            path=tuple(map(name, finding.path)),
        )


def _renaming(ids: Mapping[str, str]) -> Callable[[str], str]:
    named = re.compile("|".join(map(re.escape, sorted(ids, reverse=True))))  # the longer of two that begin alike first
    return lambda text: named.sub(lambda found: ids[found[0]], text)


def in_order(
    findings: Iterable[Finding], diagrams: Sequence[Diagram], written: Mapping[str, Mapping[str, str]]
) -> list[Finding]:
    """
    *findings* by severity, then by file, then as a reader of the diagram meets their elements.

    *written* has the ids of files that came with others than are in *diagrams*. Files keep the order they were found
    in behind the *diagrams*, and what is said of one element keeps its order too.
    """
    found = list(findings)
    if len(found) < 2:
        return found
    known = dict.fromkeys(["", *(diagram.file for diagram in diagrams), *(one.file for one in found)])
    files = {file: rank for rank, file in enumerate(known)}
    ids: Mapping[str, str] = {}
    elements = [
        (d.file, written.get(d.file, ids).get(key, key)) for d in diagrams for p in d.processes for key in along(p)
    ]
    places = {place: rank for rank, place in enumerate(elements)}

    def rank(finding: Finding) -> tuple[int, int, int]:
        place = places.get((finding.file, finding.element), len(places)) if finding.element else -1
        return _SEVERITIES.index(finding.severity), files[finding.file], place

    return sorted(found, key=rank)


def along(process: Process) -> Iterator[str]:
    """The ids of *process*: from its starts along the flows, each node with the flows out of it, then what is left."""
    entered = {flow.target for flow in process.flows} | {node.id for node in process.nodes if node.attached_to}
    nodes = sorted(process.nodes, key=lambda n: (n.scope != process.id, n.kind != "startEvent", n.id in entered))
    after = _read_after(process)
    stack = [node.id for node in reversed(nodes)]
    seen = set()
    yield process.id
    while stack:
        key = stack.pop()
        if key not in seen:
            seen.add(key)
            yield key
            stack += reversed(after.get(key, ()))


def _read_after(process: Process) -> Mapping[str, list[str]]:
    """By node: the flows out of it, the starts inside it, the events at its edge, its targets."""
    after: dict[str, list[str]] = defaultdict(list)
    for flow in process.flows:
        after[flow.source].append(flow.id)
    for node in process.nodes:
        if node.kind == "startEvent":
            after[node.scope].append(node.id)
    for node in process.nodes:
        if node.attached_to:
            after[node.attached_to].append(node.id)
    for flow in process.flows:
        after[flow.source].append(flow.target)
    return after
