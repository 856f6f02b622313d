"""Cycles without an end, as Usher and as others write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Clock, alice, package
from usher_engine import Actor, Engine, Worker
from usher_engine.definitions import Package

ana = Actor(name="ana", role="analyst")


@pytest.mark.parametrize("cycle", ["R/P1D", "R-1/P1D"])
def test_a_cycle_without_an_end_comes_again_and_again(engine: Engine, clock: Clock, cycle: str) -> None:
    files = package("timer_boundary").files
    changed = {name: content.replace(b"R3/P1D", cycle.encode()) for name, content in files.items()}
    engine.deploy(Package(changed), actor=ana)
    case = engine.start("timer_boundary", {"reminded": 0, "days": 10}, actor=alice).id
    for day in range(1, 6):
        clock.forward(days=1)
        Worker(engine).run_due()
        assert engine.queries.rebuild(case).data["reminded"] == day
        assert ("Remind", clock() + timedelta(days=1)) in [(w.element, w.due) for w in engine.instance(case).waits]
    assert engine.verify(case) == []
