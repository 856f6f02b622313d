"""Finds the elements of another version that can replace those where a case waits."""

from __future__ import annotations

from typing import Any

from ..core.errors import Corrupt
from .compiled_diagram import Diagram
from .token_reader import mapped_kind


def spec_of(diagram: Diagram, element: str) -> Any:
    """Return the library's specification of *element*; raise `Corrupt` if it has none."""
    for owner in (diagram.spec, *diagram.subprocess_specs.values()):
        for spec in owner.task_specs.values():
            if spec.bpmn_id == element:
                return spec
    raise Corrupt(f"{element} has no specification.")


def waiting_kinds(diagram: Diagram) -> dict[str, str]:
    """Return the elements that can replace others or be replaced, with what a case waits for there."""
    kinds = {key: mapped_kind(spec_of(diagram, key)) for key in diagram.elements}
    return {key: kind for key, kind in kinds.items() if kind}


def proposed_mapping(source: Diagram, target: Diagram) -> dict[str, str]:
    """Map each element where a case may wait to itself, else to the one with its name and kind, if any."""
    proposed: dict[str, str] = {}
    kinds = waiting_kinds(target)
    new = {key: target.elements[key].name for key in kinds if key not in source.elements}
    for key, kind in waiting_kinds(source).items():
        name = source.elements[key].name
        alike = [other for other, called in new.items() if name and (called, kinds[other]) == (name, kind)]
        if kinds.get(key) == kind:
            proposed[key] = key
        elif len(alike) == 1:
            proposed[key] = alike[0]
    return proposed
