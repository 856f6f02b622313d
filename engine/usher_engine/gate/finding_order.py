"""Sorts findings in the order a person would fix them: errors first, then file by file, along the flow."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from usher_engine.definitions import Diagram, Process

from ..definitions.lint_finding import Finding

_SEVERITIES = ("error", "warning", "info")


def with_original_ids(findings: Iterable[Finding], written: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """Yield *findings* with the ids from the original files instead of those the translation assigned."""
    renaming = {file: _renaming(ids) for file, ids in written.items()}
    for finding in findings:
        name = renaming.get(finding.file)
        yield (
            finding
            if name is None
            else replace(
                finding,
                element=name(finding.element),
                message=name(finding.message),
                path=tuple(map(name, finding.path)),
            )
        )


def _renaming(ids: Mapping[str, str]) -> Callable[[str], str]:
    any_id = re.compile(
        "|".join(map(re.escape, sorted(ids, reverse=True)))
    )  # of two ids with one prefix, try the longer first
    return lambda text: any_id.sub(lambda found: ids[found[0]], text)


def sort_findings(
    findings: Iterable[Finding], diagrams: Sequence[Diagram], written: Mapping[str, Mapping[str, str]]
) -> list[Finding]:
    """
    Sort *findings* by severity, then by file, then in the order in which a reader of the diagram meets the elements.

    *written* maps the ids in *diagrams* to those in the original files, for files where the translation changed ids.
    Other files follow the *diagrams* in the order found. Findings on one element keep their order.
    """
    found = list(findings)
    if len(found) < 2:
        return found
    known = dict.fromkeys(["", *(diagram.file for diagram in diagrams), *(one.file for one in found)])
    files = {file: rank for rank, file in enumerate(known)}
    ids: Mapping[str, str] = {}
    elements = [
        (d.file, written.get(d.file, ids).get(key, key))
        for d in diagrams
        for p in d.processes
        for key in in_flow_order(p)
    ]
    places = {place: rank for rank, place in enumerate(elements)}

    def rank(finding: Finding) -> tuple[int, int, int]:
        place = places.get((finding.file, finding.element), len(places)) if finding.element else -1
        return _SEVERITIES.index(finding.severity), files[finding.file], place

    return sorted(found, key=rank)


def in_flow_order(process: Process) -> Iterator[str]:
    """Yield the ids in *process* along the flows from its starts, each node before its flows out, then the rest."""
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
    """Map each node to its outgoing flows, inner start events, boundary events and targets, in this order."""
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
