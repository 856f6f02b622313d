"""A task whose reason has gone closes or asks again by itself: a step of its case, which verify runs again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage

import pytest
from conftest import ROOT, Clock, alice
from usher_engine import Actor, Conflict, Instance, InvalidSubmission, NotFound, Settings, Worker
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Answer, Enrollment, open_enrollment
from usher_engine.enrollment.smtp import RecipientRefused
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

ADAM = Actor(name="adam", role="admin")
PATIENT = "sample-complete"


class Mailbox:
    """A mail server in memory; refuses every recipient while *refuses*."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False

    def __call__(self, message: EmailMessage) -> None:
        if self.refuses:
            raise RecipientRefused("The mail server does not know this address.")
        self.mails.append(message)

    def token(self) -> str:
        body = self.mails[-1].get_body(("plain",))
        assert body is not None
        found = re.search(r"/i/([\w-]{43})\b(?!/)", body.get_content())
        assert found is not None
        return found[1]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def enrollment(settings: Settings, database: Database, clock: Clock, mailbox: Mailbox) -> Enrollment:
    ours = replace(settings, mail_from="portal@example.org")
    opened = open_enrollment(ours, clock=clock, send_mail=mailbox, database=database)
    opened.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=ADAM)
    add_samples(database, opened.registry, clock())
    return opened


def trigger(enrollment: Enrollment, clock: Clock, patient: str = PATIENT) -> Instance:
    clock.forward(minutes=1)
    begun = enrollment.trigger(patient, "Office Visit", "Patient Portal", "Enrollment", actor=alice)
    while Worker(enrollment.engine).run_due():
        pass
    return enrollment.engine.instance(begun.id)


def respond(enrollment: Enrollment, token: str, answer: Answer) -> None:
    fields = enrollment.patient(PATIENT).fields(enrollment.engine.clock(), enrollment.settings)
    proof = enrollment.identify(token, fields["zip_code"], fields["birth_date"])
    enrollment.respond(token, proof, answer, terms="1")


def accepted(enrollment: Enrollment, mailbox: Mailbox) -> tuple[str, str]:
    respond(enrollment, mailbox.token(), Answer.ACCEPT)
    return "NothingToDo", ""


def declined(enrollment: Enrollment, mailbox: Mailbox) -> tuple[str, str]:
    respond(enrollment, mailbox.token(), Answer.DECLINE)
    return "", "EnrollNow"


def reported(enrollment: Enrollment, _mailbox: Mailbox) -> tuple[str, str]:
    enrollment.portal_standing.set_status(PATIENT, "Deactivated", "The practice closed it.", actor=ADAM)
    return "NothingToDo", ""


@pytest.mark.parametrize("change", [accepted, declined, reported])
def test_a_task_follows_the_status_by_itself(
    change: Callable[..., tuple[str, str]], enrollment: Enrollment, mailbox: Mailbox, clock: Clock
) -> None:
    trigger(enrollment, clock)
    open_case = trigger(enrollment, clock)
    assert open_case.at == ("ResendInvitation",)
    clock.forward(minutes=1)
    outcome, asks = change(enrollment, mailbox)
    after = enrollment.engine.instance(open_case.id)
    assert (after.outcome or "", "".join(task.element for task in after.tasks)) == (outcome, asks)
    assert enrollment.engine.verify(open_case.id) == []
    assert enrollment.disagreements() == []
    assert len(mailbox.mails) == 1
    with pytest.raises(Conflict, match="ended this task"):
        enrollment.engine.complete(open_case.tasks[0].id, {}, actor=alice)


def test_a_status_that_stays_the_same_tells_nobody(enrollment: Enrollment, clock: Clock) -> None:
    case = trigger(enrollment, clock, "sample-no-email")
    assert case.at == ("UpdateNow",)
    enrollment.portal_standing.set_status("sample-no-email", "Not Enrolled", "As it was.", actor=ADAM)
    assert enrollment.engine.instance(case.id).revision == case.revision


def test_an_answer_counts_though_its_case_cannot_be_told(
    enrollment: Enrollment, mailbox: Mailbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger(enrollment, clock)
    trigger(enrollment, clock)

    def fail(*_given: object, **_named: object) -> None:
        raise Conflict("Somebody was faster.")

    monkeypatch.setattr(enrollment.engine.incoming, "deliver_message", fail)
    respond(enrollment, mailbox.token(), Answer.ACCEPT)
    assert enrollment.patient(PATIENT).status == "Completed"


def test_another_address_gets_a_stopped_mail_going(enrollment: Enrollment, mailbox: Mailbox, clock: Clock) -> None:
    mailbox.refuses = True
    case = trigger(enrollment, clock)
    assert case.status == "incident"
    correct = enrollment.address_corrections.correct
    with pytest.raises(InvalidSubmission) as wrong:
        correct(case.id, "no address", actor=alice)
    assert list(wrong.value.fields) == ["email"]
    assert enrollment.engine.instance(case.id).revision == case.revision
    mailbox.refuses = False
    correct(case.id, "other@example.org", actor=alice)
    while Worker(enrollment.engine).run_due():
        pass
    assert enrollment.engine.instance(case.id).outcome == "InvitationSent"
    assert [mail["To"] for mail in mailbox.mails] == ["other@example.org"]
    assert enrollment.engine.verify(case.id) == []
    with pytest.raises(Conflict):
        correct(case.id, "third@example.org", actor=alice)
    with pytest.raises(NotFound):
        correct("NOSUCHNUMBER", "third@example.org", actor=alice)
    assert len(mailbox.mails) == 1
