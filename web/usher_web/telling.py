"""The names a case's story is told with: those its diagram gives the elements."""

from __future__ import annotations

from usher_engine import Mode

from .site import site
from .story import Names


def names_of(instance: str) -> Names:
    """The names in the diagram *instance* runs on; lookups (READ services) are not told, they change nothing."""
    engine = site().engine
    drawn = engine.diagram_of(instance).elements.values()
    elements = {element.id: element.name for element in drawn}
    operators = {element.id: element.operator for element in drawn if element.operator}
    told = frozenset(operator.name for operator in engine.services if operator.mode is not Mode.READ)
    return Names(elements=elements, told=told, operators=operators)
