"""One act on many tasks: tried first, then each done in its own step; one that fails stops no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Clock, Outside, alice, bob, charlie, package
from usher_engine import Actor, Conflict, Engine, InvalidSubmission, NotFound
from usher_engine.cases import BulkAct, TaskAct, TaskFilter, TaskOrder, TaskOutcome

lead = Actor(name="lena", role="staff", groups=frozenset({"Front desk", "Leads"}))


@pytest.fixture
def twelve(engine: Engine, outside: Outside) -> list[str]:
    """The ids of twelve open tasks of one kind."""
    engine.deploy(package("small"), actor=alice)
    for number in range(12):
        outside.answers.append({"n": 2})
        engine.start("small", {"q": 2}, actor=alice, business_key=f"p{number}")
    return [task.id for task in engine.inbox.tasks(alice)]


def finish(engine: Engine, batch: str) -> None:
    while engine.batches.work(batch):
        pass


def outcomes(engine: Engine, batch: str) -> dict[str, int]:
    return {outcome.value: number for outcome, number in engine.task_runs.counts(batch).items()}


def test_bad_ones_are_explained_and_stop_nobody(engine: Engine, twelve: list[str]) -> None:
    engine.cases.claim(twelve[2], actor=bob)
    runs, bulk = engine.task_runs, BulkAct(act=TaskAct.COMPLETE, values={"word": "yes"})
    tasks = runs.choose(twelve, actor=alice)
    tried = runs.dry_run(tasks, bulk, actor=alice)
    assert (len(tried.fit), [reason for _, reason in tried.refused]) == (11, ["bob has claimed this task."])
    run = runs.ask(tasks, bulk, actor=alice)
    engine.complete(twelve[5], {"word": "no"}, actor=bob)  # faster than the run
    engine.cases.cancel(twelve[9].partition(":")[0], "moved away", actor=bob)
    finish(engine, run.id)
    found = runs.find(run.id, actor=alice)
    assert (found.status, found.done, found.total) == ("done", 12, 12)
    assert outcomes(engine, run.id) == {"done": 9, "refused": 3}
    reasons = {one.task: one.reason for one in runs.listed(run.id, TaskOutcome.REFUSED)}
    assert reasons == {
        twelve[2]: "bob has claimed this task.",
        twelve[5]: "bob completed this task.",
        twelve[9]: "bob cancelled the case.",
    }
    for task in twelve:
        assert engine.verify(task.partition(":")[0]) == []
    assert engine.inbox.task(twelve[2]).assignee == "bob"


def test_a_form_that_does_not_fit_is_said_before(engine: Engine, twelve: list[str]) -> None:
    tasks = engine.task_runs.choose(twelve[:3], actor=alice)
    tried = engine.task_runs.dry_run(tasks, BulkAct(act=TaskAct.COMPLETE), actor=alice)
    assert tried.fit == () and len(tried.refused) == 3
    assert all(reason for _, reason in tried.refused)
    assert engine.instance(twelve[0].partition(":")[0]).revision == tasks[0].revision, "nothing was written"


def test_a_run_stopped_leaves_the_rest_as_it_was(engine: Engine, twelve: list[str]) -> None:
    runs = engine.task_runs
    run = runs.ask(runs.choose(twelve, actor=alice), BulkAct(act=TaskAct.CLAIM), actor=alice)
    assert engine.batches.work(run.id)
    runs.stop(run.id, actor=alice)
    finish(engine, run.id)
    assert outcomes(engine, run.id) == {"done": 10, "waiting": 2}
    assert engine.inbox.count_tasks(alice, mine=True) == 10
    with pytest.raises(Conflict, match="ended already"):
        runs.stop(run.id, actor=alice)


def test_a_worker_that_stopped_between_deed_and_note_does_not_do_it_twice(engine: Engine, twelve: list[str]) -> None:
    runs = engine.task_runs
    bulk = BulkAct(act=TaskAct.COMPLETE, values={"word": "yes"})
    run = runs.ask(runs.choose(twelve[:2], actor=alice), bulk, actor=alice)
    engine.complete(twelve[0], {"word": "yes"}, actor=alice)  # done by the run, and not noted
    finish(engine, run.id)
    assert outcomes(engine, run.id) == {"done": 2}


def test_assign_date_and_put_off_many(engine: Engine, twelve: list[str], clock: Clock) -> None:
    runs, day = engine.task_runs, engine.settings.calendar.day_of(clock()) + timedelta(days=2)
    for bulk in (
        BulkAct(act=TaskAct.ASSIGN, to=alice, note="while bob is away"),
        BulkAct(act=TaskAct.SET_DUE, day=day),
        BulkAct(act=TaskAct.PUT_OFF, day=day),
    ):
        chosen = runs.choose_all(TaskFilter(), TaskOrder.DUE, actor=alice)
        run = runs.ask(chosen, bulk, actor=alice)
        finish(engine, run.id)
        assert outcomes(engine, run.id) == {"done": 12}
    assert engine.inbox.tasks(alice) == []
    assert engine.inbox.count(alice, TaskFilter(put_off=True, assignee="alice")) == 12
    assert engine.verify(twelve[0].partition(":")[0]) == []


def test_only_who_asked_and_leads_see_a_run_and_nobody_chooses_what_they_cannot_see(
    engine: Engine, twelve: list[str]
) -> None:
    runs = engine.task_runs
    assert runs.choose(twelve, actor=charlie) == []
    with pytest.raises(InvalidSubmission, match="None of these tasks is open"):
        runs.ask([], BulkAct(act=TaskAct.CLAIM), actor=charlie)
    run = runs.ask(runs.choose(twelve, actor=alice), BulkAct(act=TaskAct.CLAIM), actor=alice)
    assert runs.find(run.id, actor=lead).total == 12
    for other in (bob, charlie):
        with pytest.raises(NotFound):
            runs.find(run.id, actor=other)
        with pytest.raises(NotFound):
            runs.stop(run.id, actor=other)


def test_what_is_missing_is_asked_for(engine: Engine, twelve: list[str]) -> None:
    tasks = engine.task_runs.choose(twelve, actor=alice)
    for act in (TaskAct.ASSIGN, TaskAct.PUT_OFF):
        with pytest.raises(InvalidSubmission, match="Choose"):
            engine.task_runs.ask(tasks, BulkAct(act=act), actor=alice)
