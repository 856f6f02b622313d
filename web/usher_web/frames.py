"""A case step by step as the replay shows it: who did what, what changed, which way, what went out, what is proven.

Pure: takes the steps with the states rebuilt after them, gives one `Frame` for each. How events are worded: `story`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from usher_engine import InstanceState, Step

from .changes import Change, Glossary, changes, in_words
from .story import DEEDS, Line, Names, Teller, ordinal, tell_one

#: What people do to a case beside its diagram.
BY_HAND = {"retry": "tried it again by hand", "cancel": "cancelled the case by hand"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What a case is told with. *flows* maps a sequence flow to (the element it leaves, its name)."""

    names: Names
    glossary: Glossary
    flows: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Passed:
    """One element of the way; *choice* is the name of the flow taken out of it, where it has one."""

    name: str
    choice: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Something that became of an effect; *kind* is one of idle, wait, done, refuse and alarm."""

    revision: int
    kind: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """A mail, or another service asked for: all that became of it, also after the step shown."""

    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """Whether the hash follows from the step before and this one, and whether no step is missing between them."""

    hash: str
    previous: str
    linked: bool
    gapless: bool

    @property
    def holds(self) -> bool:
        return self.linked and self.gapless


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """What the diagram shows: what this step added, and where the case stands after it."""

    visits: Mapping[str, int]
    flows: Mapping[str, int]
    passed: tuple[str, ...]
    at: tuple[str, ...]
    incident: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One step; *then_at* says where the case stood after it, *status* what the portal knew of the patient then."""

    line: Line
    who: str
    headline: str
    told: str
    by_hand: bool
    changes: tuple[Change, ...]
    way: tuple[Passed, ...]
    effects: tuple[Effect, ...]
    then_at: str
    status: str
    proof: Proof
    marked: Marked

    @property
    def revision(self) -> int:
        return self.line.revision

    @property
    def words(self) -> str:
        """The step in the table, where who did it stands in a column of its own."""
        return f"{self.headline}. {self.told}" if self.is_incident or not self.line.words else self.line.words

    @property
    def is_incident(self) -> bool:
        return self.line.teller is Teller.INCIDENT


def frames(rebuilt: Sequence[tuple[Step, InstanceState]], words: Words) -> list[Frame]:
    """The steps of one case as frames, oldest first."""
    effects, found, status, before = _effects(rebuilt, words), [], "", InstanceState()
    for number, (step, after) in enumerate(rebuilt, start=1):
        was, status = status, _portal_status(step, status)
        found.append(_frame(step, before, after, words, effects, (was, status), step.revision == number))
        before = after
    return found


def _frame(
    step: Step,
    before: InstanceState,
    after: InstanceState,
    words: Words,
    effects: Sequence[Effect],
    status: tuple[str, str],
    gapless: bool,
) -> Frame:
    line = tell_one(step, words.names)
    who = _who(step, line)
    headline, told = _said(step, line, who, words.names)
    rows = changes(before.data, after.data, words.glossary)
    if status[0] != status[1]:
        rows.insert(0, Change(label="Portal status", before=status[0], after=status[1]))
    return Frame(
        line=line,
        who=who,
        headline=headline,
        told=told,
        by_hand=step.command["kind"] in BY_HAND,
        changes=tuple(row for row in rows if not line.quote or row.after != line.quote),
        way=_way(step, words),
        effects=tuple(e for e in effects if any(stage.revision == step.revision for stage in e.stages)),
        then_at=_then_at(after, words.names),
        status=status[1],
        proof=Proof(hash=step.hash.hex(), previous=step.previous.hex(), linked=step.is_linked, gapless=gapless),
        marked=_marked(step, before, after),
    )


def _who(step: Step, line: Line) -> str:
    role = step.body["actor"].get("role", "staff")
    name = {"system": "System", "patient": "The patient"}.get(role, line.actor)
    behalf = step.body["actor"].get("on_behalf_of")
    return f"{name} for {behalf}" if behalf else name


def _said(step: Step, line: Line, who: str, names: Names) -> tuple[str, str]:
    """The sentence over the step, and what else is told of it."""
    told = list(line.sentences)
    by_hand, kind = BY_HAND.get(step.command["kind"]), step.command["kind"]
    if by_hand:
        return f"{who} {by_hand}", " ".join(one for one in told if kind != "cancel" or one != "Cancelled the case.")
    if line.teller is Teller.INCIDENT:
        stopped = next((one for one in told if one.startswith("Stopped at ")), told[-1])
        reason = stopped.partition(": ")[2]
        return _split(stopped, [one.replace(f": {reason}", ".") for one in told if one != stopped])
    deeds = [one for one in told if one.startswith(DEEDS)]
    if deeds:
        deed = next((one for one in deeds if not one.startswith("Claimed ")), deeds[0])
        rest = [one for one in told if one != deed and not one.startswith("Claimed ")]
        return f"{who} {deed[:1].lower()}{deed[1:].removesuffix('.')}", " ".join(rest)
    if told:
        return _split(told[0], told[1:])
    entered = [event["element"] for event in step.events if event["kind"] == "ElementEntered"]
    return (f"Went on to {names.of(entered[-1])}" if entered else f"{who} moved the case on"), ""


