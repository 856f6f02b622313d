"""A case whose stored state is lost goes on from its history, wherever it stands, and verify finds nothing wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import ROOT, Clock, Outside, alice, package
from drawn_timers import drawn
from live_examples import Live
from sqlalchemy import update
from usher_engine import Actor, CannotMigrate, Conflict, Corrupt, Engine, Instance, NotAllowed, NotFound, Worker
from usher_engine.definitions import Package
from usher_engine.store import Database, instance_rows
from usher_engine.store.tables.engine_tables import instance, instance_state

ana = Actor(name="ana", role="analyst")
ADMIN = Actor(name="adam", role="admin")
UNTIL = {"until": "2027-01-01T00:00:00Z"}
EXAMPLES = sorted((path.parent.parent.name, path.stem) for path in ROOT.glob("tests/processes/*/examples/*.json"))


def stored(database: Database, case: str) -> dict[str, Any]:
    with database.read() as tx:
        text = tx.exec_driver_sql(f"SELECT content FROM instance_state WHERE instance = '{case}'").scalar_one()
    workflow: dict[str, Any] = json.loads(text)["workflow"]
    return workflow


def lose(database: Database, case: str) -> None:
    """Leave nothing of the stored state that could be read."""
    with database.begin() as tx:
        tx.exec_driver_sql(f"UPDATE instance_state SET content = '{{' WHERE instance = '{case}'")


@pytest.mark.parametrize(("folder", "name"), EXAMPLES)
def test_the_state_is_made_again_as_it_was_wherever_a_case_stands(
    engine: Engine, database: Database, outside: Outside, clock: Clock, folder: str, name: str
) -> None:
    repaired = 0

    def lost_and_repaired(case: str) -> None:
        nonlocal repaired
        before = stored(database, case), engine.queries.rebuild(case)
        lose(database, case)
        done = engine.repairs.repair(case, actor=ADMIN)
        assert (stored(database, case), engine.queries.rebuild(case)) == before
        assert (done.opened, done.closed, done.parted) == ((), (), 0)
        repaired += 1

    example = json.loads(package(folder).text(f"examples/{name}.json"))
    engine.deploy(package(folder), actor=ana)
    case = Live(engine, outside, clock, example, between=lost_and_repaired).play(folder)
    assert (case.status, engine.queries.rebuild(case.id).outcome) == ("finished", example["end"])
    assert engine.verify(case.id) == []
    assert len(engine.audit.events(kind="CaseRepaired")) == repaired


def test_nothing_is_written_by_a_trial(engine: Engine, database: Database, outside: Outside) -> None:
    case = open_case(engine, outside)
    lose(database, case)
    tried = engine.repairs.repair(case, actor=ADMIN, dry_run=True)
    assert (tried.instance.status, tried.instance.revision) == ("incident", 1)
    assert engine.audit.events(kind="CaseRepaired") == [] and len(engine.queries.history(case)) == 1
    assert engine.repairs.repair(case, actor=ADMIN).instance.status == "waiting"
    assert engine.queries.history(case)[-1].command == {"kind": "repair"}


def open_case(engine: Engine, outside: Outside) -> str:
    """A case of the small process that waits for a person."""
    engine.deploy(package("small"), actor=ana)
    outside.answers.append({"n": 2})
    return engine.start("small", {"q": 1}, actor=alice).id


def test_what_a_service_has_done_is_kept_until_the_case_is_repaired(
    engine: Engine, database: Database, outside: Outside
) -> None:
    case = open_case(engine, outside)
    engine.complete(engine.inbox.tasks(alice)[0].id, {"word": "yes"}, actor=alice)
    unreadable(engine, database, case)
    outside.answers.append({"n": "done"})
    Worker(engine).run_due()
    stopped = engine.instance(case)
    assert stopped.status == "incident" and "Ask an administrator to repair this case" in str(stopped.incident)
    asked = len(outside.calls)
    assert engine.repairs.repair(case, actor=ADMIN).instance.status == "waiting"
    Worker(engine).run_due()
    assert engine.queries.rebuild(case).data["sent"] == {"n": "done"} and len(outside.calls) == asked
    assert engine.instance(case).status == "finished"
    assert [finding.kind for finding in engine.verify(case)] == ["state"]  # that it was altered stays on record


def test_a_timer_that_came_while_the_state_was_lost_is_fired_after_the_repair(
    engine: Engine, database: Database, clock: Clock
) -> None:
    """However long the repair took: no attempt in those hours could fire it."""
    engine.deploy(drawn("nap", Nap="PT1H"), actor=ana)
    case = engine.start("nap", {}, actor=alice).id
    lose(database, case)
    worker = Worker(engine)
    for _ in range(engine.settings.job_attempts + 2):
        clock.forward(hours=2)
        worker.run_due()
    engine.repairs.repair(case, actor=ADMIN)
    worker.run_due()
    assert engine.instance(case).status == "finished"


def unreadable(engine: Engine, database: Database, case: str) -> None:
    """Let the stored state be one that Usher has sealed and cannot load."""
    with database.begin() as tx:
        text = tx.exec_driver_sql(f"SELECT content FROM instance_state WHERE instance = '{case}'").scalar_one()
        record = json.loads(text)
        record["workflow"]["tasks"][0]["spec"] = "nothing"
        text = json.dumps(record)
        values = {"content": text, "seal": instance_rows.seal(engine.context.seal_key, text)}
        tx.execute(update(instance_state).where(instance_state.c.instance == case).values(values))


def test_every_command_on_a_state_that_cannot_be_loaded_is_an_incident_and_other_cases_go_on(
    engine: Engine, database: Database, clock: Clock
) -> None:
    engine.deploy(package("timer_catch"), actor=ana)
    engine.deploy(package("message_catch"), actor=ana)
    for process in ("timer_catch", "message_catch"):
        engine.start(process, UNTIL, actor=alice, business_key="other")
        case = engine.start(process, UNTIL, actor=alice, business_key="broken").id
        for task in engine.inbox.tasks():
            engine.complete(task.id, {}, actor=alice)
        assert engine.queries.rebuild(case).waits
        unreadable(engine, database, case)
        broken = commanded(engine, clock, case)
        assert broken.status == "incident" and "does not fit its diagram" in str(broken.incident)
        assert engine.cases.retry(case, actor=alice).status == "incident"
        codes = [event["code"] for step in engine.queries.history(case) for event in step.events if "code" in event]
        assert set(codes) == {"Corrupt"}
        engine.repairs.repair(case, actor=ADMIN)
        Worker(engine).run_due()
        after = engine.instance(case)
        assert after.incident is None and after.waits != broken.waits and after.revision == broken.revision + 3


def commanded(engine: Engine, clock: Clock, case: str) -> Instance:
    """The case after a command."""
    if engine.instance(case).process == "message_catch":
        other = engine.incoming.deliver_message("Paid", {}, actor=alice, business_key="other")
        assert other.status != "incident"
        return engine.incoming.deliver_message("Paid", {}, actor=alice, business_key="broken")
    clock.forward(days=3)
    Worker(engine).run_due()
    assert all(one.status != "incident" for one in engine.queries.instances(business_key="other"))
    return engine.instance(case)


def test_a_case_whose_state_cannot_be_loaded_is_not_moved_and_gets_an_incident(
    engine: Engine, database: Database, outside: Outside
) -> None:
    case = open_case(engine, outside)
    engine.deploy(Package({**package("small").files, "note.txt": b"x"}), actor=ana)
    unreadable(engine, database, case)
    assert "does not fit its diagram" in engine.migrations.try_one(case, 2).problems[0][1]
    with pytest.raises(CannotMigrate, match="does not fit its diagram"):
        engine.migrations.migrate(case, 2, actor=ADMIN, reason="newer")
    assert engine.instance(case).status == "incident"
    engine.repairs.repair(case, actor=ADMIN)
    assert engine.migrations.migrate(case, 2, actor=ADMIN, reason="newer").version == 2
    lose(database, case)
    assert "altered outside Usher" in engine.migrations.try_one(case, 1).problems[0][1]
    assert engine.repairs.repair(case, actor=ADMIN).instance.version == 2
    engine.complete(engine.inbox.tasks(alice)[0].id, {"word": "yes"}, actor=alice)
    assert engine.instance(case).status == "waiting"


def test_who_may_not_and_what_cannot(engine: Engine, database: Database, outside: Outside) -> None:
    case = open_case(engine, outside)
    with pytest.raises(NotAllowed):
        engine.repairs.repair(case, actor=alice)
    with pytest.raises(NotFound):
        engine.repairs.repair("nothing", actor=ADMIN)
    with pytest.raises(Conflict, match="nothing to repair"):
        engine.repairs.repair(case, actor=ADMIN)
    with pytest.raises(Conflict, match="since you opened it"):
        engine.repairs.repair(case, actor=ADMIN, revision=7)
    engine.cases.cancel(case, "enough", actor=alice)
    with pytest.raises(Conflict, match="ended"):
        engine.repairs.repair(case, actor=ADMIN)
    outside.answers.append({})
    failed = engine.start("small", {"q": 1}, actor=alice)
    assert failed.status == "incident"
    with pytest.raises(Conflict, match="nothing to repair"):
        engine.repairs.repair(failed.id, actor=ADMIN)
    lose(database, failed.id)
    assert engine.repairs.repair(failed.id, actor=ADMIN).instance.incident == failed.incident
    outside.answers.append({"n": 2})
    assert engine.cases.retry(failed.id, actor=alice).status == "waiting" and engine.verify(failed.id) == []


def test_nothing_is_made_from_a_history_that_was_altered(engine: Engine, database: Database, outside: Outside) -> None:
    case = open_case(engine, outside)
    with database.begin() as tx:
        tx.execute(update(instance).where(instance.c.id == case).values(head=b"\0" * 32))
    with pytest.raises(Corrupt, match="head hash"):
        engine.repairs.repair(case, actor=ADMIN)
