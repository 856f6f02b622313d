"""Whatever people, services and crashes do to a case, its history records it correctly."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from conftest import SECRET, Clock, Outside, alice, bob, operators, package
from databases import new_sqlite
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from usher_engine import SYSTEM, Actor, Conflict, Engine, NotAllowed, NotFound, Settings, Worker
from usher_engine.jobs import job_work
from usher_engine.store import Database

FINISHED = ("finished", "cancelled")


class Killed(BaseException):
    """Stands for a process that dies: nothing after it runs."""


class CaseMachine(RuleBasedStateMachine):
    """Cases of the small process under random commands, failures and deaths."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.outside = Outside()
        self.database = Database(new_sqlite(Path(self.folder.name)))
        wanted = Settings(env="development", secret_key=SECRET)
        self.engine = Engine(wanted, operators(self.outside), self.clock, self.database)
        self.engine.deploy(package("small"), actor=Actor(name="ana", role="analyst"))
        self.cases: list[str] = []

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(n=st.integers(0, 3))
    def start(self, n: int) -> None:
        self.outside.answers = [{"n": n}]
        self.cases.append(self.engine.start("small", {"q": n}, actor=alice).id)

    @rule()
    def start_that_fails(self) -> None:
        self.outside.answers = []
        self.outside.fail(retry=False)
        self.cases.append(self.engine.start("small", {"q": 1}, actor=alice).id)

    @precondition(lambda self: self.engine.inbox.tasks())
    @rule(who=st.sampled_from([alice, bob]), deed=st.sampled_from(["claim", "release", "complete", "cancel"]))
    def work(self, who: Actor, deed: str) -> None:
        task = self.engine.inbox.tasks()[0]
        try:
            match deed:
                case "claim":
                    self.engine.cases.claim(task.id, actor=who)
                case "release":
                    self.engine.cases.release(task.id, actor=who)
                case "complete":
                    self.engine.complete(task.id, {"word": "w"}, actor=who, revision=task.revision)
                case _:
                    self.engine.cases.cancel_task(task.id, "reason", actor=who)
        except (NotAllowed, Conflict, NotFound):
            pass

    @rule(how=st.sampled_from(["done", "refused", "later", "never"]))
    def serve(self, how: str) -> None:
        self.outside.answers = []
        if how == "refused":
            self.outside.refuse("no")
        elif how in ("later", "never"):
            self.outside.fail(retry=how == "later")
        Worker(self.engine).run_due(at_most=1)

    @rule(where=st.sampled_from(["job taken", "effect done", "effect recorded"]))
    def die(self, where: str) -> None:
        def kill(name: str) -> None:
            if name == where:
                raise Killed

        self.outside.answers = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(job_work, "fault_point", kill)
            with contextlib.suppress(Killed):
                Worker(self.engine).run_due(at_most=1)

    @rule(minutes=st.integers(1, 120))
    def wait(self, minutes: int) -> None:
        self.clock.forward(minutes=minutes)

    @precondition(lambda self: self.cases)
    @rule(data=st.data(), deed=st.sampled_from(["retry", "cancel"]))
    def intervene(self, data: st.DataObject, deed: str) -> None:
        case = data.draw(st.sampled_from(self.cases))
        self.outside.answers = [{"n": 1}]
        try:
            if deed == "retry":
                self.engine.cases.retry(case, actor=alice)
            else:
                self.engine.cases.cancel(case, "because", actor=alice)
        except Conflict:
            pass

    @precondition(lambda self: self.cases)
    @rule(data=st.data())
    def lose_the_state(self, data: st.DataObject) -> None:
        """Resuming without the stored state equals resuming with it: it is made again as it was."""
        case = data.draw(st.sampled_from(self.cases))
        if self.engine.instance(case).status in FINISHED:
            return
        self.outside.answers = [{"n": 1}]
        before, places = self._workflow(case), self.engine.queries.rebuild(case).at
        with self.database.begin() as tx:
            tx.exec_driver_sql("UPDATE instance_state SET content = '{' WHERE instance = ?", (case,))
        repaired = self.engine.repairs.repair(case, actor=SYSTEM)
        assert (repaired.opened, repaired.closed, repaired.parted) == ((), (), 0)
        assert (self._workflow(case), self.engine.queries.rebuild(case).at) == (before, places)

    def _workflow(self, case: str) -> object:
        with self.database.read() as tx:
            query = "SELECT content FROM instance_state WHERE instance = ?"
            return json.loads(tx.exec_driver_sql(query, (case,)).scalar_one())["workflow"]

    @invariant()
    def history_is_the_truth(self) -> None:
        for case in self.cases[-2:]:
            now, steps = self.engine.instance(case), self.engine.queries.history(case)
            rebuilt = self.engine.queries.rebuild(case)
            assert [step.revision for step in steps] == list(range(1, now.revision + 1))
            assert rebuilt.status == now.status
            assert self.engine.verify(case) == []
            assert {f"{task.element}:{task.visit}" for task in now.tasks} == set(rebuilt.tasks)
            if now.status in FINISHED:
                assert not now.tasks and not rebuilt.at
            else:
                with self.database.begin() as tx:
                    assert self.engine.steps.open(tx, case, None).state == rebuilt


CaseMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCases = CaseMachine.TestCase
