"""What administrators set of a patient, on each database: portal statuses, opt-outs, and the history of both."""

from __future__ import annotations

import json
from dataclasses import replace
from email.message import EmailMessage

import pytest
from conftest import ROOT, Clock, alice
from usher_engine import SYSTEM, Actor, Instance, Worker
from usher_engine.core.errors import Conflict, Corrupt, InvalidSubmission, NotAllowed, NotFound
from usher_engine.definitions import read_folder
from usher_engine.enrollment import REPORTABLE, Enrollment, OptOutScope, open_enrollment
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

ADAM = Actor(name="adam", role="admin")
PATIENT = "sample-complete"
WHY = "The portal's report of today."


@pytest.fixture
def mails() -> list[EmailMessage]:
    return []


@pytest.fixture
def enrollment(settings: Settings, database: Database, clock: Clock, mails: list[EmailMessage]) -> Enrollment:
    ours = replace(settings, mail_from="portal@example.org")
    opened = open_enrollment(ours, clock=clock, send_mail=mails.append, database=database)
    opened.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=SYSTEM)
    add_samples(database, opened.registry, clock())
    return opened


def trigger(enrollment: Enrollment) -> Instance:
    started = enrollment.trigger(PATIENT, "Office Visit", "Patient Portal", "Enrollment", actor=alice)
    while Worker(enrollment.engine).run_due():
        pass
    return enrollment.engine.instance(started.id)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("Completed", "already has"),
        ("Deactivated", "deactivated"),
        ("Account Deleted", "was deleted"),
        ("Unavailable", "cannot be used"),
    ],
)
def test_a_trigger_after_a_report_takes_the_branch_of_its_status(
    enrollment: Enrollment, mails: list[EmailMessage], status: str, words: str
) -> None:
    after = enrollment.portal_standing.set_status(PATIENT, status, WHY, actor=ADAM)
    assert (after.status, enrollment.patient(PATIENT).status) == (status, status)
    case = trigger(enrollment)
    assert (case.status, case.outcome) == ("finished", "NothingToDo")
    assert words in (case.explanation or "")
    assert mails == [] and enrollment.disagreements() == []


def test_a_patient_set_back_to_not_enrolled_is_invited(
    enrollment: Enrollment, mails: list[EmailMessage], clock: Clock
) -> None:
    enrollment.portal_standing.set_status(PATIENT, "Account Deleted", WHY, actor=ADAM)
    enrollment.portal_standing.set_status(PATIENT, "Not Enrolled", "Wants a new account.", actor=ADAM)
    clock.forward(minutes=1)
    assert trigger(enrollment).outcome == "InvitationSent"
    assert (len(mails), enrollment.patient(PATIENT).status) == (1, "Pending")
    assert enrollment.disagreements() == []


def test_an_open_case_follows_the_new_status_by_itself(
    enrollment: Enrollment, mails: list[EmailMessage], clock: Clock
) -> None:
    trigger(enrollment)
    clock.forward(minutes=1)
    case = trigger(enrollment)
    assert case.at == ("ResendInvitation",)
    clock.forward(minutes=1)
    enrollment.portal_standing.set_status(PATIENT, "Deactivated", WHY, actor=ADAM)
    ended = enrollment.engine.instance(case.id)
    assert (ended.outcome, ended.tasks, len(mails)) == ("NothingToDo", (), 1)
    assert "was deactivated" in (ended.explanation or "")
    assert enrollment.patient(PATIENT).status == "Deactivated"


def test_a_report_is_recorded_once_with_its_reason_and_where_it_came_from(enrollment: Enrollment) -> None:
    standing = enrollment.portal_standing
    first = standing.set_status(PATIENT, "Deactivated", f"  {WHY} ", actor=ADAM, source="API", version=1)
    again = standing.set_status(PATIENT, "Deactivated", "twice", actor=ADAM, version=1)
    assert first == again and again.version == 2
    [event] = enrollment.engine.audit.events(kind="SettingChanged", about=PATIENT)
    assert (event.actor, event.subject, event.business_key, event.why) == ("adam", PATIENT, PATIENT, WHY)
    assert event.details == {"setting": "portal status", "status": "Deactivated", "from": "API"}


def test_a_report_does_not_overwrite_what_nobody_saw(enrollment: Enrollment) -> None:
    standing = enrollment.portal_standing
    seen = standing.of(PATIENT).version
    standing.set_status(PATIENT, "Completed", WHY, actor=SYSTEM)
    with pytest.raises(Conflict):
        standing.set_status(PATIENT, "Deactivated", WHY, actor=ADAM, version=seen)
    assert standing.of(PATIENT).status == "Completed"


