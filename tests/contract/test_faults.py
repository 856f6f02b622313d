"""A bug is not blamed on the diagram: it is logged without values, counted, and the incident shows its number."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Clock, Outside, alice, package
from usher_engine import SYSTEM, Corrupt, Engine, Worker
from usher_engine.bpmn import run as run_module
from usher_engine.bpmn.service_task import UsherServiceTask
from usher_engine.cases import InstanceState
from usher_engine.core import Deadlines
from usher_engine.core.faults import counts as fault_counts
from usher_engine.reexecution.rerun import Rerun

TYPED = "Ada typed this 4711"
NUMBER = r"tell your administrator this number: ([0-9a-f]{8})$"

#: Mistakes as programs make them, each with a text that quotes what a patient typed.
MISTAKES: dict[str, Callable[[], Any]] = {
    "KeyError": lambda: {}[TYPED],
    "TypeError": lambda: TYPED + 1,  # type: ignore[operator]
    "AttributeError": lambda: getattr(TYPED, TYPED),
    "ValueError": lambda: int(TYPED),
    "IndexError": lambda: TYPED[len(TYPED)],
    "ZeroDivisionError": lambda: 1 // 0,
    "AssertionError": lambda: _refuse(AssertionError(TYPED)),
    "RuntimeError": lambda: _refuse(RuntimeError(TYPED)),
    "OSError": lambda: _refuse(OSError(TYPED)),
}


def _refuse(error: Exception) -> None:
    raise error


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=SYSTEM)
    return engine


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING)
    return caplog


class Mistaken:
    """An operator with a mistake in it."""

    def __init__(self, mistake: str) -> None:
        self.mistake = mistake

    def __call__(self, _parameters: Any, _call: Any) -> Any:
        return MISTAKES[self.mistake]()


def break_operator(engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str, mistake: str) -> None:
    operator = engine.services.get(name)
    broken = {"call": Mistaken(mistake)}
    replaced = type(operator)(**{field: getattr(operator, field) for field in operator.__slots__} | broken)
    get = engine.services.get
    monkeypatch.setattr(type(engine.services), "get", lambda _, asked: replaced if asked == name else get(asked))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_operator_inside_a_step(
    mistake: str, small: Engine, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    before = fault_counts()["operator"]
    break_operator(small, monkeypatch, "test/read", mistake)
    case = small.start("small", {"q": 1}, actor=alice)
    assert case.status == "incident"
    number = re.search(NUMBER, case.incident)
    assert number and "mistake in the software" in case.incident and "“read” failed" in case.incident
    assert fault_counts()["operator"] == before + 1
    assert f"fault {number[1]} (operator, test/read at Load): {mistake}" in log.text
    assert "in __call__" in log.text and "return MISTAKES" in log.text
    assert f"incident in case {case.id} at Load: Fault" in log.text
    assert TYPED not in log.text + case.incident
    assert small.verify(case.id) == []


def test_the_case_continues_when_the_bug_is_fixed(
    small: Engine, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        break_operator(small, broken, "test/read", "KeyError")
        case = small.start("small", {"q": 1}, actor=alice)
    outside.answers.append({"n": 2})
    assert small.cases.retry(case.id, actor=alice).status == "waiting"
    assert small.verify(case.id) == []


def test_an_operator_outside_a_step(
    small: Engine, outside: Outside, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    outside.answers.append({"n": 2})
    [task] = small.start("small", {"q": 1}, actor=alice).tasks
    case = small.complete(task.id, {"word": "yes"}, actor=alice)
    break_operator(small, monkeypatch, "test/effect", "KeyError")
    before = fault_counts()["operator"]
    assert Worker(small).run_due() == 1
    stopped = small.instance(case.id)
    number = re.search(NUMBER, stopped.incident)
    assert stopped.status == "incident" and number
    assert fault_counts()["operator"] == before + 1
    assert f"fault {number[1]} (operator, test/effect): KeyError" in log.text
    assert f"incident in case {case.id} at Send: service" in log.text
    assert TYPED not in log.text + stopped.incident


@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name != "OSError"])
def test_what_runs_the_diagram(
    mistake: str, small: Engine, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """The library's code, or ours around it."""
    before = fault_counts()["step"]
    monkeypatch.setattr(UsherServiceTask, "_execute", lambda *_: MISTAKES[mistake]())
    case = small.start("small", {"q": 1}, actor=alice)
    number = re.search(NUMBER, case.incident)
    assert case.status == "incident" and number
    assert "This element could not be run because of a mistake in the software" in case.incident
    assert fault_counts()["step"] == before + 1
    assert f"fault {number[1]} (step, Load in small): {mistake}" in log.text
    assert TYPED not in log.text + case.incident
    assert small.verify(case.id) == []


