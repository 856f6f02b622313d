"""Reads the tokens of a stored case with their data, for a migration. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask
from SpiffWorkflow.util.task import TaskState

from ..core.errors import CannotMigrate
from .catch_events import ScopeEnd, UsherBoundaryEvent, UsherCatchEvent, UsherEventGateway, UsherReceiveTask
from .compiled_diagram import Diagram
from .event_definitions import Trigger
from .service_task import UsherServiceTask
from .workflow import UsherTask, UsherWorkflow


class Silent:
    """An observer that ignores everything, for reading."""

    def on_state(self, task: UsherTask, state: int) -> None:
        """Nothing follows."""

    def on_completed(self, task: UsherTask) -> None:
        """Nothing follows."""

    def on_repetition(self, task: UsherTask, total: int | None) -> None:
        """Nothing follows."""

    def on_throw(self, task: UsherTask, trigger: Trigger) -> None:
        """Nothing follows."""


@dataclass(kw_only=True, slots=True)
class Token:
    """
    A token at one visit of an element; for a sub-process, *inside* are the tokens in it.

    *armed* are its waits by element: its own and those of its boundary events (0: a wait without an event, such as for
    an error). *spent* are the boundary events that have happened and are not armed again.
    """

    element: str
    visit: int
    order: int
    kind: str
    data: dict[str, Any]
    armed: dict[str, int]
    spent: frozenset[str]
    inside: Scope | None = None


@dataclass(kw_only=True, slots=True)
class Scope:
    """A running process or sub-process, with its tokens in order of arrival; *spec* is the library's."""

    spec: Any
    data: dict[str, Any]
    correlations: dict[str, Any]
    tokens: list[Token] = field(default_factory=list)

    def all_tokens(self) -> Iterator[Token]:
        for token in self.tokens:
            yield token
            if token.inside is not None:
                yield from token.inside.all_tokens()


#: Kinds of elements that a token can migrate from and to, in addition to timers and messages it waits for.
PERSON, SERVICE, SUBPROCESS, CHOICE = "user task", "service", "sub-process", "event-based gateway"
#: The state in which a token rests on such an element without a wait.
RESTS = {PERSON: TaskState.READY, SERVICE: TaskState.STARTED, SUBPROCESS: TaskState.STARTED}


def read_tokens(workflow: UsherWorkflow, diagram: Diagram) -> Scope:
    """Return the tokens of *workflow*; raise `CannotMigrate` if one is at an element it cannot leave."""
    return _scope(workflow, workflow, diagram)


def _scope(workflow: Any, top: UsherWorkflow, diagram: Diagram) -> Scope:
    scope = Scope(spec=workflow.spec, data=dict(workflow.data), correlations=dict(workflow.correlations))
    holds = TaskState.WAITING | TaskState.READY | TaskState.STARTED
    for task in sorted(workflow.tasks.values(), key=lambda task: task.id):
        if task._state & holds and not _is_armed(task, diagram) and not _has_ended(task, diagram):
            scope.tokens.append(_token(task, top, diagram))
    return scope


def _is_armed(task: UsherTask, diagram: Diagram) -> bool:
    """Whether *task* is an armed boundary event, which the migration arms again with its activity."""
    element = diagram.elements.get(task.task_spec.bpmn_id)
    return element is not None and element.armed and task._state == TaskState.WAITING and not task.visit


def _has_ended(task: UsherTask, diagram: Diagram) -> bool:
    """Whether a completed branch waits here for others, which already have its data."""
    return diagram.has_handlers and isinstance(task.task_spec, ScopeEnd | BoundaryEventJoin)


def _token(task: UsherTask, top: UsherWorkflow, diagram: Diagram) -> Token:
    element = diagram.elements.get(task.task_spec.bpmn_id)
    if element is None:
        raise _cannot(diagram.package.key, "One of its branches has ended already and waits for the others.")
    name = element.name or element.id
    if task.arrived:
        raise _cannot(element.id, f"One of its branches has arrived at the join {name} and waits there.")
    kind = kind_of(task.task_spec)
    nested = top.subprocesses.get(task.id)
    inside = _scope(nested, top, diagram) if kind == SUBPROCESS and nested is not None else None
    waits = task._state == RESTS.get(kind, TaskState.WAITING)
    if not kind or not waits or (kind == SUBPROCESS) != (inside is not None):
        raise _cannot(element.id, f"It waits at {name}; nothing can be moved from such an element.")
    boundary = _boundary_events(task)
    armed = dict(task.internal_data.get("armed", {}))
    for event in (event for event in boundary if event._state == TaskState.WAITING):
        armed[event.task_spec.bpmn_id] = event.internal_data.get("armed", {}).get(event.task_spec.bpmn_id, 0)
    attached = {spec.bpmn_id for spec in task.parent.task_spec.outputs if isinstance(spec, UsherBoundaryEvent)}
    return Token(
        element=element.id,
        visit=task.visit,
        order=task.id,
        kind=kind,
        data=task.data,
        armed=armed,
        spent=frozenset(attached - armed.keys()),
        inside=inside,
    )


def _boundary_events(task: UsherTask) -> list[UsherTask]:
    return [other for other in task.parent.children if isinstance(other.task_spec, UsherBoundaryEvent)]


def _cannot(element: str, reason: str) -> CannotMigrate:
    return CannotMigrate(problems=[(element, reason)])


def kind_of(task_spec: Any) -> str:
    """Return what a token at *task_spec* waits for, or "" if no token can migrate to it."""
    if isinstance(task_spec, UsherServiceTask):
        return SERVICE
    if isinstance(task_spec, SubWorkflowTask):
        return SUBPROCESS if type(task_spec).__name__ in ("SubWorkflowTask", "CallActivity") else ""
    if isinstance(task_spec, UsherEventGateway):
        return CHOICE
    if isinstance(task_spec, UsherCatchEvent | UsherReceiveTask):
        return _wait(task_spec.event_definition)
    return PERSON if task_spec.manual else ""


def mapped_kind(task_spec: Any) -> str:
    """Like `kind_of`, but also for boundary events and the events after an event-based gateway."""
    if isinstance(task_spec, UsherBoundaryEvent):
        return _wait(task_spec.event_definition, "boundary ")
    gateway = next((one for one in task_spec.inputs if isinstance(one, UsherEventGateway)), None)
    if gateway is not None:
        return _wait(gateway.choices[task_spec.name], "choice of a ")
    return kind_of(task_spec)


def _wait(trigger: Any, place: str = "") -> str:
    return place + trigger.kind if isinstance(trigger, Trigger) and trigger.waits else ""
