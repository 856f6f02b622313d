"""Timers and messages as the engine offers them: once, in order, never lost, and refused when no case waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Clock, Outside, alice, charlie, package
from usher_engine import SYSTEM, Actor, Conflict, Engine, InvalidSubmission, NotAllowed, NotFound, Worker
from usher_engine.definitions import Package
from usher_engine.jobs import job_work
from usher_engine.store import Job, job_rows

ana = Actor(name="ana", role="analyst")


@pytest.fixture
def ready(engine: Engine) -> Engine:
    for name in ("timer_boundary", "message_catch", "message_boundary", "items_parallel", "failing"):
        engine.deploy(package(name), actor=ana)
    return engine


def take(engine: Engine) -> Job:
    with engine.database.begin() as tx:
        job = job_rows.take(tx, engine.clock(), engine.clock() + timedelta(minutes=1))
    assert job is not None
    return job


def kinds(engine: Engine, case: str) -> list[str]:
    return [event["kind"] for step in engine.queries.history(case) for event in step.events]


def test_a_timer_is_reported_and_ends_with_its_task(ready: Engine, clock: Clock) -> None:
    case = ready.start("timer_boundary", {"reminded": 0, "days": 10}, actor=alice)
    assert [(w.element, w.due) for w in case.waits] == [
        ("Remind", clock() + timedelta(days=1)),
        ("GiveUp", clock() + timedelta(days=10)),
    ]
    assert ready.queries.counts()["jobs"]["waiting"] == 2
    case = ready.complete(case.tasks[0].id, {}, actor=alice)
    assert [wait.element for wait in case.waits] == ["SubLate"]
    assert ready.queries.counts()["jobs"]["waiting"] == 1
    ready.cases.cancel(case.id, "because", actor=alice)
    assert ready.queries.counts()["jobs"]["waiting"] == 0
    assert ready.verify(case.id) == []


def test_a_cycle_goes_on_from_its_own_times_when_the_worker_was_away(ready: Engine, clock: Clock) -> None:
    began = clock()
    case = ready.start("timer_boundary", {"reminded": 0, "days": 10}, actor=alice).id
    clock.forward(days=2, hours=1)
    assert Worker(ready).run_due() == 2
    assert ready.queries.rebuild(case).data["reminded"] == 2
    assert ready.instance(case).waits[-1].due == began + timedelta(days=3)
    assert kinds(ready, case).count("TimerFired") == 2
    assert ready.verify(case) == []


def reminding(cycle: str, missed: str) -> Package:
    """`timer_boundary` with another cycle, and a word on what becomes of the times that were missed."""
    said = (
        '<bpmn:extensionElements xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core"><s:properties>'
        f'<s:property name="missed" value="{missed}"/></s:properties></bpmn:extensionElements>'
    )
    name, files = "timer_boundary.bpmn", dict(package("timer_boundary").files)
    text = files[name].decode()
    begins = text.index(">", text.index('<bpmn:boundaryEvent id="Remind"')) + 1
    body = text[begins:].replace("R3/P1D", cycle, 1)
    return Package(files | {name: f"{text[:begins]}{said}{body}".encode()})


@pytest.mark.parametrize(
    ("cycle", "away_days", "days_to_next"),
    [("R/P1D", 3.5, 4), ("R/P1D", 3, 4), ("R9/P1D", 3.5, 4), ("R3/P1D", 3.5, None), ("R/P1D", 1, 2)],
)
def test_a_cycle_can_leave_out_what_was_missed(
    engine: Engine, clock: Clock, cycle: str, away_days: float, days_to_next: int | None
) -> None:
    engine.deploy(reminding(cycle, "skip"), actor=ana)
    began = clock()
    case = engine.start("timer_boundary", {"reminded": 0, "days": 10}, actor=alice).id
    clock.forward(days=away_days)
    assert Worker(engine).run_due() == 1
    due = [wait.due for wait in engine.instance(case).waits if wait.element == "Remind"]
    assert due == ([began + timedelta(days=days_to_next)] if days_to_next else [])
    if cycle == "R9/P1D":
        clock.forward(days=1)
        assert Worker(engine).run_due() == 1
        started = [event for step in engine.queries.history(case) for event in step.events if "left" in event]
        assert [event["left"] for event in started] == [8, 5, 4]
    assert engine.verify(case) == []


@pytest.mark.parametrize(("missed", "refused"), [("skip", False), ("all", False), ("some", True), ("", True)])
def test_what_becomes_of_missed_times_is_one_of_two(engine: Engine, missed: str, refused: bool) -> None:
    found = [one for one in engine.deployments.check(reminding("R/P1D", missed)) if one.element == "Remind"]
    assert [(one.severity, one.rule) for one in found] == ([("error", "property")] if refused else [])


def test_a_lease_that_passed_on_fires_nothing_again(ready: Engine, clock: Clock) -> None:
    case = ready.start("timer_boundary", {"reminded": 0, "days": 10}, actor=alice).id
    clock.forward(days=1)
    late = take(ready)
    clock.forward(minutes=2)
    assert Worker(ready).run_due() == 1
    assert ready.incoming.fire_timer(late) is None
    assert kinds(ready, case).count("TimerFired") == 1


def test_a_worker_killed_before_or_after_the_step_fires_a_timer_once(
    ready: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(_name: str) -> None:
        raise Killed

    case = ready.start("timer_boundary", {"reminded": 0, "days": 10}, actor=alice).id
    clock.forward(days=1)
    monkeypatch.setattr(job_work, "fault_point", kill)
    with pytest.raises(Killed):
        Worker(ready).run_due()
    monkeypatch.undo()
    assert kinds(ready, case).count("TimerFired") == 0
    clock.forward(minutes=30)
    Worker(ready).run_due()
    assert kinds(ready, case).count("TimerFired") == 1
    assert ready.verify(case) == []


def test_a_timer_taken_up_early_is_put_back(ready: Engine, clock: Clock) -> None:
    case = ready.start("timer_boundary", {"reminded": 0, "days": 10}, actor=alice).id
    clock.forward(days=1)
    job = take(ready)
    clock.forward(hours=-1)
    assert ready.incoming.fire_timer(job) is None
    assert Worker(ready).run_due() == 0
    clock.forward(hours=1)
    assert Worker(ready).run_due() == 1
    assert kinds(ready, case).count("TimerFired") == 1


def test_a_timer_that_no_try_brings_is_an_incident_and_can_be_tried_again(ready: Engine, clock: Clock) -> None:
    case = ready.start("timer_boundary", {"reminded": 0, "days": 10}, actor=alice).id
    clock.forward(days=1)
    for _ in range(ready.settings.job_attempts):
        take(ready)
        clock.forward(minutes=2)
    Worker(ready).run_due(at_most=1)
    assert ready.instance(case).status == "incident"
    ready.cases.retry(case, actor=alice)
    Worker(ready).run_due()
    assert ready.queries.rebuild(case).data["reminded"] == 1
    assert ready.verify(case) == []


def test_a_message_is_delivered_once_by_key_and_never_lost_in_silence(ready: Engine) -> None:
    case = ready.start("message_catch", {}, actor=alice, business_key="b1").id

    def paid(key: str = "k", **more: object) -> object:
        return ready.incoming.deliver_message(
            "Paid", {"sum": 1, **more}, actor=alice, business_key="b1", key=key
        ).revision

    assert paid() == paid() == 2
    with pytest.raises(InvalidSubmission):
        paid(more=1)
    with pytest.raises(NotFound, match=f"{case} waits for “News”"):
        paid(key="k2")
    with pytest.raises(NotFound, match="No case with the key “b2” is under way"):
        ready.incoming.deliver_message("Paid", {}, actor=alice, business_key="b2")
    with pytest.raises(NotFound, match="waits for “News”"):
        ready.incoming.deliver_message("Paid", {}, actor=alice, instance=case)
    assert ready.queries.rebuild(case).data == {"payment": {"sum": 1}}
    assert ready.verify(case) == []


def test_two_waiting_cases_must_be_distinguished(ready: Engine) -> None:
    one = ready.start("message_catch", {}, actor=alice, business_key="b1").id
    two = ready.start("message_catch", {}, actor=alice, business_key="b1").id
    with pytest.raises(Conflict, match="2 cases wait"):
        ready.incoming.deliver_message("Paid", {}, actor=alice, business_key="b1")
    ready.incoming.deliver_message("Paid", {}, actor=alice, instance=one)
    ready.incoming.deliver_message("Paid", {}, actor=alice, business_key="b1")
    assert ready.instance(one).at == ready.instance(two).at == ("Papers",)


@pytest.mark.parametrize("more", [{}, {"business_key": "b", "instance": "i"}])
def test_a_message_names_one_case(ready: Engine, more: dict[str, str]) -> None:
    with pytest.raises(InvalidSubmission):
        ready.incoming.deliver_message("Paid", {}, actor=alice, **more)  # type: ignore[arg-type]
    with pytest.raises(InvalidSubmission):
        ready.incoming.deliver_message("Paid", {"__x": 1}, actor=alice, business_key="b")
    with pytest.raises(NotAllowed):
        ready.incoming.deliver_message("Paid", {}, actor=ana, business_key="b")


def test_a_message_whose_step_fails_is_kept_with_its_incident(ready: Engine) -> None:
    case = ready.start("failing", {}, actor=alice, business_key="b1")
    case = ready.incoming.deliver_message("News", {"text": "hello"}, actor=alice, business_key="b1")
    assert (case.status, case.waits[0].message) == ("incident", "News")
    assert ready.queries.counts()["jobs"] == {"waiting": 0, "parked": 1}
    assert ready.verify(case.id) == []
    ready.cases.retry(case.id, actor=alice)
    Worker(ready).run_due()
    assert ready.instance(case.id).status == "incident"
    ready.incoming.deliver_message("News", {"text": "x"}, actor=alice, business_key="b1")
    case = ready.incoming.deliver_message("News", {"n": 2}, actor=alice, business_key="b1")
    assert (case.outcome, ready.queries.rebuild(case.id).data["half"]) == ("Over", 1)
    assert ready.queries.counts()["jobs"] == {"waiting": 0, "parked": 0}
    assert ready.verify(case.id) == []


def test_an_item_fills_its_own_form_and_leaves_the_data_alone(ready: Engine, outside: Outside) -> None:
    people = [{"name": "Ann"}, {"name": "Bob"}]
    case = ready.start("items_parallel", {"people": people, "enough": 2}, actor=alice)
    first, second = (ready.inbox.task(task.id, alice) for task in case.tasks)
    assert (first.message, second.message) == ("Ask Ann, number 1", "Ask Bob, number 2")
    assert (first.initial, second.initial) == ({"word": "Ann"}, {"word": "Bob"})
    assert set(ready.queries.rebuild(case.id).data) == {"people", "enough", "answers"}
    case = ready.complete(second.id, {"word": "b"}, actor=alice)
    assert ready.queries.rebuild(case.id).data["answers"] == [{"word": "b"}]
    case = ready.complete(first.id, {"word": "a"}, actor=alice)
    assert ready.queries.rebuild(case.id).data["answers"] == [{"word": "a"}, {"word": "b"}]
    assert ready.inbox.task(case.tasks[0].id, alice).message == "Dear Ann"
    outside.answers = [{"to": "Ann"}, {"to": "Bob"}]
    for task in case.tasks:
        case = ready.complete(task.id, {}, actor=alice)
    Worker(ready).run_due()
    data = ready.queries.rebuild(case.id).data
    assert (data["letters"], data["receipts"]) == (["Dear Ann", "Dear Bob"], [{"to": "Ann"}, {"to": "Bob"}])
    assert set(data) == {"people", "enough", "answers", "letters", "receipts"}


@pytest.mark.parametrize(("people", "words"), [("Ann", "must be a list"), ([1] * 201, "200 items at most")])
def test_what_cannot_be_gone_through_is_an_incident(ready: Engine, people: object, words: str) -> None:
    case = ready.start("items_parallel", {"people": people, "enough": 1}, actor=alice)
    assert case.status == "incident" and case.incident is not None and words in case.incident
    assert ready.verify(case.id) == []


def test_others_do_not_see_the_items_of_a_group(ready: Engine) -> None:
    case = ready.start("items_parallel", {"people": [{"name": "Ann"}], "enough": 1}, actor=SYSTEM)
    with pytest.raises(NotFound):
        ready.complete(case.tasks[0].id, {"word": "w"}, actor=charlie)


def test_a_boundary_event_shares_data_with_the_flow_and_the_end(ready: Engine) -> None:
    case = ready.start("message_boundary", {"heard": []}, actor=alice, business_key="b1")
    for text in ("a", "b"):
        case = ready.incoming.deliver_message("News", {"text": text}, actor=alice, business_key="b1")
        assert ready.queries.rebuild(case.id).data["heard"][-1] == text
    case = ready.complete(case.tasks[0].id, {}, actor=alice)
    assert (case.outcome, ready.queries.rebuild(case.id).data["heard"]) == ("Done", ["a", "b"])
    assert ready.verify(case.id) == []
