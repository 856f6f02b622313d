"""Dates that cannot be true are findings, and the replay says between which checkpoints a step was recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Clock, Outside, alice, package
from usher_engine import SYSTEM, Engine
from usher_engine.assurance import Prover, check_record
from usher_engine.checkpoints import gather, take


@pytest.fixture
def small(engine: Engine, clock: Clock) -> Engine:
    engine.deploy(package("small"), actor=SYSTEM)
    take(engine.database, engine.settings, clock())
    clock.forward(hours=1)
    return engine


def start(engine: Engine, outside: Outside) -> str:
    outside.answers.append({"n": 2})
    return engine.start("small", {"q": 2}, actor=alice).id


def dates(engine: Engine) -> list[str]:
    found = check_record(engine.context, gather(engine.database, engine.settings))
    return [finding.message for finding in found if finding.kind == "time"]


def test_an_honest_record_has_no_wrong_date(small: Engine, outside: Outside, clock: Clock) -> None:
    case = start(small, outside)
    clock.forward(minutes=20)
    small.complete(f"{case}:U:1", {"word": "yes"}, actor=alice)
    clock.forward(minutes=40)
    take(small.database, small.settings, clock())
    proof = Prover(small.context).prove(case)
    assert dates(small) == [] and proof.is_proven
    before = clock() - timedelta(hours=2)
    assert [(one.after, one.before) for one in proof.written] == [(before, clock())] * proof.steps


def test_a_case_made_up_and_dated_back_is_not_proven(small: Engine, outside: Outside, clock: Clock) -> None:
    """With the open engine and the secret, in the practice's own database: consistent in everything but time."""
    now = clock()
    clock.time = now - timedelta(days=700)
    case = start(small, outside)
    clock.time = now
    take(small.database, small.settings, clock())
    (words,) = dates(small)
    assert "is dated 2024-06-03 10:02 UTC, but its version 1 was deployed 2026-05-04" in words
    proof = Prover(small.context).prove(case)
    assert not proof.is_proven and [finding.kind for finding in proof.findings] == ["time"]


def test_a_step_from_before_the_last_checkpoint(small: Engine, outside: Outside, clock: Clock) -> None:
    now = clock()
    take(small.database, small.settings, now)
    small.audit.record("CaseViewed", {}, actor=alice)
    take(small.database, small.settings, now)
    clock.time = now - timedelta(minutes=40)
    start(small, outside)
    small.audit.record("CaseViewed", {}, actor=alice)
    clock.time = now
    first, second = dates(small)
    assert "Step 1 is dated" in first and "was written later: the checkpoint signed" in first
    assert "Audit event 3 is dated" in second and "earlier than the one before it" in second


def test_clocks_may_differ_a_little(small: Engine, outside: Outside, clock: Clock) -> None:
    take(small.database, small.settings, clock())
    clock.forward(minutes=-8)
    start(small, outside)
    clock.forward(minutes=8)
    take(small.database, small.settings, clock())
    assert dates(small) == []