@pytest.mark.parametrize("status", ["Pending", "Declined", "Deferred", "deactivated", "", "\x00", "x" * 5000])
def test_only_what_another_system_may_report_is_set(enrollment: Enrollment, status: str) -> None:
    assert status not in REPORTABLE
    with pytest.raises(InvalidSubmission) as refused:
        enrollment.portal_standing.set_status(PATIENT, status, "", actor=ADAM)
    assert set(refused.value.fields) == {"status", "reason"}
    assert enrollment.patient(PATIENT).status == "Not Enrolled"


@pytest.mark.parametrize("reason", ["", " \n", "\u200b\u00a0", "x" * 2001, "\ud800", "a\x00b"])
def test_a_reason_is_text_of_some_length(enrollment: Enrollment, reason: str) -> None:
    standing = enrollment.portal_standing
    for act in (
        lambda: standing.set_status(PATIENT, "Completed", reason, actor=ADAM),
        lambda: standing.set_opt_out(PATIENT, "practice", True, reason, actor=ADAM),
    ):
        with pytest.raises(InvalidSubmission) as refused:
            act()
        assert set(refused.value.fields) == {"reason"}
    assert standing.history(PATIENT) == []


def test_an_answer_of_the_patient_is_not_wiped_out(enrollment: Enrollment) -> None:
    with pytest.raises(InvalidSubmission, match="“Declined” stands"):
        enrollment.portal_standing.set_status("sample-declined", "Not Enrolled", WHY, actor=ADAM)
    assert enrollment.patient("sample-declined").status == "Declined"
    enrollment.portal_standing.set_status("sample-declined", "Completed", WHY, actor=ADAM)
    assert enrollment.patient("sample-declined").status == "Completed"


def test_an_opt_out_stops_invitations_and_is_undone(enrollment: Enrollment, mails: list[EmailMessage]) -> None:
    standing = enrollment.portal_standing
    for scope in OptOutScope:
        out = standing.set_opt_out(PATIENT, scope, True, "Called us.", actor=ADAM)
        assert (out.opted_out, out.address_opted_out) == (scope == "practice", scope == "address")
        assert standing.set_opt_out(PATIENT, scope, True, "Called twice.", actor=ADAM) == out
        assert trigger(enrollment).outcome == "NotEligible"
        back = standing.set_opt_out(PATIENT, scope, False, "Asked for it.", actor=ADAM, source="API")
        assert not back.opted_out and not back.address_opted_out
        assert standing.set_opt_out(PATIENT, scope, False, "Again.", actor=ADAM) == back
    assert trigger(enrollment).outcome == "InvitationSent"
    assert len(mails) == 1
    events = enrollment.engine.audit.events(about=PATIENT)
    entries = ("entry", "entries")
    told = [(one, {name: value for name, value in one.details.items() if name not in entries}) for one in events]
    recorded = [(one.kind, one.why, details) for one, details in told if one.kind.startswith("OptOut")]
    assert recorded == [
        ("OptOutLifted", "Asked for it.", {"scope": "address", "from": "API"}),
        ("OptOutSet", "Called us.", {"scope": "address"}),
        ("OptOutLifted", "Asked for it.", {"scope": "practice", "from": "API"}),
        ("OptOutSet", "Called us.", {"scope": "practice"}),
    ]


def test_who_came_onto_the_list_by_the_mail_s_link_comes_off_again(
    enrollment: Enrollment, mails: list[EmailMessage], clock: Clock
) -> None:
    case = trigger(enrollment)
    body = mails[0].get_body(("plain",))
    assert body is not None
    token = body.get_content().partition("/i/")[2][:43]
    clock.forward(minutes=1)
    enrollment.opt_out(token)
    standing = enrollment.portal_standing
    now = standing.of(PATIENT)
    assert (now.address_opted_out, now.address_by, now.address_since) == (True, "patient", clock())
    clock.forward(minutes=1)
    standing.set_opt_out(PATIENT, "address", False, "Asked at the desk.", actor=ADAM)
    assert not standing.of(PATIENT).address_opted_out
    undone, done, invited = standing.history(PATIENT)
    assert (undone.scope, undone.opted_out, undone.by, undone.why) == ("address", False, "adam", "Asked at the desk.")
    assert (done.scope, done.opted_out, done.by, done.case) == ("address", True, "patient", case.id)
    assert (invited.scope, invited.status, invited.case) == (None, "Pending", case.id)


