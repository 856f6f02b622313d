"""Messages from case to case: delivered once; what became of each stands in the history of the one that threw it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from conftest import Clock, alice, package
from usher_engine import Actor, Engine, Instance, Worker
from usher_engine.jobs import job_work
from usher_engine.store import job_rows

ana = Actor(name="ana", role="analyst")


@pytest.fixture
def ready(engine: Engine) -> Engine:
    for name in ("message_throw", "message_catch", "failing"):
        engine.deploy(package(name), actor=ana)
    return engine


def throw(engine: Engine, *, partner: str = "b1", stop: bool = True, own: str = "b2") -> Instance:
    start = {"partner": partner, "sum": 5, "stop": stop}
    return engine.start("message_throw", start, actor=alice, business_key=own)


def answers(engine: Engine, case: str) -> list[Any]:
    events = [event for step in engine.queries.history(case) for event in step.events]
    return [event["result"] for event in events if event["kind"] == "ServiceCompleted"]


def test_each_message_reaches_the_case_that_waits_and_both_can_prove_it(ready: Engine) -> None:
    heard = ready.start("message_catch", {}, actor=alice, business_key="b1").id
    thrown = throw(ready).id
    Worker(ready).run_due()
    assert [answer["delivered"] for answer in answers(ready, thrown)] == [True, True, True]
    assert {answer["case"] for answer in answers(ready, thrown)} == {heard}
    assert ready.queries.rebuild(heard).data["payment"] == {"sum": 5}
    assert (ready.instance(heard).outcome, ready.instance(thrown).outcome) == ("Stopped", "Stop")
    assert ready.verify(heard) == ready.verify(thrown) == []


def test_that_nobody_waits_is_a_fact_of_the_history_and_no_incident(ready: Engine) -> None:
    thrown = throw(ready).id
    Worker(ready).run_due()
    case = ready.instance(thrown)
    assert (case.status, case.outcome) == ("finished", "Stop")
    assert [answer["delivered"] for answer in answers(ready, thrown)] == [False, False, False]
    assert "No case with the key “b1” is under way" in answers(ready, thrown)[0]["reason"]
    assert ready.queries.rebuild(thrown).data["paid"]["delivered"] is False
    assert ready.verify(thrown) == []


@pytest.mark.parametrize("moment", ["job taken", "effect done"])
def test_a_worker_killed_before_or_after_it_delivers_once(
    ready: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    heard = ready.start("message_catch", {}, actor=alice, business_key="b1").id
    thrown = throw(ready).id

    def killed(name: str) -> None:
        if name == moment:
            raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(job_work, "fault_point", killed)
        with pytest.raises(SystemExit):
            Worker(ready).run_due()
    clock.forward(hours=1)
    Worker(ready).run_due()
    received = [e for step in ready.queries.history(heard) for e in step.events if e["kind"] == "MessageReceived"]
    assert [event["name"] for event in received] == ["Paid", "News", "Stop"]
    assert [answer["delivered"] for answer in answers(ready, thrown)] == [True, True, True]
    assert ready.verify(heard) == ready.verify(thrown) == []


def test_several_that_wait_are_an_incident_that_can_be_tried_again(ready: Engine) -> None:
    one = ready.start("message_catch", {}, actor=alice, business_key="b1").id
    two = ready.start("message_catch", {}, actor=alice, business_key="b1").id
    thrown = throw(ready).id
    Worker(ready).run_due()
    assert ready.instance(thrown).status == "incident"
    ready.cases.cancel(two, "one too many", actor=alice)
    ready.cases.retry(thrown, actor=alice)
    Worker(ready).run_due()
    assert (ready.instance(thrown).outcome, ready.instance(one).outcome) == ("Stop", "Stopped")
    assert ready.verify(thrown) == []


def test_the_fault_of_the_one_that_hears_is_not_the_one_that_throws(ready: Engine) -> None:
    heard = ready.start("failing", {}, actor=alice, business_key="b1").id
    thrown = throw(ready).id
    Worker(ready).run_due()
    assert ready.instance(heard).status == "incident"
    assert [answer["delivered"] for answer in answers(ready, thrown)] == [False, True, False]
    assert ready.verify(heard) == ready.verify(thrown) == []


def test_a_message_for_no_text_is_an_incident(ready: Engine) -> None:
    case = throw(ready, partner=7)  # type: ignore[arg-type]
    assert case.status == "incident"
    assert ready.verify(case.id) == []


def test_a_case_that_was_cancelled_sends_nothing_any_more(ready: Engine, clock: Clock) -> None:
    thrown = throw(ready).id
    ready.cases.cancel(thrown, "not needed", actor=alice)
    clock.time += timedelta(hours=1)
    Worker(ready).run_due()
    assert answers(ready, thrown) == []
    with ready.database.begin() as tx:
        assert job_rows.take(tx, clock(), clock() + timedelta(minutes=1)) is None
