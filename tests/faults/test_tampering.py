"""F9, F11, F12: Usher refuses cases with rows changed behind its back; the others go on. A long case stays open."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from conftest import SECRET, Clock, Outside, alice, bob, package
from sqlalchemy import make_url
from usher_engine import Corrupt, Database, Engine, Mode, Operator, Parameter, Services, Settings, Worker
from usher_engine.services import Call
from usher_engine.store import instance_rows
from usher_engine.store.tables import engine_tables

ROUNDS = 400


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=alice)
    return engine


def open_case(engine: Engine, outside: Outside) -> str:
    outside.answers = [{"n": 2}]
    return engine.start("small", {"q": 2}, actor=alice, business_key="p1").id


def complete(engine: Engine, case: str) -> str:
    return engine.complete(f"{case}:U:1", {"word": "x"}, actor=alice).status


# F9: the history


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE step SET body = hash",
        "DELETE FROM step",
        "DELETE FROM step WHERE revision = 2",
        pytest.param(
            {
                "sqlite": "INSERT OR REPLACE INTO step (instance, revision, body, hash)"
                " SELECT instance, revision, hash, hash FROM step",
                "postgresql": "INSERT INTO step (instance, revision, body, hash)"
                " SELECT instance, revision, hash, hash FROM step"
                " ON CONFLICT (instance, revision) DO UPDATE SET body = excluded.body",
            },
            id="replace",
        ),
        pytest.param(
            {
                "sqlite": "INSERT OR REPLACE INTO step (rowid, instance, revision, body, hash)"
                " SELECT rowid, instance, revision + 7, hash, hash FROM step",
                "postgresql": "MERGE INTO step USING instance ON step.instance = instance.id"
                " WHEN MATCHED THEN DELETE",
            },
            id="replace by rowid",
        ),
        pytest.param({"sqlite": "UPDATE OR REPLACE step SET revision = 2", "postgresql": "TRUNCATE step"}, id="other"),
    ],
)
def test_a_step_changed_by_hand(
    statement: str | dict[str, str], small: Engine, outside: Outside, database_url: str
) -> None:
    """With the database's own client, which bypasses Usher's code."""
    case = open_case(small, outside)
    complete(small, case)
    before = small.queries.history(case)
    kind = make_url(database_url).get_backend_name()
    with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
        by_hand(database_url, statement if isinstance(statement, str) else statement[kind])
    assert small.queries.history(case) == before


def by_hand(database_url: str, statement: str) -> None:
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        with contextlib.closing(sqlite3.connect(str(url.database))) as client:
            client.execute(statement)
    else:
        with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as client:
            client.execute(statement)


# F12: the state


def poison(engine: Engine, case: str, change: Callable[[str], str], *, resealed: bool = True) -> None:
    """Change the stored state of *case*; if *resealed*, as an attacker with the key would."""
    with engine.database.begin() as tx:
        row = instance_rows.find(tx, case)
        row.state = change(row.state or "")
        if resealed:
            row.seal = instance_rows.seal(b"state:" + SECRET.encode(), row.state)
        instance_rows._save_state(tx, row, new=False)


def edited(*path: str | int, to: Any) -> Callable[[str], str]:
    """Return a function that changes one value in the stored JSON."""

    def change(text: str) -> str:
        record = json.loads(text)
        target = record
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = to
        return json.dumps(record)

    return change


POISONS = {
    "bad JSON": lambda text: text[:-7],
    "empty": lambda _text: "",
    "another kind of JSON": lambda _text: "[]",
    "null": lambda _text: "null",
    "no state": lambda text: json.dumps({"workflow": json.loads(text)["workflow"]}),
    "no workflow": lambda text: json.dumps({"state": json.loads(text)["state"]}),
    "a state with unknown parts": edited("state", "surprise", to=1),
    "a state with wrong parts": edited("state", "tasks", to=[1]),
    "a workflow of another kind": edited("workflow", to=[1, 2]),
    "an old serializer version": edited("workflow", "serializer_version", to="1.1"),
    "typename": edited("workflow", "data", to={"typename": "UserTask"}),
    "a task's typename": edited("workflow", "tasks", 0, "typename", to="BpmnWorkflow"),
    "an unknown element": edited("workflow", "tasks", 0, "spec", to="Nowhere"),
}
#: Readable states that do not fit their diagram: a step can record an incident on the case.
UNFIT = ("an old serializer version", "typename", "a task's typename", "an unknown element")


@pytest.mark.parametrize("what", [*POISONS, "a wrong seal"])
def test_a_poisoned_state(what: str, small: Engine, outside: Outside, clock: Clock) -> None:
    good, bad = open_case(small, outside), open_case(small, outside)
    poison(small, bad, POISONS.get(what, lambda text: text.replace('"n":2', '"n":7')), resealed=what != "a wrong seal")

    if what in UNFIT:
        assert complete(small, bad) == "incident"
        assert "Ask an administrator to repair this case" in small.instance(bad).incident
    else:
        with pytest.raises(Corrupt, match="stored state"):
            complete(small, bad)
    written = 2 if what in UNFIT else 1
    assert (small.instance(bad).revision, len(small.queries.history(bad))) == (written, written)
    assert {one.id for one in small.queries.instances(business_key="p1")} == {good, bad}, "it breaks no list"
    assert {task.instance for task in small.inbox.tasks(alice)} == {good, bad}
    assert small.queries.instances(status="waiting")

    assert complete(small, good) == "waiting"
    assert Worker(small).run_due() == 1
    assert small.instance(good).status == "finished"
    assert small.cases.cancel(bad, "its state was altered", actor=bob).status == "cancelled"
    assert small.queries.rebuild(bad).status == "cancelled"


def test_what_a_poisoned_case_shows(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    poison(small, case, POISONS["bad JSON"])
    shown = small.instance(case)
    assert shown.status == "incident"
    assert "stored state" in (shown.incident or "")


def test_a_job_of_a_poisoned_case_delays_no_other(small: Engine, outside: Outside, clock: Clock) -> None:
    bad, good = open_case(small, outside), open_case(small, outside)
    for case in (bad, good):
        complete(small, case)
    with small.database.read() as tx:
        healthy = instance_rows.find(tx, bad)
    poison(small, bad, POISONS["bad JSON"])
    outside.calls.clear()
    for _ in range(3):
        Worker(small).run_due()
        assert small.instance(good).status == "finished"
        clock.forward(days=1)
    assert [call.instance for call in outside.calls].count(bad) == 1, "the service is not called again"

    with small.database.begin() as tx:
        instance_rows._save_state(tx, healthy, new=False)
    Worker(small).run_due()
    assert small.instance(bad).status == "finished", "it goes on once its state is back"


def test_another_secret_key_changes_nothing(small: Engine, outside: Outside, clock: Clock) -> None:
    """An operator who starts Usher with a wrong key sees it on every case, and nothing is lost."""
    case = open_case(small, outside)
    mistaken = replace(small.settings, secret_key="another key, just as long as it has to be")
    other = Engine(mistaken, small.services, clock, small.database)
    assert "secret key" in (other.instance(case).incident or "")
    with pytest.raises(Corrupt, match="secret key"):
        complete(other, case)
    assert complete(small, case) == "waiting"


# a failed step leaves nothing, also when retried


def test_a_retry_that_fails_leaves_nothing_half_done(settings: Settings, clock: Clock, database: Database) -> None:
    """The operator writes before the next element fails: both times the rollback of the step undoes the write."""

    def write(_given: Any, call: Call) -> dict[str, str]:
        call.transaction.execute(engine_tables.package.insert(), {"hash": f"note by {call.actor}", "content": b""})
        return {"nothing": "to count"}

    value = (Parameter(name="value", shape={}, required=False),)
    operator = Operator(name="test/read", title="Write", mode=Mode.WRITE, call=write, parameters=value)
    effect = Operator(
        name="test/effect", title="Effect", mode=Mode.EFFECT, call=write, parameters=value, errors={"no": "No."}
    )
    engine = Engine(settings, Services((operator, effect)), clock, database)
    engine.deploy(package("small"), actor=alice)
    failed = engine.start("small", {"q": 1}, actor=alice)
    assert failed.status == "incident"
    assert engine.cases.retry(failed.id, actor=alice).status == "incident"
    assert len(engine.queries.history(failed.id)) == 2
    with engine.database.read() as tx:
        assert tx.execute(engine_tables.package.select().where(engine_tables.package.c.content == b"")).all() == []


# F11: a case of many rounds


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_long_case_stays_in_the_inbox(small: Engine, outside: Outside) -> None:
    """SpiffWorkflow alone loses sight of it after 333 rounds."""
    outside.answers = [{"n": ROUNDS + 2}]
    case = small.start("small", {"q": 1}, actor=alice).id
    worker = Worker(small)
    for visit in range(1, ROUNDS + 1):
        (task,) = small.inbox.tasks(alice)
        assert task.id == f"{case}:U:{visit}"
        small.complete(task.id, {"word": "again"}, actor=alice, revision=task.revision)
        assert worker.run_due() == 1
    (task,) = small.inbox.tasks(alice)
    assert task.message == "n is 2"
    assert len(small.queries.history(case)) == 1 + 2 * ROUNDS
    small.complete(task.id, {"word": "enough"}, actor=alice)
    worker.run_due()
    assert small.instance(case).outcome == "E2"
