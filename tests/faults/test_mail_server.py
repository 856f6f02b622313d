"""F2: failures of a mail server. The case waits visibly, and the mail is sent when the server is back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import Clock, alice
from usher_engine import Settings, Worker
from usher_engine.enrollment import Enrollment

from .postoffice import HANG_UP, HANG_UP_LATE, SILENT, PostOffice, link_in
from .story import Place, address, check, tell, trigger

MakePlace = Callable[..., Place]
Enter = Callable[..., Enrollment]
BACKOFF_S, TRIES = 30, Settings().job_attempts


@pytest.mark.parametrize(
    ("answer", "tries", "reason"),
    [
        pytest.param("closed", TRIES, "The mail server cannot be reached.", id="refused"),
        pytest.param("451 Try later", TRIES, "The mail server asks to try again later (answer 451).", id="451"),
        pytest.param("550 No", 1, "The mail server refused the mail for good (answer 550).", id="550"),
        pytest.param(SILENT, TRIES, "The mail server did not answer in time, or hung up.", id="slow"),
        pytest.param(HANG_UP, TRIES, "The mail server did not answer in time, or hung up.", id="hangs up"),
    ],
)
def test_a_mail_server_that_fails_every_time(
    answer: str, tries: int, reason: str, make_place: MakePlace, enter: Enter, office: PostOffice, clock: Clock
) -> None:
    place = make_place(job_backoff_s=BACKOFF_S, smtp_timeout_s=60)
    hasty = replace(place, settings=replace(place.settings, smtp_timeout_s=0.2))
    enrollment = enter(hasty if answer == SILENT else place, clock=clock)
    engine, worker = enrollment.engine, Worker(enrollment.engine)
    case = trigger(enrollment, 0).id
    tell(enrollment, 0, "complete")
    if answer == "closed":
        office.close()
    for number in range(1, tries + 1):
        office.answers = [answer]
        assert worker.run_due() == 1
        failed = [e for e in engine.queries.history(case)[-1].events if e["kind"] == "ServiceFailed"]
        wait = timedelta(seconds=BACKOFF_S * 2 ** (number - 1))
        retry_at = (clock() + wait).isoformat().replace("+00:00", "Z")
        again = {"retry_at": retry_at} if number < tries else {}
        assert failed == [
            {"kind": "ServiceFailed", "element": "SendInvitation", "visit": 1, "attempt": number, "reason": reason,
             **again}
        ]  # fmt: skip
        waiting = engine.instance(case)
        assert (waiting.status, waiting.at) == ("waiting" if again else "incident", ("SendInvitation",))
        clock.forward(seconds=wait.total_seconds() - 1)
        assert worker.run_due() == 0, "it waits"
        clock.forward(seconds=1)
    stuck = engine.instance(case)
    assert stuck.incident == reason
    clock.forward(days=1)
    assert worker.run_due() == 0
    assert engine.queries.counts()["jobs"] == {"waiting": 0, "parked": 1}
    assert office.mails == []

    if answer == "closed":
        office.open()
    office.answers = []
    engine.cases.retry(case, actor=alice)
    assert engine.instance(case).status == "waiting"
    assert Worker(enter(place, clock=clock).engine).run_due() == 1
    check(enrollment, 0, office)


def test_a_mail_is_sent_without_a_person_when_the_server_is_back(
    make_place: MakePlace, enter: Enter, office: PostOffice, clock: Clock
) -> None:
    enrollment = enter(make_place(job_backoff_s=BACKOFF_S), clock=clock)
    tell(enrollment, 0, "trigger", "complete")
    office.answers = ["451 Not now", "421 Not now either"]
    for wait in (30, 60, 0):
        assert Worker(enrollment.engine).run_due() == 1
        clock.forward(seconds=wait)
    check(enrollment, 0, office)


def test_a_mail_server_that_lets_strangers_wait_for_an_hour_gets_the_mail_then(
    make_place: MakePlace, enter: Enter, office: PostOffice, clock: Clock
) -> None:
    """Greylisting asks for a second try after 5 to 60 minutes; the defaults have one left beyond that."""
    enrollment = enter(make_place(), clock=clock)
    tell(enrollment, 0, "trigger", "complete")
    began, worker = clock(), Worker(enrollment.engine)
    while clock() < began + timedelta(hours=1):
        office.answers = ["451 Greylisted, try again later"]
        worker.run_due()
        clock.forward(minutes=1)
    office.answers = []
    clock.forward(hours=1, minutes=10)
    assert worker.run_due() == 1
    check(enrollment, 0, office)


def test_an_answer_that_got_lost_costs_one_repeat_of_the_same_mail(
    make_place: MakePlace, enter: Enter, office: PostOffice, clock: Clock
) -> None:
    enrollment = enter(make_place(), clock=clock)
    tell(enrollment, 0, "trigger", "complete")
    office.answers = [HANG_UP_LATE]
    assert Worker(enrollment.engine).run_due() == 1
    clock.forward(minutes=1)
    assert Worker(enrollment.engine).run_due() == 1
    check(enrollment, 0, office, mails=2)
    first, second = office.to(address(0))
    assert first["Message-ID"] == second["Message-ID"] and link_in(first) == link_in(second)


def test_a_case_cancelled_while_its_mail_is_on_the_way(
    make_place: MakePlace, enter: Enter, office: PostOffice
) -> None:
    """A person is faster than the mail server; the worker continues, and the history records what was sent."""
    place = make_place(patients=2)
    enrollment, other = enter(place), enter(place)
    case = trigger(enrollment, 0).id
    tell(enrollment, 0, "complete")
    tell(enrollment, 1, "trigger", "complete")
    cancels = [lambda: other.engine.cases.cancel(case, "moved away", actor=alice)]
    office.before_answer = lambda: cancels and cancels.pop()()
    assert Worker(enrollment.engine).run_due() == 2
    assert enrollment.engine.instance(case).status == "cancelled"
    facts = [e for step in enrollment.engine.queries.history(case) for e in step.events if e["kind"] == "FactRecorded"]
    assert [fact["details"]["element"] for fact in facts] == ["SendInvitation"]
    check(enrollment, 1, office)
