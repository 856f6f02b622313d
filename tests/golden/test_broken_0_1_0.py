"""Cases that version 0.1.0 left broken go on, or say what is wrong and how to put it right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import alice
from golden.recorded import Opened
from usher_engine import Actor, Conflict, NotAllowed
from usher_engine.store.tables.engine_tables import instance_state

ADMIN = Actor(name="adam", role="admin")


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Opened]:
    there = Opened("0.1.0", database_url, tmp_path)
    yield there
    there.database.close()


def test_a_state_with_sub_processes_nothing_holds_goes_on(opened: Opened) -> None:
    opened.answer("orphans: nested", "b", "c")
    opened.answer("orphans: nested, not tried yet", "b", "c")
    opened.answer("orphans: calls", "b")
    opened.answer("orphans: event sub-process", "b", "c")
    for key in ("orphans: service", "orphans: timer"):
        opened.engine.cases.retry(opened.cases[key], actor=alice)
    opened.work()
    opened.answer("orphans: service", "b")
    keys = opened.keys("orphans")
    assert len(keys) == 6
    assert {opened.case(key).status for key in keys} == {"finished"}
    assert [finding for key in keys for finding in opened.engine.verify(opened.cases[key])] == []


def test_an_answer_the_stored_state_cannot_take_is_an_incident_with_a_way_out(opened: Opened) -> None:
    key = "twice: tried"
    before = opened.case(key).revision
    opened.engine.task_drafts.save(opened.case(key).tasks[0].id, {"typed": "before"}, actor=alice)
    case = opened.answer(key, "z")
    assert case.status == "incident" and case.revision == before + 1
    state = opened.engine.queries.rebuild(case.id)
    assert list(state.incidents) == ["z:0"]
    assert state.incidents["z:0"].endswith("Ask an administrator to repair this case, or to cancel it.")
    step = opened.engine.queries.history(case.id)[-1]
    assert [event["code"] for event in step.events] == ["Corrupt"] and step.body["state"]
    assert opened.engine.cases.retry(case.id, actor=alice).status == "incident"
    assert opened.answer("orphans: nested", "b", "c").status == "finished"


def test_verify_names_the_cases_that_cannot_continue(opened: Opened) -> None:
    wrong = {finding.instance: finding for finding in opened.engine.verification.verify_all().findings}
    stuck = opened.keys("stuck: before", "stuck: nothing open", "stuck: service")
    keys = {*stuck, "twice: not tried yet", "twice: tried"}
    assert len(keys) == 6
    assert {key for key, case in opened.cases.items() if case in wrong} == keys
    assert {wrong[opened.cases[key]].kind for key in keys} == {"state"}
    assert wrong[opened.cases["twice: tried"]].element == "z"
    assert "stands still" in wrong[opened.cases["stuck: service"]].message


def test_a_case_with_nothing_open_carries_an_incident_from_the_upgrade_on(opened: Opened) -> None:
    keys = opened.keys("stuck: before", "stuck: nothing open", "stuck: service")
    continued = opened.engine.repairs.look_at_silent_cases()
    assert sorted(case.business_key for case in continued) == keys
    assert all("Ask an administrator to repair this case" in str(case.incident) for case in continued)
    assert opened.engine.repairs.look_at_silent_cases() == []
    assert opened.case("sound: message").status == "waiting"
    for case in continued:
        assert opened.engine.verify(case.id) == []
        opened.engine.repairs.repair(case.id, actor=ADMIN)
        assert opened.engine.verify(case.id) == []
    assert {opened.case(key).status for key in keys} == {"waiting", "finished"}


def test_a_case_that_stands_at_a_join_goes_on_after_its_repair(opened: Opened) -> None:
    keys = opened.keys("stuck: nothing open", "stuck: service", "stuck: others go on")
    for key in keys:
        tried = opened.engine.repairs.repair(opened.cases[key], actor=ADMIN, dry_run=True)
        assert tried.instance == opened.case(key)
        done = opened.engine.repairs.repair(opened.cases[key], actor=ADMIN)
        assert (done.opened, done.closed, done.parted) == (tried.opened, tried.closed, tried.parted)
        assert (done.opened, done.closed) == (("join", "after"), ())
        assert "after" in opened.open_elements(key)
        assert opened.engine.verify(opened.cases[key]) == []
    opened.answer("stuck: nothing open", "after")
    opened.answer("stuck: service", "after")
    opened.answer("stuck: others go on", "after", "y")
    assert {opened.case(key).status for key in keys} == {"finished"}
    assert [finding for key in keys for finding in opened.engine.verify(opened.cases[key])] == []


def test_a_repair_goes_on_to_the_next_waiting_point_and_asks_what_was_never_asked(opened: Opened) -> None:
    ended = opened.engine.repairs.repair(opened.cases["stuck: before the end"], actor=ADMIN)
    assert (ended.instance.status, ended.opened) == ("finished", ("join", "end"))
    case = opened.cases["stuck: before a service"]
    opened.outside.answers += [{"seen": "in a trial"}, {"seen": "now"}]
    opened.engine.repairs.repair(case, actor=ADMIN, dry_run=True)
    waiting = opened.engine.repairs.repair(case, actor=ADMIN)
    assert waiting.opened == ("join", "look", "later") and waiting.instance.at == ("later",)
    assert opened.engine.queries.rebuild(case).data["sent"] == {"seen": "now"}
    opened.work()
    assert opened.case("stuck: before a service").status == "finished"
    assert opened.engine.verify(case) == [] == opened.engine.verify(ended.instance.id)


def test_a_case_whose_arrivals_were_lost_can_be_repaired_before_it_stands_still(opened: Opened) -> None:
    key = "stuck: last way open"
    done = opened.engine.repairs.repair(opened.cases[key], actor=ADMIN)
    assert (done.opened, done.closed, done.parted) == ((), (), 0)
    assert opened.answer(key, "c", "after").status == "finished"
    assert opened.engine.verify(opened.cases[key]) == []


def test_what_was_opened_twice_is_closed_once(opened: Opened) -> None:
    for key in ("twice: tried", "twice: not tried yet"):
        done = opened.engine.repairs.repair(opened.cases[key], actor=ADMIN)
        assert (done.opened, done.closed) == ((), ("z",))
        assert opened.open_elements(key) == ["z"]
        assert opened.answer(key, "z").status == "finished"
        assert opened.engine.verify(opened.cases[key]) == []


def test_an_end_leaves_nothing_open(opened: Opened) -> None:
    key = "twice: not tried yet"
    first, second = sorted(opened.case(key).tasks, key=lambda task: task.visit)
    assert opened.engine.complete(second.id, {}, actor=alice).status == "finished"
    assert opened.open_elements(key) == [] and not opened.engine.queries.rebuild(opened.cases[key]).tasks
    with pytest.raises(Conflict, match="ended this task"):
        opened.engine.complete(first.id, {}, actor=alice)
    assert opened.engine.verify(opened.cases[key]) == []


def test_there_is_nothing_to_repair_in_a_sound_case(opened: Opened) -> None:
    for key in opened.keys("sound", "sample"):
        before = opened.case(key).revision
        with pytest.raises(Conflict):
            opened.engine.repairs.repair(opened.cases[key], actor=ADMIN)
        assert opened.case(key).revision == before
    with pytest.raises(NotAllowed):
        opened.engine.repairs.repair(opened.cases["twice: tried"], actor=alice)


def test_every_case_comes_back_from_its_history_alone(opened: Opened) -> None:
    live = [case for case in opened.engine.queries.instances(limit=200) if case.ended_at is None]
    with opened.database.begin() as tx:
        tx.execute(instance_state.update().values(content="{"))
    assert {opened.case(case.business_key).status for case in live} == {"incident"}
    for case in live:
        opened.engine.repairs.repair(case.id, actor=ADMIN)
        after = opened.case(case.business_key)
        assert after.incident is None and (after.at or after.status == "finished"), case.business_key
        assert opened.engine.verify(case.id) == [], case.business_key
    assert len(live) > 20
