"""A case in words: one line for each step that people would call an event. Pure; templates format the times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from usher_engine import Step, Wording
from usher_engine.cases import ALTERED

from .presentation import element_words, joined
from .service_wording import DONE, FAILED, PUT_BACK, QUEUED, day_of, fact_sentence, result_sentence, wait_sentence

#: Beginnings of sentences whose subject is the actor of the step; all others are complete.
DEEDS = ("Claimed ", "Released ", "Completed ", "Cancelled ", "Selected ", "Started ", "Delivered ",
         "Repaired ", "Undid ", "Withdrew ", "Gave ", "Set ", "Put ", "Brought ",
         "Commented", "Corrected ")  # fmt: skip


class Author(StrEnum):
    """Who made a step; each has its own mark on the timeline."""

    PERSON = "person"
    SYSTEM = "system"
    PATIENT = "patient"
    INCIDENT = "incident"


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """The names of elements and of the process, and the operators whose work is worth reporting."""

    elements: Mapping[str, str]
    process: str = ""
    reported: frozenset[str] = frozenset()
    #: What operators say of their work themselves.
    wording: Mapping[str, Wording] = field(default_factory=dict)
    #: The operator of each element.
    operators: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, str] = field(default_factory=dict)
    #: The row number of each (decision, rule).
    rows: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, element: str) -> str:
        return self.elements.get(element) or element_words(element)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One step in words. *quote* is the reason a person gave; *way* are the elements passed, in order."""

    revision: int
    at: datetime
    actor: str
    author: Author
    words: str
    quote: str
    way: tuple[str, ...]
    then_at: tuple[str, ...]
    sentences: tuple[str, ...] = ()
    #: For whom the actor stood in; empty if for nobody.
    on_behalf_of: str = ""

    def addressed_to(self, reader: str, shown: Callable[[str], str] = str) -> str:
        """The words with the actor as subject, named as *shown*: "You claimed Update Now.", "Bob completed …" """
        deeds = [sentence for sentence in self.sentences if sentence.startswith(DEEDS)]
        if len(deeds) > 1:
            deeds = [deed for deed in deeds if not deed.startswith("Claimed ")]
        others = [sentence for sentence in self.sentences if not sentence.startswith(DEEDS)]
        who = "You" if self.actor == reader else shown(self.actor)
        if self.on_behalf_of:
            who += f" on behalf of {'you' if self.on_behalf_of == reader else shown(self.on_behalf_of)}"
        return " ".join([*(f"{who} {deed[:1].lower()}{deed[1:]}" for deed in deeds), *others])


def lines_of(steps: Iterable[Step], names: Names) -> list[Line]:
    """The steps as lines, oldest first; steps without anything worth reporting are left out."""
    lines = (line_of(step, names) for step in steps)
    return [line for line in lines if line and line.words]


def line_of(step: Step, names: Names) -> Line | None:
    """The step as a line; None if it was altered and cannot be read."""
    try:
        return build_line(step, names)
    except ALTERED:
        return None


def build_line(step: Step, names: Names) -> Line:
    """One step as a line, its words empty if nothing in it is worth reporting."""
    packages = step.body.get("packages") or {}
    written = [_with_package(_sentence(event, names), event, packages) for event in step.events]
    sentences = [sentence for sentence in written if sentence]
    entered = [event for event in step.events if event["kind"] in ("ElementEntered", "ElementPassed")]
    resting = [event for event in entered if event["kind"] == "ElementEntered"]
    return Line(
        revision=step.revision,
        at=step.at,
        actor=step.actor,
        author=author_of(step),
        words=" ".join(sentences),
        quote=next((reason for event in step.events if (reason := _reason(event))), ""),
        way=tuple(names.of(event["element"]) for event in entered),
        then_at=tuple(f"{names.of(event['element'])}, {ordinal(event['visit'])}" for event in resting),
        sentences=tuple(sentences),
        on_behalf_of=step.on_behalf_of,
    )


def author_of(step: Step) -> Author:
    if any(event.get("kind") == "IncidentRaised" for event in step.events):
        return Author.INCIDENT
    role = step.body["actor"].get("role", "staff")
    return {"system": Author.SYSTEM, "patient": Author.PATIENT}.get(role, Author.PERSON)


def _reason(event: Mapping[str, Any]) -> str:
    if event["kind"] == "UserTaskCompleted":
        return str((event.get("answer") or {}).get("reason") or "")
    if event["kind"] in ("UserTaskCancelled", "InstanceCancelled", "InstanceMigrated"):
        return str(event.get("reason") or "")
    if event["kind"] in ("UserTaskAssigned", "UserTaskDueSet", "UserTaskPutOff"):
        return str(event.get("note") or "")
    return ""


