"""Whatever time, messages, people and crashes do to cases that wait and repeat, their history records it correctly."""

from __future__ import annotations

import contextlib

from conftest import alice, package
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from properties.test_engine_machine import CaseMachine
from usher_engine import Actor, Conflict, NotAllowed, NotFound, Worker

STARTS = {
    "timer_boundary": {"reminded": 0, "days": 10},
    "message_boundary": {"heard": []},
    "message_catch": {},
    "event_subprocess": {"count": 0},
    "items_parallel": {"people": [{"name": "Ann"}, {"name": "Bob"}], "enough": 2},
    "items_in_turn": {"people": ["Ann", "Bob"], "rounds": 2, "total": 0, "numbers": [1, 2]},
    "loop": {"n": 2},
}


class WaitingMachine(CaseMachine):
    """Cases that wait for time and messages, and cases of the small process."""

    def __init__(self) -> None:
        super().__init__()
        for name in STARTS:
            self.engine.deploy(package(name), actor=Actor(name="ana", role="analyst"))

    @rule(name=st.sampled_from(sorted(STARTS)))
    def start_waiting(self, name: str) -> None:
        self.outside.answers = []
        self.cases.append(self.engine.start(name, STARTS[name], actor=alice).id)

    @precondition(lambda self: self.cases)
    @rule(data=st.data(), name=st.sampled_from(["News", "Stop", "Paid"]))
    def deliver(self, data: st.DataObject, name: str) -> None:
        case = data.draw(st.sampled_from(self.cases))
        with contextlib.suppress(NotFound, Conflict):
            self.engine.incoming.deliver_message(name, {"text": "t", "n": 2}, actor=alice, instance=case)

    @rule(hours=st.sampled_from([1, 24, 200]))
    def time_passes(self, hours: int) -> None:
        self.outside.answers = []
        self.clock.forward(hours=hours)
        Worker(self.engine).run_due(at_most=3)

    @precondition(lambda self: self.engine.inbox.tasks())
    @rule(data=st.data())
    def work(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.engine.inbox.tasks()))
        with contextlib.suppress(NotAllowed, Conflict, NotFound):
            self.engine.complete(task.id, {"word": "yes"} if task.form else {}, actor=alice)


WaitingMachine.TestCase.settings = settings(
    max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestWaitingCases = WaitingMachine.TestCase
