"""Examples of packages played through a whole engine, as people, time and services would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from conftest import Clock, Outside, alice
from usher_engine import Engine, Instance, Worker
from usher_engine.core.state import InstanceState
from usher_engine.examples import SILENCE


class Live:
    """Plays an example through the engine, its clock, its worker and its messages."""

    def __init__(
        self,
        engine: Engine,
        outside: Outside,
        clock: Clock,
        example: dict[str, Any],
        between: Callable[[str], object] = lambda _: None,
    ) -> None:
        """*between* is called with the case's number wherever it waits."""
        self.engine, self.outside, self.clock, self.example, self.between = engine, outside, clock, example, between
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
            self.between(case)
            self._do(case, deed)
            self._same(case)
        self._serve(case)
        return self.engine.instance(case)

    def _do(self, case: str, deed: dict[str, Any]) -> None:
        if "complete" in deed:
            task = next(task for task in self.engine.instance(case).tasks if task.element == deed["complete"])
            self.engine.complete(task.id, deed.get("with", {}), actor=alice)
        elif "message" in deed:
            self.engine.incoming.deliver_message(deed["message"], deed.get("with", {}), actor=alice, business_key="b1")
        else:
            waits = self.engine.queries.rebuild(case).waits.values()
            due = next(wait["due"] for wait in waits if wait["element"] == deed["fire"])
            self.clock.time = max(self.clock.time, datetime.fromisoformat(due))
            self._work(case, deed["fire"])

    def _work(self, case: str, element: str) -> None:
        """Let the worker do what is due until the timer of *element* has fired."""
        fired = self._fired(case, element)
        while self._fired(case, element) == fired:
            assert Worker(self.engine).run_due(at_most=1) == 1

    def _fired(self, case: str, element: str) -> int:
        events = [event for step in self.engine.queries.history(case) for event in step.events]
        return sum(event["kind"] == "TimerFired" and event["element"] == element for event in events)

    def _serve(self, case: str) -> None:
        while self.engine.queries.rebuild(case).requests and not self.silent:
            self.between(case)
            assert Worker(self.engine).run_due(at_most=1) == 1

    def _same(self, case: str) -> None:
        """The stored state of the case equals the one folded from its history."""
        rebuilt: InstanceState = self.engine.queries.rebuild(case)
        if rebuilt.status == "waiting":
            with self.engine.database.begin() as tx:
                assert self.engine.steps.open(tx, case, None).state == rebuilt
