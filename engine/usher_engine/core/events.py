"""The events of an instance: facts in the past tense, the only input of `state.fold`.

``(element, visit)`` is the place: visits are counted when the element is entered, so that they are the same in every
re-execution. A released event is never edited: add a version and keep applying the old (tests/golden holds logs).
docs/events.md explains each kind.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, TypeAlias, get_args

from . import desk_events, wait_events
from .canonical import Json
from .desk_events import UserTaskAssigned, UserTaskDueSet, UserTaskPutOff
from .errors import Corrupt
from .event_versions import MaybeEmpty, event, from_record, to_record
from .intervention_events import InstanceMigrated, InstanceRepaired, ServiceUndone, StepUndone
from .wait_events import (
    ItemGiven,
    MessageAwaited,
    MessageReceived,
    RepetitionStarted,
    TimerFired,
    TimerStarted,
    WaitEnded,
)

__all__ = [
    "KINDS", "DataChanged", "DecisionMade", "ElementCancelled", "ElementCompleted", "ElementEntered",
    "ElementPassed", "Event", "FactRecorded", "FlowTaken", "IncidentRaised", "IncidentResolved",
    "InstanceCancelled", "InstanceFinished", "InstanceMigrated", "InstanceRepaired", "InstanceStarted", "ItemGiven",
    "MessageAwaited", "MessageReceived", "RepetitionStarted", "ServiceCalled", "ServiceCompleted", "ServiceFailed",
    "ServiceRefused", "ServiceRequested", "ServiceUndone", "StepUndone", "TimerFired", "TimerStarted",
    "UserTaskAssigned", "UserTaskCancelled", "UserTaskClaimed", "UserTaskCompleted", "UserTaskDueSet",
    "UserTaskOpened", "UserTaskPutOff", "UserTaskReleased", "WaitEnded", "from_json", "to_json",
]  # fmt: skip


@event(version=1)
class InstanceStarted:
    """*definition* is the content hash of the package, *version* its number when the instance started."""

    process: str
    version: int
    definition: str
    data: dict[str, Any]
    business_key: str = ""


@event(version=1)
class ElementEntered:
    """A token rests on the element; *flow* is the sequence flow it took, empty at a start."""

    element: str
    visit: int
    flow: str = ""


@event(version=1)
class ElementPassed:
    """Entered and completed in one step."""

    element: str
    visit: int
    flow: str = ""


@event(version=1)
class ElementCompleted:
    element: str
    visit: int


@event(version=1)
class ElementCancelled:
    """Interrupted by a boundary event, an ending scope or the cancelled instance."""

    element: str
    visit: int


@event(version=1)
class FlowTaken:
    """A token has arrived at a join that still waits for others."""

    flow: MaybeEmpty


@event(version=1)
class UserTaskOpened:
    """*due* is ISO 8601 in UTC; *cancel*: the diagram allows cancelling the task."""

    element: str
    visit: int
    title: str
    message: str = ""
    form: str = ""
    group: str = ""
    due: str = ""
    priority: int = 50
    cancel: bool = False


@event(version=1)
class UserTaskClaimed:
    element: str
    visit: int
    by: MaybeEmpty


@event(version=1)
class UserTaskReleased:
    element: str
    visit: int


@event(version=1)
class UserTaskCompleted:
    """*answer* is stored in the process data under *variable*."""

    element: str
    visit: int
    variable: str
    answer: dict[str, Any]


@event(version=1)
class UserTaskCancelled:
    element: str
    visit: int
    reason: str


@event(version=1)
class ServiceCalled:
    """An operator answered inside the step; *result* is a recorded input, *error* the code of a refusal."""

    element: str
    visit: int
    operator: str
    variable: str
    result: Json = None
    error: str = ""


@event(version=1)
class ServiceRequested:
    """An effect was queued with the commit of this step."""

    element: str
    visit: int
    operator: str
    variable: str
    parameters: dict[str, Any]


@event(version=1)
class ServiceCompleted:
    element: str
    visit: int
    variable: str
    result: Json = None


@event(version=1)
class ServiceRefused:
    """The service refused with *code*; an error boundary event caught the refusal."""

    element: str
    visit: int
    code: MaybeEmpty
    message: MaybeEmpty


@event(version=1)
class ServiceFailed:
    """Attempt number *attempt* failed; *retry_at* is empty when there is no automatic retry."""

    element: str
    visit: int
    attempt: int
    reason: MaybeEmpty
    retry_at: str = ""


@event(version=1)
class DecisionMade:
    """
    *decision* evaluated *inputs* (by expression), its *rules* matched (ids, in order of priority), and *outputs*
    went into the data. *required* holds the same for each decision it depends on.
    """

    element: str
    visit: int
    decision: str
    inputs: dict[str, Any]
    rules: list[str]
    outputs: dict[str, Any]
    required: list[dict[str, Any]] = field(default_factory=list)


@event(version=1)
class IncidentRaised:
    """The instance needs a person; *code* is the kind of failure, *reason* explains it in plain words."""

    element: str
    visit: int
    code: str
    reason: MaybeEmpty


@event(version=1)
class IncidentResolved:
    element: str
    visit: int


@event(version=1)
class DataChanged:
    """Data changed by scripts and decisions, in addition to the answers and results recorded by other events."""

    set: dict[str, Any]
    unset: list[str]


@event(version=1)
class FactRecorded:
    """A fact about the instance, possibly after its end: an answer, a view, a note."""

    name: MaybeEmpty
    details: dict[str, Any]


@event(version=1)
class InstanceFinished:
    """*outcome* is the end event reached last; *explanation* describes it in words."""

    outcome: MaybeEmpty
    explanation: str = ""


@event(version=1)
class InstanceCancelled:
    reason: str


Event: TypeAlias = (
    InstanceStarted
    | ElementEntered
    | ElementPassed
    | ElementCompleted
    | ElementCancelled
    | FlowTaken
    | UserTaskOpened
    | UserTaskClaimed
    | UserTaskReleased
    | UserTaskCompleted
    | UserTaskCancelled
    | desk_events.OfDesk
    | ServiceCalled
    | ServiceRequested
    | ServiceCompleted
    | ServiceRefused
    | ServiceFailed
    | DecisionMade
    | wait_events.OfWaits
    | RepetitionStarted
    | IncidentRaised
    | IncidentResolved
    | DataChanged
    | FactRecorded
    | InstanceFinished
    | InstanceCancelled
    | InstanceMigrated
    | InstanceRepaired
    | StepUndone
    | ServiceUndone
)

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}


def to_json(event: Event) -> dict[str, Json]:
    """*event* as JSON with its ``kind``; fields that are empty text, null or false are omitted."""
    return to_record(event)


def from_json(record: dict[str, Any]) -> Event:
    """The event written by `to_json`; raises `Corrupt`, which names the unknown kind, version or missing field."""
    name = record.get("kind", "")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Corrupt(f"This version of Usher knows no event of the kind {str(name)[:60]!a}.")
    event: Event = from_record(kind, record)
    return event
