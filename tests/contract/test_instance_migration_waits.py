"""Cases that wait for time or a message, moved to another version: what waits goes on, and nothing happens twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from conftest import Clock, alice, package
from contract.test_instance_migration import ANA, agrees, deploy
from usher_engine import Engine, Instance, Worker

STARTS: dict[str, dict[str, Any]] = {
    "timer_boundary": {"reminded": 0, "days": 10},
    "timer_catch": {"until": "2027-01-01"},
    "message_boundary": {"heard": []},
    "message_catch": {},
}


def begun(engine: Engine, name: str) -> Instance:
    engine.deploy(package(name), actor=ANA)
    return engine.start(name, STARTS[name], actor=alice)


def moved(engine: Engine, case: Instance, *changes: tuple[str, str], mapping: dict[str, str] | None = None) -> Instance:
    now = engine.instance(case.id)
    version = deploy(engine, *changes, name=now.process)
    assert engine.migrations.try_one(now.id, version, mapping).problems == ()
    return engine.migrations.migrate(now.id, version, mapping, actor=ANA, reason="because")


def waits(case: Instance) -> dict[str, Any]:
    return {wait.element: wait.due or wait.message for wait in case.waits}


def last_events(engine: Engine, case: Instance) -> list[tuple[str, str]]:
    return [(event["kind"], event.get("element", "")) for event in engine.queries.history(case.id)[-1].events]


def fire(engine: Engine, clock: Clock, **later: int) -> None:
    clock.forward(**later)
    Worker(engine).run_due()


def test_a_timer_keeps_its_moment_and_fires_on_the_new_version(engine: Engine, clock: Clock) -> None:
    case, start = begun(engine, "timer_boundary"), clock()
    clock.forward(hours=5)
    after = moved(engine, case, ("R3/P1D", "R3/P9D"), ("reminded + 1", "reminded + 10"))
    assert waits(after) == {"Remind": start + timedelta(days=1), "GiveUp": start + timedelta(days=10)}
    assert last_events(engine, case) == [("InstanceMigrated", ""), ("UserTaskOpened", "Ask")]
    assert agrees(engine)
    fire(engine, clock, hours=20)
    assert engine.queries.rebuild(case.id).data["reminded"] == 10
    assert waits(engine.instance(case.id))["Remind"] == start + timedelta(days=2), "the cycle it began with goes on"
    fire(engine, clock, days=10)
    assert engine.instance(case.id).outcome == "Expired"
    assert agrees(engine)


def test_a_timer_under_another_id_keeps_its_moment_too(engine: Engine, clock: Clock) -> None:
    case = begun(engine, "timer_boundary")
    fire(engine, clock, days=1, hours=1)
    before = engine.instance(case.id)
    version = deploy(engine, ('"Remind"', '"Nudge"'), ('"GiveUp"', '"Expire"'), name="timer_boundary")
    mapping = {"Remind": "Nudge", "GiveUp": "Expire"}
    after = engine.migrations.migrate(case.id, version, mapping, actor=ANA, reason="renamed")
    assert waits(after) == {mapping[old]: due for old, due in waits(before).items()}
    expected = [("WaitEnded", "GiveUp"), ("WaitEnded", "Remind"), ("TimerStarted", "Expire"), ("TimerStarted", "Nudge")]
    assert sorted(last_events(engine, case)[2:]) == sorted(expected)
    fire(engine, clock, days=5)
    assert engine.queries.rebuild(case.id).data["reminded"] == 3, "three times in all, whatever it is called"
    fire(engine, clock, days=5)
    assert engine.instance(case.id).outcome == "Expired"
    assert agrees(engine)


def test_what_is_new_begins_and_what_is_gone_ends(engine: Engine, clock: Clock) -> None:
    case, start = begun(engine, "timer_boundary"), clock()
    clock.forward(hours=5)
    after = moved(engine, case, ('"Remind"', '"Other"'))
    assert waits(after) == {"Other": clock() + timedelta(days=1), "GiveUp": start + timedelta(days=10)}
    assert last_events(engine, case)[2:] == [("WaitEnded", "Remind"), ("TimerStarted", "Other")]
    assert engine.queries.counts()["jobs"]["waiting"] == 2
    assert agrees(engine)


def test_a_reminder_that_has_come_does_not_come_again(engine: Engine, clock: Clock) -> None:
    engine.deploy(package("timer_boundary"), actor=ANA)
    once = deploy(engine, ("R3/P1D", "R1/P1D"), name="timer_boundary")
    case = engine.start("timer_boundary", STARTS["timer_boundary"], actor=alice)
    assert engine.instance(case.id).version == once
    fire(engine, clock, days=2)
    after = moved(engine, case, ("reminded + 1", "reminded + 5"))
    assert list(waits(after)) == ["GiveUp"]
    again = engine.migrations.migrate(case.id, once, actor=ANA, reason="back")
    assert list(waits(again)) == ["GiveUp"]
    fire(engine, clock, days=2)
    assert engine.queries.rebuild(case.id).data["reminded"] == 1
    engine.complete(engine.instance(case.id).tasks[0].id, {}, actor=alice)
    assert engine.instance(case.id).at == ("Sub", "Inner")
    assert agrees(engine)


def test_a_pause_goes_on_until_its_moment(engine: Engine, clock: Clock) -> None:
    case = begun(engine, "timer_catch")
    engine.complete(case.tasks[0].id, {}, actor=alice)
    start = clock()
    clock.forward(minutes=20)
    after = moved(engine, case, ('"Pause"', '"Break"'), ("PT1H", "PT5H"), mapping={"Pause": "Break"})
    assert (after.at, waits(after)) == (("Break",), {"Break": start + timedelta(hours=1)})
    assert engine.queries.history(case.id)[-1].events[0]["places"] == {"Pause:1": "Break:1"}
    assert agrees(engine)
    fire(engine, clock, minutes=41)
    assert engine.instance(case.id).at == ("Until",)
    assert agrees(engine)


@pytest.mark.parametrize("name", ["Paid", "Settled"])
def test_a_message_is_waited_for_by_the_name_of_the_new_version(engine: Engine, name: str) -> None:
    case = begun(engine, "message_catch")
    after = moved(engine, case, ('name="Paid"', f'name="{name}"'), ('value="payment"', 'value="money"'))
    assert waits(after) == {"Paid": name}
    assert last_events(engine, case)[1:] == [("WaitEnded", "Paid"), ("MessageAwaited", "Paid")]
    engine.incoming.deliver_message(name, {"sum": 5}, actor=alice, instance=case.id)
    assert engine.queries.rebuild(case.id).data["money"] == {"sum": 5}
    assert agrees(engine)


def test_a_receive_task_and_the_events_behind_a_gateway_go_over(engine: Engine, clock: Clock) -> None:
    case = begun(engine, "message_catch")
    engine.incoming.deliver_message("Paid", {}, actor=alice, instance=case.id)
    after = moved(engine, case, ('name="Papers"', 'name="The papers"'))
    assert waits(after) == {"Papers": "News"}
    assert last_events(engine, case) == [("InstanceMigrated", "")]
    engine.incoming.deliver_message("News", {}, actor=alice, instance=case.id)
    start = clock()
    clock.forward(days=1)
    mapping = {"Either": "Choice", "Week": "Days"}
    after = moved(engine, case, ('"Either"', '"Choice"'), ('"Week"', '"Days"'), mapping=mapping)
    assert (after.at, waits(after)) == (("Choice",), {"Stop": "Stop", "Days": start + timedelta(weeks=1)})
    assert agrees(engine)
    fire(engine, clock, days=7)
    assert engine.instance(case.id).outcome == "Over"
    assert agrees(engine)


def test_messages_to_a_boundary_event_arrive_before_and_after(engine: Engine) -> None:
    case = begun(engine, "message_boundary")
    engine.incoming.deliver_message("News", {"text": "a"}, actor=alice, instance=case.id)
    after = moved(engine, case, ('name="Work"', 'name="Work on it"'))
    assert waits(after) == {"Heard": "News", "Stopped": "Stop"}
    engine.incoming.deliver_message("News", {"text": "b"}, actor=alice, instance=case.id)
    assert engine.queries.rebuild(case.id).data["heard"] == ["a", "b"]
    engine.incoming.deliver_message("Stop", {}, actor=alice, instance=case.id)
    assert engine.instance(case.id).outcome == "Cut"
    assert agrees(engine)


def test_a_timer_that_cannot_be_set_is_reported_before_the_move(engine: Engine) -> None:
    case = begun(engine, "timer_boundary")
    version = deploy(engine, ('"GiveUp"', '"Expire"'), ("str(days)", "str(patience)"), name="timer_boundary")
    ((element, reason),) = engine.migrations.try_one(case.id, version).problems
    assert (element, "patience" in reason) == ("Expire", True)
    assert engine.migrations.proposed_mapping("timer_boundary", 1, version)["Remind"] == "Remind"


def test_another_kind_of_wait_is_no_place_to_go(engine: Engine, clock: Clock) -> None:
    case = begun(engine, "timer_catch")
    engine.complete(case.tasks[0].id, {}, actor=alice)
    version = deploy(engine, ('"First"', '"One"'), name="timer_catch")
    ((element, reason),) = engine.migrations.try_one(case.id, version, {"Pause": "Second"}).problems
    assert (element, reason) == ("Pause", "An hour is a timer; Second is a user task.")
