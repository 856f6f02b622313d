"""What eight threads ask for at the same moment, on each database: done once, and the others learn what happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from conftest import Outside, alice, package
from sqlalchemy import text
from threads import at_once
from usher_engine import Actor, Conflict, Engine, EngineError
from usher_engine.checkpoints import checkpointer, take
from usher_engine.checkpoints.checkpoint_file import append_lines
from usher_engine.store import Database, instance_rows, job_rows

THREADS = 8
ANA = Actor(name="ana", role="analyst")


def staff(number: int) -> Actor:
    return Actor(name=f"staff{number}", role="staff", groups=frozenset({"Front desk"}))


@pytest.fixture
def small(engine: Engine, outside: Outside) -> Engine:
    engine.deploy(package("small"), actor=ANA)
    outside.answers += [{"n": 2}] * 2 * THREADS
    return engine


def kinds(engine: Engine, case: str) -> list[str]:
    return [str(step.command["kind"]) for step in engine.queries.history(case)]


def answered(work: Callable[[int], object]) -> tuple[list[object], list[EngineError]]:
    """The results of the threads and the messages of refused ones; raises any other exception of a thread."""
    answers = at_once(THREADS, work)
    refused = [answer for answer in answers if isinstance(answer, EngineError)]
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, EngineError):
            raise answer
    return [answer for answer in answers if not isinstance(answer, Exception)], refused


def test_a_key_starts_one_case_and_names_it_to_all(small: Engine) -> None:
    ids, refused = answered(lambda _: small.start("small", {"q": 2}, actor=alice, key="k", source="ehr").id)
    assert len(ids) == THREADS and len(set(ids)) == 1 and refused == []
    assert len(small.queries.instances()) == 1 and kinds(small, str(ids[0])) == ["start"]


def test_other_data_under_one_key_are_refused_in_either_order(small: Engine) -> None:
    ids, refused = answered(lambda n: small.start("small", {"q": n}, actor=alice, key="k", source="ehr").id)
    assert len(ids) == 1 and len(small.queries.instances()) == 1
    assert {type(error).__name__ for error in refused} == {"InvalidSubmission"} and len(refused) == THREADS - 1


def test_one_live_case_for_one_business_key(small: Engine) -> None:
    def start(_: int) -> str:
        return small.start("small", {"q": 2}, actor=alice, business_key="p1", one_live=True).id

    ids, refused = answered(start)
    assert len(ids) == THREADS and len(set(ids)) == 1 and refused == []


def test_a_task_is_claimed_by_one_who_is_named_to_the_others(small: Engine) -> None:
    case = small.start("small", {"q": 2}, actor=alice)
    (task,) = case.tasks
    won, lost = answered(lambda n: small.cases.claim(task.id, actor=staff(n)).tasks[0].assignee)
    assert len(won) == 1 and len(lost) == THREADS - 1
    assert {error.message for error in lost} == {f"{won[0]} has claimed this task."}
    assert kinds(small, case.id) == ["start", "claim"]


def test_a_task_is_completed_once(small: Engine) -> None:
    case = small.start("small", {"q": 2}, actor=alice)
    (task,) = case.tasks
    won, lost = answered(lambda n: small.complete(task.id, {"word": f"{n}"}, actor=staff(n)).revision)
    assert won == [case.revision + 1] and len(lost) == THREADS - 1
    assert {type(error) for error in lost} == {Conflict}
    assert kinds(small, case.id) == ["start", "complete"]
    assert small.queries.counts()["jobs"] == {"waiting": 1, "parked": 0}


def test_a_result_that_is_reported_many_times_counts_once(small: Engine, database: Database) -> None:
    case = small.start("small", {"q": 1}, actor=alice)
    small.complete(case.tasks[0].id, {"word": "x"}, actor=alice)
    with database.begin() as tx:
        job = job_rows.take(tx, small.clock(), small.clock() + timedelta(minutes=1))
    assert job is not None
    done, refused = answered(lambda n: small.job_results.finish(job, {"by": n}))
    assert len(done) == THREADS and refused == []
    recorded = kinds(small, case.id)
    assert recorded[:3] == ["start", "complete", "finish_job"]
    assert recorded[3:] == ["record"] * (THREADS - 1), "what came late is kept beside it"


def test_a_message_is_delivered_once_under_one_key(engine: Engine) -> None:
    engine.deploy(package("message_catch"), actor=ANA)
    case = engine.start("message_catch", {}, actor=alice, business_key="p1").id

    def deliver(_: int) -> str:
        given = {"actor": alice, "business_key": "p1", "key": "m1", "source": "bank"}
        return engine.incoming.deliver_message("Paid", {"sum": 5}, **given).id  # type: ignore[arg-type]

    ids, refused = answered(deliver)
    assert ids == [case] * THREADS and refused == []
    assert kinds(engine, case) == ["start", "deliver_message"]


def test_versions_are_numbered_without_gaps(engine: Engine) -> None:
    def deploy(number: int) -> int:
        files = dict(package("small").files)
        files["small.bpmn"] = files["small.bpmn"].replace(b'name="Small"', b'name="Small %d"' % number)
        return engine.deploy(replace(package("small"), files=files), actor=ANA).number

    numbers, refused = answered(deploy)
    assert sorted(map(str, numbers)) == [str(number) for number in range(1, THREADS + 1)] and refused == []


def test_checkpoints_follow_each_other(small: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes what the one before left: none is signed twice, none is written twice or in another's place."""

    def after_a_moment(file: Path, lines: Iterable[str]) -> None:
        Event().wait(0.01)  # as on a slow disk: the next one has long signed
        append_lines(file, lines)

    monkeypatch.setattr(checkpointer, "append_lines", after_a_moment)
    for _ in range(4):
        small.start("small", {"q": 2}, actor=alice)
        answered(lambda _: take(small.database, small.settings, small.clock()))
    with open(small.settings.checkpoint_file, encoding="utf-8") as file:  # noqa: PTH123
        heads = [json.loads(line)["head"] for line in file]
    assert [head["number"] for head in heads] == list(range(1, len(heads) + 1))
    assert [head["size"] for head in heads] == sorted({head["size"] for head in heads})


def test_what_is_done_one_at_a_time_never_overlaps(database: Database) -> None:
    inside: Counter[str] = Counter()
    seen: list[int] = []

    def work(_: int) -> None:
        with database.begin() as tx:
            instance_rows.one_at_a_time(tx, "a test")
            inside["now"] += 1
            seen.append(inside["now"])
            for _ in range(5):
                tx.execute(text("SELECT 1"))  # a moment for the others
            inside["now"] -= 1

    assert at_once(THREADS, work) == [None] * THREADS
    assert seen == [1] * THREADS
