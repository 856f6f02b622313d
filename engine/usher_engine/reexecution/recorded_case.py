"""What a case's history tells of it: how it began, what it was told and when, and the way it took; no engine here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..bpmn import STALLED
from ..core import events as e
from ..core.canonical import settled
from ..core.state import InstanceState, fold, place
from .hash_chain import ReadStep
from .recorded_inputs import SAID

#: Every event that tells a case something.
TOLD = frozenset(kind for kinds in SAID.values() for kind in kinds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """
    How a case went.

    ``path`` names each element a token entered, in order, ``flows`` the sequence flow taken into each of them ("" at
    a start); ``at`` are the elements it stands at, ``end`` the end event reached last.
    """

    path: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    end: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person or a service said; *operator* is the service's."""

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
    *state* is the last one of the case, or the one it was cancelled in; *answers* are those given inside a step.

    *timers* are the visits a timer was started for.
    """

    started: e.InstanceStarted
    at: str
    actor: str
    said: list[Said] = field(default_factory=list)
    answers: dict[tuple[str, int, str], e.ServiceCalled] = field(default_factory=dict)
    timers: set[str] = field(default_factory=set)
    state: InstanceState = field(default_factory=InstanceState)
    way: Way = field(default_factory=Way)

    @property
    def stands_at(self) -> set[str]:
        """Where the case waits for somebody; a place it was cancelled at counts."""
        return {*self.state.at, *self.state.tasks, *self.state.requests}


def read(steps: Sequence[ReadStep]) -> Recording:
    """
    The recording of *steps*.

    Raises `Corrupt`, `KeyError`, `TypeError` or `ValueError` where they are not built like steps, a start first.
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
        if any(isinstance(event, e.InstanceCancelled) for event in events):
            break
        for event in events:
            _note(recording, event, body, operators)
        happened += events
    recording.state = fold(InstanceState(), happened)
    recording.way = way(happened, recording.state)
    return recording


def _note(recording: Recording, event: e.Event, body: dict[str, Any], operators: dict[str, str]) -> None:
    match event:
        case e.ServiceCalled(element, visit, operator):
            recording.answers[element, visit, operator] = event
        case e.TimerStarted(element, visit):
            recording.timers.add(place(element, visit))
        case e.ServiceRequested(element, visit, operator):
            operators[place(element, visit)] = operator
        case _ if type(event).__name__ in TOLD:
            said = Said(body["at"], body["actor"]["name"], event)
            recording.said.append(Said(said.at, said.actor, event, operators.get(said.place, "")))
        case _:
            pass


def way(happened: Iterable[e.Event], state: InstanceState) -> Way:
    """The way that *happened*, up to *state*."""
    entered = [event for event in happened if isinstance(event, e.ElementEntered | e.ElementPassed)]
    return Way(
        path=tuple(event.element for event in entered),
        flows=tuple(event.flow for event in entered),
        at=tuple(here.rpartition(":")[0] for here in state.at),
        end=state.outcome,
    )


def has_failed(recorded: list[dict[str, Any]]) -> bool:
    """Whether a step could not be carried out; that a case stands still is what came of one that was."""
    return bool(recorded[-1]["kind"] == "IncidentRaised" and recorded[-1].get("code") != STALLED)


def answers_in(recorded: list[dict[str, Any]]) -> dict[tuple[str, int, str], dict[str, Any]]:
    """What services said in a step, by who asked which."""
    return {(r["element"], r["visit"], r["operator"]): r for r in recorded if r["kind"] == "ServiceCalled"}


def started_by(record: dict[str, Any]) -> e.Event:
    """The event a case begins with, its data as a run settles them; raises `TypeError` for any other."""
    started = e.from_json(record)
    if not isinstance(started, e.InstanceStarted):
        raise TypeError
    return replace(started, data=settled(started.data))
