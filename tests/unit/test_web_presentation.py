"""Moments, due days and steps, as people say them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from usher_engine import Step, Wording
from usher_engine.core.practice_calendar import practice_calendar
from usher_web.staff.task_list import in_short
from usher_web.words import presentation as p
from usher_web.words.case_narrative import Author, Names, lines_of, ordinal
from usher_web.words.mail_status import mailing

NOW = datetime(2026, 11, 4, 17, 30, tzinfo=UTC)
BERLIN = practice_calendar("Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (NOW - timedelta(hours=2), "today 16:30"),
        (NOW - timedelta(hours=20), "yesterday 22:30"),
        (NOW + timedelta(hours=6), "tomorrow 00:30"),
        (NOW - timedelta(days=9), "26 October 18:30"),
        (datetime(2026, 5, 3, 9, 12, tzinfo=UTC), "3 May, 6 months ago"),
        (datetime(2026, 10, 5, 9, 0, tzinfo=UTC), "5 October, 1 month ago"),
        (datetime(2023, 5, 3, 9, 0, tzinfo=UTC), "3 May 2023, 3 years ago"),
        (datetime(2027, 3, 3, 9, 0, tzinfo=UTC), "3 March 2027, in 4 months"),
    ],
)
def test_people_time_is_shown_in_the_practices_zone(moment, words):
    assert p.people_time(moment, NOW, BERLIN) == words


def test_exact_and_machine_time():
    moment = datetime(2026, 5, 3, 9, 12, 40, tzinfo=UTC)
    assert p.exact_time(moment, BERLIN) == "3 May 2026, 11:12:40 CEST"
    assert p.machine_time(moment, BERLIN) == "2026-05-03T11:12:40+02:00"


@pytest.mark.parametrize(
    ("due", "group", "words"),
    [
        (NOW - timedelta(days=2, hours=1), p.Due.OVERDUE, "2 days late"),
        (NOW - timedelta(days=1, hours=1), p.Due.OVERDUE, "1 day late"),
        (NOW - timedelta(hours=3), p.Due.OVERDUE, "3 h late"),
        (NOW - timedelta(seconds=5), p.Due.OVERDUE, "1 min late"),
        (NOW + timedelta(hours=1), p.Due.TODAY, "19:30"),
        (NOW + timedelta(days=1), p.Due.THIS_WEEK, "Thu"),
        (NOW + timedelta(days=8), p.Due.LATER, "12 November"),
        (None, p.Due.LATER, ""),
    ],
)
def test_due(due, group, words):
    assert p.due_group(due, NOW, BERLIN) is group
    assert p.due_words(due, NOW, BERLIN) == words


def test_small_words():
    assert p.born_words("1981-05-04", date(2026, 5, 3)) == "4 May 1981, age 44"
    assert p.born_words("1981", date(2026, 5, 3)) == "1981"
    assert p.element_words("SendInvitation") == "Send invitation"
    assert p.joined(["a", "b", "c"]) == "a, b and c"
    assert p.joined(["a"]) == "a"
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 102)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "102nd",
    ]  # fmt: skip


def step(*events, role="staff", actor="alice", revision=1):
    body = {
        "at": "2026-05-04T09:02:00.000000Z",
        "actor": {"name": actor, "role": role},
        "command": {"kind": "start"},
        "events": list(events),
    }
    return Step(instance="X", revision=revision, body=body, previous=b"", hash=b"")


def test_a_step_is_described_in_words():
    names = Names(elements={"UpdateNow": "Update Now"}, reported=frozenset({"patient/update"}))
    started = step(
        {"kind": "InstanceStarted", "data": {"template": "Office Visit", "field": "Patient Portal"}},
        {"kind": "ElementPassed", "element": "LoadPatient", "visit": 1},
        {"kind": "ServiceCalled", "element": "LoadPatient", "visit": 1, "operator": "patient/load"},
        {"kind": "ElementEntered", "element": "UpdateNow", "visit": 1},
        {"kind": "UserTaskOpened", "element": "UpdateNow", "visit": 1, "title": "Update Now",
         "message": "E-mail is missing.\nFill it in.", "group": "Front desk"},
    )  # fmt: skip
    line = lines_of([started], names)[0]
    assert line.words == (
        "Selected “Patient Portal” on the template Office Visit. E-mail is missing. "
        "Update Now was opened for Front desk."
    )
    assert line.way == ("Load patient", "Update Now")
    assert line.then_at == ("Update Now, 1st",)
    assert line.author is Author.PERSON


def test_a_decision_is_described_with_the_rows_that_matched():
    names = Names(
        elements={"Choose": "Choose a way"},
        decisions={"Contact": "How to reach them", "Group": "Age group"},
        rows={("Contact", "c1"): 1, ("Contact", "c3"): 3, ("Group", "g2"): 2},
    )
    group = {"decision": "Group", "rules": ["g2"]}
    made = {"kind": "DecisionMade", "element": "Choose", "visit": 1, "decision": "Contact"}
    several = lines_of([step({**made, "rules": ["c1", "c3"], "required": [group]})], names)[0]
    assert several.words == "Choose a way was decided: row 2 of “Age group” and rows 1 and 3 of “How to reach them”."
    assert lines_of([step({**made, "rules": []})], names)[0].words.endswith("no row of “How to reach them”.")


def test_an_operator_of_an_installed_package_is_named_with_it():
    names = Names(
        elements={"LookUp": "Look up"},
        reported=frozenset({"lab/look-up"}),
        operators={"Print": "lab/print"},
        wording={"lab/print": Wording(queued="The label is queued.")},
    )
    called = step(
        {"kind": "ServiceCalled", "element": "LookUp", "visit": 1, "operator": "lab/look-up", "result": {}},
        {"kind": "ServiceRequested", "element": "Print", "visit": 1, "operator": "lab/print"},
    )
    called.body["packages"] = {"lab/look-up": "clinic-lab 1.2.0"}
    (line,) = lines_of([called], names)
    assert line.words == "Look up was done (by clinic-lab 1.2.0). The label is queued."


def test_authors_reasons_and_silent_steps():
    names = Names(elements={})
    failed = step({"kind": "IncidentRaised", "element": "Send", "visit": 1, "reason": "Refused."}, role="system")
    answered = step(
        {"kind": "FactRecorded", "name": "Response Added", "details": {"response": "Deferred", "until": "2026-06-01"}},
        role="patient",
    )
    removed = step(
        {"kind": "UserTaskCompleted", "element": "EnrollNow", "visit": 1, "answer": {"reason": "asked at the desk"}}
    )
    silent = step({"kind": "DataChanged", "set": {}, "unset": []})
    lines = lines_of([failed, answered, removed, silent], names)
    assert [line.author for line in lines] == [Author.INCIDENT, Author.PATIENT, Author.PERSON]
    assert lines[0].words == "Stopped at Send: Refused."
    assert lines[1].words == "Response Added: Deferred and until 2026-06-01."
    assert lines[2].quote == "asked at the desk"


def test_who_acted_is_the_subject_of_what_they_did():
    names = Names(elements={"UpdateNow": "Update Now"})
    claim, done = (
        {"kind": kind, "element": "UpdateNow", "visit": 1, "by": "alice"}
        for kind in ("UserTaskClaimed", "UserTaskCompleted")
    )
    only, both = lines_of([step(claim), step(claim, done)], names)
    assert only.addressed_to("alice") == "You claimed Update Now."
    assert only.addressed_to("bob") == "alice claimed Update Now."
    assert both.addressed_to("alice") == "You completed Update Now."


def test_mail_and_answers_are_described_in_plain_words():
    names = Names(elements={"Send": "Send invitation"}, operators={"Send": "invitation/send"})
    here = {"element": "Send", "visit": 1}
    steps = [
        step({"kind": "ServiceRequested", **here, "operator": "invitation/send"}),
        step({"kind": "ServiceFailed", **here, "attempt": 1, "reason": "Silent.", "retry_at": "2026-05-04T09:03:00Z"}),
        step({"kind": "ServiceCompleted", **here, "result": {}}),
        step(
            {"kind": "FactRecorded", "name": "Patient Enrollment Response Added",
             "details": {"response": "Deferred", "until": "2026-06-01", "terms": None}},
            role="patient",
        ),
    ]  # fmt: skip
    assert [line.words for line in lines_of(steps, names)] == [
        "The invitation e-mail is queued to be sent.",
        "The invitation e-mail was not accepted (try 1) and will be tried again automatically: Silent.",
        "The mail server accepted the invitation e-mail.",
        "The patient decided to answer later, not before 1 June 2026.",
    ]
    posted = mailing(steps, names)
    assert [(one.kind, one.words) for one in posted] == [
        ("wait", "Queued"), ("alarm", "Failed: Silent."), ("done", "Accepted by the mail server"),
    ]  # fmt: skip
    assert posted[1].again_at == datetime(2026, 5, 4, 9, 3, tzinfo=UTC)


def test_a_case_number_is_grouped_for_reading():
    assert p.case_no("3QXZDAWN94N6") == "3QXZ-DAWN-94N6"


@pytest.mark.parametrize(
    ("message", "short"),
    [
        ("The invitation cannot be sent: e-mail is missing.\nFill it in.", "e-mail missing"),
        ("It cannot be sent: e-mail and ZIP code are missing.", "e-mail and ZIP code missing"),
        ("The patient declined.", "The patient declined."),
    ],
)
def test_a_row_says_it_in_short(message, short):
    assert in_short(message) == short
