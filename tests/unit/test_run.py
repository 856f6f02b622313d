"""One step of a case in memory: the events of a command, the commands it refuses, and the state for the next one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Outside, operators, package
from playing import flow, node, process, row, script, sketch, tasks
from usher_engine.bpmn import Run, Step, compile_diagram
from usher_engine.core import events as e
from usher_engine.core.errors import BusinessError, Conflict, Corrupt, ElementFailed, EngineError, LimitExceeded
from usher_engine.core.state import fold

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)


def drawn(flows, *elements):
    return compile_diagram(process(sketch(flows, *elements)))


class Case:
    """Runs a diagram command by command; between two, its state goes through JSON as in the database."""

    def __init__(self, diagram, data=None, *, answers=(), **step):
        outside = Outside()
        outside.answers += answers
        self.diagram = compile_diagram(package(diagram)) if isinstance(diagram, str) else diagram
        self.step = Step(
            instance="I", actor="alice", now=NOW, services=operators(outside),
            answer=lambda operator, values, call: operator.call(values, call), **step,
        )  # fmt: skip
        run = Run.start(self.diagram, self.step, data or {})
        self.started = run.events
        self._keep(run)

    def _keep(self, run):
        self.state, self.stored = run.after, json.loads(json.dumps(run.dump()))

    def do(self, command, *given, **step):
        """Return the events of one command, in a separate step."""
        run = Run.resume(self.diagram, replace(self.step, **step), self.stored, self.state)
        getattr(run, command)(*given)
        assert run.after == fold(self.state, run.events)  # the state follows from the events alone
        self._keep(run)
        return run.events


def small():
    """The small process at its user task U."""
    return Case("small", {"q": 0}, answers=[{"n": 2.0}])


def sending():
    """The small process while it waits for the effect Send."""
    case = small()
    case.do("complete", "U", 1, {"note": "x"})
    return case


# a start


def test_a_case_runs_to_its_first_task():
    assert small().started == [
        e.ElementPassed("S", 1),
        e.ElementPassed("Load", 1, "f1"),
        e.ServiceCalled("Load", 1, "test/read", "got", {"n": 2}),
        e.ElementPassed("G", 1, "f2"),
        e.ElementEntered("U", 1, "f3"),
        e.UserTaskOpened(
            "U", 1, "Do it", message="n is 2", form="answer.form", group="Front desk", due="2026-05-06T09:02:00Z",
            cancel=True,
        ),
    ]  # fmt: skip


def test_a_case_without_waits_ends_in_its_first_step():
    case = Case("small", {"q": 0}, answers=[{"n": 0}])
    assert case.started[-2:] == [e.ElementPassed("E2", 1, "f4"), e.InstanceFinished("E2")]
    assert case.state.status == "finished" and case.state.data == {"q": 0, "got": {"n": 0}}


def test_the_initial_data_are_stored_as_they_read_back():
    case = Case("timer_boundary", {"days": 3.0, "reminded": 0})
    assert repr(case.state.data) == repr({"days": 3, "reminded": 0})


def test_the_data_given_is_not_shared_with_the_case():
    data = {"days": 3, "reminded": 0, "deep": {"a": 1}}
    case = Case("timer_boundary", data)
    data["deep"]["a"] = 2
    assert case.state.data["deep"] == {"a": 1}


# user tasks


def test_an_answer_is_stored_and_the_case_goes_on():
    events = small().do("complete", "U", 1, {"n": 3.0})
    assert events[0] == e.UserTaskCompleted("U", 1, "answered", {"n": 3})
    assert events[-2:] == [
        e.ServiceRequested("Send", 1, "test/effect", "sent", {}),
        e.DataChanged({"got": {"n": 1}}, []),
    ]
    assert e.ElementCompleted("U", 1) in events


def test_an_answer_is_for_a_task_that_is_open():
    case = small()
    for where, visit in (("U", 2), ("T", 1), ("Send", 1), ("nowhere", 1)):
        with pytest.raises(Corrupt, match="is open, but not in the state"):
            case.do("complete", where, visit, {})
    case.do("complete", "U", 1, {})
    with pytest.raises(Corrupt, match="Do it is open, but not in the state"):
        case.do("complete", "U", 1, {})


def test_of_two_open_tasks_the_one_named_is_completed():
    case = Case("parallel", {"n": 1})
    assert e.ElementCompleted("B", 1) in case.do("complete", "B", 1, {})
    assert case.state.tasks.keys() == {"A:1"}
    assert case.do("complete", "A", 1, {})[-1] == e.InstanceFinished("End")


def test_a_task_is_cancelled_by_its_boundary_event():
    case = small()
    events = case.do("cancel_task", "U", 1, "Not wanted.", actor="bob")
    assert events[0] == e.UserTaskCancelled("U", 1, "Not wanted.")
    assert events[-1] == e.InstanceFinished("Cancelled")
    assert case.state.data["cancelled"] == {"by": "bob", "reason": "Not wanted.", "element": "U"}


def test_a_task_without_a_way_out_is_not_cancelled():
    case = Case("timer_boundary", {"days": 3, "reminded": 0})
    with pytest.raises(EngineError, match="“Ask” cannot be cancelled"):
        case.do("cancel_task", "Ask", 1, "Not wanted.")
    assert case.do("complete", "Ask", 1, {})[0] == e.UserTaskCompleted("Ask", 1, "Ask", {})


# effects


def test_the_result_of_an_effect_is_stored_and_the_case_goes_on():
    case = sending()
    assert case.do("finish_service", "Send", 1, {"id": 7.0})[:2] == [
        e.ServiceCompleted("Send", 1, "sent", {"id": 7}),
        e.ElementCompleted("Send", 1),
    ]
    assert case.state.data["sent"] == {"id": 7} and not case.state.requests


def test_a_refused_effect_leaves_by_its_error_boundary_event():
    case = sending()
    events = case.do("refuse_service", "Send", 1, BusinessError("no", "The service says no."))
    assert events[0] == e.ServiceRefused("Send", 1, "no", "The service says no.")
    assert events[-1] == e.InstanceFinished("No")
    assert case.state.data["error"] == {"code": "no", "message": "The service says no."}


def test_an_uncaught_refusal_names_the_element():
    with pytest.raises(ElementFailed) as failed:
        sending().do("refuse_service", "Send", 1, BusinessError("other", "Something else."))
    assert failed.value.element == "Send" and failed.value.cause.code == "other"


def test_results_are_for_an_effect_that_was_asked_for():
    for command in ("finish_service", "refuse_service"):
        with pytest.raises(Corrupt, match="Send is open, but not in the state"):
            sending().do(command, "Send", 2, BusinessError("no", ""))
        with pytest.raises(Corrupt, match="Do it is open, but not in the state"):
            small().do(command, "U", 1, BusinessError("no", ""))


# timers and messages


def test_a_timer_fires_where_the_case_waits_for_it():
    case = Case("timer_boundary", {"days": 3, "reminded": 0})
    assert case.started[-2:] == [
        e.TimerStarted("Remind", 1, "2026-05-05T09:02:00Z", "P1D", 2),
        e.TimerStarted("GiveUp", 1, "2026-05-07T09:02:00Z"),
    ]
    events = case.do("fire_timer", "Remind", 1, now=NOW + timedelta(days=1))
    assert events[0] == e.TimerFired("Remind", 1)
    assert e.TimerStarted("Remind", 2, "2026-05-06T09:02:00Z", "P1D", 1) in events
    assert case.state.tasks.keys() == {"Ask:1"} and case.state.data["reminded"] == 1
    events = case.do("fire_timer", "GiveUp", 1, now=NOW + timedelta(days=3))
    assert e.ElementCancelled("Ask", 1) in events and events[-1] == e.InstanceFinished("Expired")


def test_a_message_arrives_where_the_case_waits_for_it():
    case = Case("message_catch")
    assert case.started[-1] == e.MessageAwaited("Paid", 1, "Paid", "payment")
    events = case.do("receive_message", "Paid", 1, {"sum": 5.0})
    assert events[0] == e.MessageReceived("Paid", 1, "Paid", "payment", {"sum": 5})
    assert case.state.data == {"payment": {"sum": 5}}


def test_timers_and_messages_without_a_wait_are_refused():
    case = Case("message_catch")
    for command, *given in (
        ("fire_timer", "Paid", 1), ("fire_timer", "Week", 1),
        ("receive_message", "Paid", 2, {}), ("receive_message", "Papers", 1, {}),
    ):  # fmt: skip
        with pytest.raises(Conflict, match=f"does not wait at {given[0]} any more"):
            case.do(command, *given)


# limits and failures


def test_a_loop_without_a_wait_is_stopped_by_the_number_of_its_elements():
    with pytest.raises(LimitExceeded, match="may run 300 elements"):
        Case(drawn("S>Or Or>T T>Or", script("T", "n = 1")))


def test_a_step_may_run_as_many_elements_as_the_limit():
    def chain(length):
        keys = [f"T{number}" for number in range(length)]
        flows = [f"{one}>{other}" for one, other in zip(["S", *keys], [*keys, "E"], strict=True)]
        return drawn(" ".join(flows), *(script(key, "n = 1") for key in keys))

    assert Case(chain(250)).state.status == "finished"
    with pytest.raises(LimitExceeded, match="may run 300 elements"):
        Case(chain(300))


def test_a_step_that_takes_too_long_is_stopped():
    with pytest.raises(LimitExceeded, match="took longer than 10 seconds"):
        Case("small", limit_s=-1.0)


def test_an_element_that_fails_is_named_with_its_cause():
    case = Case("failing")
    with pytest.raises(ElementFailed) as failed:
        case.do("receive_message", "Heard", 1, {"n": "no number"})
    assert failed.value.element == "Halve"
    assert case.do("receive_message", "Heard", 1, {"n": 3})[-1] == e.InstanceFinished("Over")
    assert case.state.data["half"] == 1.5


def inclusive(n):
    """A case at an inclusive gateway that opens A if n is above 1 and B if above 2."""
    ends = node("startEvent", "S"), node("inclusiveGateway", "Any", "Both"), tasks("A", "B"), node("endEvent", "E")
    ways = flow("S", "Any"), flow("Any", "A", "n &gt; 1"), flow("Any", "B", "n &gt; 2")
    return Case(compile_diagram(process(*ends, *ways, row("A", "Both", "E"), row("B", "Both"))), {"n": n})


@pytest.mark.parametrize(("n", "asked"), [(2, ["A:1"]), (3, ["A:1", "B:1"])])
def test_an_inclusive_gateway_takes_every_way_whose_condition_holds(n, asked):
    case = inclusive(n)
    assert list(case.state.tasks) == asked
    for task in asked:
        events = case.do("complete", task.partition(":")[0], 1, {})
    assert events[-1] == e.InstanceFinished("E")


def test_an_inclusive_gateway_without_a_way_on_is_named():
    with pytest.raises(ElementFailed, match="No condition holds and there is no default flow") as failed:
        inclusive(1)
    assert failed.value.element == "Any"


def test_events_are_returned_even_if_the_step_fails():
    events = []
    with pytest.raises(ElementFailed):
        Case("failing").do("receive_message", "Heard", 1, {"n": None}, events=events)
    assert events[0] == e.MessageReceived("Heard", 1, "News", "news", {"n": None})


# what is recorded at the end of a step


def test_only_what_changed_beyond_the_answers_is_recorded():
    case = Case(drawn("S>T T>E", script("T", "a = 1\nb = None")), {"a": 1, "c": 3})
    assert [event for event in case.started if isinstance(event, e.DataChanged)] == [e.DataChanged({"b": None}, [])]


def test_the_outcome_is_the_end_event_and_its_explanation_comes_from_the_process():
    ways = ["S>T T>E", '<endEvent id="E"><documentation>It is over.</documentation></endEvent>']
    assert Case(drawn(*ways, script("T", "x = 1"))).started[-1] == e.InstanceFinished("E", "It is over.")
    scripted = drawn(*ways, script("T", "explanation = 'Said by the script.'"))
    assert Case(scripted).started[-1] == e.InstanceFinished("E", "Said by the script.")
    for nothing in ("''", "7"):
        silent = drawn(*ways, script("T", f"explanation = {nothing}"))
        assert Case(silent).started[-1] == e.InstanceFinished("E", "It is over.")


def test_the_stored_state_has_nothing_of_the_diagram_and_reads_back():
    case = small()
    again = Run.resume(case.diagram, case.step, case.stored, case.state).dump()
    assert json.loads(json.dumps(again)) == case.stored
    assert "Do it" not in json.dumps(case.stored)
