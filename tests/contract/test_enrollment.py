"""The enrolment from trigger to answer, with the real process, on each database; only the mail server is ours."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import ROOT, SHARED, Clock, alice
from small_clinic import Outbox
from usher_engine import Actor, Instance, Worker
from usher_engine.core.errors import BusinessError, InvalidSubmission, NotAllowed, NotFound, ServiceError
from usher_engine.definitions import read_folder
from usher_engine.enrollment import (
    TERMS_VERSION,
    AlreadyAnswered,
    Answer,
    Enrollment,
    LinkClosed,
    LinkState,
    PortalStatus,
    open_enrollment,
)
from usher_engine.enrollment.enrollment_operators import operators
from usher_engine.services import Call
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

ADMIN = Actor(name="adam", role="admin")


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def enrollment(settings: Settings, database: Database, clock: Clock, outbox: Outbox) -> Enrollment:
    opened = open_enrollment(
        replace(settings, mail_from="portal@example.org"), clock=clock, send_mail=outbox, database=database
    )
    opened.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=ADMIN)
    add_samples(database, opened.registry, clock())
    return opened


def trigger(enrollment: Enrollment, patient: str, **more: Any) -> Instance:
    return enrollment.trigger(patient, "Office Visit", "Patient Portal", "Enrollment", actor=alice, **more)


def run_jobs(enrollment: Enrollment) -> None:
    while Worker(enrollment.engine).run_due():
        pass


def invited(enrollment: Enrollment, patient: str = "sample-complete") -> Instance:
    started = trigger(enrollment, patient)
    run_jobs(enrollment)
    return enrollment.engine.instance(started.id)


def who(enrollment: Enrollment, patient: str = "sample-complete") -> tuple[str, str]:
    record = enrollment.patient(patient)
    fields = record.fields(enrollment.engine.clock(), enrollment.settings)
    return fields["zip_code"], fields["birth_date"]


def answered(enrollment: Enrollment, token: str, answer: Answer, **more: Any) -> PortalStatus:
    return enrollment.respond(token, enrollment.identify(token, *who(enrollment)), answer, **more)


def state_of(enrollment: Enrollment, token: str) -> LinkState:
    """What a stranger who holds the link may know of it."""
    try:
        enrollment.invitation(token)
    except LinkClosed as closed:
        return closed.state
    return LinkState.OPEN


def facts(enrollment: Enrollment, instance: str) -> list[tuple[str, Any]]:
    events = [event for step in enrollment.engine.queries.history(instance) for event in step.events]
    return [(e["name"], e["details"]) for e in events if e["kind"] == "FactRecorded"]


def test_a_complete_patient_is_invited_and_pending(enrollment: Enrollment, outbox: Outbox, clock: Clock) -> None:
    case = invited(enrollment)
    patient = enrollment.patient("sample-complete")
    assert (case.status, case.outcome) == ("finished", "InvitationSent")
    assert (patient.status, patient.requested_at, patient.requested_by) == ("Pending", clock(), "alice")
    assert [mail["To"] for mail in outbox.mails] == ["ada@example.org"]
    (invitation,) = enrollment.invitations("sample-complete")
    assert outbox.token() not in repr(invitation)
    assert invitation.expires_at == datetime(2026, 6, 3, 23, 59, 59, 999_999, tzinfo=UTC)


def test_missing_fields_are_named_then_filled_then_invited(enrollment: Enrollment, outbox: Outbox) -> None:
    task = enrollment.engine.inbox.task(trigger(enrollment, "sample-bare").tasks[0].id, alice)
    assert task.element == "UpdateNow"
    for label in ("first name", "ZIP code", "e-mail", "birth sex"):
        assert label in f"{task.title} {task.message}"
    new = {"first_name": "Gus", "zip_code": "10009", "email": "gus@example.org", "birth_sex": "M"}
    assert "language" not in task.initial, "only what the form asks for"
    enrollment.engine.complete(task.id, task.initial | new, actor=alice, revision=task.revision)
    run_jobs(enrollment)
    assert enrollment.patient("sample-bare").status == "Pending"
    assert outbox.mails[-1]["To"] == "gus@example.org"


def test_a_resend_makes_the_first_link_useless(enrollment: Enrollment, outbox: Outbox, clock: Clock) -> None:
    invited(enrollment)
    clock.forward(days=1)
    (task,) = trigger(enrollment, "sample-complete").tasks
    assert task.element == "ResendInvitation"
    enrollment.engine.complete(task.id, {}, actor=alice, revision=task.revision)
    run_jobs(enrollment)
    assert outbox.mails[0]["Message-ID"] != outbox.mails[1]["Message-ID"]
    assert state_of(enrollment, outbox.token(0)) is LinkState.REPLACED
    assert state_of(enrollment, outbox.token(1)) is LinkState.OPEN
    assert enrollment.patient("sample-complete").sends == 2
    assert enrollment.patient("sample-complete").requested_at == clock() - timedelta(days=1)


def test_a_removed_response_leads_to_an_invitation(enrollment: Enrollment, outbox: Outbox) -> None:
    (task,) = trigger(enrollment, "sample-deferred").tasks
    assert task.element == "EnrollNow"
    enrollment.engine.complete(task.id, {"reason": "asked at the desk"}, actor=alice, revision=task.revision)
    run_jobs(enrollment)
    assert enrollment.patient("sample-deferred").status == "Pending"
    (answer,) = enrollment.answers("sample-deferred")
    assert (answer.status, answer.removed_by, answer.removed_reason) == ("Deferred", "alice", "asked at the desk")
    assert len(outbox.mails) == 1


@pytest.mark.parametrize("which", ["completed", "deactivated", "deleted", "unavailable"])
def test_other_statuses_end_with_an_explanation(enrollment: Enrollment, outbox: Outbox, which: str) -> None:
    case = invited(enrollment, f"sample-{which}")
    assert (case.status, case.outcome, outbox.mails) == ("finished", "NothingToDo", [])
    assert case.explanation


@pytest.mark.parametrize("which", ["deceased", "inactive", "merged", "opted-out", "minor"])
def test_guarded_patients_are_not_invited(enrollment: Enrollment, outbox: Outbox, which: str) -> None:
    case = invited(enrollment, f"sample-{which}")
    assert (case.status, case.outcome, outbox.mails) == ("finished", "NotEligible", [])


def test_guards_are_checked_again_at_the_moment_of_sending(
    enrollment: Enrollment, outbox: Outbox, database: Database, clock: Clock
) -> None:
    case = trigger(enrollment, "sample-complete")
    with database.begin() as tx:
        record = enrollment.registry.load(tx, "sample-complete", now=clock())
        enrollment.registry.save(tx, {**record.resource, "deceasedBoolean": True}, by="ehr", now=clock())
    run_jobs(enrollment)
    ended = enrollment.engine.instance(case.id)
    assert (ended.outcome, outbox.mails) == ("NotEligible", [])
    assert ended.explanation is not None
    assert "deceased" in ended.explanation


def test_a_repeated_send_carries_the_same_link_and_message_id(
    enrollment: Enrollment, outbox: Outbox, database: Database, clock: Clock
) -> None:
    settings = enrollment.settings
    (send,) = (
        o
        for o in operators(settings=settings, directory=enrollment.registry, database=database, send_mail=outbox)
        if o.name == "invitation/send"
    )
    package = enrollment.engine.versions.package("enrollment")
    call = Call(instance="i1", element="Send", visit=1, now=clock(), actor="alice", package=package)
    given = {"patient_id": "sample-complete"}

    outbox.failures = [ServiceError("later", retry=True), KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(ServiceError):
        send.call(given, call)
    with pytest.raises(KeyboardInterrupt):  # stands for the end of the process
        send.call(given, call)
    first = send.call(given, call)
    clock.forward(days=1)
    again = send.call(given, replace(call, now=clock(), attempt=3))
    assert first == again
    assert len(outbox.mails) == 1  # the repeat finds that the mail server has taken it
    with database.begin() as tx:
        from usher_engine.enrollment.enrollment_tables import invitation

        tx.execute(invitation.update().values(sent_at=None))  # as if the process had ended before noting it
    send.call(given, call)
    assert outbox.mails[0]["Message-ID"] == outbox.mails[1]["Message-ID"]
    assert outbox.token(0) == outbox.token(1)


def test_a_send_that_cannot_be_right_is_not_tried(
    enrollment: Enrollment, outbox: Outbox, database: Database, clock: Clock
) -> None:
    def send(patient: str, settings: Settings = enrollment.settings) -> None:
        found = operators(settings=settings, directory=enrollment.registry, database=database, send_mail=outbox)
        package = enrollment.engine.versions.package("enrollment")
        call = Call(instance="i1", element=patient, visit=1, now=clock(), actor="alice", package=package)
        next(o for o in found if o.name == "invitation/send").call({"patient_id": patient}, call)

    for patient, words in [("sample-no-email", "e-mail address"), ("sample-no-birth-date", "date of birth")]:
        with pytest.raises(ServiceError, match=words) as failed:
            send(patient)
        assert not failed.value.retry
    with pytest.raises(BusinessError, match="Completed") as refused:
        send("sample-completed")
    assert refused.value.code == "not-eligible"
    with pytest.raises(ServiceError, match="USHER_SECRET_KEY"):
        send("sample-complete", replace(enrollment.settings, secret_key=""))
    assert outbox.mails == []


def test_the_trigger_refuses_what_it_cannot_do(enrollment: Enrollment) -> None:
    engine = enrollment.engine
    for patient, template, field, action, wrong in [
        ("sample-complete", "Office Visit", "Patient Portal", "Message", "action"),
        ("sample-complete", "Nowhere", "Patient Portal", "Enrollment", "template"),
        ("sample-complete", "Office Visit", "Nowhere", "Enrollment", "field"),
        (" ", "Office Visit", "Patient Portal", "Enrollment", "patient_id"),
        (7, "Office Visit", "Patient Portal", "Enrollment", "patient_id"),
    ]:
        with pytest.raises(InvalidSubmission) as refused:
            enrollment.trigger(patient, template, field, action, actor=alice)  # type: ignore[arg-type]
        assert set(refused.value.fields) == {wrong}
    with pytest.raises(NotFound):
        trigger(enrollment, "nobody")
    assert engine.queries.instances() == []


def test_one_live_case_for_a_patient_and_one_case_for_a_key(enrollment: Enrollment) -> None:
    first = trigger(enrollment, "sample-no-email", key="k1", source="ehr")
    assert trigger(enrollment, "sample-no-email").id == first.id
    assert trigger(enrollment, "sample-no-email", key="k1", source="ehr").id == first.id
    with pytest.raises(InvalidSubmission):
        trigger(enrollment, "sample-no-zip", key="k1", source="ehr")


def test_a_case_can_start_without_a_template(enrollment: Enrollment) -> None:
    case = enrollment.start({"patient_id": "sample-no-email"}, actor=alice)
    assert enrollment.start({"patient_id": "sample-no-email", "requested_by": "bob"}, actor=alice).id == case.id
    for values, wrong in [
        ({}, "patient_id"),
        ({"patient_id": None}, "patient_id"),
        ({"patient_id": "p", "action": "Message"}, "action"),
        ({"patient_id": "p", "speed": "high"}, "speed"),
    ]:
        with pytest.raises(InvalidSubmission) as refused:
            enrollment.start(values, actor=alice)
        assert set(refused.value.fields) == {wrong}
    with pytest.raises(NotFound):
        enrollment.start({"patient_id": "nobody"}, actor=alice)


@pytest.mark.parametrize(
    ("answer", "status"), [(Answer.ACCEPT, "Completed"), (Answer.DECLINE, "Declined"), (Answer.DEFER, "Deferred")]
)
def test_the_patients_answer_is_the_new_status_and_in_the_history(
    enrollment: Enrollment, outbox: Outbox, clock: Clock, answer: Answer, status: str
) -> None:
    case = invited(enrollment)
    until = clock().date() + timedelta(days=60) if answer is Answer.DEFER else None
    terms = TERMS_VERSION if answer is Answer.ACCEPT else ""
    assert answered(enrollment, outbox.token(), answer, until=until, terms=terms) == status
    patient = enrollment.patient("sample-complete")
    assert patient.status == status
    assert (patient.response.until if patient.response else None) == until
    ((name, details),) = facts(enrollment, case.id)
    assert (name, details["response"]) == ("Patient Enrollment Response Added", status)
    assert enrollment.answers("sample-complete")[0].terms == terms
    assert state_of(enrollment, outbox.token()) is LinkState.OPEN  # to a stranger


def test_five_wrong_tries_lock_the_link(enrollment: Enrollment, outbox: Outbox) -> None:
    case = invited(enrollment)
    zip_code, birth_date = who(enrollment)
    wrong = [("99999", birth_date), (zip_code, "1900-01-01"), ("", ""), ("1", "1900-01-01")]
    messages = set()
    for given in [*wrong, *wrong[:1]]:
        with pytest.raises(InvalidSubmission) as refused:
            enrollment.identify(outbox.token(), *given)
        if not refused.value.fields:
            messages.add(refused.value.message)
    assert len(messages) == 1
    for given in (wrong[0], (zip_code, birth_date)):
        with pytest.raises(LinkClosed) as closed:
            enrollment.identify(outbox.token(), *given)
        assert closed.value.state is LinkState.LOCKED
    assert state_of(enrollment, outbox.token()) is LinkState.LOCKED
    assert facts(enrollment, case.id) == [
        ("Enrollment Link Locked", {"wrong_tries": 5, "status": "Locked or Expired"})
    ]
    assert enrollment.patient("sample-complete").status == "Locked or Expired"


def test_zip_codes_are_compared_as_people_write_them(enrollment: Enrollment, outbox: Outbox) -> None:
    invited(enrollment)
    zip_code, birth_date = who(enrollment)
    for written in (f" {zip_code} ", f"{zip_code}-1234", f"{zip_code[:3]} {zip_code[3:]}", f"\u200b{zip_code}\ufeff"):
        assert enrollment.identify(outbox.token(), written, f" {birth_date}\u200b")
    for nothing in ("", " ", "\u200b", "\u00a0\u2060"):
        with pytest.raises(InvalidSubmission) as refused:
            enrollment.identify(outbox.token(), nothing, nothing)
        assert set(refused.value.fields) == {"zip_code", "birth_date"}
    assert enrollment.invitations("sample-complete")[0].wrong_tries == 0


def test_links_that_lead_nowhere_all_answer_alike(enrollment: Enrollment, outbox: Outbox, clock: Clock) -> None:
    invited(enrollment)
    messages = set()
    for token in ("", "unknown", "\ud800", outbox.token()):
        if token == outbox.token():
            clock.forward(days=31)
            assert state_of(enrollment, token) is LinkState.EXPIRED
        else:
            with pytest.raises(NotFound) as refused:
                enrollment.invitation(token)
            messages.add(refused.value.message)
        with pytest.raises(NotFound) as refused:
            enrollment.identify(token, *who(enrollment))
        messages.add(refused.value.message)
    assert len(messages) == 1


def test_an_answer_needs_a_fresh_proof_and_a_day_that_fits(
    enrollment: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    invited(enrollment)
    token = outbox.token()
    for proof in ("", "x", "9999999999.x", "٣.x"):
        with pytest.raises(InvalidSubmission):
            enrollment.respond(token, proof, Answer.DECLINE)
    proof = enrollment.identify(token, *who(enrollment))
    today = clock().date()
    for until in (today - timedelta(days=1), today, today + timedelta(days=367), today + timedelta(days=400)):
        with pytest.raises(InvalidSubmission) as refused:
            enrollment.respond(token, proof, Answer.DEFER, until=until)
        assert set(refused.value.fields) == {"until"}
    clock.forward(minutes=31)
    with pytest.raises(InvalidSubmission, match="once more"):
        enrollment.respond(token, proof, Answer.DECLINE)
    assert enrollment.patient("sample-complete").status == "Pending"
    assert facts(enrollment, enrollment.engine.queries.instances()[0].id) == []


def test_an_answer_is_shown_again_to_whom_identifies_and_to_nobody_else(
    enrollment: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    case = invited(enrollment)
    token = outbox.token()
    proof = enrollment.identify(token, *who(enrollment))
    until = clock().date() + timedelta(days=60)
    enrollment.respond(token, proof, Answer.DEFER, until=until)
    clock.forward(minutes=1)
    for again in (
        lambda: enrollment.respond(token, proof, Answer.DEFER, until=until),
        lambda: enrollment.respond(token, proof, Answer.ACCEPT, terms=TERMS_VERSION),
        lambda: enrollment.identify(token, *who(enrollment)),
    ):
        with pytest.raises(AlreadyAnswered) as known:
            again()
        assert (known.value.answer.status, known.value.answer.until) == ("Deferred", until)
    for stranger in (
        lambda: enrollment.respond(token, "9999999999.x", Answer.ACCEPT, terms=TERMS_VERSION),
        lambda: enrollment.identify(token, "99999", "1900-01-01"),
    ):
        with pytest.raises(InvalidSubmission):
            stranger()
    clock.forward(minutes=31)
    with pytest.raises(InvalidSubmission, match="once more"):
        enrollment.respond(token, proof, Answer.DEFER, until=until)
    assert enrollment.patient("sample-complete").status == "Deferred"
    assert len(facts(enrollment, case.id)) == 1
    for _ in range(3):
        with pytest.raises(InvalidSubmission):
            enrollment.identify(token, "99999", "1900-01-01")
    with pytest.raises(LinkClosed) as closed:
        enrollment.identify(token, "99999", "1900-01-01")
    assert closed.value.state is state_of(enrollment, token) is LinkState.LOCKED


#: What a record may come to say after the mail went out, and the words staff find in the case.
BARRED = {
    "deceased": ({"deceasedBoolean": True}, "deceased"),
    "deceased by date": ({"deceasedDateTime": "2026-05"}, "deceased"),
    "merged": ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/p9"}}]}, "merged"),
    "inactive": ({"active": False}, "inactive"),
    "under age": ({"birthDate": "2012-01-01"}, "Age rule"),
}


@pytest.mark.parametrize("answer", list(Answer))
@pytest.mark.parametrize("which", BARRED)
def test_an_answer_is_refused_when_the_record_stands_against_it(
    enrollment: Enrollment, outbox: Outbox, database: Database, clock: Clock, which: str, answer: Answer
) -> None:
    change, words = BARRED[which]
    case = invited(enrollment)
    token = outbox.token()
    proof = enrollment.identify(token, *who(enrollment))
    before = enrollment.patient("sample-complete").resource

    def save(resource: dict[str, Any]) -> None:
        with database.begin() as tx:
            enrollment.registry.save(tx, resource, by="ehr", now=clock())

    save({**before, **change})
    given = {"until": clock().date() + timedelta(days=60), "terms": TERMS_VERSION}
    for _ in range(2):
        with pytest.raises(NotAllowed) as refused:
            enrollment.respond(token, proof, answer, **given)
        assert words not in refused.value.message
    ((name, details),) = facts(enrollment, case.id)
    assert name == "Patient Enrollment Response Refused"
    assert details["refused"] == {"accept": "Completed", "decline": "Declined", "defer": "Deferred"}[answer.value]
    assert words in details["reason"]
    assert enrollment.patient("sample-complete").status == "Pending"
    assert enrollment.answers("sample-complete") == []
    assert enrollment.engine.verify(case.id) == []
    assert enrollment.disagreements() == []
    save(before)
    assert enrollment.respond(token, proof, answer, **given) == enrollment.patient("sample-complete").status


def test_a_patient_whose_status_has_changed_cannot_answer(enrollment: Enrollment, outbox: Outbox) -> None:
    case = invited(enrollment)
    proof = enrollment.identify(outbox.token(), *who(enrollment))
    for status in ("Deactivated", "Completed"):
        enrollment.portal_standing.set_status("sample-complete", status, "moved", actor=ADMIN)
        with pytest.raises(NotAllowed):
            enrollment.respond(outbox.token(), proof, Answer.DECLINE)
        name, details = facts(enrollment, case.id)[-1]
        assert (name, details["refused"]) == ("Patient Enrollment Response Refused", "Declined")
        assert status in details["reason"]
        assert enrollment.patient("sample-complete").status == status


def test_an_opt_out_from_email_does_not_keep_a_patient_from_answering(enrollment: Enrollment, outbox: Outbox) -> None:
    invited(enrollment)
    enrollment.opt_out(outbox.token())
    assert answered(enrollment, outbox.token(), Answer.ACCEPT, terms=TERMS_VERSION) == "Completed"


def test_opting_out_stops_later_invitations(enrollment: Enrollment, outbox: Outbox) -> None:
    case = invited(enrollment)
    enrollment.opt_out(outbox.token())
    enrollment.opt_out(outbox.token())
    assert facts(enrollment, case.id)[0][0] == "Email Opt Out Added"
    assert invited(enrollment).outcome == "NotEligible"
    with pytest.raises(NotFound):
        enrollment.opt_out("unknown")
    assert len(outbox.mails) == 1


def test_an_answer_before_the_send_was_recorded_stands(enrollment: Enrollment, outbox: Outbox, clock: Clock) -> None:
    """The mail is out, the job that reports it has not yet come: the patient may be that fast."""
    case = trigger(enrollment, "sample-complete")
    job_result: dict[str, Any] = {}
    engine = enrollment.engine
    send = engine.services.get("invitation/send")
    package = engine.versions.package("enrollment")
    call = Call(instance=case.id, element="SendInvitation", visit=1, now=clock(), actor="alice", package=package)
    job_result.update(send.call({"patient_id": "sample-complete"}, call))  # type: ignore[arg-type]
    answered(enrollment, outbox.token(), Answer.ACCEPT, terms=TERMS_VERSION)
    run_jobs(enrollment)
    assert engine.instance(case.id).outcome == "InvitationSent"
    assert enrollment.patient("sample-complete").status == "Completed"
    assert len(outbox.mails) == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no sample patients in {SHARED}")
def test_120_strangers_take_the_right_way(enrollment: Enrollment, outbox: Outbox, database: Database) -> None:
    """Shown with Synthea's patients: they have no e-mail, 20 are deceased, some are minors."""
    with (SHARED / "patients" / "synthea-100-Patient.ndjson").open("rb") as lines:
        report = enrollment.import_patients(lines)
    assert (report.new, report.bad) == (120, [])
    with database.read() as tx:
        stored = tx.exec_driver_sql("SELECT id, resource FROM patient WHERE id NOT LIKE 'sample-%%'").all()
    today = enrollment.engine.clock().date().isoformat()
    grown_up = f"{int(today[:4]) - 18}{today[4:]}"
    ways: dict[str, int] = {}
    for patient, text in stored:
        assert re.search(r"\b\d{3}-\d\d-\d{4}\b", text) is None
        case = trigger(enrollment, patient)
        where = case.tasks[0].element if case.tasks else str(case.outcome)
        barred = "deceasedDateTime" in text or json.loads(text)["birthDate"] > grown_up
        assert where == ("NotEligible" if barred else "UpdateNow")
        if case.tasks:
            assert enrollment.engine.queries.rebuild(case.id).data["missing"]["keys"] == ["email"]
        ways[where] = ways.get(where, 0) + 1
    run_jobs(enrollment)
    assert sum(ways.values()) == 120
    assert ways["NotEligible"] >= 20
    assert outbox.mails == []
