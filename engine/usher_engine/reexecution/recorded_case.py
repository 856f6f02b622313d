"""Reads from the history how a case began, its inputs with their times, and the path it took; runs no engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..bpmn import STALLED
from ..core import events as e
from ..core.canonical import as_stored_json
from ..core.practice_calendar import UTC_CALENDAR, Calendar, practice_calendar
from ..core.state import InstanceState, fold, place
from ..core.step_calendar import replayed
from .hash_chain import ReadStep
from .recorded_inputs import INPUTS
from .undo_step import undone_revisions

#: Every event that is an input to a case.
INPUT_KINDS = frozenset(kind for kinds in INPUTS.values() for kind in kinds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """
    The way a case took.

    ``path`` are the elements that tokens entered, in order, ``flows`` the sequence flows taken into them ("" at a
    start), ``at`` the elements where tokens rest, ``end`` the last end event reached.
    """

    path: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    end: str = ""


@dataclass(frozen=True, slots=True)
class RecordedInput:
    """An input from a person, service, timer or message; *operator* is the service's."""

    at: str
    actor: str
    event: Any
    operator: str = ""

    @property
    def place(self) -> str:
        return place(self.event.element, self.event.visit)


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """
    A call of *operator* at *place* in the step of *at*; *event* is its answer, None for a requested effect.

    *package* is the installed package that the operator came from; empty for Usher's own.
    """

    at: datetime
    place: str
    operator: str
    event: e.ServiceCalled | None = None
    package: str = ""


@dataclass(kw_only=True, slots=True)
class Recording:
    """
    *state* is the last state of the case, or the one in which it was cancelled, at *cancelled_at*; *calls* are those of
    services, in order; *timers* maps each visit with a timer to when it was due; *calendars* are those of the steps,
    each with the moment from which it counts.
    """

    started: e.InstanceStarted
    definition: str
    at: str
    actor: str
    inputs: list[RecordedInput] = field(default_factory=list)
    calls: list[RecordedCall] = field(default_factory=list)
    timers: dict[str, str] = field(default_factory=dict)
    state: InstanceState = field(default_factory=InstanceState)
    way: Way = field(default_factory=Way)
    calendars: list[tuple[datetime, Calendar]] = field(default_factory=list)
    cancelled_at: datetime | None = None

    @property
    def stands_at(self) -> set[str]:
        """The places where the case waits, or waited when it was cancelled."""
        return {*self.state.at, *self.state.tasks, *self.state.requests}

    def calendar(self, at: datetime) -> Calendar:
        """The calendar of the last step until *at*; of the first before it."""
        until = [calendar for since, calendar in self.calendars if since <= at]
        return until[-1] if until else self.calendars[0][1]


def read_recording(steps: Sequence[ReadStep]) -> Recording:
    """
    Return the recording of *steps*.

    Raise `Corrupt`, `KeyError`, `TypeError` or `ValueError` unless they are steps and begin with a start.
    """
    first = steps[0][1]
    started = e.from_json(first["events"][0])
    if not isinstance(started, e.InstanceStarted):
        raise TypeError("InstanceStarted")
    recording = Recording(started=started, definition=started.definition, at=first["at"], actor=first["actor"]["name"])
    operators: dict[str, str] = {}
    happened: list[e.Event] = []
    undone = undone_revisions(steps)
    for revision, body, _ in steps:
        if revision in undone:
            continue
        events = [e.from_json(record) for record in body["events"]]
        at = datetime.fromisoformat(body["at"])
        recording.calendars.append((at, _calendar(body.get("zone"))))
        if any(isinstance(event, e.InstanceCancelled) for event in events):
            recording.cancelled_at = at
            break
        if body["command"]["kind"] == "undo":  # it leads back to where the step it undid began
            happened += [event for event in events if isinstance(event, e.UserTaskClaimed)]
            continue
        for event in events:
            _record(recording, event, body, operators)
        happened += events
    recording.state = fold(InstanceState(), happened)
    recording.way = way(happened, recording.state)
    return recording


def _calendar(zone: Any) -> Calendar:
    """The calendar of a step that recorded *zone*; the zone answers what it did not ask, UTC if it is unknown here."""
    if zone is None:
        return UTC_CALENDAR
    try:
        present = practice_calendar(replayed(zone).zone)
    except (ValueError, KeyError):
        present = UTC_CALENDAR
    return replayed(zone, present)


def _record(recording: Recording, event: e.Event, body: dict[str, Any], operators: dict[str, str]) -> None:
    at = datetime.fromisoformat(body["at"])
    match event:
        case e.ServiceCalled(element, visit, operator):
            package = (body.get("packages") or {}).get(operator, "")
            recording.calls.append(RecordedCall(at, place(element, visit), operator, event, package))
        case e.TimerStarted(element, visit, due):
            recording.timers[place(element, visit)] = due
        case e.ServiceRequested(element, visit, operator):
            operators[place(element, visit)] = operator
            recording.calls.append(RecordedCall(at, place(element, visit), operator))
        case e.InstanceMigrated(definition=definition):
            recording.definition = definition
        case _ if type(event).__name__ in INPUT_KINDS:
            given = RecordedInput(body["at"], body["actor"]["name"], event)
            recording.inputs.append(replace(given, operator=operators.get(given.place, "")))
        case _:
            pass


def way(happened: Iterable[e.Event], state: InstanceState) -> Way:
    """Return the way that the events *happened* took up to *state*."""
    entered = [event for event in happened if isinstance(event, e.ElementEntered | e.ElementPassed)]
    return Way(
        path=tuple(event.element for event in entered),
        flows=tuple(event.flow for event in entered),
        at=tuple(here.rpartition(":")[0] for here in state.at),
        end=state.outcome,
    )


def has_failed(recorded: list[dict[str, Any]]) -> bool:
    """Whether a step failed; a step that left the case stalled did not."""
    return bool(recorded[-1]["kind"] == "IncidentRaised" and recorded[-1].get("code") != STALLED)


def answers_in(recorded: list[dict[str, Any]]) -> dict[tuple[str, int, str], dict[str, Any]]:
    """Return the answers of services in a step, by element, visit and operator."""
    return {(r["element"], r["visit"], r["operator"]): r for r in recorded if r["kind"] == "ServiceCalled"}


def start_event(record: dict[str, Any]) -> e.Event:
    """Return the start event of a case, its data as a run stores them; raise `TypeError` for any other event."""
    started = e.from_json(record)
    if not isinstance(started, e.InstanceStarted):
        raise TypeError
    return replace(started, data=as_stored_json(started.data))


def recorded_fact(recorded: list[dict[str, Any]]) -> list[e.Event] | None:
    """The fact a step recorded, alone in a list; None if it recorded anything else."""
    happened = [e.from_json(record) for record in recorded]
    return happened if len(happened) == 1 and isinstance(happened[0], e.FactRecorded) else None