def _sentence(event: Mapping[str, Any], names: Names) -> str:
    name = names.of(event["element"]) if event.get("element") else ""
    match event["kind"]:
        case "InstanceStarted":
            return _start_sentence(event)
        case "UserTaskOpened":
            return _task_sentence(event)
        case "UserTaskClaimed":
            return f"Claimed {name}."
        case "UserTaskReleased":
            return f"Released {name}, for others to take."
        case "UserTaskAssigned":
            return f"Gave {name} to {event['to']}."
        case "UserTaskDueSet":
            return f"Set {name} due on {day_of(event['day'])}." if event.get("day") else f"Set {name} due at no date."
        case "UserTaskPutOff":
            return f"Put {name} off until {day_of(event['until'])}." if event.get("until") else f"Brought {name} back."
        case "UserTaskCompleted":
            return f"Completed {name}."
        case "UserTaskCancelled":
            return f"Cancelled {name}."
        case "InstanceFinished":
            return str(event.get("explanation") or f"The case ended: {names.of(event['outcome'])}.")
        case "InstanceCancelled":
            return "Cancelled the case."
        case "InstanceMigrated":
            return f"Moved the case from version {event['from_version']} to version {event['to_version']}."
        case "InstanceRepaired":
            return _repair_sentence(event, names)
        case "StepUndone":
            return f"Undid {name} before its mail left."
        case "FactRecorded":
            return _fact_sentence(event)
        case _:
            return _service_sentence(event, name, names)


def _with_package(sentence: str, event: Mapping[str, Any], packages: Mapping[str, str]) -> str:
    """*sentence* with the installed package of the operator that *event* called, where it was not Usher's own."""
    package = packages.get(event.get("operator", ""), "")
    return f"{sentence.removesuffix('.')} (by {package})." if sentence and package else sentence


def _repair_sentence(event: Mapping[str, Any], names: Names) -> str:
    """What a repair found and closed; other events of the step report what it opened."""
    closed = ", ".join(dict.fromkeys(names.of(here.rpartition(":")[0]) for here in event["closed"]))
    parted = f" From step {event['parted']} on the diagram leads another way." if event["parted"] else ""
    return "Repaired the case from its history." + parted + (f" Closed: {closed}." if closed else "")


def _service_sentence(event: Mapping[str, Any], name: str, names: Names) -> str:
    operator = names.operators.get(event.get("element", ""), "")
    own = names.wording.get(operator, Wording())
    match event["kind"]:
        case "ServiceCalled":
            return _result_sentence(event, name, names)
        case "ServiceRequested":
            return own.queued or QUEUED.get(operator, f"{name} was queued.")
        case "ServiceCompleted":
            return own.done or DONE.get(operator, f"{name} was done.")
        case "ServiceRefused":
            return f"{own.failed or FAILED.get(operator, f'{name} was refused')}: {event['message']}"
        case "ServiceFailed":
            tried = "will be" if event.get("retry_at") else "will not be"
            failed = own.failed or FAILED.get(operator, f"{name} did not work")
            return f"{failed} (try {event['attempt']}) and {tried} tried again automatically: {event['reason']}"
        case "ServiceUndone":
            return PUT_BACK.get(event["operator"], f"{name} was put back.")
        case "DecisionMade":
            return f"{name} was decided: {joined([_decision_words(made, names) for made in _decisions_in(event)])}."
        case "IncidentRaised":
            return f"Stopped at {name}: {event['reason']}"
        case "IncidentResolved":
            return f"{name} was taken up again."
        case _:
            return wait_sentence(event, name)


def _decisions_in(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The requested decision and those it required, in the order they were made."""
    return [*(event.get("required") or ()), event]


def _decision_words(made: Mapping[str, Any], names: Names) -> str:
    decision = made["decision"]
    table = f"“{names.decisions.get(decision) or element_words(decision)}”"
    rows = [str(names.rows.get((decision, rule), rule)) for rule in made["rules"]]
    if rows:
        return f"{'row' if len(rows) == 1 else 'rows'} {joined(rows)} of {table}"
    return f"no row of {table}" if any(of == decision for of, _ in names.rows) else table


def _result_sentence(event: Mapping[str, Any], name: str, names: Names) -> str:
    if event["operator"] not in names.reported or event.get("error"):
        return ""
    own = result_sentence(event["operator"], event.get("result"))
    done = names.wording.get(event["operator"], Wording()).done or f"{name} was done."
    return done if own is None else own


def _start_sentence(event: Mapping[str, Any]) -> str:
    given = event.get("data") or {}
    if given.get("field") and given.get("template"):
        return f"Selected “{given['field']}” on the template {given['template']}."
    return "Started the case."


def _task_sentence(event: Mapping[str, Any]) -> str:
    headline = str(event.get("message") or "").strip().split("\n")[0]
    group = f" for {event['group']}" if event.get("group") else ""
    return f"{headline} {event['title']} was opened{group}.".strip()


def _fact_sentence(event: Mapping[str, Any]) -> str:
    own = fact_sentence(event["name"], event.get("details") or {})
    if own is not None:
        return own
    details = [_detail(key, value) for key, value in (event.get("details") or {}).items() if value not in (None, "")]
    return f"{event['name']}: {joined(details)}." if details else f"{event['name']}."


def _detail(key: str, value: Any) -> str:
    words = key.replace("_", " ")
    if value is True:
        return words
    return str(value) if key in ("status", "response") else f"{words} {value}"


def ordinal(number: int) -> str:
    teens = 10 <= number % 100 <= 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
