"""Rules for link events: where a link is thrown, the flow goes on at the one place in its scope that catches it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .process_graph import Sheet, called

_CATCH, _THROW = "intermediateCatchEvent", "intermediateThrowEvent"


def link_findings(sheet: Sheet) -> Iterator[Finding]:
    """Links that lead nowhere, come from nowhere, or leave open where they lead."""
    links = [node for node in sheet.process.nodes if node.events == ("link",) and node.kind in (_CATCH, _THROW)]
    caught = Counter((node.scope, node.link) for node in links if node.kind == _CATCH)
    thrown = {(node.scope, node.link) for node in links if node.kind == _THROW}
    for node in links:
        place = (node.scope, node.link)
        if not node.link:
            message = "The link has no name. Give it the name of the other end."
        elif node.kind == _THROW and not caught[place]:
            message = f"No link {called(node.link)} is caught beside it. Draw a catching link event of that name."
        elif node.kind == _CATCH and place not in thrown:
            message = f"No link {called(node.link)} leads here. Draw a throwing link event of that name beside it."
        elif node.kind == _CATCH and caught[place] > 1:
            message = f"The link {called(node.link)} is caught {caught[place]} times. Keep one, or rename the others."
        else:
            message = _flow_problem(sheet, node)
        if message:
            yield sheet.finding(node.id, "link", message)


def _flow_problem(sheet: Sheet, node: Node) -> str:
    jumps = set(sheet.process.jumps)
    if node.kind == _THROW and any(way not in jumps for way in sheet.outgoing.get(node.id, ())):
        return "A flow begins here, but the link is where it goes on. Remove the flow."
    if node.kind == _CATCH and any(way not in jumps for way in sheet.incoming.get(node.id, ())):
        return "A flow ends here, but only its link leads here. Remove the flow, or throw the link there."
    return ""
