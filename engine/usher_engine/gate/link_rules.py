"""Rules for link events: from a thrown link, the flow goes on at the one event in its scope that catches it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .process_graph import Sheet, quoted

_CATCH, _THROW = "intermediateCatchEvent", "intermediateThrowEvent"


def link_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about links that lead nowhere, come from nowhere, or are ambiguous."""
    links = [node for node in sheet.process.nodes if node.events == ("link",) and node.kind in (_CATCH, _THROW)]
    caught = Counter((node.scope, node.link) for node in links if node.kind == _CATCH)
    thrown = {(node.scope, node.link) for node in links if node.kind == _THROW}
    for node in links:
        place = (node.scope, node.link)
        if not node.link:
            message = "The link has no name. Give it the name of the other end."
        elif node.kind == _THROW and not caught[place]:
            message = (
                f"Nothing in its scope catches the link {quoted(node.link)}. Draw a catching link event of that name."
            )
        elif node.kind == _CATCH and place not in thrown:
            message = (
                f"No link {quoted(node.link)} leads here. Draw a throwing link event of that name in the same scope."
            )
        elif node.kind == _CATCH and caught[place] > 1:
            message = f"The link {quoted(node.link)} is caught {caught[place]} times. Keep one, or rename the others."
        else:
            message = _flow_problem(sheet, node)
        if message:
            yield sheet.finding(node.id, "link", message)


def _flow_problem(sheet: Sheet, node: Node) -> str:
    jumps = set(sheet.process.jumps)
    if node.kind == _THROW and any(way not in jumps for way in sheet.outgoing.get(node.id, ())):
        return "A flow begins here, but the token goes on at the link's other end. Remove the flow."
    if node.kind == _CATCH and any(way not in jumps for way in sheet.incoming.get(node.id, ())):
        return "A flow ends here, but only the link may lead here. Remove the flow, or throw the link where it begins."
    return ""
