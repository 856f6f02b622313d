"""Databases of earlier versions, opened by this one: restored from their text and upgraded, on either kind."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

from conftest import SECRET, Clock, Outside, alice, operators
from sqlalchemy import insert, select, text
from usher_engine import Database, Engine, Instance, Services, Settings, Worker
from usher_engine.enrollment import open_enrollment
from usher_engine.store.schema import upgrade
from usher_engine.store.tables.engine_tables import metadata

HERE = Path(__file__).parent


#: Counts that the database makes while the open tasks are copied.
KEPT_BY_TRIGGERS = "task_tally"

def restore(version: str, url: str) -> None:
    """Fill the database at *url*, which has all tables (SQLite: which need not exist), with the one of *version*."""
    if url.startswith("sqlite:"):
        _restored(version, Path(url.removeprefix("sqlite:///")))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "usher.db"
        _restored(version, file)
        _copy(Database(f"sqlite:///{file}"), Database(url))


def _restored(version: str, file: Path) -> None:
    file.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript((HERE / version / "usher.sql").read_text(encoding="utf-8"))
    database = Database(f"sqlite:///{file}")
    upgrade(database)
    database.close()


def _copy(source: Database, target: Database) -> None:
    """Every row of our tables; the counters of numbered ones go on behind them."""
    with source.read() as reading, target.begin() as writing:
        for table in metadata.sorted_tables:
            if table.name == KEPT_BY_TRIGGERS:
                continue
            rows = [dict(row) for row in reading.execute(select(table)).mappings()]
            if rows:
                writing.execute(table.delete())
                writing.execute(insert(table), rows)
        newest = "SELECT setval(pg_get_serial_sequence('job', 'id'), (SELECT max(id) FROM job))"
        writing.execute(text(newest))
    source.close()
    target.close()


class Opened:
    """A restored database with an engine on it, its cases by their business keys, and people at work."""

    def __init__(self, version: str, url: str, folder: Path) -> None:
        restore(version, url)
        self.database, self.clock, self.outside = Database(url), Clock(), Outside()
        self.clock.forward(days=2)
        self.settings = Settings(
            mail_hold=0,
            env="development", secret_key=SECRET, database_url=url, mail_from="portal@example.org",
            checkpoint_file=str(folder / "heads.jsonl"), signing_key_file=str(folder / "key.pem"),
        )  # fmt: skip
        enrollment = open_enrollment(
            self.settings, clock=self.clock, send_mail=lambda _: None, database=self.database
        )
        services = Services((*operators(self.outside), *enrollment.engine.services))
        self.engine = Engine(self.settings, services, self.clock, self.database)
        self.cases = {case.business_key: case.id for case in self.engine.queries.instances(limit=200)}

    def case(self, key: str) -> Instance:
        return self.engine.instance(self.cases[key])

    def keys(self, *beginnings: str) -> list[str]:
        return sorted(key for key in self.cases if key.startswith(beginnings))

    def answer(self, key: str, *elements: str) -> Instance:
        """Answer the open tasks at *elements*, one after the other."""
        for element in elements:
            task = next(task for task in self.case(key).tasks if task.element == element)
            self.engine.complete(task.id, {}, actor=replace(alice, name=task.assignee or alice.name))
        return self.case(key)

    def work(self) -> None:
        """Let the worker do all that is due."""
        Worker(self.engine).run_due()

    def open_elements(self, key: str) -> list[str]:
        return sorted(task.element for task in self.case(key).tasks)
