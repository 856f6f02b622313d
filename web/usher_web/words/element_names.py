"""The names that a case's narrative uses: those its diagram gives the elements."""

from __future__ import annotations

from typing import Any

import usher_engine
from usher_engine import Mode

from ..site import site
from .case_narrative import Names
from .data_changes import Glossary, glossary
from .effect_status import Words


def names_of(instance: str) -> Names:
    """
    The names in the diagram *instance* runs on; lookups (READ services) are not reported, they change nothing.

    If the diagram is lost, elements are named by their ids.
    """
    found = words_of(instance)
    return found.names if found else bare_words().names


def words_of(instance: str) -> Words | None:
    """The vocabulary of a case; None if the package it runs on is missing or unreadable."""
    try:
        diagram = site().engine.queries.diagram_of(instance)
    except usher_engine.EngineError:
        return None
    flows = {flow: (source, diagram.flow_names.get(flow, "")) for (source, _), flow in diagram.flows.items()}
    labels = glossary(diagram.package, site().settings.calendar)
    return Words(names=_names(diagram), glossary=labels, flows=flows)


def names_in(process: str, number: int) -> dict[str, str]:
    """The names of a version's elements by id; empty if the version cannot be read."""
    try:
        drawn = site().engine.versions.diagram(process, number).elements.values()
    except usher_engine.EngineError:
        return {}
    return {element.id: element.name for element in drawn}


def bare_words() -> Words:
    """The vocabulary of a case whose diagram is lost: elements by their ids."""
    return Words(names=Names(elements={}), glossary=Glossary(fields={}, calendar=site().settings.calendar), flows={})


def _names(diagram: Any) -> Names:
    drawn = diagram.elements.values()
    elements = {element.id: element.name for element in drawn}
    operators = {element.id: element.operator for element in drawn if element.operator}
    services = site().engine.services
    reported = {operator.name for operator in services if operator.mode is not Mode.READ}
    reported |= {name for name in operators.values() if name not in services}  # its package is gone
    decisions = diagram.decisions
    return Names(
        elements=elements,
        process=diagram.package.name,
        reported=frozenset(reported),
        operators=operators,
        wording={operator.name: operator.wording for operator in services},
        decisions={decision.id: decision.name for decision in decisions.by_id.values()},
        rows={key: row.number for key, row in decisions.rules.items()},
    )
