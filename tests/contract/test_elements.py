"""Each element that can run, as a package of its own in tests/processes: its examples, and the same in the engine."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from conftest import ROOT, Clock, Outside, alice, operators, package
from usher_engine import Actor, Engine, Instance, Worker
from usher_engine.examples import SILENCE, run_examples
from usher_engine.state import InstanceState

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
    live = _Live(engine, outside, clock, example)
    case = live.play(folder)
    rebuilt = engine.rebuild(case.id)
    assert _path(engine, case.id) == example["path"]
    assert (case.status, rebuilt.outcome) == ("finished", example["end"])
    assert engine.verify(case.id) == []
    assert not rebuilt.waits and not rebuilt.at and not rebuilt.tasks and not rebuilt.items
    assert engine.counts()["jobs"] == {"waiting": 0, "parked": 0}


def _path(engine: Engine, case: str) -> list[str]:
    events = [event for step in engine.history(case) for event in step.events]
    return [event["element"] for event in events if event["kind"] in ("ElementEntered", "ElementPassed")]


class _Live:
    """Plays an example through the engine, its clock, its worker and its messages."""

    def __init__(self, engine: Engine, outside: Outside, clock: Clock, example: dict[str, Any]) -> None:
        self.engine, self.outside, self.clock, self.example = engine, outside, clock, example
        self.silent = any(SILENCE in answers for answers in example.get("services", {}).values())

    def play(self, folder: str) -> Instance:
        answers = [answer for given in self.example.get("services", {}).values() for answer in given]
        for answer in answers:
            if "error" in answer:
                self.outside.refuse("no")
            elif answer == SILENCE:
                self.outside.fail(retry=True)
            else:
                self.outside.answers.append(answer)
        case = self.engine.start(folder, self.example["start"], actor=alice, business_key="b1").id
        for deed in self.example.get("do", []):
            self._serve(case)
            self._do(case, deed)
            self._same(case)
        self._serve(case)
        return self.engine.instance(case)

    def _do(self, case: str, deed: dict[str, Any]) -> None:
        if "complete" in deed:
            task = next(task for task in self.engine.instance(case).tasks if task.element == deed["complete"])
            self.engine.complete(task.id, deed.get("with", {}), actor=alice)
        elif "message" in deed:
            self.engine.deliver_message(deed["message"], deed.get("with", {}), actor=alice, business_key="b1")
        else:
            waits = self.engine.rebuild(case).waits.values()
            due = next(wait["due"] for wait in waits if wait["element"] == deed["fire"])
            self.clock.time = max(self.clock.time, datetime.fromisoformat(due))
            self._work(case, deed["fire"])

    def _work(self, case: str, element: str) -> None:
        """Let the worker do what is due until the timer of *element* has fired."""
        fired = self._fired(case, element)
        while self._fired(case, element) == fired:
            assert Worker(self.engine).run_due(at_most=1) == 1

    def _fired(self, case: str, element: str) -> int:
        events = [event for step in self.engine.history(case) for event in step.events]
        return sum(event["kind"] == "TimerFired" and event["element"] == element for event in events)

    def _serve(self, case: str) -> None:
        while self.engine.rebuild(case).requests and not self.silent:
            assert Worker(self.engine).run_due(at_most=1) == 1

    def _same(self, case: str) -> None:
        """The state kept beside the case is the one its history tells of."""
        rebuilt: InstanceState = self.engine.rebuild(case)
        if rebuilt.status == "waiting":
            with self.engine.database.begin() as tx:
                assert self.engine._open(tx, case, None).state == rebuilt
