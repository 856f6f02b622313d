"""A case step by step as the replay shows it: who did what, what changed, the way taken, the proof.

Takes a window of steps with the states after them, and returns one `Frame` for each. The wording of events is in
`words.case_narrative`; the status of mails and other services in `words.effect_status`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from usher_engine import Step
from usher_engine.cases import ALTERED, HistoryPage, InstanceState, PagedStep
from usher_engine.core.faults import report as report_fault

from ..words.case_narrative import DEEDS, Author, Line, Names, author_of, build_line, ordinal
from ..words.data_changes import Change, changes, in_words
from ..words.effect_status import Effect, Followed, Words, effects, portal_status

#: What people do to a case outside its diagram.
BY_HAND = {
    "retry": "tried it again by hand",
    "cancel": "cancelled the case by hand",
    "migrate": "moved the case to another version",
    "repair": "repaired the case",
    "undo": "changed their mind",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Passed:
    """One element of the way; *choice* is the name of the flow that left it, if it has one."""

    name: str
    choice: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """Whether the hash matches this step and the one before, and whether no step is missing between them."""

    hash: str
    previous: str
    linked: bool
    gapless: bool

    @property
    def holds(self) -> bool:
        return self.linked and self.gapless


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """The marks of the diagram: what this step added, and where the case stands after it."""

    visits: Mapping[str, int]
    flows: Mapping[str, int]
    passed: tuple[str, ...]
    at: tuple[str, ...]
    incident: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """
    One step; *then_at* is where the case stood after it, *status* the patient's portal status then, *comment* what a
    comment said, where the reader may see it.

    *line* is None where the step is missing or cannot be read.
    """

    revision: int
    line: Line | None
    who: str
    headline: str
    details: str
    by_hand: bool
    changes: tuple[Change, ...]
    way: tuple[Passed, ...]
    effects: tuple[Effect, ...]
    then_at: str
    status: str
    proof: Proof
    marked: Marked
    comment: str = ""

    @property
    def words(self) -> str:
        """The step in the table, which has a column of its own for the actor."""
        sentences = self.line.words if self.line and not self.is_incident else ""
        return sentences or f"{self.headline}. {self.details}"

    @property
    def is_incident(self) -> bool:
        return self.line is not None and self.line.author is Author.INCIDENT

    @property
    def flaw(self) -> str:
        """The flaw in the record of the step, in one word; empty if there is none."""
        if self.line is None:
            return "Missing" if self.headline.endswith("missing") else "Unreadable"
        return "" if self.proof.linked else "Altered"

    @property
    def kind(self) -> str:
        """The kind of its mark on the timeline."""
        if self.line is None:
            return Author.INCIDENT.value
        return "hand" if self.by_hand else self.line.author.value


def glance(step: Step | None) -> tuple[datetime | None, str]:
    """The time of a step and its mark on the timeline; without a time if the step is lost."""
    if step is not None:
        try:
            return step.at, "hand" if step.command["kind"] in BY_HAND else author_of(step).value
        except ALTERED:
            pass
    return None, Author.INCIDENT.value


def frames(
    window: HistoryPage[Followed],
    words: Words,
    known: Sequence[Effect] | None = None,
    comments: Mapping[int, str] | None = None,
) -> list[Frame]:
    """
    The steps of a window as frames, oldest first; *known* are its effects, if the caller has them.

    *comments* are the texts of comments that the reader may see, by step.
    """
    asked = effects(window, words) if known is None else known
    found, status, before = [], window.carried.status, window.before
    whole = True
    for seen in window.seen:
        was = status
        try:
            if seen.step is not None:
                status = portal_status(seen.step, status)
            frame = _frame(seen, before, words, asked, (was, status), gapless=whole)
            found.append(replace(frame, comment=(comments or {}).get(seen.revision, "")))
        except Exception as error:  # noqa: BLE001 - an altered step may hold anything; it is shown in red
            report_fault(error, where="web", at=f"step {seen.revision} in the replay")
            found.append(_frame_of_lost_step(seen, before, status, gapless=whole))
        before, whole = seen.after, not seen.is_missing
    return found


def _frame(
    seen: PagedStep,
    before: InstanceState,
    words: Words,
    asked: Sequence[Effect],
    status: tuple[str, str],
    *,
    gapless: bool,
) -> Frame:
    step = seen.step
    if step is None:
        return _frame_of_lost_step(seen, before, status[1], gapless=gapless)
    line = build_line(step, words.names)
    who = _actor_name(step, line)
    headline, details = _headline(step, line, who, words.names)
    rows = changes(before.data, seen.after.data, words.glossary)
    if status[0] != status[1]:
        rows.insert(0, Change(label="Portal status", before=status[0], after=status[1]))
    return Frame(
        revision=seen.revision,
        line=line,
        who=who,
        headline=headline,
        details=details,
        by_hand=step.command["kind"] in BY_HAND,
        changes=tuple(row for row in rows if not line.quote or row.after != line.quote),
        way=_way(step, words),
        effects=tuple(e for e in asked if any(stage.revision == step.revision for stage in e.stages)),
        then_at=_then_at(seen.after, words),
        status=status[1],
        proof=_proof(seen, gapless=gapless),
        marked=_marked(step, before, seen.after),
    )


def _frame_of_lost_step(seen: PagedStep, before: InstanceState, status: str, *, gapless: bool) -> Frame:
    """The frame of an unreadable step: its number and what happened to it."""
    headline = f"Step {seen.revision} is missing" if seen.is_missing else f"Step {seen.revision} cannot be read"
    return Frame(
        revision=seen.revision,
        line=None,
        who="",
        headline=headline,
        details="It was removed after it was written." if seen.is_missing else "It was altered after it was written.",
        by_hand=False,
        changes=(),
        way=(),
        effects=(),
        then_at="",
        status=status,
        proof=_proof(seen, gapless=gapless),
        marked=Marked(visits={}, flows={}, passed=(), at=_elements(before.at), incident=_elements(before.incidents)),
    )


def _proof(seen: PagedStep, *, gapless: bool) -> Proof:
    digest, previous = (seen.step.hash.hex(), seen.step.previous.hex()) if seen.step else ("", "")
    return Proof(hash=digest, previous=previous, linked=seen.is_linked, gapless=gapless)


def _actor_name(step: Step, line: Line) -> str:
    role = step.body["actor"].get("role", "staff")
    name = {"system": "System", "patient": "The patient"}.get(role, line.actor)
    return f"{name} on behalf of {step.on_behalf_of}" if step.on_behalf_of else name


def _headline(step: Step, line: Line, who: str, names: Names) -> tuple[str, str]:
    """The headline of the step, and the sentences below it."""
    sentences = list(line.sentences)
    by_hand, kind = BY_HAND.get(step.command["kind"]), step.command["kind"]
    if by_hand:
        rest = [one for one in sentences if kind != "cancel" or one != "Cancelled the case."]
        return f"{who} {by_hand}", " ".join(rest)
    if line.author is Author.INCIDENT:
        stopped = next((one for one in sentences if one.startswith("Stopped at ")), sentences[-1])
        reason = stopped.partition(": ")[2]
        return _split(stopped, [one.replace(f": {reason}", ".") for one in sentences if one != stopped])
    deeds = [one for one in sentences if one.startswith(DEEDS)]
    if deeds:
        deed = next((one for one in deeds if not one.startswith("Claimed ")), deeds[0])
        rest = [one for one in sentences if one != deed and not one.startswith("Claimed ")]
        return f"{who} {deed[:1].lower()}{deed[1:].removesuffix('.')}", " ".join(rest)
    if sentences:
        return _split(sentences[0], sentences[1:])
    entered = [event["element"] for event in step.events if event["kind"] == "ElementEntered"]
    return (f"Went on to {names.of(entered[-1])}" if entered else f"{who} moved the case on"), ""


def _split(sentence: str, rest: list[str]) -> tuple[str, str]:
    """Split a sentence at its colon: the headline before it, the reason after it, then *rest*."""
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


def _then_at(state: InstanceState, words: Words) -> str:
    names, calendar = words.names, words.glossary.calendar
    if state.outcome:
        return names.of(state.outcome)
    places = [here.rpartition(":") for here in state.at]
    parts = [f"{names.of(element)}, {ordinal(int(visit))}" for element, _, visit in places]
    for wait in state.waiting_for():
        until = in_words(wait.due.strftime("%Y-%m-%dT%H:%M:%SZ"), calendar) if wait.due else ""
        what = f"until {until}" if until else f"for the message “{wait.message}”"
        parts.append(f"waits {what} ({names.of(wait.element)})")
    return ", ".join(parts)


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
