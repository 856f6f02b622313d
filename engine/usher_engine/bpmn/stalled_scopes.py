"""Finds a scope in which every token waits at a join for another that can never arrive: the case stands still.

The gate refuses diagrams in which that can happen; this second check runs after every command.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin

from ..core.events import IncidentRaised
from .catch_events import ScopeEnd, UsherBoundaryEvent, is_asleep
from .compiled_diagram import Diagram
from .gateways import HOLDS, Join, arrivals, way_in
from .serializer import ASK_ADMIN
from .workflow import UsherWorkflow

#: The code of the incident.
STALLED = "Stalled"


def stall_incident(workflow: UsherWorkflow, diagram: Diagram) -> IncidentRaised | None:
    """Return the incident naming the joins where a scope's tokens wait forever, or None if every scope can go on."""
    for scope in (workflow, *workflow.subprocesses.values()):
        if scope.completed:
            continue
        tokens = [task for task in scope.tasks.values() if task._state & HOLDS and not _is_only_armed(task)]
        if all(_waits_for_others(task) for task in tokens):
            return _incident(scope, tokens, diagram)
    return None


def _is_only_armed(task: Any) -> bool:
    """Whether *task* has no token of the flow: it is only armed, or the library's helper of a boundary event."""
    return is_asleep(task) or isinstance(task.task_spec, UsherBoundaryEvent | BoundaryEventJoin)


def _waits_for_others(task: Any) -> bool:
    return isinstance(task.task_spec, Join | ScopeEnd)


def _incident(scope: Any, tokens: list[Any], diagram: Diagram) -> IncidentRaised:
    joins = list({task.task_spec: None for task in tokens if isinstance(task.task_spec, Join)})
    where = _element(scope, diagram)
    if not joins:
        what = "no element of it can go on and no end was reached"
        return IncidentRaised(where, 0, STALLED, f"The case stands still: {what}. {ASK_ADMIN}")
    reasons = "; ".join(_describe_join(scope, join, diagram) for join in joins)
    return IncidentRaised(joins[0].bpmn_id, 0, STALLED, f"The case stands still: {reasons}. {ASK_ADMIN}")


def _describe_join(scope: Any, join: Any, diagram: Diagram) -> str:
    """Describe which branches have arrived at *join* and which it waits for."""
    come = [way_in(task) for task in arrivals(scope, join)]
    absent = [way for way in join._inputs if way not in come]
    here, there = (", ".join(_name_of(way, scope, diagram) for way in ways) for ways in (come, absent))
    waits = f"waits for one from {there}, which no token can bring any more" if absent else "does not go on"
    return f"{_name_of(join.name, scope, diagram)} has a branch from {here} and {waits}"


def _name_of(name: str, scope: Any, diagram: Diagram) -> str:
    element = diagram.elements.get(str(scope.spec.task_specs[name].bpmn_id or name))
    return f"“{element.name or element.id}”" if element is not None else f"“{name}”"


def _element(scope: Any, diagram: Diagram) -> str:
    """Return the element for an incident of the whole *scope*: the activity around it, else the process."""
    if not scope.parent_task_id:
        return diagram.package.key
    return str(scope.top_workflow.get_task_from_id(scope.parent_task_id).task_spec.bpmn_id)
