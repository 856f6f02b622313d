"""Lists of tasks: exact counts, filters that combine, orders paged both ways, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest
from conftest import Clock, Outside, alice, bob, charlie, package
from sqlalchemy import event, func, select
from usher_engine import Actor, Engine, InvalidSubmission
from usher_engine.cases import TaskFilter, TaskOrder, TaskPage, cursor_of
from usher_engine.store import to_text
from usher_engine.store.tables import engine_tables as t
from usher_engine.store.tables.tally_tables import task_tally

both = Actor(name="both", role="staff", groups=frozenset({"Front desk", "Billing"}))


@pytest.fixture
def desk(engine: Engine, clock: Clock) -> Engine:
    """Twenty-four tasks that differ in kind, group, moment, due date and who has claimed them."""
    engine.deploy(package("items_parallel"), actor=alice)
    for _ in range(4):
        people = [{"name": f"Person {number}"} for number in range(6)]
        engine.start("items_parallel", {"people": people, "enough": 6}, actor=alice, business_key=f"p{_}")
        clock.forward(minutes=7)
    tasks = engine.inbox.tasks(alice)
    for number, task in enumerate(tasks):
        if number % 4 == 1:
            engine.cases.claim(task.id, actor=alice)
        if number % 4 == 2:
            engine.cases.claim(task.id, actor=bob)
    with engine.database.begin() as tx:
        for number, task in enumerate(tasks):
            due = to_text(clock() + timedelta(hours=5 * number - 40)) if number % 3 else ""
            values: dict[str, Any] = {"due_at": due, "sort_key": f"{due or 'z'}|{task.id}"}
            values |= {"urgency": 950 - number % 3, "priority": 50 + number % 3}
            values |= {"candidate_group": ("Front desk", "Billing", "")[number % 3 if number % 5 else 0]}
            values |= {"until": "2999-01-01"} if number % 7 == 6 else {}
            here = (t.user_task.c.instance == task.instance, t.user_task.c.visit == task.visit)
            tx.execute(t.user_task.update().where(*here).values(values))
    return engine


def all_pages(engine: Engine, actor: Actor, wanted: TaskFilter, order: TaskOrder, limit: int = 5) -> list[str]:
    seen: list[str] = []
    page = TaskPage(order=order, limit=limit)
    while found := engine.inbox.page(actor, wanted, page):
        seen += [task.id for task in found]
        page = TaskPage(order=order, limit=limit, after=cursor_of(found[-1], order))
    return seen


def everything(engine: Engine, actor: Actor) -> list[Any]:
    """The rows *actor* sees, read without any of what is tested here."""
    with engine.database.read() as tx:
        rows = tx.execute(select(t.user_task)).all()
    return [row for row in rows if row.candidate_group in actor.groups | {""} or row.assignee == actor.name]


FILTERS = [
    TaskFilter(),
    TaskFilter(put_off=True),
    TaskFilter(free=True),
    TaskFilter(assignee="alice"),
    TaskFilter(assignee="bob"),
    TaskFilter(groups=frozenset({"Billing"})),
    TaskFilter(without_due=True),
    TaskFilter(about=frozenset({"p1", "p3"})),
    TaskFilter(about=frozenset()),
    TaskFilter(processes=frozenset({"elsewhere"})),
]


@pytest.mark.parametrize("actor", [alice, bob, charlie, both], ids=lambda actor: actor.name)
def test_the_number_is_that_of_the_rows_for_every_filter(desk: Engine, clock: Clock, actor: Actor) -> None:
    now, soon = to_text(clock()), to_text(clock() + timedelta(minutes=23, hours=9))
    dues = [{}, {"due_before": now}, {"due_before": soon}, {"due_from": now, "due_before": soon}, {"due_from": soon}]
    rows = everything(desk, actor)
    for wanted, due in product(FILTERS, dues):
        if wanted.without_due and due:
            continue
        both_asked = TaskFilter(**{name: getattr(wanted, name) for name in wanted.__slots__} | due)
        listed = all_pages(desk, actor, both_asked, TaskOrder.DUE)
        assert len(set(listed)) == len(listed) == desk.inbox.count(actor, both_asked), both_asked
        expected = [row for row in rows if passes(row, both_asked, now)]
        assert len(listed) == len(expected), both_asked


def passes(row: Any, wanted: TaskFilter, now: str) -> bool:
    return (
        (row.until > now[:10]) is wanted.put_off
        and (not wanted.free or not row.assignee)
        and (not wanted.assignee or row.assignee == wanted.assignee)
        and (not wanted.groups or row.candidate_group in wanted.groups)
        and (not wanted.without_due or not row.due_at)
        and (not wanted.due_from or row.due_at >= wanted.due_from)
        and (not wanted.due_before or (bool(row.due_at) and row.due_at < wanted.due_before))
        and (wanted.about is None or row.business_key in wanted.about)
        and (not wanted.processes or row.process in wanted.processes)
    )


@pytest.mark.parametrize("order", TaskOrder)
def test_pages_go_back_as_they_came(desk: Engine, order: TaskOrder) -> None:
    there = all_pages(desk, alice, TaskFilter(), order)
    assert len(there) == len(set(there)) == desk.inbox.count(alice, TaskFilter())
    whole = desk.inbox.page(alice, TaskFilter(), TaskPage(order=order, limit=200))
    assert [task.id for task in whole] == there
    middle = cursor_of(whole[9], order)
    before = desk.inbox.page(alice, TaskFilter(), TaskPage(order=order, before=middle, limit=4))
    assert [task.id for task in before] == there[5:9]
    at = desk.inbox.page(alice, TaskFilter(), TaskPage(order=order, at=middle, limit=3))
    assert [task.id for task in at] == there[9:12]


def test_orders_say_what_they_mean(desk: Engine) -> None:
    def listed(order: TaskOrder) -> list[Any]:
        return desk.inbox.page(alice, TaskFilter(), TaskPage(order=order, limit=200))

    opened = [task.created for task in listed(TaskOrder.OPENED)]
    assert opened == sorted(opened)
    assert [task.created for task in listed(TaskOrder.NEWEST)] == opened[::-1]
    due = [task.due for task in listed(TaskOrder.DUE)]
    dated = [one for one in due if one]
    assert due == [*sorted(dated), *[None] * (len(due) - len(dated))]


def test_a_cursor_that_is_none_is_refused(desk: Engine) -> None:
    with pytest.raises(InvalidSubmission, match="does not exist"):
        desk.inbox.page(alice, TaskFilter(), TaskPage(order=TaskOrder.URGENT, after="x|y"))


def test_the_counts_are_those_of_the_rows_whatever_happens(engine: Engine, outside: Outside, clock: Clock) -> None:
    engine.deploy(package("small"), actor=alice)
    outside.answers.extend({"n": 2} for _ in range(6))
    for number in range(6):
        engine.start("small", {"q": 2}, actor=alice, business_key=f"p{number}")
    tasks = [task.id for task in engine.inbox.tasks(alice)]
    engine.cases.claim(tasks[0], actor=alice)
    engine.complete(tasks[0], {"word": "yes"}, actor=alice)
    engine.cases.claim(tasks[1], actor=bob)
    engine.cases.release(tasks[1], actor=bob)
    engine.cases.cancel(tasks[2].partition(":")[0], "moved away", actor=alice)
    assert tally(engine) == by_hand(engine) != []
    while engine.inbox.tidy_counts():
        pass
    assert tally(engine) == by_hand(engine)
    with engine.database.read() as tx:
        rows = tx.execute(select(func.count()).select_from(task_tally)).scalar_one()
    assert rows == len(by_hand(engine)), "one row for each kind and hour"
    assert engine.inbox.tidy_counts() == 0
    assert engine.queries.counts()["tasks"] == {"open": 4}


def tally(engine: Engine) -> list[Any]:
    n = task_tally.c
    keys = (n.candidate_group, n.process, n.element, n.free, n.due_hour, n.until)
    query = select(*keys, func.sum(n.tasks)).group_by(*keys).having(func.sum(n.tasks) != 0).order_by(*keys)
    with engine.database.read() as tx:
        return [tuple(row) for row in tx.execute(query)]


def by_hand(engine: Engine) -> list[Any]:
    counted: dict[Any, int] = {}
    with engine.database.read() as tx:
        for row in tx.execute(select(t.user_task)):
            free = int(row.assignee == "")
            for hour in ("", row.due_at[:13] or "z"):  # all of the kind, and its hour
                key = (row.candidate_group, row.process, row.element, free, hour, row.until)
                counted[key] = counted.get(key, 0) + 1
    return [(*key, number) for key, number in sorted(counted.items())]


@pytest.mark.parametrize("wanted", [TaskFilter(), TaskFilter(free=True), TaskFilter(due_before="2030-01-01")], ids=str)
@pytest.mark.parametrize("order", TaskOrder)
def test_a_page_is_read_from_the_index_of_its_order(desk: Engine, order: TaskOrder, wanted: TaskFilter) -> None:
    index = {"due": "due", "opened": "opened", "newest": "opened", "urgent": "urgent"}[order.value]
    plan = plan_of(desk, lambda: desk.inbox.page(alice, wanted, TaskPage(order=order, after="3 2026")))
    assert f"ix_user_task_kind_{index}" in plan
    assert "SCAN user_task" not in plan
    assert "Seq Scan on user_task" not in plan


@pytest.mark.parametrize("order", TaskOrder)
def test_tasks_of_a_person_or_a_patient_are_found_by_theirs(desk: Engine, order: TaskOrder) -> None:
    bobs, patients = TaskFilter(assignee="bob"), TaskFilter(about=frozenset("p"))
    for wanted, index in ((bobs, "assignee_sort"), (patients, "business_key")):
        page, count = desk.inbox.page, desk.inbox.count
        for read in (partial(page, alice, wanted, TaskPage(order=order)), partial(count, alice, wanted)):
            plan = plan_of(desk, read)
            assert f"ix_user_task_{index}" in plan
            assert "SCAN user_task" not in plan
            assert "Seq Scan on user_task" not in plan


def plan_of(engine: Engine, read: Any) -> str:
    """How the database finds the rows of the last statement about tasks that *read* sends."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "user_task" in statement:
            sent.append((statement, parameters))

    event.listen(engine.database.db, "before_cursor_execute", note)
    read()
    event.remove(engine.database.db, "before_cursor_execute", note)
    statement, parameters = sent[-1]
    with engine.database.read() as tx:
        if engine.database.is_sqlite:
            rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            return "\n".join(str(row[-1]) for row in rows)
        tx.exec_driver_sql("SET LOCAL enable_seqscan = off")  # so few rows are faster read whole
        tx.exec_driver_sql("SET LOCAL enable_sort = off")
        return "\n".join(str(row[0]) for row in tx.exec_driver_sql(f"EXPLAIN {statement}", parameters).all())


def test_counts_stay_right_while_several_add_them_up(engine: Engine, outside: Outside) -> None:
    engine.deploy(package("small"), actor=alice)
    outside.answers.extend({"n": 2} for _ in range(8))
    for number in range(8):
        engine.start("small", {"q": 2}, actor=alice, business_key=f"p{number}")
    tasks = [task.id for task in engine.inbox.tasks(alice)]

    def work(mine: list[str]) -> None:
        for task in mine:
            engine.cases.claim(task, actor=alice)
            engine.inbox.tidy_counts()
            engine.cases.release(task, actor=alice)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work, tasks[at::4]) for at in range(4)]:
            done.result()
    assert tally(engine) == by_hand(engine)
    while engine.inbox.tidy_counts():
        pass
    assert tally(engine) == by_hand(engine)
