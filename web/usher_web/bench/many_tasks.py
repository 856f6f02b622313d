"""The inbox with very many open tasks against one of a thousand: the list of fifty and the three counts above it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from usher_engine import Engine
from usher_engine.cases import TaskFilter, TaskOrder, TaskPage
from usher_engine.context import utc_now
from usher_engine.core.actor import Actor
from usher_engine.definitions import Package
from usher_engine.services import Services
from usher_engine.settings import Settings
from usher_engine.store import Database, to_text
from usher_engine.store.schema import upgrade
from usher_engine.store.tables import task_tally_triggers
from usher_engine.store.task_rows import NO_DUE

from .measurements import Figure, Times
from .task_loop import DIAGRAM

FEW = 1_000
ASKED = 30
#: Many of the tasks are theirs, or nearly none.
DESK = Actor(name="desk", role="staff", groups=frozenset({"Front desk"}))
RARE = Actor(name="rare", role="staff", groups=frozenset({"Night shift"}))


def inbox(folder: Path, many: int) -> Iterator[Figure]:
    """Figures of an inbox with *many* open tasks, in databases in *folder*."""
    engines = {"few": _filled_database(folder / "few.db", FEW), "many": _filled_database(folder / "many.db", many)}
    for who, actor in (("a large group", DESK), ("a small group", RARE)):
        times = Times()
        for _ in range(ASKED):
            for name, engine in engines.items():
                times.of(name, lambda engine=engine, actor=actor: _page(engine, actor))  # type: ignore[misc]
        ratio = times.median("many") / times.median("few")
        yield Figure(name=f"inbox of {who} with {many:,} open tasks : {FEW:,}", value=ratio, unit="×", target=1.5)
    for engine in engines.values():
        engine.database.close()


def _page(engine: Engine, actor: Actor) -> None:
    """The list as it opens, and what a filter and the other orders show: each with its true number."""
    with engine.database.snapshot():
        engine.inbox.count_each(actor)
        free = TaskFilter(free=True, processes=frozenset({"rounds"}))
        for wanted, order in ((TaskFilter(), TaskOrder.DUE), (free, TaskOrder.OPENED), (free, TaskOrder.URGENT)):
            engine.inbox.page(actor, wanted, TaskPage(order=order, limit=51))
            engine.inbox.count(actor, wanted)


def _filled_database(file: Path, tasks: int) -> Engine:
    """A database with *tasks* open tasks, one case each: copies of a real one under other numbers."""
    settings = Settings(env="development", mail_hold=0, secret_key="b" * 32, database_url=f"sqlite:///{file}")
    database = Database(settings.database_url)
    upgrade(database)
    engine = Engine(settings, Services(()), utc_now, database)
    engine.deploy(Package({"rounds.bpmn": DIAGRAM}), actor=DESK)
    case = engine.start("rounds", {"limit": 1}, actor=DESK).id
    with closing(sqlite3.connect(file)) as db, db:
        for pragma in ("synchronous=OFF", "foreign_keys=OFF"):
            db.execute(f"PRAGMA {pragma}")
        _multiply(db, "instance", "id", case, tasks - 1)
        db.execute("DROP TRIGGER user_task_opened")  # counted once at the end instead
        _multiply(db, "user_task", "instance", case, tasks - 1)
        opened, *_ = task_tally_triggers.triggers()["sqlite"]
        for statement in ("DELETE FROM task_tally", task_tally_triggers.recount(), opened, "ANALYZE"):
            db.execute(statement)
    db.close()
    return engine


def _multiply(db: sqlite3.Connection, table: str, key: str, case: str, times: int) -> None:
    """Add *times* copies of the row of *case* in *table*, each for another case."""
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    row = db.execute(f"SELECT * FROM {table} WHERE {key} = ?", (case,)).fetchone()  # noqa: S608
    model = dict(zip(names, row, strict=True))
    rows = (tuple((model | _other(number, key))[name] for name in names) for number in range(times))
    db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(names))})", rows)  # noqa: S608


def _other(number: int, key: str) -> dict[str, str]:
    """The values that differ in the copied row *number*: its case, and for a task its group and due date."""
    instance = f"{number:012}"
    if key == "id":
        return {"id": instance}
    due = to_text(utc_now() + timedelta(minutes=number - FEW // 4)) if number % 2 else ""
    group = "Night shift" if number < FEW and number % 100 == 0 else "Front desk" if number % 2 else "Billing"
    return {"instance": instance, "candidate_group": group, "due_at": due, "sort_key": f"{due or NO_DUE}|{instance}"}
