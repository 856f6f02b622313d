"""Where a case can end: the end events of its process, not those inside of a sub-process or a called process."""

from __future__ import annotations

from .bpmn_file import Node, Process
from .package import Package


def case_ends(package: Package) -> tuple[Node, ...]:
    """The end events that can be the outcome of a case, in file order; raises `InvalidDefinition` as `key` does."""
    mains = [process for one in package.drawings for process in one.processes if process.id == package.key]
    return tuple(
        node for process in mains[:1] for node in process.nodes if node.kind == "endEvent" and _ends_case(process, node)
    )


def _ends_case(process: Process, node: Node) -> bool:
    """An interrupting event sub-process takes the place of what surrounds it (BPMN 2.0.2, 13.5.4): its ends count."""
    starts = {start.scope: start for start in process.nodes if start.kind == "startEvent"}
    scope = node.scope
    while (around := process.node(scope)) is not None:
        start = starts.get(scope)
        if "eventSubProcess" not in around.markers or (start and "nonInterrupting" in start.markers):
            return False
        scope = around.scope
    return True
