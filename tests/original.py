"""An unaltered database, and the findings in copies of it; used with `tampering`."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import SECRET, Clock, Outside, alice, operators, package
from databases import new_sqlite
from usher_engine import SYSTEM, Database, Engine, Settings, Worker
from usher_engine.checkpoints import check_everything, take
from usher_engine.checkpoints.merkle import SigningKey


@dataclass
class Original:
    database: Path
    heads: Path
    key: str


def build(folder: Path, *, cases: int) -> Original:
    """So many cases in all states, three checkpoints, audit events between them; nothing guards the tables any more."""
    settings = Settings(
        secret_key=SECRET, checkpoint_file=str(folder / "heads.jsonl"), signing_key_file=str(folder / "key.pem")
    )
    file = folder / "usher.db"
    database, clock, outside = Database(new_sqlite(folder)), Clock(), Outside()
    engine = Engine(settings, operators(outside), clock, database)
    engine.deploy(package("small"), actor=SYSTEM)
    for number in range(cases):
        _live(engine, outside, number)
        engine.audit.record("CaseViewed", {"n": number}, actor=alice, subject=f"case {number}")
        clock.forward(minutes=3)
        if number in (2 * cases // 5, 4 * cases // 5, cases - 1):
            take(database, settings, clock())
    database.close()
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as opened:
        for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            opened.execute(f"DROP TRIGGER {name}")
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    key = SigningKey.at(Path(settings.signing_key_file)).public_text
    return Original(file, Path(settings.checkpoint_file), key)


def _live(engine: Engine, outside: Outside, number: int) -> None:
    """A case that goes as far as *number* lets it."""
    outside.answers.append({"n": number % 7})
    case = engine.start("small", {"q": number}, actor=alice)
    if case.tasks and number % 3:
        engine.complete(case.tasks[0].id, {"word": "yes" if number % 2 else "again"}, actor=alice)
        Worker(engine).run_due()
    elif case.tasks and number % 2:
        engine.cases.cancel(case.id, "not wanted", actor=alice)


def findings_in(original: Original, file: Path, heads: Path) -> list[Any]:
    """What checking a copy finds."""
    database = Database(f"sqlite:///{file}")
    try:
        return check_everything(database, file=heads, key=original.key)
    finally:
        database.close()
