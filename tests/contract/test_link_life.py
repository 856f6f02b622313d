"""The life of a link: opened, tried in vain, locked, expired, withdrawn, asked about, on each database."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from conftest import Clock, alice, charlie
from small_clinic import Outbox, facts, invited, open_clinic, run_jobs, trigger, who
from usher_engine.core.actor import Actor
from usher_engine.core.errors import Conflict, InvalidSubmission, NotAllowed, NotFound
from usher_engine.enrollment import Answer, Enrollment, Invitation, LinkClosed, LinkState, PortalStatus, WrongIdentity
from usher_engine.settings import Settings
from usher_engine.store import Database

ADA = "sample-complete"


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def clinic(settings: Settings, database: Database, clock: Clock, outbox: Outbox) -> Enrollment:
    return open_clinic(settings, database, clock, outbox)


def link_of(clinic: Enrollment, patient: str = ADA) -> Invitation:
    return clinic.invitations(patient)[0]


def tasks_of(clinic: Enrollment, patient: str = ADA) -> list[str]:
    live = clinic.engine.queries.instances(business_key=patient, status="waiting")
    return [task.title for case in live for task in case.tasks]


def lock(clinic: Enrollment, token: str) -> None:
    for _ in range(5):
        with suppress(InvalidSubmission, LinkClosed):
            clinic.identify(token, "00000", "1900-01-01")


def whole(clinic: Enrollment) -> list[Any]:
    cases = clinic.engine.queries.instances(limit=100)
    return [*(one for case in cases for one in clinic.engine.verify(case.id)), *clinic.disagreements()]


# opened, and tried in vain


def test_opening_counts_the_first_and_the_last_time(clinic: Enrollment, outbox: Outbox, clock: Clock) -> None:
    invited(clinic)
    first = clock()
    clinic.responses.opened(outbox.token())
    clock.forward(hours=1)
    clinic.responses.opened(outbox.token())
    link = link_of(clinic)
    assert (link.opened_at, link.opened_again_at, link.opens) == (first, clock(), 2)
    with pytest.raises(NotFound):
        clinic.responses.opened("x" * 43)


def test_a_wrong_try_tells_staff_which_fact_and_the_patient_how_many_are_left(
    clinic: Enrollment, outbox: Outbox
) -> None:
    invited(clinic)
    zip_code, birth_date = who(clinic)
    for given, left in (((zip_code, "1900-01-01"), 4), (("00000", birth_date), 3), (("00000", "1900-01-01"), 2)):
        with pytest.raises(WrongIdentity) as wrong:
            clinic.identify(outbox.token(), *given)
        assert wrong.value.tries_left == left
        assert wrong.value.fields == {}
    link = link_of(clinic)
    assert (link.wrong_tries, link.wrong_zip, link.wrong_birth, link.tries_left) == (3, 2, 2, 2)


# locked and expired


def test_a_locked_link_sets_the_status_and_asks_staff(clinic: Enrollment, outbox: Outbox, clock: Clock) -> None:
    case = invited(clinic)
    lock(clinic, outbox.token())
    assert clinic.patient(ADA).status == PortalStatus.LOCKED
    assert facts(clinic, case.id)[-1] == (
        "Enrollment Link Locked", {"wrong_tries": 5, "status": "Locked or Expired"},
    )  # fmt: skip
    assert tasks_of(clinic) == ["Send New Link"]
    task = clinic.engine.inbox.tasks(limit=5)[-1]
    assert task.message.startswith("The link of the invitation was locked after 5 wrong tries on 4 May 2026")
    clock.forward(minutes=1)
    clinic.engine.complete(task.id, {}, actor=alice)
    run_jobs(clinic)
    assert len(outbox.mails) == 2
    assert clinic.patient(ADA).status == PortalStatus.PENDING
    assert clinic.links.close_due() == 0
    assert whole(clinic) == []


def test_an_expired_link_sets_the_status_and_asks_staff_once(
    clinic: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    case = invited(clinic)
    clock.time = link_of(clinic).expires_at
    assert clinic.links.close_due() == 0  # it works until the end of that day
    clock.forward(seconds=1)
    assert clinic.links.close_due() == 1
    assert clinic.links.close_due() == 0
    assert clinic.patient(ADA).status == PortalStatus.LOCKED
    assert facts(clinic, case.id)[-1] == ("Enrollment Link Expired", {"status": "Locked or Expired"})
    assert tasks_of(clinic) == ["Send New Link"]
    assert "has expired on" in clinic.engine.inbox.tasks(limit=5)[-1].message
    assert len(outbox.mails) == 1
    assert whole(clinic) == []


def test_a_link_that_ends_beside_a_newer_one_changes_nothing(
    clinic: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    invited(clinic)
    clock.forward(days=1)
    clinic.engine.complete(trigger(clinic, ADA).tasks[0].id, {}, actor=alice)
    run_jobs(clinic)
    clock.time = clinic.invitations(ADA)[1].expires_at + timedelta(seconds=1)
    assert clinic.links.close_due() == 0
    assert clinic.patient(ADA).status == PortalStatus.PENDING
    assert tasks_of(clinic) == []


def test_a_link_that_ends_after_the_status_changed_is_only_recorded(
    clinic: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    case = invited(clinic)
    admin = Actor(name="adam", role="admin")
    clinic.portal_standing.set_status(ADA, "Deactivated", "Asked by phone.", actor=admin)
    clock.forward(days=40)
    assert clinic.links.close_due() == 1
    assert clinic.patient(ADA).status == "Deactivated"
    assert facts(clinic, case.id)[-1] == ("Enrollment Link Expired", {"status": ""})
    assert tasks_of(clinic) == []


def test_what_a_crash_left_undone_the_next_sweep_does(clinic: Enrollment, outbox: Outbox, clock: Clock) -> None:
    invited(clinic)
    clock.forward(days=40)

    def crash(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    start, clinic.links._start = clinic.links._start, crash
    with pytest.raises(KeyboardInterrupt):
        clinic.links.close_due()
    clinic.links._start = start
    assert tasks_of(clinic) == []
    clinic.links.close_due()
    clinic.links.close_due()
    assert tasks_of(clinic) == ["Send New Link"]


# withdrawn


def test_a_withdrawn_invitation_is_dead_and_the_status_is_back(
    clinic: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    case = invited(clinic)
    clock.forward(minutes=1)
    link = clinic.links.withdraw(link_of(clinic).message_id, " It went to the wrong person. ", actor=alice)
    assert (link.state(clock()), link.withdrawn_by) == (LinkState.WITHDRAWN, "alice")
    assert clinic.patient(ADA).status == PortalStatus.NOT_ENROLLED
    details = {"reason": "It went to the wrong person.", "status": "Not Enrolled"}
    assert facts(clinic, case.id) == [("Invitation Withdrawn", details)]
    with pytest.raises(LinkClosed) as closed:
        clinic.identify(outbox.token(), *who(clinic))
    assert closed.value.state is LinkState.WITHDRAWN
    history = clinic.portal_standing.history(ADA)
    assert (history[0].status, history[0].by, history[0].why) == ("Not Enrolled", "alice", details["reason"])
    assert whole(clinic) == []


def test_what_cannot_be_withdrawn_says_why(clinic: Enrollment, outbox: Outbox) -> None:
    invited(clinic)
    mail = link_of(clinic).message_id
    for reason in ("", " \u200b", "x" * 1_001):
        with pytest.raises(InvalidSubmission, match="Say why"):
            clinic.links.withdraw(mail, reason, actor=alice)
    with pytest.raises(NotAllowed):
        clinic.links.withdraw(mail, "why", actor=Actor(name="audrey", role="auditor"))
    with pytest.raises(NotFound):
        clinic.links.withdraw("<no@such.mail>", "why", actor=alice)
    clinic.links.withdraw(mail, "why", actor=charlie)
    with pytest.raises(Conflict, match="charlie has withdrawn"):
        clinic.links.withdraw(mail, "again", actor=alice)
    invited(clinic, "sample-complete-2")
    token = outbox.token()
    proof = clinic.identify(token, *who(clinic, "sample-complete-2"))
    clinic.respond(token, proof, Answer.DECLINE)
    with pytest.raises(Conflict, match="has answered"):
        clinic.links.withdraw(link_of(clinic, "sample-complete-2").message_id, "late", actor=alice)


def test_an_identified_patient_cannot_answer_a_link_that_is_withdrawn_meanwhile(
    clinic: Enrollment, outbox: Outbox
) -> None:
    invited(clinic)
    token = outbox.token()
    proof = clinic.identify(token, *who(clinic))
    clinic.links.withdraw(link_of(clinic).message_id, "why", actor=alice)
    with pytest.raises(LinkClosed):
        clinic.respond(token, proof, Answer.ACCEPT, terms="1")
    assert clinic.patient(ADA).status == PortalStatus.NOT_ENROLLED


# asked for


def test_asking_for_a_new_link_makes_one_task_a_day_and_no_mail(
    clinic: Enrollment, outbox: Outbox, clock: Clock
) -> None:
    case = invited(clinic)
    token = outbox.token()
    clock.forward(days=40)
    for _ in range(10):
        clinic.links.ask_for_new(token)
    assert [name for name, _ in facts(clinic, case.id)] == ["New Invitation Asked For"]
    run_jobs(clinic)
    assert len(outbox.mails) == 1
    assert tasks_of(clinic) == ["Resend Invitation"]
    assert "The patient asked for a new link on 13 June 2026." in clinic.engine.inbox.tasks(limit=5)[-1].message
    clock.forward(days=1)
    clinic.links.ask_for_new(token)
    assert len(facts(clinic, case.id)) == 2
    assert tasks_of(clinic) == ["Resend Invitation"]
    with pytest.raises(NotFound):
        clinic.links.ask_for_new("x" * 43)


def test_a_link_that_works_or_was_withdrawn_asks_for_nothing(clinic: Enrollment, outbox: Outbox) -> None:
    case = invited(clinic)
    clinic.links.ask_for_new(outbox.token())
    clinic.links.withdraw(link_of(clinic).message_id, "why", actor=alice)
    clinic.links.ask_for_new(outbox.token())
    assert [name for name, _ in facts(clinic, case.id)] == ["Invitation Withdrawn"]
    assert tasks_of(clinic) == []