def test_the_history_tells_changes_and_not_looks(enrollment: Enrollment, clock: Clock) -> None:
    standing = enrollment.portal_standing
    case = trigger(enrollment)
    clock.forward(minutes=1)
    standing.set_status(PATIENT, "Deactivated", WHY, actor=ADAM, source="API")
    clock.forward(minutes=1)
    trigger(enrollment)
    clock.forward(minutes=1)
    standing.set_status(PATIENT, "Unavailable", "The portal is down.", actor=ADAM)
    recorded = [(one.status, one.by, one.source, one.why, one.case) for one in standing.history(PATIENT)]
    assert recorded == [
        ("Unavailable", "adam", "", "The portal is down.", ""),
        ("Deactivated", "adam", "API", WHY, ""),
        ("Pending", "system", "", "", case.id),
    ]


def test_the_address_that_is_opted_out_is_the_one_in_use_by_the_practice_s_calendar(
    settings: Settings, database: Database, clock: Clock
) -> None:
    """At half past nine in New York it is tomorrow in UTC already, and the address of tomorrow is not in use yet."""
    ours = replace(settings, mail_from="portal@example.org", time_zone="America/New_York")
    enrollment = open_enrollment(ours, clock=clock, send_mail=lambda _: None, database=database)
    add_samples(database, enrollment.registry, clock())
    clock.time = clock.time.replace(hour=1, minute=30)
    tomorrow = clock.time.date().isoformat()
    record = enrollment.patient(PATIENT).resource
    emails = [
        {"system": "email", "value": "new@example.org", "rank": 1, "period": {"start": tomorrow}},
        {"system": "email", "value": "now@example.org", "rank": 2},
    ]
    enrollment.import_patients([json.dumps({**record, "telecom": emails})])
    enrollment.portal_standing.set_opt_out(PATIENT, "address", True, WHY, actor=ADAM)
    assert enrollment.patient(PATIENT).address_opted_out
    assert enrollment.portal_standing.of(PATIENT).address_opted_out
    clock.time = clock.time.replace(hour=5)
    assert not enrollment.patient(PATIENT).address_opted_out
    assert not enrollment.portal_standing.of(PATIENT).address_opted_out


def test_an_address_that_is_none_is_not_put_on_the_list(enrollment: Enrollment) -> None:
    for opted_out in (True, False):
        with pytest.raises(InvalidSubmission) as refused:
            enrollment.portal_standing.set_opt_out("sample-no-email", "address", opted_out, WHY, actor=ADAM)
        assert set(refused.value.fields) == {"scope"}
    with pytest.raises(InvalidSubmission) as refused:
        enrollment.portal_standing.set_opt_out(PATIENT, "everything", True, "", actor=ADAM)
    assert set(refused.value.fields) == {"scope", "reason"}


def test_only_administrators_set_anything_and_only_of_patients_there_are(enrollment: Enrollment) -> None:
    standing = enrollment.portal_standing
    for role in ("staff", "auditor", "analyst", "patient"):
        who = Actor(name="eve", role=role)
        with pytest.raises(NotAllowed):
            standing.set_status(PATIENT, "Completed", WHY, actor=who)
        with pytest.raises(NotAllowed):
            standing.set_opt_out(PATIENT, "practice", True, WHY, actor=who)
    for unknown in ("nobody", "", "x" * 300):
        with pytest.raises(NotFound):
            standing.of(unknown)
        with pytest.raises(NotFound):
            standing.set_status(unknown, "Completed", WHY, actor=ADAM)
        with pytest.raises(NotFound):
            standing.set_opt_out(unknown, "practice", True, WHY, actor=ADAM)


def test_an_altered_patient_is_shown_and_not_changed(enrollment: Enrollment, database: Database) -> None:
    with database.begin() as tx:
        tx.exec_driver_sql("UPDATE patient SET resource = '[7]' WHERE id = 'sample-complete'")
    standing = enrollment.portal_standing
    assert "altered outside Usher" in standing.of(PATIENT).altered
    with pytest.raises(Corrupt):
        standing.set_status(PATIENT, "Completed", WHY, actor=ADAM)
    with pytest.raises(Corrupt):
        standing.set_opt_out(PATIENT, "practice", True, WHY, actor=ADAM)
