"""Whatever is done to a copy of a database behind Usher's back is found, and the case is named.

``USHER_AUDIT_COUNT`` sets how often each kind is done (default 4): 500 makes more than 10,000 in all.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import SECRET, Clock, Outside, alice, operators, package
from tampering import CASES, DEEDS, altered
from usher_engine import SYSTEM, Engine, Worker
from usher_engine.checkpoints import check_everything, take
from usher_engine.proof import SigningKey
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_engine.store.schema import create_for_tests

COUNT = int(os.environ.pop("USHER_AUDIT_COUNT", "4"))


@dataclass
class Original:
    database: Path
    heads: Path
    key: str


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """Fifty cases in all states, three checkpoints, audit events between them; nothing guards the tables any more."""
    folder = tmp_path_factory.mktemp("original")
    settings = Settings(
        secret_key=SECRET, checkpoint_file=str(folder / "heads.jsonl"), signing_key_file=str(folder / "key.pem")
    )
    file = folder / "usher.db"
    database, clock, outside = Database(f"sqlite:///{file}"), Clock(), Outside()
    create_for_tests(database)
    engine = Engine(settings, operators(outside), clock, database)
    engine.deploy(package("small"), actor=SYSTEM)
    for number in range(CASES):
        _live(engine, outside, number)
        engine.audit("CaseViewed", {"n": number}, actor=alice, subject=f"case {number}")
        clock.forward(minutes=3)
        if number in (20, 40, CASES - 1):
            take(database, settings, clock())
    database.close()
    with sqlite3.connect(file) as opened:
        for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            opened.execute(f"DROP TRIGGER {name}")
    opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
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
        engine.cancel(case.id, "not wanted", actor=alice)


@pytest.fixture
def copies(original: Original, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    opened: list[Database] = []

    def copy() -> tuple[Path, Path]:
        for name, source in (("copy.db", original.database), ("heads.jsonl", original.heads)):
            shutil.copy(source, tmp_path / name)
        return tmp_path / "copy.db", tmp_path / "heads.jsonl"

    yield copy
    for database in opened:
        database.close()


def _findings(original: Original, file: Path, heads: Path) -> list[Any]:
    database = Database(f"sqlite:///{file}")
    try:
        return check_everything(database, file=heads, key=original.key)
    finally:
        database.close()


def test_the_original_is_as_it_was_written(original: Original) -> None:
    assert _findings(original, original.database, original.heads) == []


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
@pytest.mark.timeout(3600)
def test_every_deed_in_the_database_is_found(original: Original, copies: Callable[[], Any], deed: Any) -> None:
    for seed in range(COUNT):
        file, heads = copies()
        with sqlite3.connect(file, isolation_level=None) as db:
            named = deed(db, Random(seed))
        db.close()
        findings = _findings(original, file, heads)
        assert findings, f"{deed.__name__} with seed {seed} was not found"
        assert named - {""} <= {finding.instance for finding in findings} or not named - {""}, (deed.__name__, seed)


@pytest.mark.timeout(3600)
def test_every_deed_in_the_file_is_found(original: Original, copies: Callable[[], Any]) -> None:
    for seed in range(COUNT * 4):
        file, heads = copies()
        random, lines = Random(seed), heads.read_text().splitlines()
        place = random.randrange(len(lines))
        deed = random.choice(("alter", "drop", "swap", "empty"))
        if deed == "alter":
            lines[place] = altered(random, lines[place])
        elif deed == "drop":
            del lines[place]
        elif deed == "swap":
            lines[place], lines[place - 1] = lines[place - 1], lines[place]
        else:
            lines = []
        heads.write_text("".join(f"{line}\n" for line in lines))
        assert _findings(original, file, heads), f"{deed} with seed {seed} was not found"
