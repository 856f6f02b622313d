"""The workload of groups and people, on both databases: each number is that of the list it leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Clock, alice, bob, package
from usher_engine import Actor, Engine
from usher_engine.cases import TaskFilter, TaskOrder, TaskPage, stored_time

lead = Actor(name="lena", role="staff", groups=frozenset({"Front desk", "Billing", "Leads"}))


@pytest.fixture
def desk(engine: Engine, clock: Clock) -> Engine:
    engine.deploy(package("items_parallel"), actor=alice)
    for number in range(3):
        people = [{"name": f"Person {one}"} for one in range(4)]
        engine.start("items_parallel", {"people": people, "enough": 4}, actor=alice, business_key=f"p{number}")
        clock.forward(hours=3)
    tasks = engine.inbox.tasks(alice)
    today = clock().date()
    for number, task in enumerate(tasks):
        if number % 3 == 1:
            engine.cases.claim(task.id, actor=alice)
        if number % 4 == 2:
            engine.desk.assign(task.id, bob, actor=lead) if number % 3 == 1 else engine.cases.claim(task.id, actor=bob)
        if number % 2:
            who = lead
            engine.desk.set_due(task.id, today + timedelta(days=number % 5), actor=who)
        if number == 7:
            engine.desk.put_off(task.id, today + timedelta(days=9), actor=lead)
    clock.forward(days=2)
    return engine


def test_each_number_is_that_of_its_list(desk: Engine, clock: Clock) -> None:
    now, before = stored_time(clock()), stored_time(clock().replace(hour=0, minute=0) + timedelta(days=1))
    for actor in (lead, alice, bob):
        found = desk.inbox.workload(actor, before)
        assert found.all.late > 0 < found.all.free
        loads = [(found.all, TaskFilter())]
        loads += [(one, TaskFilter(groups=frozenset({one.name}))) for one in found.groups]
        loads += [(one, TaskFilter(assignee=one.name)) for one in found.people]
        assert {one.name for one in found.people} == {"alice", "bob"}
        for load, wanted in loads:
            narrow = {"groups": wanted.groups, "assignee": wanted.assignee}
            assert load.open == desk.inbox.count(actor, wanted)
            assert load.late == desk.inbox.count(actor, TaskFilter(**narrow, due_before=now))  # type: ignore[arg-type]
            assert load.due == desk.inbox.count(actor, TaskFilter(**narrow, due_before=before))  # type: ignore[arg-type]
            first = desk.inbox.page(actor, wanted, TaskPage(order=TaskOrder.OPENED, limit=1))
            assert load.oldest == first[0].created
            if not wanted.assignee:
                assert load.free == desk.inbox.count(actor, TaskFilter(**narrow, free=True))  # type: ignore[arg-type]


def test_somebody_of_no_group_sees_no_load_but_their_own(desk: Engine, clock: Clock) -> None:
    nobody = Actor(name="nora", role="staff", groups=frozenset({"Elsewhere"}))
    found = desk.inbox.workload(nobody, stored_time(clock()))
    assert (found.all.open, found.groups, found.people) == (0, (), ())
    assert desk.inbox.workload(None, stored_time(clock())).all.open == 11
