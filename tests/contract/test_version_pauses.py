"""A paused process begins nothing and sends nothing; people may finish what they have open, and nothing is lost."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from conftest import Clock, Outside, alice, package
from drawn_timers import drawn
from usher_engine import Actor, Conflict, Engine, InvalidSubmission, NotAllowed, NotFound, Paused, Worker
from usher_engine.authoring import EVERY, Pauses

ANA = Actor(name="ana", role="analyst")
ADAM = Actor(name="adam", role="admin")


@pytest.fixture
def nap(engine: Engine) -> Engine:
    """Version 1 naps and sends; so does version 2, a little longer."""
    for nap in ("PT1H", "PT2H"):
        engine.deploy(drawn("nap", Nap=nap, Send="test/effect"), actor=ANA)
    return engine


@pytest.fixture
def pauses(nap: Engine) -> Pauses:
    return nap.pauses


def test_nothing_starts_and_the_refusal_names_who_paused_it_when_and_why(nap: Engine, pauses: Pauses) -> None:
    pauses.pause("nap", "the mail names the wrong practice", actor=ADAM)
    with pytest.raises(Paused) as refused:
        nap.start("nap", {}, actor=alice, key="k", source="ehr")
    assert refused.value.message == (
        "“nap” has been paused by adam since 2026-05-04 09:02 UTC: “the mail names the wrong practice”."
        " Nothing was started. Try again when an administrator has resumed it."
    )
    assert nap.queries.instances() == []
    pauses.resume("nap", "mended", actor=ADAM)
    assert nap.start("nap", {}, actor=alice, key="k", source="ehr").status == "waiting"
    events = reversed(nap.audit.events(actor="adam"))
    told = [(one, {name: value for name, value in one.details.items() if name != "rows"}) for one in events]
    recorded = [(one.kind, one.subject, details, one.why) for one, details in told]
    assert recorded == [
        ("ProcessPaused", "nap", {"version": EVERY}, "the mail names the wrong practice"),
        ("ProcessResumed", "nap", {"version": EVERY, "jobs": 0}, "mended"),
    ]


def test_timers_and_services_wait_and_go_on(nap: Engine, pauses: Pauses, clock: Clock, outside: Outside) -> None:
    case = nap.start("nap", {}, actor=alice).id
    pauses.pause("nap", "wait", actor=ADAM, version=2)
    clock.forward(hours=3)
    assert Worker(nap).run_due() == 0
    assert nap.queries.counts()["jobs"] == {"waiting": 0, "parked": 0, "held": 1}
    assert nap.instance(case).revision == 1
    assert pauses.resume("nap", "go on", actor=ADAM, version=2) == 1
    assert Worker(nap).run_due() == 2
    assert nap.instance(case).status == "finished"
    assert len(outside.calls) == 1
    assert nap.verify(case) == []


def test_another_version_and_another_process_go_on(nap: Engine, pauses: Pauses, clock: Clock) -> None:
    nap.deploy(drawn("other", Send="test/effect"), actor=ANA)
    held, other = nap.start("nap", {}, actor=alice).id, nap.start("other", {}, actor=alice).id
    pauses.pause("nap", "wait", actor=ADAM, version=2)
    assert Worker(nap).run_due() == 1
    assert nap.instance(other).status == "finished"
    nap.deploy(drawn("nap", Nap="PT3H", Send="test/effect"), actor=ANA)
    third = nap.start("nap", {}, actor=alice).id
    clock.forward(hours=4)
    assert Worker(nap).run_due() == 2
    assert (nap.instance(held).status, nap.instance(third).status) == ("waiting", "finished")


def test_people_finish_what_they_have_open_and_what_follows_waits(
    engine: Engine, outside: Outside, clock: Clock
) -> None:
    engine.deploy(package("small"), actor=ANA)
    outside.answers.append({"n": 2})
    [task] = engine.start("small", {"q": 2}, actor=alice).tasks
    engine.pauses.pause("small", "wait", actor=ADAM)
    case = engine.complete(task.id, {"word": "yes"}, actor=alice)
    assert case.at == ("Send",)
    assert Worker(engine).run_due() == 0
    clock.forward(days=1)
    assert Worker(engine).run_due() == 0
    engine.pauses.resume("small", "go on", actor=ADAM)
    assert Worker(engine).run_due() == 1


def test_a_case_that_moves_to_another_version_goes_on(nap: Engine, pauses: Pauses, clock: Clock) -> None:
    case = nap.start("nap", {}, actor=alice).id
    pauses.pause("nap", "wait", actor=ADAM, version=2)
    clock.forward(hours=3)
    Worker(nap).run_due()
    nap.migrations.migrate(case, 1, actor=ADAM, reason="that one is right")
    assert Worker(nap).run_due() == 2
    assert nap.instance(case).status == "finished"


def test_two_pauses_hold_until_both_have_ended(nap: Engine, pauses: Pauses, clock: Clock) -> None:
    case = nap.start("nap", {}, actor=alice).id
    pauses.pause("nap", "this one", actor=ADAM, version=2)
    pauses.pause("nap", "all", actor=ADAM)
    clock.forward(hours=3)
    assert Worker(nap).run_due() == 0
    assert pauses.resume("nap", "one", actor=ADAM, version=2) == 0
    assert [one.version for one in pauses.all()] == [EVERY]
    assert Worker(nap).run_due() == 0
    assert pauses.resume("nap", "all", actor=ADAM) == 1
    assert Worker(nap).run_due() == 2
    assert nap.instance(case).status == "finished"


def test_what_is_refused(nap: Engine, pauses: Pauses) -> None:
    with pytest.raises(NotAllowed):
        pauses.pause("nap", "no", actor=ANA)
    for nothing in ("", " ", "\u2060", "x" * 2_001):
        with pytest.raises(InvalidSubmission):
            pauses.pause("nap", nothing, actor=ADAM)
    with pytest.raises(NotFound, match="No process “nothing”"):
        pauses.pause("nothing", "why", actor=ADAM)
    with pytest.raises(NotFound, match="no version 7"):
        pauses.pause("nap", "why", actor=ADAM, version=7)
    with pytest.raises(NotFound, match="Version 1 of “nap” is not paused"):
        pauses.resume("nap", "why", actor=ADAM, version=1)
    pauses.pause("nap", "why", actor=ADAM)
    with pytest.raises(Conflict, match="paused by adam since"):
        pauses.pause("nap", "again", actor=ADAM)
    assert len(nap.audit.events(actor="adam")) == 1


def test_no_job_is_held_back_after_its_pause_has_ended(nap: Engine, pauses: Pauses, clock: Clock) -> None:
    """An administrator resumes repeatedly while workers hold jobs back."""
    cases = [nap.start("nap", {}, actor=alice).id for _ in range(8)]
    clock.forward(hours=3)
    done, failed = threading.Event(), list[Exception]()

    def work() -> None:
        worker = Worker(nap)
        try:
            while not done.is_set():
                worker.run_due(at_most=1)
        except Exception as error:  # noqa: BLE001 - asserted below
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        pauses.pause("nap", "wait", actor=ADAM)
        pauses.resume("nap", "go on", actor=ADAM)
    done.set()
    for thread in threads:
        thread.join(30)
    Worker(nap).run_due()
    clock.forward(seconds=nap.settings.job_lease_s + 1)
    Worker(nap).run_due()
    assert not failed
    assert {nap.instance(case).status for case in cases} == {"finished"}
    assert nap.queries.counts()["jobs"] == {"waiting": 0, "parked": 0}


def test_a_try_that_was_held_back_is_not_counted(nap: Engine, pauses: Pauses, clock: Clock) -> None:
    case = nap.start("nap", {}, actor=alice).id
    clock.forward(hours=3)
    for _ in range(nap.settings.job_attempts + 1):
        pauses.pause("nap", "wait", actor=ADAM)
        assert Worker(nap).run_due() == 0
        pauses.resume("nap", "go on", actor=ADAM)
        clock.forward(minutes=1)
    assert Worker(nap).run_due() == 2
    assert nap.instance(case).status == "finished"
    assert nap.instance(case).ended_at == clock() + timedelta()
