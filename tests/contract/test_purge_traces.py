"""What a purge leaves: nothing of the text in the files, and in an export the hashes that were signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Clock, Outside, package
from sqlalchemy import make_url
from usher_engine import SYSTEM, Actor, Engine, Worker
from usher_engine.assurance import Retention
from usher_engine.checkpoints import public_key_of, take
from usher_engine.exports import Export, Selection, verify_export
from usher_engine.store import tombstones

ADAM = Actor(name="adam", role="admin")
ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
WORD = "Kirschblütenweg"


@pytest.fixture
def purged(engine: Engine, outside: Outside, clock: Clock) -> tuple[Engine, list[bytes]]:
    """Three cases that were purged while connections stay open, and the bodies of their steps."""
    engine.deploy(package("small"), actor=SYSTEM)
    for number in range(3):
        outside.answers.append({"n": 2})
        case = engine.start("small", {"q": 2}, actor=ALICE, business_key=f"p{number}")
        engine.task_drafts.save(case.tasks[0].id, {"word": WORD}, actor=ALICE)
        engine.complete(case.tasks[0].id, {"word": WORD}, actor=ALICE)
        Worker(engine).run_due()
    take(engine.database, engine.settings, clock())
    with engine.database.read() as tx:
        bodies = [bytes(body) for body in tx.exec_driver_sql("SELECT body FROM step").scalars()]
    clock.time = clock.time.replace(year=clock.time.year + 7)
    done = Retention(engine.context, engine.audit).purge(actor=ADAM, vacuum=True)
    assert (done.purged, done.traces_removed) == (3, True)
    return engine, bodies


def files(engine: Engine) -> Iterator[bytes]:
    database = Path(str(make_url(engine.settings.database_url).database))
    for suffix in ("", "-wal"):
        file = database.with_name(database.name + suffix)
        if file.exists():
            yield file.read_bytes()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_text_is_in_no_file_any_more(purged: tuple[Engine, list[bytes]]) -> None:
    engine, bodies = purged
    with engine.database.single() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1
    assert len(bodies) > 6
    for content in files(engine):
        assert WORD.encode() not in content
        assert [body for body in bodies if body in content] == []


def test_an_export_tells_of_purged_cases_with_their_hashes(
    purged: tuple[Engine, list[bytes]], outside: Outside
) -> None:
    engine, _ = purged
    outside.answers.append({"n": 2})
    engine.start("small", {"q": 2}, actor=ALICE)
    lines = list(Export(engine, "jsonl", Selection(), actor=ADAM).pieces())
    assert sum(b'"kind":"purged"' in line for line in lines) == 3
    key = public_key_of(engine.settings)
    result = verify_export(lines, key=key)
    assert result.findings == []
    assert result.notes == {"3 cases were purged; the hashes of their steps were checked."}
    spoiled = [line.replace(b'"hashes":["', b'"hashes":["0', 1) for line in lines]
    assert verify_export(spoiled, key=key).findings


def test_what_is_left_of_a_purged_case_cannot_be_altered(purged: tuple[Engine, list[bytes]]) -> None:
    engine, _ = purged
    with engine.database.begin() as tx:
        tx.exec_driver_sql("UPDATE instance SET outcome = 'Enrolled', started_at = '2020-01-01T00:00:00.000000Z'")
    with engine.database.read() as tx:
        found = [finding.message for finding in tombstones.check_all(tx)]
    assert any("not what was recorded with its purge: outcome, started at" in message for message in found)