def _split(sentence: str, rest: list[str]) -> tuple[str, str]:
    """A sentence with a reason after a colon: what is the case above, the reason below."""
    head, _, reason = sentence.partition(": ")
    return head.removesuffix("."), " ".join([*([f"{reason[:1].upper()}{reason[1:]}"] if reason else []), *rest])


def _way(step: Step, words: Words) -> tuple[Passed, ...]:
    """The named elements of the step in order, each with the name of the flow that left it."""
    passed: list[tuple[str, str]] = []
    for event in step.events:
        if event["kind"] not in ("ElementEntered", "ElementPassed", "ElementCompleted"):
            continue
        source, choice = words.flows.get(event.get("flow", ""), ("", ""))
        if choice and passed and passed[-1][0] == source:
            passed[-1] = (source, choice)
        if event["kind"] != "ElementCompleted" or event["element"] not in [element for element, _ in passed]:
            passed.append((event["element"], ""))
    return tuple(
        Passed(name=words.names.of(element), choice=choice)
        for element, choice in passed
        if words.names.elements.get(element)
    )


def _then_at(state: InstanceState, names: Names) -> str:
    if state.outcome:
        return names.of(state.outcome)
    places = [here.rpartition(":") for here in state.at]
    return ", ".join(f"{names.of(element)}, {ordinal(int(visit))}" for element, _, visit in places)


def _portal_status(step: Step, before: str) -> str:
    """What the portal knew of the patient after *step*: from the results of patient services and from answers."""
    for event in step.events:
        result = event.get("result") if event["kind"] == "ServiceCalled" else None
        if isinstance(result, dict) and str(event["operator"]).startswith("patient/"):
            before = str(result.get("status") or before)
        if event["kind"] == "FactRecorded":
            before = str((event.get("details") or {}).get("response") or before)
    return before


def _marked(step: Step, before: InstanceState, after: InstanceState) -> Marked:
    passed = dict.fromkeys(
        event["element"] for event in step.events if event["kind"] in ("ElementEntered", "ElementPassed")
    )
    return Marked(
        visits=_added(before.visits, after.visits),
        flows=_added(before.flows, after.flows),
        passed=tuple(passed),
        at=_elements(after.at),
        incident=_elements(after.incidents),
    )


def _added(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {key: count - before.get(key, 0) for key, count in after.items() if count != before.get(key, 0)}


def _elements(places: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(here.rpartition(":")[0] for here in places))


def _effects(rebuilt: Sequence[tuple[Step, InstanceState]], words: Words) -> list[Effect]:
    """Everything services were asked for, with what became of it; a visit of an element asks once."""
    stages: dict[tuple[str, int], list[Stage]] = {}
    for step, _ in rebuilt:
        for event in step.events:
            here = (event.get("element", ""), event.get("visit", 0))
            if event["kind"] == "ServiceRequested":
                stages[here] = []
            if here in stages and (told := _stage(event, words, step.at)):
                stages[here].append(Stage(revision=step.revision, kind=told[0], words=told[1]))
    return [
        Effect(name=f"{words.names.of(element)}, {ordinal(visit)}", stages=tuple(told))
        for (element, visit), told in stages.items()
    ]


def _stage(event: Mapping[str, Any], words: Words, at: datetime) -> tuple[str, str] | None:
    tz = words.glossary.tz
    match event["kind"]:
        case "ServiceRequested":
            return "wait", "Asked for"
        case "ServiceCompleted":
            result = event.get("result")
            to = result.get("to") if isinstance(result, dict) else None
            return "done", f"Accepted by the mail server for {to}" if to else "Done"
        case "ServiceRefused":
            return "refuse", f"Refused: {event['message']}"
        case "ServiceFailed":
            again = event.get("retry_at")
            later = f" Next try {in_words(again, tz)}." if again else ""
            return "alarm", f"Try {event['attempt']} failed: {event['reason']}{later}"
        case "IncidentResolved":
            return "wait", f"Tried again by hand, {at.astimezone(tz):%H:%M}"
        case "UserTaskCancelled" | "ElementCancelled":
            return "idle", "Not wanted any more"
        case _:
            return None
