"""The state of one instance and the only function that changes it, live and in replay. Pure: no clock, no database.

The state grows with the diagram, never with the history, so it is stored with every step and folded forward.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias, assert_never

from . import events as e
from .canonical import Json
from .desk_events import OfDesk
from .open_user_task import OpenTask
from .wait_events import OfWaits

_OfWaitsOrDesk: TypeAlias = OfWaits | OfDesk


class Status(StrEnum):
    #: A person, a service or an event has to move first.
    WAITING = "waiting"
    #: An end event was reached and no token is left.
    FINISHED = "finished"
    #: Something failed; a person decides.
    INCIDENT = "incident"
    #: A person cancelled it.
    CANCELLED = "cancelled"


#: The statuses of an instance that can still move.
LIVE = (Status.WAITING, Status.INCIDENT)


#: Omitted from the record of a state when empty, so that states older than these fields read and hash the same.
_SELDOM = frozenset({"waits", "armed", "items"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """A wait at *element*: for a time (*due*) or for the *message* of that name."""

    element: str
    due: datetime | None = None
    message: str = ""


@dataclass(slots=True)
class InstanceState:
    """
    The state of an instance after a step.

    ``visits`` counts entries of each element, ``flows`` each sequence flow taken. ``at`` holds the elements a token
    rests on (key ``element:visit``); ``tasks``, ``requests`` and ``incidents`` have the same keys. So have ``waits``,
    the fields of the timer and message events, and ``items``, the data of single visits of a repeated activity.
    ``armed`` counts the waits of each element.
    Treat it as a value: only `fold` makes a new one, and the JSON in it is shared with the events.
    """

    status: str = Status.WAITING.value
    visits: dict[str, int] = field(default_factory=dict)
    flows: dict[str, int] = field(default_factory=dict)
    at: list[str] = field(default_factory=list)
    tasks: dict[str, OpenTask] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""
    explanation: str = ""
    waits: dict[str, dict[str, Any]] = field(default_factory=dict)
    armed: dict[str, int] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        tasks: dict[str, Json] = {key: task.to_json() for key, task in self.tasks.items()}
        written = {name: getattr(self, name) for name in self.__slots__ if name not in _SELDOM or getattr(self, name)}
        return {**written, "tasks": tasks}

    def waiting_for(self) -> tuple[Wait, ...]:
        """The awaited times and messages, in the order the waits began."""
        dues = {key: datetime.fromisoformat(wait["due"]) for key, wait in self.waits.items() if "due" in wait}
        return tuple(
            Wait(element=wait["element"], due=dues.get(key), message=wait.get("name", ""))
            for key, wait in self.waits.items()
        )

    @property
    def pending(self) -> int:
        """The number of tasks, services, times and messages it waits for."""
        return len(self.tasks) + len(self.requests) + len(self.waits)

    def resolving(self, places: Iterable[str] | None = None) -> list[e.Event]:
        """The events that close the incidents at *places* (None: all); visit 0 is a step that failed."""
        found = (here.rpartition(":") for here in (self.incidents if places is None else places))
        return [e.IncidentResolved(element, int(visit)) for element, _, visit in found]

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> InstanceState:
        tasks = {key: OpenTask(**task) for key, task in record["tasks"].items()}
        return cls(**{**record, "tasks": tasks})


def place(element: str, visit: int) -> str:
    """The key of one visit of an element."""
    return f"{element}:{visit}"


def apply(state: InstanceState, event: e.Event) -> InstanceState:
    """The state after *event*; *state* itself stays as it is."""
    return fold(state, (event,))


def fold(state: InstanceState, happened: Iterable[e.Event]) -> InstanceState:
    """The state after all events, in order; *state* itself stays as it is."""
    draft = InstanceState(
        status=state.status,
        visits=dict(state.visits),
        flows=dict(state.flows),
        at=list(state.at),
        tasks={key: OpenTask(task.opened, task.assignee, dict(task.desk)) for key, task in state.tasks.items()},
        requests=dict(state.requests),
        incidents=dict(state.incidents),
        data=dict(state.data),
        outcome=state.outcome,
        explanation=state.explanation,
        waits=dict(state.waits),
        armed=dict(state.armed),
        items=dict(state.items),
    )
    for event in happened:
        _apply(draft, event)
    return draft


def _apply(draft: InstanceState, event: e.Event) -> None:
    match event:
        case e.ElementPassed(element, visit, flow):
            _enter(draft, element, flow)
            if draft.items:
                draft.items.pop(place(element, visit), None)
        case e.ElementEntered(element, visit, flow):
            _enter(draft, element, flow)
            draft.at.append(place(element, visit))
        case e.ElementCompleted(element, visit) | e.ElementCancelled(element, visit):
            _leave(draft, place(element, visit))
        case e.FlowTaken(flow) | e.RepetitionStarted(flow=flow):
            if flow:
                draft.flows[flow] = draft.flows.get(flow, 0) + 1
        case e.InstanceStarted(data=data):
            draft.data = dict(data)
        case e.DataChanged(changed, unset):
            draft.data.update(changed)
            for name in unset:
                draft.data.pop(name, None)
        case e.DecisionMade(outputs=outputs):
            draft.data.update(outputs)
        case e.InstanceFinished(outcome, explanation):
            draft.status, draft.outcome, draft.explanation = Status.FINISHED.value, outcome, explanation
            draft.at.clear()
        case e.InstanceCancelled(reason):
            draft.status, draft.explanation = Status.CANCELLED.value, reason
            for waiting in (draft.at, draft.tasks, draft.requests, draft.incidents, draft.waits, draft.items):
                waiting.clear()
        case e.InstanceMigrated() | e.StepUndone():
            _intervene(draft, event)
        case e.FactRecorded() | e.InstanceRepaired() | e.ServiceUndone():
            pass
        case _:
            _apply_work(draft, event)


def _apply_wait(draft: InstanceState, event: _OfWaitsOrDesk) -> None:
    here = place(event.element, event.visit)
    match event:
        case e.TimerStarted() | e.MessageAwaited():
            draft.waits[here] = e.to_json(event)
            draft.armed[event.element] = event.visit
        case e.TimerFired() | e.WaitEnded():
            draft.waits.pop(here, None)
        case e.MessageReceived(variable=variable, payload=payload):
            draft.waits.pop(here, None)
            draft.data[variable] = payload
        case e.ItemGiven(data=data):
            draft.items[here] = data
        case e.UserTaskAssigned() | e.UserTaskDueSet() | e.UserTaskPutOff():
            draft.tasks[here].arrange(event)
        case _:
            assert_never(event)


def _apply_work(
    draft: InstanceState,
    event: e.UserTaskOpened
    | e.UserTaskClaimed
    | e.UserTaskReleased
    | e.UserTaskCompleted
    | e.UserTaskCancelled
    | e.ServiceCalled
    | e.ServiceRequested
    | e.ServiceCompleted
    | e.ServiceRefused
    | e.ServiceFailed
    | e.IncidentRaised
    | e.IncidentResolved
    | _OfWaitsOrDesk,
) -> None:
    here = place(event.element, event.visit)
    match event:
        case e.UserTaskOpened():
            draft.tasks[here] = OpenTask(e.to_json(event))
        case e.UserTaskClaimed(by=by):
            draft.tasks[here].assignee = by
        case e.UserTaskReleased():
            draft.tasks[here].assignee = ""
        case e.UserTaskCompleted(variable=variable, answer=answer):
            draft.tasks.pop(here, None)
            draft.data[variable] = answer
        case e.UserTaskCancelled():
            draft.tasks.pop(here, None)
        case e.ServiceCalled(variable=variable, result=result, error=error):
            if not error:
                draft.data[variable] = result
        case e.ServiceRequested(operator=operator):
            draft.requests[here] = operator
        case e.ServiceCompleted(variable=variable, result=result):
            draft.requests.pop(here, None)
            draft.data[variable] = result
        case e.ServiceRefused():
            draft.requests.pop(here, None)
        case e.ServiceFailed():
            pass
        case e.IncidentRaised(reason=reason):
            draft.incidents[here] = reason
            draft.status = Status.INCIDENT.value
        case e.IncidentResolved():
            _resolve(draft, here)
        case _:
            _apply_wait(draft, event)


def _intervene(draft: InstanceState, event: e.InstanceMigrated | e.StepUndone) -> None:
    if isinstance(event, e.InstanceMigrated):
        _move(draft, event.places)
    else:
        _restore(draft, event.state)


def _restore(draft: InstanceState, before: dict[str, Any]) -> None:
    """Make *draft* the state *before*; the event keeps its own copy of what later events change."""
    copy = fold(InstanceState.from_json(before), ())
    for name in InstanceState.__slots__:
        setattr(draft, name, getattr(copy, name))


def _move(draft: InstanceState, places: dict[str, str]) -> None:
    """Move tokens to other places; visits of the old places stay counted."""
    draft.at = [places.get(here, here) for here in draft.at]
    draft.tasks = {places.get(here, here): task for here, task in draft.tasks.items()}
    draft.requests = {places.get(here, here): operator for here, operator in draft.requests.items()}
    draft.incidents = {places.get(here, here): reason for here, reason in draft.incidents.items()}
    for here in places.values():
        element, _, visit = here.rpartition(":")
        draft.visits[element] = max(draft.visits.get(element, 0), int(visit))


def _enter(draft: InstanceState, element: str, flow: str) -> None:
    draft.visits[element] = draft.visits.get(element, 0) + 1
    if flow:
        draft.flows[flow] = draft.flows.get(flow, 0) + 1


def _leave(draft: InstanceState, here: str) -> None:
    if here in draft.at:
        draft.at.remove(here)
    draft.tasks.pop(here, None)
    draft.requests.pop(here, None)
    draft.items.pop(here, None)
    if here in draft.incidents:
        _resolve(draft, here)


def _resolve(draft: InstanceState, here: str) -> None:
    draft.incidents.pop(here, None)
    if not draft.incidents:
        draft.status = Status.WAITING.value
