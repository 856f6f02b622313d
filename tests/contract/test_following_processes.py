"""Processes that start by themselves after an effect: the reminder of an invitation, from the mail to its end."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import ROOT, Clock
from usher_engine import Actor, Worker
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment import Enrollment, invitations, open_enrollment, portal_status
from usher_engine.gate import check_package
from usher_engine.settings import Settings
from usher_engine.store import Database

ADMIN = Actor(name="adam", role="admin")
ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
PROCESSES = ROOT / "processes"
ADA: dict[str, Any] = {
    "resourceType": "Patient", "id": "p1", "name": [{"use": "official", "family": "Sample", "given": ["Ada"]}],
    "birthDate": "1980-02-29", "gender": "female", "address": [{"use": "home", "postalCode": "10001"}],
    "telecom": [{"system": "email", "value": "ada@example.org"}],
    "communication": [{"language": {"coding": [{"code": "es"}]}, "preferred": True}],
}  # fmt: skip


class Practice:
    """An enrolment with one Spanish-speaking patient and the reminder deployed."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self.mails: list[Any] = []
        self.clock = clock
        self.enrollment: Enrollment = open_enrollment(
            settings, clock=clock, send_mail=self.mails.append, database=database
        )
        self.engine = self.enrollment.engine
        self.worker = Worker(self.engine)
        with database.begin() as tx:
            self.enrollment.registry.save(tx, ADA, by="t", now=clock())
        for name in ("enrollment", "reminder"):
            self.engine.deploy(read_folder(PROCESSES / name), actor=ADMIN)

    def invite(self) -> None:
        self.enrollment.start({"patient_id": "p1"}, actor=ALICE)
        self.worker.run_due()

    def reminders(self) -> list[Any]:
        """The cases of the reminder, oldest first."""
        return self.engine.queries.instances(process="reminder")[::-1]

    def after(self, **time: float) -> None:
        self.clock.forward(**time)
        self.worker.run_due()

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


@pytest.fixture
def practice(settings: Settings, database: Database, clock: Clock) -> Practice:
    return Practice(settings, database, clock)


def test_a_patient_who_does_not_answer_is_reminded_once(practice: Practice) -> None:
    practice.invite()
    assert practice.engine.queries.instances(process="enrollment")[0].status == "finished", "what is done is done"
    (case,) = practice.reminders()
    assert (case.status, case.business_key) == ("waiting", "p1")
    practice.after(days=6, hours=23)
    assert len(practice.mails) == 1
    practice.after(hours=2)
    assert len(practice.mails) == 2
    assert practice.subjects[1].endswith("sigue abierta")
    first, second = practice.enrollment.invitations("p1")[::-1]
    now = practice.clock()
    assert (first.is_usable(now), second.is_usable(now)) == (False, True)
    assert practice.enrollment.patient("p1").status == "Pending"
    assert [one.status for one in practice.reminders()] == ["finished"]
    practice.after(days=30)
    assert len(practice.mails) == 2
    assert practice.engine.verification.verify_all().findings == []


@pytest.mark.parametrize("change", ["answered", "opted out"])
def test_who_needs_no_reminder_gets_none(practice: Practice, change: str) -> None:
    practice.invite()
    with practice.engine.database.begin() as tx:
        from_now = practice.clock()
        if change == "answered":
            (sent,) = practice.enrollment.invitations("p1")
            invitations.mark_used(tx, sent.token_hash, from_now)
        else:
            portal_status.set_practice_opt_out(tx, "p1", True, by="t", now=from_now)
    practice.after(days=8)
    assert len(practice.mails) == 1
    assert [one.status for one in practice.reminders()] == ["finished"]


def test_whoever_was_invited_again_is_reminded_seven_days_after_that(practice: Practice) -> None:
    practice.invite()
    practice.clock.forward(days=3)
    practice.invite()
    (task,) = practice.engine.inbox.tasks(limit=5)
    practice.engine.cases.claim(task.id, actor=ALICE)
    practice.engine.cases.complete(task.id, {}, actor=ALICE)
    practice.worker.run_due()
    assert len(practice.mails) == 2
    practice.after(days=5)
    assert len(practice.mails) == 2, "the reminder of the first invitation is not sent"
    practice.after(days=3)
    assert len(practice.mails) == 3


def test_a_send_that_is_repeated_after_a_crash_has_one_follower(practice: Practice) -> None:
    practice.enrollment.start({"patient_id": "p1"}, actor=ALICE)
    report = practice.engine.job_results.finish

    def dies(*_: Any) -> Any:
        practice.engine.job_results.finish = report  # type: ignore[method-assign]
        raise SystemExit

    practice.engine.job_results.finish = dies  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        practice.worker.run_due()
    practice.after(minutes=10)
    assert (len(practice.mails), len(practice.reminders())) == (1, 1)


def test_a_paused_follower_keeps_nobody_waiting(practice: Practice) -> None:
    practice.engine.pauses.pause("reminder", "holidays", actor=ADMIN)
    practice.invite()
    assert practice.reminders() == []
    assert practice.enrollment.patient("p1").status == "Pending"


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        ("patient/load", "can start after one of: invitation/send"),
        ("nothing/here", "not after “nothing/here”"),
        ("mail/send", "would start itself again"),
    ],
)
def test_what_a_process_cannot_follow_is_told_on_its_start(practice: Practice, operator: str, words: str) -> None:
    files = dict(read_folder(PROCESSES / "reminder").files)
    before, after = b'name="startsAfter" value="invitation/send"', f'name="startsAfter" value="{operator}"'.encode()
    files["reminder.bpmn"] = files["reminder.bpmn"].replace(before, after)
    (finding,) = (one for one in check_package(Package(files), practice.engine.services) if one.severity == "error")
    assert words in finding.message
    assert finding.element == "InvitationWentOut"


def test_a_case_that_follows_starts_no_others(practice: Practice) -> None:
    """A second process after the reminder's own mail would begin, if cases that follow could be followed."""
    files = dict(read_folder(PROCESSES / "reminder").files)
    echo = files["reminder.bpmn"].decode()
    for old, new in (
        ('id="reminder"', 'id="echo"'),
        ('bpmnElement="reminder"', 'bpmnElement="echo"'),
        ('value="invitation/send"', 'value="mail/send"'),
        ('Operator id="mail/send"', 'Operator id="invitation/send"'),
        ('<spiffworkflow:parameter id="with_link" type="any" value="True" />', ""),
    ):
        echo = echo.replace(old, new)
    files["reminder.bpmn"] = echo.encode()
    practice.engine.deploy(Package(files), actor=ADMIN)
    practice.invite()
    practice.after(days=8)
    assert len(practice.mails) == 2
    assert practice.engine.queries.instances(process="echo") == []
