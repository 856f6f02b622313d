"""Rules for a process that starts by itself after an operator (`startsAfter` at its start event)."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import STARTS_AFTER
from usher_engine.services import Mode

from ..definitions.lint_finding import Finding
from .process_graph import Sheet


def following_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about the operator that the process follows."""
    for node in sheet.process.nodes:
        operator = node.properties.get(STARTS_AFTER, "").strip()
        if node.kind != "startEvent" or not operator:
            continue
        if node.scope != sheet.process.id:
            yield sheet.finding(node.id, "property", "startsAfter belongs to the start event of the process itself.")
            continue
        effects = [one.name for one in sheet.services if one.mode is Mode.EFFECT]
        if operator not in effects:
            message = f"A process can start after one of: {', '.join(effects)}; not after “{operator}”."
            yield sheet.finding(node.id, "property", message)
            continue
        for process in sheet.callable_processes.values():
            for task in process.nodes:
                if task.service is not None and task.service.operator == operator:
                    message = f"The process starts after {operator} and calls it itself; it would start itself again."
                    yield sheet.finding(node.id, "property", message)
