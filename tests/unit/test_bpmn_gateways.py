"""Gateways token by token: which tokens a join takes, what it waits for, and what the first rules did instead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playing import every_order, flow, node, process, row, script, sketch, step, tasks
from usher_engine.bpmn import RULES, Run, compile_diagram
from usher_engine.core.errors import ElementFailed
from usher_engine.core.state import InstanceState
from usher_engine.definitions import Package

MESSAGE = '<message id="m1" name="Called"/>'
CALLED = '<messageEventDefinition messageRef="m1"/>'
#: Two nested forks, in both drawings, with one join after all three branches.
OUTER_FIRST = "S>F1 F1>a a>J J>E F1>F2 F2>b b>J F2>c c>J"
INNER_FIRST = "S>F1 F1>F2 F2>b b>J F2>c c>J F1>a a>J J>E"
#: The data of the token that leaves a join.
SEEN = "seen = get('x')"
FORKS = node("parallelGateway", "F1", "F2", "J")


class Case:
    """One case, serialized and read back before each command."""

    def __init__(self, package: Package, data: dict[str, Any] | None = None, *, rules: int = RULES) -> None:
        self.diagram = compile_diagram(package)
        self.rules = rules
        self.run = Run.start(self.diagram, step(rules), data or {})

    @property
    def state(self) -> InstanceState:
        return self.run.after

    @property
    def open(self) -> list[str]:
        return sorted(key.rpartition(":")[0] for key in self.state.tasks)

    def read(self) -> Run:
        stored = json.loads(json.dumps(self.run.dump()))
        self.run = Run.resume(self.diagram, step(self.rules), stored, self.state)
        return self.run

    def answer(self, *elements: str) -> Case:
        for element in elements:
            self.read().complete(element, self.state.visits[element], {})
        return self

    def call(self, element: str) -> Case:
        visit = max(int(key.rpartition(":")[2]) for key in self.state.waits if key.startswith(f"{element}:"))
        self.read().receive_message(element, visit, {})
        return self


def boundary(key: str, host: str, *, cancels: str) -> str:
    return f'<boundaryEvent id="{key}" attachedToRef="{host}" cancelActivity="{cancels}">{CALLED}</boundaryEvent>'


# which tokens a join takes


def test_a_second_token_on_a_way_waits_for_the_next_time_the_join_fires() -> None:
    flows = "S>Fork Fork>a Fork>b Fork>c Fork>d a>Or1 b>Or1 c>Or2 d>Or2 Or1>Join Or2>Join Join>z z>E"
    for one in every_order(process(sketch(flows))):
        assert (one.last.status, one.last.visits["Join"], one.last.visits["z"]) == ("finished", 2, 2)


def test_a_join_parallel_to_an_open_activity_takes_each_token_once() -> None:
    """Tokens of parallel branches stay in the state as long as the activity is open."""
    package = process(
        node("startEvent", "S"), node("parallelGateway", "f", "j"), tasks("h", "b", "z"),
        boundary("t", "h", cancels="false"), script("k", "n = n + 1"), node("exclusiveGateway", "m"),
        node("exclusiveGateway", "x", default="x-end"), node("endEvent", "end", "e"),
        row("S", "f", "h", "e"), row("f", "m", "b", "j", "k", "z", "x", "end"), flow("x", "m", "n &lt; 2"),
        row("t", "j"), head=MESSAGE,
    )  # fmt: skip
    case = Case(package, {"n": 0}).call("t").answer("b", "z").call("t").answer("b")
    assert case.open == ["h", "z"]
    case.answer("z", "h")
    assert (case.state.status, case.state.visits["j"]) == ("finished", 2)


@pytest.mark.parametrize("rules", [1, 2])
def test_tokens_that_an_interrupting_handler_removed_do_not_come_back(rules: int) -> None:
    handler = (
        f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs" isInterrupting="true">{CALLED}</startEvent>'
        f"{tasks('v', 'w')}{node('endEvent', 'he')}{row('hs', 'v', 'w', 'he')}</subProcess>"
    )
    case = Case(process(sketch("S>Fork Fork>a Fork>b a>Join b>Join Join>E"), handler, head=MESSAGE), rules=rules)
    case.answer("a").call("hs")
    assert case.open == ["v"]
    case.rules = RULES
    assert case.answer("v", "w").state.status == "finished"


def test_a_join_that_fired_does_not_take_its_tokens_back() -> None:
    package = process(
        sketch(
            "S>F a>J c>o o>gone q>k k>J r>J z>E", node("inclusiveGateway", "F", "J"), script("k", "n = 1"),
            node("exclusiveGateway", "o", default="o-gone"), node("endEvent", "gone"),
        ),
        flow("F", "a", "True"), flow("F", "c", "True"), flow("o", "J", "False"),
        flow("J", "z", "True"), flow("J", "q", "n == 0"), flow("J", "r", "n == 0"),
    )  # fmt: skip
    case = Case(package, {"n": 0}).answer("a", "c")
    assert case.open == ["q", "r", "z"]
    assert case.answer("q").open == ["r", "z"]
    assert case.answer("r").open == ["z", "z"]


@pytest.mark.parametrize("kind", ["parallelGateway", "inclusiveGateway"])
def test_a_value_that_replaces_a_record_is_not_merged_with_it(kind: str) -> None:
    replaced = script("k", 'record = {"new": 1}')
    flows = sketch("S>F b>k a>J k>J c>J J>z z>E", node(kind, "F", "J"), replaced)
    ways = [flow("F", way, "True" if kind == "inclusiveGateway" else "") for way in "abc"]
    played = every_order(process(flows, *ways), {"record": {"old": 1}})
    assert [one.last.data["record"] for one in played] == [{"new": 1}] * 6


def test_a_restored_record_is_not_merged_with_its_replacement() -> None:
    scripts = script("k", 'record = {"new": 1}'), script("l", 'record = {"old": 1}')
    package = process(sketch("S>Fork Fork>a Fork>b Fork>c b>k k>d d>l a>Join l>Join c>Join Join>z z>E", *scripts))
    assert all(one.last.data["record"] == {"old": 1} for one in every_order(package, {"record": {"old": 1}}))


# what an inclusive join waits for


def inclusive_with(*parts: str, head: str = "") -> Package:
    """An inclusive split into *a*, followed by a join and *z*, and into the other *parts*."""
    drawn = sketch("S>F a>J J>seen seen>z z>E", node("inclusiveGateway", "F", "J"), script("seen", SEEN))
    return process(drawn, flow("F", "a", "True"), *parts, head=head)


def test_a_token_rests_in_an_event_before_the_join() -> None:
    catch = f'<intermediateCatchEvent id="c">{CALLED}</intermediateCatchEvent>'
    case = Case(inclusive_with(catch, flow("F", "c", "True"), flow("c", "J"), head=MESSAGE)).answer("a")
    assert case.open == []
    assert case.state.status == "waiting"
    assert case.call("c").open == ["z"]
    assert case.answer("z").state.status == "finished"


def with_boundary_to_join(*parts: str) -> Package:
    """Parallel to *a* an activity whose boundary event leads to the join."""
    return inclusive_with(tasks("h"), boundary("t", "h", cancels="true"), flow("F", "h", "True"), *parts, head=MESSAGE)


def test_a_token_may_come_by_the_boundary_event_of_the_activity_it_rests_in() -> None:
    package = with_boundary_to_join(node("endEvent", "gone"), flow("h", "gone"), flow("t", "J"))
    assert Case(package).answer("a").open == ["h"]
    assert Case(package).answer("a", "h").open == ["z"]
    assert Case(package).answer("a").call("t").open == ["z"]
    assert Case(package).call("t").answer("a", "z").state.status == "finished"


def test_an_armed_boundary_event_holds_no_token_of_its_own() -> None:
    """The one token there could also reach the filled way."""
    package = process(
        sketch("S>F a>Or h>Or Or>J J>z z>E", node("inclusiveGateway", "F", "J")),
        boundary("t", "h", cancels="true"), flow("t", "J"), flow("F", "a", "True"), flow("F", "h", "True"),
        head=MESSAGE,
    )  # fmt: skip
    assert Case(package).answer("a").open == ["h", "z"]


def test_a_join_that_fires_late_has_the_changes_made_while_it_waited() -> None:
    package = inclusive_with(
        sketch(
            "b>k k>c c>o o>gone", script("k", "x = 2"), node("exclusiveGateway", "o", default="o-gone"),
            node("endEvent", "gone"),
        ),
        flow("F", "b", "True"), flow("o", "J", "False"),
    )  # fmt: skip
    for one in every_order(package, {"x": 1}):
        assert (one.last.status, one.last.data["seen"]) == ("finished", 2)


def test_a_join_with_a_token_on_every_way_goes_on_at_once() -> None:
    """It does not wait until nothing else moves: *late* comes after *after*."""
    package = process(
        sketch(
            "S>Fork Fork>a Fork>b b>Fork2 Fork2>J Fork2>k k>late late>E2 a>J J>after after>E",
            node("inclusiveGateway", "J"), script("k", "y = 1"), script("late", "n = n * 10"),
            script("after", "n = n + 1"),
        )
    )  # fmt: skip
    assert Case(package, {"n": 1}).answer("a", "b").state.data["n"] == 20


def test_each_inclusive_join_in_a_step_is_evaluated_last() -> None:
    """The first lets the step go on; through the way back the second could fire twice."""
    package = process(
        sketch(
            "S>F u0>J1 J1>Or Or>Fork Fork>k k>x Fork>J u>Or J>z z>E", node("inclusiveGateway", "F", "J1", "J"),
            script("k", "n = 1"), node("exclusiveGateway", "x", default="x-J"),
        ),
        flow("F", "J1", "True"), flow("F", "u0", "False"), flow("x", "u", "n &lt; 1"), flow("x", "J"),
    )  # fmt: skip
    case = Case(package)
    assert (case.open, case.state.visits["J"]) == (["z"], 1)


# where an inclusive split leads


def split(**default: str) -> Package:
    return process(
        sketch("S>F a>E b>E2 c>E3", node("inclusiveGateway", "F", **default)),
        flow("F", "a", "left"), flow("F", "b", "right"), flow("F", "c", "" if default else "False"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("left", "right", "opened"),
    [(True, True, ["a", "b"]), (True, False, ["a"]), (False, True, ["b"]), (False, False, ["c"])],
)
def test_an_inclusive_split_takes_every_way_whose_condition_holds_else_the_default(
    left: bool, right: bool, opened: list[str]
) -> None:
    case = Case(split(default="F-c"), {"left": left, "right": right})
    assert case.open == opened
    assert case.answer(*opened).state.status == "finished"


@pytest.mark.parametrize("rules", [1, 2])
def test_an_inclusive_split_without_a_way_out_is_an_error(rules: int) -> None:
    with pytest.raises(ElementFailed) as caught:
        Case(split(), {"left": False, "right": False}, rules=rules)
    assert caught.value.element == "F"
    if rules > 1:
        assert "No condition holds and there is no default flow." in str(caught.value)


# the first rules


def test_the_first_rules_forget_an_arrival_in_two_orders_of_six() -> None:
    played = every_order(process(sketch(OUTER_FIRST, FORKS)), rules=1)
    stuck = {one.order for one in played if one.last.status == "waiting"}
    assert stuck == {("a", "b", "c"), ("a", "c", "b")}
    for one in played:
        if one.order not in stuck:
            assert (one.last.outcome, one.last.data) == ("E", {"a": {}, "b": {}, "c": {}})


def test_an_inclusive_join_of_the_first_rules_has_the_data_of_every_branch() -> None:
    played = every_order(inclusive_with(tasks("b"), flow("F", "b", "True"), flow("b", "J")), rules=1)
    assert all(one.last.status == "finished" and {"a", "b"} <= one.last.data.keys() for one in played)
    assert len(played) == 2


@pytest.mark.parametrize("flows", [OUTER_FIRST, INNER_FIRST])
def test_a_case_stalled_under_the_first_rules_gets_an_incident_when_retried(flows: str) -> None:
    case = Case(process(sketch(flows, FORKS)), rules=1).answer("a", "b", "c")
    assert case.state.status == "waiting"
    case.rules = RULES
    case.read().go_on()
    [reason] = case.state.incidents.values()
    assert "“J” has a branch from “c” and waits for one from" in reason


@pytest.mark.parametrize(("order", "x"), [("a b d", 3), ("a d b", 2), ("b d a", 1)])
def test_the_last_value_counts_if_branches_of_the_first_rules_disagree(order: str, x: int) -> None:
    package = process(
        sketch(
            "S>F a>J b>k k>J d>l l>J c>o o>gone J>y y>z z>E", node("inclusiveGateway", "F", "J"), script("k", "x = 2"),
            script("l", "x = 3"), script("y", SEEN), node("exclusiveGateway", "o", default="o-gone"),
            node("endEvent", "gone"),
        ),
        *(flow("F", way, "True") for way in "abcd"), flow("o", "J", "False"),
    )  # fmt: skip
    case = Case(package, {"x": 1}, rules=1).answer(*order.split())
    assert case.open == ["c"]
    case.rules = RULES
    case.answer("c")
    assert (case.open, case.state.data["seen"]) == (["z"], x)


def test_an_arrival_of_the_first_rules_still_waits_after_other_branches_went_on() -> None:
    package = process(
        sketch("S>F1 F1>a F1>F2 F1>d a>J F2>b F2>c b>J c>J d>y y>E2 J>E", FORKS)
    )  # fmt: skip
    case = Case(package, rules=1).answer("b", "c", "d")
    case.rules = RULES
    case.answer("a")
    assert case.open == ["y"]
    case.answer("y")
    assert (case.state.status, case.state.visits["J"]) == ("finished", 1)
