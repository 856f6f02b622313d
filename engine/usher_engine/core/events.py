"""What can happen to an instance: facts in the past tense, the only input of `state.fold`.

``(element, visit)`` says where: the visit is counted when the element is entered, so it is the same in every
re-execution. A released event is never edited: add a new one and keep applying the old (tests/golden holds logs).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, get_args

from . import wait_events
from .canonical import Json
from .intervention_events import InstanceMigrated, InstanceRepaired
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
    "KINDS", "DataChanged", "DecisionMade", "ElementCancelled", "ElementCompleted", "ElementEntered", "ElementPassed",
    "Event", "FactRecorded", "FlowTaken", "IncidentRaised", "IncidentResolved", "InstanceCancelled", "InstanceFinished",
    "InstanceMigrated", "InstanceRepaired", "InstanceStarted", "ItemGiven", "MessageAwaited", "MessageReceived",
    "RepetitionStarted", "ServiceCalled", "ServiceCompleted", "ServiceFailed", "ServiceRefused", "ServiceRequested",
    "TimerFired", "TimerStarted", "UserTaskCancelled", "UserTaskClaimed", "UserTaskCompleted", "UserTaskOpened",
    "UserTaskReleased", "WaitEnded", "from_json", "to_json",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class InstanceStarted:
    """*definition* is the content hash of the package, *version* its number when the instance started."""

    process: str
    version: int
    definition: str
    data: dict[str, Any]
    business_key: str = ""


@dataclass(frozen=True, slots=True)
class ElementEntered:
    """A token has come to rest on the element; *flow* is the sequence flow it took, empty at a start."""

    element: str
    visit: int
    flow: str = ""


@dataclass(frozen=True, slots=True)
class ElementPassed:
    """Entered and completed in one step."""

    element: str
    visit: int
    flow: str = ""


@dataclass(frozen=True, slots=True)
class ElementCompleted:
    element: str
    visit: int


@dataclass(frozen=True, slots=True)
class ElementCancelled:
    """Interrupted by a boundary event, an ending scope or the cancelled instance."""

    element: str
    visit: int


@dataclass(frozen=True, slots=True)
class FlowTaken:
    """A token has arrived at a join that still waits for others."""

    flow: str


@dataclass(frozen=True, slots=True)
class UserTaskOpened:
    """*due* is ISO 8601 in UTC; *cancel* tells whether the diagram lets the task be cancelled."""

    element: str
    visit: int
    title: str
    message: str = ""
    form: str = ""
    group: str = ""
    due: str = ""
    priority: int = 50
    cancel: bool = False


@dataclass(frozen=True, slots=True)
class UserTaskClaimed:
    element: str
    visit: int
    by: str


@dataclass(frozen=True, slots=True)
class UserTaskReleased:
    element: str
    visit: int


@dataclass(frozen=True, slots=True)
class UserTaskCompleted:
    """*answer* is stored in the process data under *variable*."""

    element: str
    visit: int
    variable: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UserTaskCancelled:
    element: str
    visit: int
    reason: str


@dataclass(frozen=True, slots=True)
class ServiceCalled:
    """An operator answered inside the step; *result* is a recorded input, *error* the code of a refusal."""

    element: str
    visit: int
    operator: str
    variable: str
    result: Json = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRequested:
    """An effect was queued with the commit of this step."""

    element: str
    visit: int
    operator: str
    variable: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceCompleted:
    element: str
    visit: int
    variable: str
    result: Json = None


@dataclass(frozen=True, slots=True)
class ServiceRefused:
    """The service said no with *code*; an error boundary event took over."""

    element: str
    visit: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ServiceFailed:
    """Try number *attempt* did not work; *retry_at* is empty when nobody tries again by itself."""

    element: str
    visit: int
    attempt: int
    reason: str
    retry_at: str = ""


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """
    *decision* looked at *inputs* (by expression), its *rules* matched (ids, in the order they count), and *outputs*
    went into the data. *required* tells the same of each decision it asked first.
    """

    element: str
    visit: int
    decision: str
    inputs: dict[str, Any]
    rules: list[str]
    outputs: dict[str, Any]
    required: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class IncidentRaised:
    """The instance needs a person; *code* is the kind of failure, *reason* is said in plain words."""

    element: str
    visit: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentResolved:
    element: str
    visit: int


@dataclass(frozen=True, slots=True)
class DataChanged:
    """What scripts and decisions changed beyond the answers and results recorded above."""

    set: dict[str, Any]
    unset: list[str]


@dataclass(frozen=True, slots=True)
class FactRecorded:
    """Something that happened around the instance, also after its end: an answer, a view, a note."""

    name: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InstanceFinished:
    """*outcome* is the end event reached last; *explanation* says it in words."""

    outcome: str
    explanation: str = ""


@dataclass(frozen=True, slots=True)
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
)

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}
_FIELDS = {kind: tuple(f.name for f in fields(kind)) for kind in KINDS.values()}
#: Those without a default: what `to_json` left out of them was empty.
_REQUIRED = {
    kind: tuple(f.name for f in fields(kind) if f.default is f.default_factory)  # both MISSING
    for kind in KINDS.values()
}


def to_json(event: Event) -> dict[str, Json]:
    """*event* as JSON with its ``kind``; fields that are empty text, null or false are left out."""
    record: dict[str, Json] = {"kind": type(event).__name__}
    for name in _FIELDS[type(event)]:
        value = getattr(event, name)
        if not (value is None or value is False or value == ""):
            record[name] = value
    return record


def from_json(record: dict[str, Any]) -> Event:
    """The event written by `to_json`; fields left out get their defaults, or empty text or null without one."""
    kind = KINDS[record["kind"]]
    values = {name: record[name] for name in _FIELDS[kind] if name in record}
    for name in _REQUIRED[kind]:
        if name not in values:
            values[name] = ""
    event: Event = kind(**values)
    return event