def test_what_looks_around_after_a_step(
    small: Engine, outside: Outside, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """The task stays open with its incident, and can be answered when the mistake is mended."""
    outside.answers.append({"n": 2})
    [task] = small.start("small", {"q": 1}, actor=alice).tasks
    with monkeypatch.context() as broken:
        broken.setattr(run_module.Run, "_data", lambda _: MISTAKES["KeyError"]())
        case = small.complete(task.id, {"word": "yes"}, actor=alice)
    assert case.status == "incident" and re.search(NUMBER, case.incident)
    assert "(step, small in small): KeyError" in log.text and "in _close" in log.text
    assert small.complete(case.tasks[0].id, {"word": "yes"}, actor=alice).status == "waiting"
    assert small.verify(case.id) == []


def test_what_the_library_refuses_is_the_diagram_s(
    small: Engine, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    def refused(*_: Any) -> None:
        raise run_module.SpiffWorkflowException(TYPED)

    monkeypatch.setattr(UsherServiceTask, "_execute", refused)
    case = small.start("small", {"q": 1}, actor=alice)
    assert case.incident == "The engine could not run this element (SpiffWorkflowException)."
    assert "fault " not in log.text


def test_a_start_that_failed_under_the_first_rules_verifies(
    small: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier versions laid mistakes at the diagram's door; their words stay what they were."""
    monkeypatch.setattr(UsherServiceTask, "_execute", lambda *_: MISTAKES["KeyError"]())
    with monkeypatch.context() as earlier:
        earlier.setattr(run_module, "FIRST_RULES", run_module.Step.__dataclass_fields__["rules"].default)
        case = small.start("small", {"q": 1}, actor=alice)
        assert case.incident == "The engine could not run this element (KeyError)."
        assert small.verify(case.id) == []


def test_a_job_is_stopped_when_its_lease_ends(
    small: Engine, outside: Outside, clock: Clock, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that hangs in Python holds no worker for ever; the job is done by the next try."""
    outside.answers.append({"n": 2})
    [task] = small.start("small", {"q": 1}, actor=alice).tasks
    case = small.complete(task.id, {"word": "yes"}, actor=alice)
    hangs, stopped, deadlines = threading.Event(), threading.Event(), Deadlines()

    def hang() -> None:
        hangs.set()
        try:
            while True:
                pass
        finally:
            stopped.set()

    monkeypatch.setitem(MISTAKES, "hang", hang)
    with monkeypatch.context() as hanging:
        break_operator(small, hanging, "test/effect", "hang")
        worker = Worker(small, deadlines)
        worker.start()
        assert hangs.wait(10)
        deadlines.enforce(float("inf"))
        assert stopped.wait(10)
        worker.stop()
    assert "(time limit, a job): OutOfTime" in log.text and "in hang" in log.text
    assert small.instance(case.id).status == "waiting"
    clock.forward(seconds=small.settings.job_lease_s + 1)
    assert Worker(small).run_due() == 1
    assert small.verify(case.id) == []


def test_what_runs_a_case_again(small: Engine, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture) -> None:
    """A check that cannot be made is a finding; whether the record or the program is to blame shows in the log."""
    case = small.start("small", {"q": 1}, actor=alice).id
    monkeypatch.setattr(Rerun, "_reexecute", lambda *_: MISTAKES["KeyError"]())
    [finding] = small.verify(case)
    assert finding.kind == "unreadable" and "or Usher has a bug (KeyError, see the log)" in finding.message
    assert f"(checks, step 1 of case {case}): KeyError" in log.text and "in _run_again" in log.text
    assert TYPED not in log.text + finding.message


def test_a_state_that_cannot_be_loaded(
    small: Engine, outside: Outside, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    """It lies under our seal, so what cannot read it leaves a trace."""
    outside.answers.append({"n": 2})
    [task] = small.start("small", {"q": 1}, actor=alice).tasks
    monkeypatch.setattr(InstanceState, "from_json", lambda *_: MISTAKES["KeyError"]())
    with pytest.raises(Corrupt):
        small.complete(task.id, {"word": "yes"}, actor=alice)
    assert "(step, the stored state of case" in log.text and "in unseal" in log.text
    assert TYPED not in log.text
