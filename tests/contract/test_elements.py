"""Each element that can run, as a package of its own in tests/processes: its examples, and the same in the engine."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT, Clock, Outside, operators, package
from live_examples import Live
from usher_engine import Actor, Engine
from usher_engine.examples import run_examples

ana = Actor(name="ana", role="analyst")
FOLDERS = sorted(path.parent.parent.name for path in ROOT.glob("tests/processes/*/examples/*.json"))
EXAMPLES = sorted((path.parent.parent.name, path.stem) for path in ROOT.glob("tests/processes/*/examples/*.json"))


@pytest.mark.parametrize("folder", sorted(set(FOLDERS)))
def test_examples_take_the_way_they_promise_and_pass_everything(folder: str) -> None:
    report = run_examples(package(folder), operators(Outside()))
    assert [(outcome.file, outcome.problem) for outcome in report.outcomes if outcome.problem] == []
    assert report.missed == ()


@pytest.mark.parametrize(("folder", "name"), EXAMPLES)
def test_the_engine_takes_the_same_way_and_can_prove_it(
    engine: Engine, outside: Outside, clock: Clock, folder: str, name: str
) -> None:
    example = json.loads(package(folder).text(f"examples/{name}.json"))
    engine.deploy(package(folder), actor=ana)
    live = Live(engine, outside, clock, example)
    case = live.play(folder)
    rebuilt = engine.queries.rebuild(case.id)
    assert _path(engine, case.id) == example["path"]
    assert (case.status, rebuilt.outcome) == ("finished", example["end"])
    assert engine.verify(case.id) == []
    assert not rebuilt.waits and not rebuilt.at and not rebuilt.tasks and not rebuilt.items
    assert engine.queries.counts()["jobs"] == {"waiting": 0, "parked": 0}


def _path(engine: Engine, case: str) -> list[str]:
    events = [event for step in engine.queries.history(case) for event in step.events]
    return [event["element"] for event in events if event["kind"] in ("ElementEntered", "ElementPassed")]
