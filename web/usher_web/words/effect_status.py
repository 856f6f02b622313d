"""The status of mails and other service requests of a case, each stage with its step. Pure.

`advance` carries what a window of a long case needs from the steps before it; `auditor.replay_frames` shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from usher_engine import Step
from usher_engine.cases import ALTERED, CallHistory, HistoryPage, Plans, follow_calls

from .case_narrative import Names, ordinal
from .data_changes import Glossary, in_words
from .service_wording import ANSWER, LINK_FACTS, MAILS, REFUSED_ANSWER, fact_sentence

#: Events that end a request; it has no later stages.
ENDS = frozenset({"ServiceCompleted", "ServiceRefused", "UserTaskCancelled", "ElementCancelled"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The vocabulary of a case. *flows* maps a sequence flow to (the element it leaves, its name)."""

    names: Names
    glossary: Glossary
    flows: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One stage of an effect; *kind* is one of idle, wait, done, refuse and alarm."""

    revision: int
    kind: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """A mail or another service request with all its stages, including those after the step shown."""

    name: str
    is_mail: bool
    stages: tuple[Stage, ...]


#: (element, visit), and an event about it with its step.
Place = tuple[str, int]
StepEvent = tuple[Step, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """
    The state after some step: the portal status, the requests that still wait, the newest request, and the calls.

    *drawn* is the step that put the case on its diagram: the first, or the last migration.
    """

    status: str = ""
    drawn: int = 1
    requests: Mapping[Place, tuple[StepEvent, ...]] = field(default_factory=dict)
    calls: CallHistory = field(default_factory=CallHistory)


def following(plans: Plans) -> Callable[[Followed, Step], Followed]:
    """What folds the steps of a case, and follows its calls by the plans of the packages it runs on."""

    def follow(before: Followed, step: Step) -> Followed:
        return replace(advance(before, step), calls=follow_calls(before.calls, step, plans))

    return follow


def advance(before: Followed, step: Step) -> Followed:
    """Return *before* advanced by one step; a step without relevant events changes nothing."""
    try:
        requests = {here: list(events) for here, events in before.requests.items()}
        _add(requests, step)
        newest = next(reversed(requests), None)
        kept = {here: tuple(events) for here, events in requests.items() if here == newest or not _has_ended(events)}
        status, moved = portal_status(step, before.status), drawn(step, before.drawn)
        return replace(before, status=status, drawn=moved, requests=kept)
    except ALTERED:
        return before


def drawn(step: Step | None, before: int) -> int:
    """The step that put the case on the diagram of *step*; *before* is that of the previous step."""
    moved = step is not None and any(event.get("kind") == "InstanceMigrated" for event in step.events)
    return step.revision if step is not None and moved else before


def effects(window: HistoryPage[Followed], words: Words) -> list[Effect]:
    """All service requests made in a window or pending from before it; each visit of an element makes one."""
    requests = {here: list(events) for here, events in window.carried.requests.items()}
    for step in (*(seen.step for seen in window.seen if seen.step), *window.ahead):
        try:
            _add(requests, step)
        except ALTERED:
            continue
    found = (_effect(here, events, words) for here, events in requests.items())
    return [effect for effect in found if effect.stages and effect.stages[0].revision <= window.last]


def _add(requests: dict[Place, list[StepEvent]], step: Step) -> None:
    for event in step.events:
        here = (event.get("element", ""), event.get("visit", 0))
        if event["kind"] == "ServiceRequested":
            requests[here] = []
        if here in requests:
            requests[here].append((step, event))
        elif event["kind"] == "FactRecorded" and event.get("name") in (ANSWER, REFUSED_ANSWER) and requests:
            requests[next(reversed(requests))].append((step, event))


def _has_ended(events: list[StepEvent]) -> bool:
    return any(event["kind"] in ENDS for _, event in events)


def _effect(here: Place, events: list[StepEvent], words: Words) -> Effect:
    element, visit = here
    stages = (_stage(step, event, words) for step, event in events)
    return Effect(
        name=f"{words.names.of(element)}, {ordinal(visit)}",
        is_mail=words.names.operators.get(element) in MAILS,
        stages=tuple(stage for one in stages for stage in one),
    )


def _stage(step: Step, event: Mapping[str, Any], words: Words) -> Iterator[Stage]:
    try:
        found = _stage_words(event, words, step)
    except ALTERED:
        return
    if found:
        yield Stage(revision=step.revision, kind=found[0], words=found[1])


def _stage_words(event: Mapping[str, Any], words: Words, step: Step) -> tuple[str, str] | None:
    calendar = words.glossary.calendar
    match event["kind"]:
        case "ServiceRequested":
            return "wait", "Queued"
        case "ServiceCompleted":
            result = event.get("result")
            to = result.get("to") if isinstance(result, dict) else None
            return "done", f"Accepted by the mail server for {to}" if to else "Done"
        case "ServiceRefused":
            return "refuse", f"Refused: {event['message']}"
        case "ServiceFailed":
            again = event.get("retry_at")
            later = f" Next try {in_words(again, calendar)}." if again else ""
            return "alarm", f"Try {event['attempt']} failed: {event['reason']}{later}"
        case "IncidentResolved":
            return "wait", f"Tried again by hand, {calendar.local(step.at):%H:%M}"
        case "UserTaskCancelled" | "ElementCancelled":
            return "idle", "Not wanted any more"
        case "FactRecorded":
            sentence = fact_sentence(event["name"], event.get("details") or {}) or ""
            kind, word = ("done", "Answered") if event["name"] == ANSWER else ("refuse", "Answer refused")
            return (kind, f"{word}: {sentence[:1].lower()}{sentence[1:]}") if sentence else None
        case _:
            return None


def portal_status(step: Step, before: str) -> str:
    """The portal status of the patient after *step*, from results of patient services and from answers."""
    for event in step.events:
        result = event.get("result") if event["kind"] == "ServiceCalled" else None
        if isinstance(result, dict) and str(event["operator"]).startswith("patient/"):
            before = str(result.get("status") or before)
        if event["kind"] == "ServiceUndone":
            before = str((event.get("result") or {}).get("status") or before)
        if event["kind"] == "FactRecorded":
            details = event.get("details") or {}
            set_by_link = details.get("status") if event.get("name") in LINK_FACTS else None
            before = str(details.get("response") or set_by_link or before)
    return before
