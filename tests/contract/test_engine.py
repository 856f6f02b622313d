"""The use-cases, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from conftest import Clock, Outside, alice, bob, charlie, package
from usher_engine import Actor, Conflict, Engine, InvalidSubmission, NotAllowed, NotFound, Worker
from usher_engine.core.state import InstanceState
from usher_engine.store import Database, job_rows

ADMIN = Actor(name="ana", role="analyst")


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=ADMIN, note="first")
    return engine


def open_case(engine: Engine, outside: Outside, n: int = 2) -> str:
    outside.answers.append({"n": n})
    return engine.start("small", {"q": n}, actor=alice).id


def test_a_case_runs_from_start_to_end(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    started = small.instance(case)
    assert (started.status, started.at, started.revision) == ("waiting", ("U",), 1)
    task = small.inbox.tasks(alice)[0]
    assert (task.title, task.message, task.group, task.cancellable) == ("Do it", "n is 2", "Front desk", True)
    assert task.due is not None and (task.due - task.created).days == 2

    answered = small.complete(task.id, {"word": "yes"}, actor=alice, revision=task.revision)
    assert answered.at == ("Send",)
    assert Worker(small).run_due() == 1

    done = small.instance(case)
    assert (done.status, done.outcome, done.tasks) == ("finished", "E2", ())
    assert small.queries.rebuild(case).data["answered"] == {"word": "yes"}
    assert [step.command["kind"] for step in small.queries.history(case)] == ["start", "complete", "finish_job"]
    assert small.queries.counts()["jobs"] == {"waiting": 0, "parked": 0}


def test_rebuild_gives_the_stored_state_at_every_revision(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside, n=5)
    for _ in range(2):
        small.complete(small.inbox.tasks(alice)[0].id, {"word": "again"}, actor=alice)
        Worker(small).run_due()
    with small.database.begin() as tx:
        stored = small.steps.open(tx, case, None).state
    assert small.queries.rebuild(case) == stored
    assert small.queries.rebuild(case, 1).visits["U"] == 1
    assert isinstance(small.queries.rebuild(case), InstanceState) and stored.visits["U"] == 3


def test_same_key_starts_one_instance_and_another_body_is_refused(small: Engine, outside: Outside) -> None:
    outside.answers += [{"n": 2}, {"n": 2}]
    first = small.start("small", {"q": 2}, actor=alice, key="k1", source="ehr")
    assert small.start("small", {"q": 2}, actor=alice, key="k1", source="ehr").id == first.id
    assert small.start("small", {"q": 2}, actor=alice, key="k1", source="other").id != first.id
    with pytest.raises(InvalidSubmission, match="Idempotency-Key"):
        small.start("small", {"q": 3}, actor=alice, key="k1", source="ehr")


def test_one_live_case_for_a_business_key(small: Engine, outside: Outside) -> None:
    outside.answers += [{"n": 2}, {"n": 2}]
    first = small.start("small", {"q": 2}, actor=alice, business_key="p1", one_live=True)
    assert small.start("small", {"q": 9}, actor=bob, business_key="p1", one_live=True, key="k").id == first.id
    small.cases.cancel(first.id, "test", actor=alice)
    assert small.start("small", {"q": 9}, actor=bob, business_key="p1", one_live=True).id != first.id
    assert small.start("small", {"q": 9}, actor=bob, business_key="p1", one_live=True, key="k").id == first.id


def test_the_second_to_complete_learns_who_was_faster(small: Engine, outside: Outside, clock: Clock) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0]
    small.complete(task.id, {"word": "mine"}, actor=alice, revision=task.revision)
    with pytest.raises(Conflict) as lost:
        small.complete(task.id, {"word": "late"}, actor=bob, revision=task.revision)
    assert (lost.value.winner, lost.value.at) == ("alice", clock())
    with pytest.raises(Conflict):
        small.inbox.task(task.id, bob)


def test_a_claimed_task_is_for_its_owner(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0]
    small.cases.claim(task.id, actor=alice)
    with pytest.raises(NotAllowed, match="alice"):
        small.complete(task.id, {"word": "x"}, actor=bob)
    with pytest.raises(Conflict, match="changed this case"):
        small.complete(task.id, {"word": "x"}, actor=alice, revision=task.revision)
    small.cases.release(task.id, actor=alice)
    assert small.cases.claim(task.id, actor=bob).tasks[0].assignee == "bob"


def test_tasks_of_other_groups_do_not_exist(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0]
    assert small.inbox.tasks(charlie) == [] and small.inbox.count_tasks(charlie) == 0
    for attempt in (small.cases.claim, small.cases.release):
        with pytest.raises(NotFound):
            attempt(task.id, actor=charlie)
    with pytest.raises(NotFound):
        small.inbox.task(task.id, charlie)
    with pytest.raises(NotAllowed):
        small.complete(task.id, {"word": "x"}, actor=Actor(name="audrey", role="auditor"))


def test_wrong_fields_are_named_and_nothing_moves(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    task = small.inbox.tasks(alice)[0]
    with pytest.raises(InvalidSubmission) as wrong:
        small.complete(task.id, {"word": "", "extra": 1}, actor=alice)
    assert {"word", "extra"} <= set(wrong.value.fields)
    assert small.instance(case).revision == 1


def test_who_ends_a_case_that_is_not_their_work_is_in_the_audit_stream(small: Engine, database: Database) -> None:
    """Also where its stored state cannot be read."""
    case, other = (small.start("small", {"n": n}, actor=alice, business_key=f"p{n}").id for n in (1, 2))
    with database.begin() as tx:
        tx.exec_driver_sql(f"UPDATE instance_state SET content = '{{' WHERE instance = '{case}'")
    small.cases.cancel(other, "moved away", actor=alice)
    small.cases.cancel(case, "cannot be read", actor=Actor(name="adam", role="admin"))
    assert small.instance(case).status == small.instance(other).status == "cancelled"
    (event,) = small.audit.events(kind="CaseCancelled")
    assert (event.actor, event.subject, event.business_key, event.why) == ("adam", case, "p1", "cannot be read")
    assert small.verify(case) == []


def test_cancelling_takes_the_drawn_way_and_needs_a_reason(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    task = small.inbox.tasks(alice)[0]
    with pytest.raises(InvalidSubmission):
        small.cases.cancel_task(task.id, " \u200b", actor=alice)
    small.cases.cancel_task(task.id, "moved away", actor=alice)
    assert small.instance(case).outcome == "Cancelled"
    assert small.queries.rebuild(case).data["cancelled"] == {"by": "alice", "reason": "moved away", "element": "U"}


def test_a_refusal_by_a_service_takes_the_error_boundary(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    outside.refuse("no")
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "x"}, actor=alice)
    Worker(small).run_due()
    assert small.instance(case).outcome == "No"


def test_transient_failures_back_off_and_end_in_an_incident(small: Engine, outside: Outside, clock: Clock) -> None:
    case = open_case(small, outside)
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "x"}, actor=alice)
    worker = Worker(small)
    attempts = small.settings.job_attempts
    for attempt in range(1, attempts + 1):
        outside.fail(retry=True)
        assert worker.run_due() == 1, attempt
        assert worker.run_due() == 0
        clock.forward(seconds=30 * 2 ** (attempt - 1))
    stuck = small.instance(case)
    assert (stuck.status, stuck.incident) == ("incident", "The service did not answer.")
    assert len(outside.calls) == 1 + attempts and len({call.key for call in outside.calls[1:]}) == 1

    small.cases.retry(case, actor=alice)
    worker.run_due()
    assert small.instance(case).status == "finished"


def test_a_permanent_failure_is_an_incident_at_once(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "x"}, actor=alice)
    outside.fail(retry=False)
    Worker(small).run_due()
    assert small.instance(case).status == "incident"
    assert small.queries.counts()["jobs"] == {"waiting": 0, "parked": 1}


def test_a_failing_script_keeps_the_task_and_what_was_typed(small: Engine, outside: Outside) -> None:
    outside.answers.append({"n": 2, "no": "way"})
    case = small.start("small", {"q": 2}, actor=alice).id
    with small.database.begin() as tx:
        held = small.steps.open(tx, case, None)
    assert held.state.data["got"] == {"n": 2, "no": "way"}
    outside.answers.append({"nothing": "to count"})
    other = small.start("small", {"q": 2}, actor=alice)
    assert other.status == "incident" and "n" in (other.incident or "")


def test_a_start_that_fails_can_be_tried_again(small: Engine, outside: Outside) -> None:
    outside.fail(retry=True)
    case = small.start("small", {"q": 2}, actor=alice)
    assert (case.status, case.incident) == ("incident", "The service did not answer.")
    outside.answers.append({"n": 2})
    assert small.cases.retry(case.id, actor=alice).at == ("U",)
    assert small.queries.rebuild(case.id).visits["Load"] == 1


def test_facts_can_be_recorded_after_the_end(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside, n=0)
    assert small.instance(case).status == "finished"
    small.steps.record(case, "Answer given", {"answer": "accept"}, actor=Actor(name="patient", role="patient"))
    last = small.queries.history(case)[-1]
    assert (last.revision, last.events[0]["name"]) == (2, "Answer given")


def test_history_refuses_to_be_changed(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    for statement in ("UPDATE step SET body = '{}'", "DELETE FROM step"):
        with pytest.raises(Exception, match="append-only"), small.database.begin() as tx:
            tx.exec_driver_sql(statement)
    assert len(small.queries.history(case)) == 1


def test_a_state_altered_by_hand_is_refused(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0]
    with small.database.begin() as tx:
        tx.exec_driver_sql("""UPDATE instance_state SET content = replace(content, '"n":2', '"n":7')""")
    from usher_engine import Corrupt

    with pytest.raises(Corrupt, match="altered"):
        small.complete(task.id, {"word": "x"}, actor=alice)


def test_a_report_after_the_end_is_a_fact(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "x"}, actor=alice)
    with small.database.begin() as tx:
        job = job_rows.take(tx, small.clock(), small.clock())
    assert job is not None
    small.cases.cancel(case, "never mind", actor=alice)
    assert small.job_results.finish(job, {"sent": True}) is None
    fact = small.queries.history(case)[-1].events[0]
    assert fact["name"] == "Service reported after the end" and fact["details"]["result"] == {"sent": True}
