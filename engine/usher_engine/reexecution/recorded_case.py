"""Reads from the history how a case began, its inputs with their times, and the path it took; runs no engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..bpmn import STALLED
from ..core import events as e
from ..core.canonical import as_stored_json
from ..core.practice_calendar import UTC_CALENDAR, Calendar, practice_calendar
from ..core.state import InstanceState, fold, place
from ..core.step_calendar import replayed
from .hash_chain import ReadStep
from .recorded_inputs import INPUTS

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


@dataclass(kw_only=True, slots=True)
class Recording:
    """
    *state* is the last state of the case, or the one in which it was cancelled; *answers* are those of services called
    within a step; *timers* are the visits with a timer; *calendar* is that of the last step.
    """

    started: e.InstanceStarted
    at: str
    actor: str
    inputs: list[RecordedInput] = field(default_factory=list)
    answers: dict[tuple[str, int, str], e.ServiceCalled] = field(default_factory=dict)
    timers: set[str] = field(default_factory=set)
    state: InstanceState = field(default_factory=InstanceState)
    way: Way = field(default_factory=Way)
    calendar: Calendar = UTC_CALENDAR

    @property
    def stands_at(self) -> set[str]:
        """The places where the case waits, or waited when it was cancelled."""
        return {*self.state.at, *self.state.tasks, *self.state.requests}


def read_recording(steps: Sequence[ReadStep]) -> Recording:
    """
    Return the recording of *steps*.

    Raise `Corrupt`, `KeyError`, `TypeError` or `ValueError` unless they are steps and begin with a start.
    """
    first = steps[0][1]
    started = e.from_json(first["events"][0])
    if not isinstance(started, e.InstanceStarted):
        raise TypeError("InstanceStarted")
    recording = Recording(started=started, at=first["at"], actor=first["actor"]["name"])
    operators: dict[str, str] = {}
    happened: list[e.Event] = []
    for _, body, _ in steps:
        events = [e.from_json(record) for record in body["events"]]
        if "zone" in body:
            recording.calendar = _calendar(replayed(body["zone"]).zone)
        if any(isinstance(event, e.InstanceCancelled) for event in events):
            break
        for event in events:
            _record(recording, event, body, operators)
        happened += events
    recording.state = fold(InstanceState(), happened)
    recording.way = way(happened, recording.state)
    return recording


def _calendar(zone: str) -> Calendar:
    """The calendar of *zone*; UTC where this machine does not know it."""
    try:
        return practice_calendar(zone)
    except (ValueError, KeyError):
        return UTC_CALENDAR


def _record(recording: Recording, event: e.Event, body: dict[str, Any], operators: dict[str, str]) -> None:
    match event:
        case e.ServiceCalled(element, visit, operator):
            recording.answers[element, visit, operator] = event
        case e.TimerStarted(element, visit):
            recording.timers.add(place(element, visit))
        case e.ServiceRequested(element, visit, operator):
            operators[place(element, visit)] = operator
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
