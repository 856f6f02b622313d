"""The replay's pure parts: the timeline, what changed in words, and a case as frames."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from conftest import ROOT
from usher_engine import Step
from usher_engine.cases import HistoryPage, InstanceState, PagedStep
from usher_engine.core.canonical import canonical
from usher_engine.core.events import from_json
from usher_engine.core.practice_calendar import practice_calendar
from usher_engine.core.state import fold
from usher_engine.definitions import read_folder
from usher_web.auditor.replay_frames import Frame, frames
from usher_web.auditor.replay_pages import way_until
from usher_web.words.case_narrative import Names
from usher_web.words.data_changes import Change, changes, glossary, in_words
from usher_web.words.effect_status import Followed, Stage, Words, advance, effects
from usher_web.words.service_wording import ANSWER
from usher_web.words.timeline import timeline, wait_words

BERLIN = practice_calendar("Europe/Berlin")
START = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)
GLOSSARY = glossary(read_folder(ROOT / "processes" / "enrollment"), BERLIN)
NAMES = Names(
    elements={"A": "Ask", "G": "All filled?", "S": "Send mail", "E": "Done"}, reported=frozenset({"mail/send"})
)
BEGAN = {
    "kind": "InstanceStarted", "process": "P", "version": 1, "definition": "d" * 64, "data": {"action": "x"},
    "business_key": "p1",
}  # fmt: skip
WORDS = Words(names=NAMES, glossary=GLOSSARY, flows={"yes": ("G", "yes"), "in": ("A", "")})


def rebuilt(*steps: tuple[str, str, list[dict[str, Any]]]) -> list[tuple[Step, InstanceState]]:
    """A chained case of (actor, command, events); actors are staff but for “system” and “patient”."""
    found, state, previous = [], InstanceState(), b"\x00" * 32
    for number, (actor, command, events) in enumerate(steps, start=1):
        role = actor if actor in ("system", "patient") else "staff"
        at = (START + timedelta(hours=number)).isoformat().replace("+00:00", "Z")
        body = {"at": at, "actor": {"name": actor, "role": role}, "command": {"kind": command}, "events": events}
        digest = hashlib.sha256(previous + canonical(body)).digest()
        state = fold(state, [from_json(event) for event in events])
        found.append((Step(instance="X", revision=number, body=body, previous=previous, hash=digest), state))
        previous = digest
    return found


def opened(
    case: list[tuple[Step, InstanceState]], first: int = 1, last: int | None = None, *, lost: tuple[int, ...] = ()
) -> HistoryPage[Followed]:
    """The steps from *first* to *last* as the engine opens them; those in *lost* are not there."""
    carried, before, seen = Followed(), InstanceState(), []
    for step, state in case[: first - 1]:
        carried, before = advance(carried, step), state
    for step, state in case[first - 1 : last]:
        is_lost = step.revision in lost
        seen.append(
            PagedStep(
                revision=step.revision,
                step=None if is_lost else step,
                is_missing=is_lost,
                is_linked=not is_lost and step.is_linked,
                after=state,
            )
        )
    ahead = tuple(step for step, _ in case[last:]) if last else ()
    end = last or len(case)
    return HistoryPage(
        first=first,
        last=end,
        total=len(case),
        size=len(case),
        before=before,
        carried=carried,
        seen=tuple(seen),
        ahead=ahead,
    )


def entered(element: str, flow: str = "", kind: str = "ElementPassed", visit: int = 1) -> dict[str, Any]:
    return {"kind": kind, "element": element, "visit": visit, **({"flow": flow} if flow else {})}


def mailing() -> list[tuple[Step, InstanceState]]:
    """Asked, sent with a failure and an incident, tried again by hand, answered by the patient."""
    mail = {"element": "S", "visit": 1}
    return rebuilt(
        ("alice", "start", [BEGAN, entered("A", kind="ElementEntered")]),
        (
            "alice",
            "complete",
            [
                {**entered("A", kind="UserTaskCompleted"), "variable": "ask", "answer": {"reason": "why"}},
                entered("A", kind="ElementCompleted"),
                entered("G", "in"),
                entered("S", "yes", "ElementEntered"),
                {"kind": "ServiceRequested", "operator": "mail/send", "variable": "sent", "parameters": {}, **mail},
            ],
        ),
        (
            "system",
            "fail_job",
            [
                {"kind": "ServiceFailed", "attempt": 1, "reason": "It is full.", **mail},
                {"kind": "IncidentRaised", "code": "service", "reason": "It is full.", **mail},
            ],
        ),
        ("bob", "retry", [{"kind": "IncidentResolved", **mail}]),
        (
            "system",
            "finish_job",
            [
                {"kind": "ServiceCompleted", "variable": "sent", "result": {"to": "a@example.org"}, **mail},
                entered("S", kind="ElementCompleted"),
                entered("E", "out"),
                {"kind": "InstanceFinished", "outcome": "E"},
            ],
        ),
        ("patient", "record", [{"kind": "FactRecorded", "name": "Answer", "details": {"response": "Declined"}}]),
    )


def test_a_case_becomes_frames_that_say_who_did_what():
    found = frames(opened(mailing()), WORDS)
    assert [frame.headline for frame in found][:4] == [
        "alice started the case",
        "alice completed Ask",
        "Stopped at Send mail",
        "bob tried it again by hand",
    ]
    assert found[1].line.quote == "why"
    assert "why" not in [change.after for change in found[1].changes]
    assert [(passed.name, passed.choice) for passed in found[1].way] == [
        ("Ask", ""),
        ("All filled?", "yes"),
        ("Send mail", ""),
    ]
    assert found[2].is_incident and found[2].details.startswith("It is full.") and found[2].details.count("full") == 1
    assert [frame.by_hand for frame in found] == [False, False, False, True, False, False]
    assert [frame.then_at for frame in found] == ["Ask, 1st", *["Send mail, 1st"] * 3, "Done", "Done"]
    assert [frame.status for frame in found] == ["", "", "", "", "", "Declined"]
    assert found[5].changes[0] == Change(label="Portal status", before="", after="Declined")
    assert found[5].who == "The patient"


def test_the_status_of_a_mail_is_shown_at_each_of_its_steps():
    found = frames(opened(mailing()), WORDS)
    assert [len(frame.effects) for frame in found] == [0, 1, 1, 1, 1, 0]  # the answer has no words of its own here
    (effect,) = found[1].effects
    assert effect.name == "Send mail, 1st"
    stages = [(stage.revision, stage.kind) for stage in effect.stages]
    assert stages == [(2, "wait"), (3, "alarm"), (4, "wait"), (5, "done")]
    assert effect.stages[-1].words == "Accepted by the mail server for a@example.org"


def test_the_patients_answer_is_shown_at_the_mail_it_follows():
    case = rebuilt(*[(s.actor, s.command["kind"], list(s.events)) for s, _ in mailing()[:5]], answered("Declined"))
    (effect,) = effects(opened(case), WORDS)
    assert effect.stages[-1] == Stage(revision=6, kind="done", words="Answered: the patient declined.")
    assert frames(opened(case), WORDS)[5].effects == (effect,)


def answered(response: str) -> tuple[str, str, list[dict[str, Any]]]:
    details = {"response": response}
    return "patient", "record", [{"kind": "FactRecorded", "name": ANSWER, "details": details}]


def test_a_window_shows_the_same_as_the_whole():
    case = rebuilt(*[(s.actor, s.command["kind"], list(s.events)) for s, _ in mailing()[:5]], answered("Declined"))
    whole = frames(opened(case), WORDS)
    for first in range(1, 7):
        for last in range(first, 7):
            assert frames(opened(case, first, last), WORDS) == whole[first - 1 : last]


def test_an_altered_step_is_shown_as_one_and_the_others_stay_readable():
    for wrong in ({"kind": "ServiceRequested"}, {}, {"kind": ["x"]}, {"kind": "UserTaskCompleted", "answer": "x"}):
        case = mailing()
        step, state = case[2]
        body = {**step.body, "events": [*step.body["events"], wrong]}
        altered = Step(instance="X", revision=3, body=body, previous=step.previous, hash=step.hash)
        found = frames(opened([*case[:2], (altered, state), *case[3:]]), WORDS)
        assert [frame.revision for frame in found] == [1, 2, 3, 4, 5, 6]
        assert not found[2].proof.holds
        assert found[3].headline == "bob tried it again by hand"


def test_a_proof_holds_only_for_what_was_written():
    case = mailing()
    assert all(frame.proof.holds for frame in frames(opened(case), WORDS))
    step, state = case[2]
    altered = Step(
        instance=step.instance,
        revision=step.revision,
        body={**step.body, "at": "2020-01-01T00:00:00Z"},
        previous=step.previous,
        hash=step.hash,
    )
    found = frames(opened([*case[:2], (altered, state), *case[3:]]), WORDS)
    assert [frame.proof.holds for frame in found] == [True, True, False, True, True, True]
    without_third = frames(opened(case, lost=(3,)), WORDS)
    assert [frame.proof.gapless for frame in without_third] == [True, True, True, False, True, True]
    assert without_third[2].line is None
    assert without_third[2].words == "Step 3 is missing. It was removed after it was written."


def test_the_diagram_gets_the_steps_until_then_added_up():
    case = mailing()
    found: list[Frame] = frames(opened(case), WORDS)
    for number, (_, state) in enumerate(case, start=1):
        way = way_until(found, number, InstanceState())
        assert {one["element"]: one["visits"] for one in way["visited"]} == state.visits
        assert way["flows"] == state.flows
        assert way["at"] == [here.rpartition(":")[0] for here in state.at]
    assert way_until(found, 3, InstanceState())["incident"] == ["S"]
    assert way_until(found, 2, InstanceState())["step"] == {"elements": ["G", "S"], "flows": ["in", "yes"]}


def test_changes_have_the_labels_of_the_forms_and_are_listed_once():
    known = {"email": "", "first_name": "Ada", "birth_sex": "F"}
    before = {"patient": {"status": "Declined", "version": 2, "fields": known}}
    fields = {"email": "ada@example.org", "first_name": "Ada", "birth_sex": "M"}
    after = {
        "patient": {"status": "Pending", "version": 3, "fields": fields},
        "update": fields,
        "invitation": {"sent_at": "2026-05-04T09:02:00Z", "message_id": "<x@y>"},
    }
    assert changes(before, after, GLOSSARY) == [
        Change(label="Invitation sent", before="", after="4 May 2026, 11:02"),
        Change(label="E-mail", before="none", after="ada@example.org"),
        Change(label="Birth sex", before="Female", after="Male"),
        Change(label="Invitation · Message id", before="", after="<x@y>", minor=True),
        Change(label="Patient · Version", before="2", after="3", minor=True),
    ]


def test_what_is_taken_away_is_listed_too():
    answer = {"at": "2026-03-25T09:02:00Z", "status": "Deferred", "until": "2026-06-01"}
    assert changes({"patient": {"response": answer}}, {"patient": {"response": None}}, GLOSSARY) == [
        Change(label="Answer", before="Deferred, 25 March 2026, until 1 June 2026", after="none")
    ]
    gone = Change(label="A", before="1", after="none", minor=True)
    assert changes({"a": 1, "b": []}, {"b": None}, GLOSSARY) == [gone]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "none"),
        ("", "none"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ([], "none"),
        (["a", "b"], "a, b"),
        ("1984-10-10", "10 October 1984"),
        ("1984-13-40", "1984-13-40"),
        ("2026-13-04T09:02:00Z", "2026-13-04T09:02:00Z"),
        ({"x": 1, "y": None}, "x: 1, y: none"),
        ("<b>" + "x" * 400, "<b>" + "x" * 297 + "…"),
    ],
)
def test_values_in_words(value, words):
    assert in_words(value, BERLIN) == words


def line_of(*days: float) -> list[tuple[datetime, str]]:
    return [(START + timedelta(days=day), "person") for day in days]


def test_the_timeline_writes_days_and_long_waits():
    marks = timeline(line_of(0, 0.01, 30, 30.1, 160), BERLIN)
    assert [mark.day for mark in marks] == ["4 May", "", "3 Jun", "", "11 Oct"]
    assert [mark.wait for mark in marks] == ["", "29 d", "", "4 mo", ""]
    assert [mark.waited for mark in marks] == [False, True, False, True, False]
    assert timeline(line_of(0), BERLIN)[0].day == "4 May"


def test_labels_of_the_timeline_stay_apart():
    marks = timeline(line_of(*range(400)), BERLIN)
    written = [n for n, mark in enumerate(marks) if mark.day]
    assert written[0] == 0 and len(written) < 12
    assert min(after - before for before, after in pairwise(written)) >= 52
    assert sum(mark.shown for mark in marks) < 60
    assert marks[0].shown and marks[-1].shown


@pytest.mark.parametrize(("days", "words"), [(1, "1 d"), (59, "59 d"), (61, "2 mo"), (729, "24 mo"), (800, "2 y")])
def test_waits_in_words(days, words):
    assert wait_words(timedelta(days=days)) == words
