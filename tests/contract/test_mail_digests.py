"""A mail each working morning with numbers of tasks: once, whoever sends it, without anything of patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from conftest import Clock
from playing import node, process, row
from usher_engine import SYSTEM, Actor
from usher_engine.accounts import Accounts, DigestChoices, Role, StaffProfiles
from usher_engine.core.errors import Conflict, ServiceError
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.settings import Settings
from usher_engine.store import Database

ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
ADMIN = Actor(name="adam", role="admin")
TASK = (
    '<userTask id="Ask" name="Ask Ada"><extensionElements><spiffworkflow:properties><spiffworkflow:property '
    'name="candidateGroups" value="Front desk"/><spiffworkflow:property name="dueIn" value="PT1H"/>'
    "</spiffworkflow:properties></extensionElements></userTask>"
)
ASKING = process(node("startEvent", "S"), TASK, node("endEvent", "E"), row("S", "Ask", "E"))


class Post:
    """A mail server in memory that can be away, or refuse for good."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.failure: ServiceError | None = None

    def __call__(self, message: EmailMessage) -> None:
        if self.failure:
            raise self.failure
        self.mails.append(message)

    @property
    def text(self) -> str:
        body = self.mails[-1].get_body(("plain",))
        assert body is not None
        return str(body.get_content())


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def practice(settings: Settings, database: Database, clock: Clock, post: Post) -> Callable[..., Enrollment]:
    """A practice in New York where alice has a confirmed address, wants the mail, and three tasks are open."""

    def make(now: str = "2026-05-04T12:00:00+00:00") -> Enrollment:  # a Monday, eight o'clock there
        clock.time = datetime.fromisoformat(now)
        there = replace(
            settings,
            time_zone="America/New_York",
            mail_from="desk@clinic.example.org",
            base_url="https://usher.example",
        )
        enrollment = open_enrollment(there, clock=clock, send_mail=post, database=database)
        Accounts(database, clock).add_user(
            "alice", "a password for tests", role=Role.STAFF, groups=("Front desk",), by="test"
        )
        StaffProfiles(database, clock).take_over_address("alice", "alice@clinic.example.org", actor=ADMIN)
        enrollment.digests.choices.turn_on("alice", actor=ALICE)
        enrollment.engine.deploy(ASKING, actor=SYSTEM)
        for number in range(3):
            enrollment.engine.start("p", {"name": f"Ada {number}"}, actor=ALICE, business_key=f"patient-{number}")
        return enrollment

    return make


def test_it_says_numbers_and_a_link_and_nothing_of_patients(practice: Any, post: Post, clock: Clock) -> None:
    enrollment = practice()
    engine = enrollment.engine
    for task in engine.inbox.tasks(ALICE)[:2]:
        engine.cases.claim(task.id, actor=ALICE)
    clock.forward(hours=2)
    assert enrollment.digests.send_due() == 1
    (mail,) = post.mails
    assert "2 tasks are yours, 2 of them overdue. 1 is open for Front desk." in " ".join(post.text.split())
    assert "https://usher.example/inbox" in post.text
    assert mail["To"] == "alice@clinic.example.org"
    assert "Ada" not in mail.as_string() and "patient-" not in mail.as_string()
    off = mail["List-Unsubscribe"].strip("<>")
    assert off.startswith("https://usher.example/profile/digest/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    owner = enrollment.digests.choices.owner_of(off.rpartition("/")[2])
    assert owner is not None and owner.name == "alice"


def test_it_goes_out_once_on_each_working_morning(practice: Any, post: Post, clock: Clock) -> None:
    enrollment = practice("2026-05-04T10:30:00+00:00")  # half past six
    engine = enrollment.engine
    engine.working_calendar.add_holiday(date(2026, 5, 6), "Closed", actor=ADMIN)
    assert enrollment.digests.send_due() == 0
    sent = []
    for _ in range(7 * 24):  # a week, hour by hour
        clock.forward(hours=1)
        before = len(post.mails)
        enrollment.digests.send_due()
        if len(post.mails) > before:
            sent.append(engine.settings.calendar.local(clock()))
    assert [(at.date().isoformat(), at.hour) for at in sent] == [
        ("2026-05-04", 7), ("2026-05-05", 7), ("2026-05-07", 7), ("2026-05-08", 7),
    ]  # fmt: skip
    assert len({mail["Message-ID"] for mail in post.mails}) == 4


def test_two_nodes_send_it_once(practice: Any, post: Post, clock: Clock) -> None:
    one = practice()
    other = open_enrollment(one.settings, clock=clock, send_mail=post, database=one.engine.database)
    day = date(2026, 5, 4)
    taken = one.digests.choices.take_next(day)
    assert taken is not None
    assert other.digests.send_due() == 0, "it is in the hands of the first"
    clock.forward(minutes=11)  # the first was killed
    assert other.digests.send_due() == 1
    assert one.digests.send_due() == other.digests.send_due() == 0
    assert len(post.mails) == 1


@pytest.mark.parametrize(("retry", "mails"), [(True, 1), (False, 0)])
def test_a_mail_server_that_is_away_is_asked_again(
    practice: Any, post: Post, clock: Clock, *, retry: bool, mails: int
) -> None:
    enrollment = practice()
    post.failure = ServiceError("The mail server does not answer.", retry=retry)
    assert enrollment.digests.send_due() == 0
    post.failure = None
    clock.forward(minutes=11)
    enrollment.digests.send_due()
    assert len(post.mails) == mails


def test_nobody_gets_it_who_cannot_or_has_nothing_to_do(practice: Any, post: Post, database: Database) -> None:
    enrollment = practice()
    accounts, choices = Accounts(database, enrollment.engine.clock), enrollment.digests.choices
    accounts.add_user("bob", "a password for tests", role=Role.STAFF, groups=("Front desk",), by="test")
    with pytest.raises(Conflict, match="Confirm an e-mail address first"):
        choices.turn_on("bob", actor=Actor(name="bob", role="staff"))
    for task in enrollment.engine.inbox.tasks():
        enrollment.engine.complete(task.id, {}, actor=ALICE)
    assert enrollment.digests.send_due() == 0
    choices.turn_off("alice", actor=ALICE)
    assert not choices.is_on("alice")
    choices.turn_on("alice", actor=ALICE)
    enrollment.engine.start("p", {}, actor=ALICE)
    accounts.disable("alice")
    assert enrollment.digests.send_due() == 0
    assert post.mails == []
    told = [event.details.get("choice") for event in enrollment.engine.audit.events(kind="SettingChanged")]
    assert [one for one in told if one] == ["each morning", "never", "each morning"]


def test_the_link_of_every_mail_works_until_the_choice_ends(practice: Any, post: Post, clock: Clock) -> None:
    enrollment = practice()
    choices: DigestChoices = enrollment.digests.choices
    enrollment.digests.send_due()
    clock.forward(days=1)
    enrollment.digests.send_due()
    first, second = (mail["List-Unsubscribe"].strip("<>").rpartition("/")[2] for mail in post.mails)
    assert first == second
    choices.turn_off("alice", actor=ALICE)
    assert choices.owner_of(first) is None
    clock.forward(minutes=1)
    choices.turn_on("alice", actor=ALICE)
    assert choices.owner_of(first) is None
