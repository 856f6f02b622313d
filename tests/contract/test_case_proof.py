"""Proof of a single case: chain, signed checkpoints, re-execution; and the windows in which its steps are read."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import tampering
from conftest import SECRET, Clock, Outside, alice, operators, package
from usher_engine import Database, Engine, Settings, Worker
from usher_engine.assurance import Prover
from usher_engine.cases import WHOLE, HistoryPages, InstanceState
from usher_engine.checkpoints import take


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        mail_hold=0,
        env="development",
        secret_key=SECRET,
        database_url=database_url,
        checkpoint_file=str(tmp_path / "heads.jsonl"),
        signing_key_file=str(tmp_path / "key.pem"),
    )


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=alice)
    return engine


def lived(engine: Engine, outside: Outside, rounds: int = 1) -> str:
    """A case that has gone round *rounds* times."""
    outside.answers = [{"n": rounds + 2}]
    case = engine.start("small", {"q": 1}, actor=alice).id
    for visit in range(1, rounds + 1):
        engine.complete(f"{case}:U:{visit}", {"word": "again"}, actor=alice)
        Worker(engine).run_due()
    return case


def test_a_case_is_proven_once_all_its_steps_are_signed(
    small: Engine, outside: Outside, settings: Settings, clock: Clock
) -> None:
    case, prover = lived(small, outside), Prover(small.context)
    assert prover.cached_proof(case) is None
    first = prover.prove(case)
    assert (first.is_proven, first.proven_steps, first.steps, first.findings) == (False, 0, 3, ())
    take(small.database, settings, clock())
    assert prover.cached_proof(case) is None, "what it rests on has changed"
    clock.forward(hours=1)
    signed = prover.prove(case)
    assert signed.is_proven and signed.signed_at is not None and signed.signed_at < clock()
    assert prover.cached_proof(case) is signed and prover.prove(case) is signed
    clock.forward(hours=1)
    assert prover.prove(case, again=True).checked_at == clock()
    small.complete(f"{case}:U:2", {"word": "enough"}, actor=alice)
    grown = prover.prove(case)
    assert (grown.is_proven, grown.proven_steps, grown.steps) == (False, 3, 4)
    lived(small, outside)
    take(small.database, settings, clock())
    assert prover.prove(case).is_proven, "over two checkpoints"


def test_without_the_key_nothing_is_called_proven(
    small: Engine, outside: Outside, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    case = lived(small, outside)
    take(small.database, settings, clock())
    elsewhere = replace(settings, signing_key_file=str(tmp_path / "none.pem"), checkpoint_file=str(tmp_path / "none"))
    proof = Prover(Engine(elsewhere, small.services, clock, small.database).context).prove(case)
    assert proof.without_key and proof.findings == () and not proof.is_proven and proof.proven_steps == 0


def test_a_checkpoint_missing_in_the_file_is_reported(
    small: Engine, outside: Outside, settings: Settings, clock: Clock
) -> None:
    case = lived(small, outside)
    take(small.database, settings, clock())
    Path(settings.checkpoint_file).write_text("")
    (finding,) = Prover(small.context).prove(case).findings
    assert finding.kind == "checkpoint" and finding.message == "Checkpoint 1 is not in the checkpoint file."


#: What may be done to the steps, the row or the leaves of one case.
ONE_CASE = [
    deed
    for deed in tampering.DEEDS
    if deed.__name__ not in ("delete_case", "delete_case_and_leaves", "close_the_gap", "mutate_checkpoint")
    and "event" not in deed.__name__
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("deed", ONE_CASE, ids=lambda deed: deed.__name__)
def test_nothing_altered_is_called_proven(
    small: Engine, outside: Outside, settings: Settings, clock: Clock, deed: tampering.Deed, database: Database
) -> None:
    cases = []
    for _ in range(3):
        cases.append(lived(small, outside, 2))
        clock.forward(minutes=3)  # two cases alike to the microsecond could change places unseen
        take(database, settings, clock())
    prover = Prover(small.context)
    assert all(prover.prove(case).is_proven for case in cases)
    address = settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(address, isolation_level=None)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        named = deed(db, Random(7))
    db.close()
    proofs = {case: prover.prove(case) for case in cases}
    wrong = {case for case, proof in proofs.items() if not proof.is_proven}
    assert wrong & named if named else wrong
    windows: HistoryPages[int] = HistoryPages(small.context, lambda before, _: before + 1, 0)
    for case in cases:
        assert windows.open(case, 1).total >= 1, "a page that tells of it can still be made"


def test_every_window_begins_where_the_one_before_ends(small: Engine, outside: Outside) -> None:
    case = lived(small, outside, WHOLE)
    revisions = range(1, small.instance(case).revision + 1)
    states = [small.queries.rebuild(case, revision) for revision in revisions]
    windows: HistoryPages[int] = HistoryPages(small.context, lambda before, _: before + 1, 0)
    assert windows.open(case, 10**9).last == len(states), "the nearest there is"
    size = windows.open(case, 1).size
    for revision in (len(states), 1, size, size + 1, WHOLE - 1, WHOLE + 1, 2 * WHOLE - size):
        window = windows.open(case, revision)
        assert window.first <= revision <= window.last and window.total == len(states)
        assert window.carried == window.first - 1
        assert window.before == (states[window.first - 2] if window.first > 1 else InstanceState())
        assert [seen.after for seen in window.seen] == states[window.first - 1 : window.last]
        assert all(seen.is_linked for seen in window.seen)
        assert [step.revision for step in window.ahead][:1] == ([window.last + 1] if window.last < len(states) else [])
    fresh: HistoryPages[int] = HistoryPages(small.context, lambda before, _: before + 1, 0)
    assert fresh.open(case, len(states)) == windows.open(case, len(states))
    sample = windows.sample(case, len(states), 50)
    assert [number for number, step in sample if step] == [1, 51, 101, 151, 201]


def test_services_of_the_house_are_off(small: Engine, outside: Outside, settings: Settings, clock: Clock) -> None:
    case = lived(small, outside)
    asked = len(outside.calls)
    Prover(Engine(settings, operators(outside), clock, small.database).context).prove(case)
    assert len(outside.calls) == asked
