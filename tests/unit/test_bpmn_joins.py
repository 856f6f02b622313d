"""Joins count tokens according to BPMN 2.0.2, 13.4, in any order of answers; a stalled case has an incident."""

from __future__ import annotations

from typing import Any

import pytest
from playing import Played, every_order, flow, node, process, row, script, step, tasks
from usher_engine.bpmn import Run, compile_diagram
from usher_engine.definitions import Package


def outcomes(package: Package, data: dict[str, Any] | None = None) -> list[Played]:
    played = every_order(package, data)
    assert {(one.last.status, one.last.outcome) for one in played} == {("finished", "end")}
    return played


def fork_in_a_fork() -> Package:
    return process(
        node("startEvent", "s"), node("parallelGateway", "f1", "f2", "j"), tasks("a", "b", "c"),
        node("endEvent", "end"),
        row("s", "f1", "a", "j", "end"), row("f1", "f2", "b", "j"), row("f2", "c", "j"),
    )  # fmt: skip


def test_a_join_fed_by_a_fork_inside_a_fork_fires_in_every_order() -> None:
    assert len(outcomes(fork_in_a_fork())) == 6


def test_an_inner_fork_with_a_join_of_its_own() -> None:
    package = process(
        node("startEvent", "s"), node("parallelGateway", "f1", "f2", "j2", "j1"), tasks("a", "b", "c", "d"),
        node("endEvent", "end"), row("s", "f1", "a", "j1", "end"), row("f1", "f2", "b", "j2", "d", "j1"),
        row("f2", "c", "j2"),
    )  # fmt: skip
    assert len(outcomes(package)) == 8


def two_joins_in_a_loop() -> Package:
    """Three branches into two consecutive joins, for three rounds; the first branch is automatic."""
    return process(
        node("startEvent", "s"), script("z", "k = 0"), node("exclusiveGateway", "m"), node("parallelGateway", "f"),
        tasks("a", "b"), node("parallelGateway", "j1", "j2"), script("n", "k = k + 1"),
        node("exclusiveGateway", "x", default="x-end"), node("endEvent", "end"),
        row("s", "z", "m", "f", "a", "j1", "j2", "n", "x", "end"), row("f", "b", "j2"), row("f", "j1"),
        flow("x", "m", "k &lt; 3"),
    )  # fmt: skip


def test_each_round_of_a_loop_joins_its_own_tokens() -> None:
    for one in outcomes(two_joins_in_a_loop()):
        assert (len(one.order), one.last.visits["j2"], one.last.flows["j1-j2"]) == (6, 3, 3)


def default_inside() -> Package:
    """An inclusive split with a branch that splits again; the join waits for both."""
    return process(
        node("startEvent", "s"), node("inclusiveGateway", "o"), node("exclusiveGateway", "x", default="x-o2"),
        node("exclusiveGateway", "o2", "xj"), tasks("a", "b", "z"), node("exclusiveGateway", "x2"),
        node("inclusiveGateway", "j"), node("endEvent", "end"),
        row("s", "o"), flow("o", "x", "True"), flow("o", "b", "True"), row("x", "o2", "xj", "j", "z", "end"),
        flow("x", "a", "left"), row("a", "x2", "xj"), row("b", "j"),
    )  # fmt: skip


@pytest.mark.parametrize("left", [True, False])
def test_an_inclusive_join_waits_for_a_branch_that_has_a_default_inside(left: bool) -> None:
    for one in outcomes(default_inside(), {"left": left}):
        assert one.last.visits["z"] == one.last.visits["j"] == 1
        if left and one.order[0] == "b":
            assert one.open_after("b") == ["a"]


def test_under_the_first_rules_an_inclusive_join_does_not_wait_for_such_a_branch() -> None:
    diagram = compile_diagram(default_inside())
    run = Run.start(diagram, step(rules=1), {"left": True})
    run = Run.resume(diagram, step(rules=1), run.dump(), run.after)
    run.complete("b", 1, {})
    assert set(run.after.tasks) == {"a:1", "z:1"}


def parallel_branch_in_a_loop() -> Package:
    return process(
        node("startEvent", "s"), script("z", "k = 0"), node("exclusiveGateway", "m"), node("parallelGateway", "p", "q"),
        tasks("a", "b", "c"), node("inclusiveGateway", "o", default="o-b"), node("inclusiveGateway", "j"),
        script("n", "k = k + 1"), node("exclusiveGateway", "x", default="x-end"), node("endEvent", "end"),
        row("s", "z", "m", "p", "c", "q", "n", "x", "end"), row("p", "o"), flow("o", "a", "k == 0"), row("a", "j"),
        row("o", "b", "j", "q"), flow("x", "m", "k &lt; 2"),
    )  # fmt: skip


def test_an_inclusive_join_does_not_wait_for_tokens_of_the_next_round() -> None:
    for one in outcomes(parallel_branch_in_a_loop()):
        assert (one.last.visits["j"], one.last.visits["q"]) == (2, 2)


def test_an_inclusive_join_directly_after_its_split_waits_for_the_other_branch() -> None:
    package = process(
        node("startEvent", "s"), node("inclusiveGateway", "o", "j"), tasks("a", "z"), node("endEvent", "end"),
        row("s", "o"), flow("o", "j", "True"), flow("o", "a", "True"), row("a", "j", "z", "end"),
    )  # fmt: skip
    [one] = outcomes(package)
    assert one.order == ("a", "z")


def test_an_inclusive_join_goes_on_when_the_last_token_before_it_ends_elsewhere() -> None:
    package = process(
        node("startEvent", "s"), node("inclusiveGateway", "o", "j"), tasks("a", "b", "z"),
        node("exclusiveGateway", "x", default="x-gone"), node("endEvent", "end", "gone"),
        row("s", "o"), flow("o", "a", "True"), flow("o", "b", "True"), row("a", "j", "z", "end"), row("b", "x", "gone"),
        flow("x", "j", "back"),
    )  # fmt: skip
    for one in every_order(package, {"back": False}):
        assert (one.last.status, one.last.visits["z"]) == ("finished", 1)
        if one.order[0] == "a":
            assert one.open_after("a") == ["b"]


def test_branches_share_their_changes_in_every_order() -> None:
    package = process(
        node("startEvent", "s"), script("z", "x = 1"), node("parallelGateway", "f", "j"), tasks("a", "b", "c"),
        script("a2", "x = 2\ny = x"), node("endEvent", "end"),
        row("s", "z", "f", "a", "a2", "j", "c", "end"), row("f", "b", "j"),
    )  # fmt: skip
    for one in outcomes(package):
        assert (one.last.data["x"], one.last.data["y"]) == (2, 2)
        assert all("a" in state.data for state in one.states[one.order.index("a") + 1 :])


def test_a_branch_that_ends_leaves_its_changes() -> None:
    package = process(
        node("startEvent", "s"), node("parallelGateway", "f1", "f2"), tasks("a", "b", "c"),
        script("k", "x = 1"), node("endEvent", "e1", "e2", "end"),
        row("s", "f1", "a", "k", "e1"), row("f1", "f2", "b", "e2"), row("f2", "c", "end"),
    )  # fmt: skip
    for one in every_order(package):
        assert (one.last.status, one.last.data["x"]) == ("finished", 1)
        assert {"a", "b", "c"} <= one.last.data.keys()


def stuck() -> Package:
    """A diagram that the gate refuses: a parallel join after an exclusive split."""
    return process(
        node("startEvent", "s"), node("exclusiveGateway", "x", default="x-a"), tasks("a", "b"),
        node("parallelGateway", "j"), node("endEvent", "end"), row("s", "x", "a", "j", "end"),
        flow("x", "b", "False"), row("b", "j"),
    )  # fmt: skip


def test_a_case_that_stands_still_has_an_incident_that_names_tokens_and_joins() -> None:
    [one] = every_order(stuck())
    assert one.last.status == "incident"
    [(here, reason)] = one.last.incidents.items()
    assert here == "j:0"
    assert reason == (
        "The case stands still: “j” has a branch from “a” and waits for one from “b”, "
        "which no token can bring any more. Ask an administrator to repair this case, or to cancel it."
    )


def test_a_retry_of_a_stalled_case_raises_the_incident_again() -> None:
    diagram = compile_diagram(stuck())
    run = Run.start(diagram, step(), {})
    run = Run.resume(diagram, step(), run.dump(), run.after)
    run.complete("a", 1, {})
    again = Run.resume(diagram, step(), run.dump(), run.after)
    again.go_on()
    assert again.after.incidents == run.after.incidents


def test_a_state_of_the_first_rules_with_arrivals_goes_on_under_the_present_ones() -> None:
    diagram = compile_diagram(fork_in_a_fork())
    run = Run.start(diagram, step(rules=1), {})
    for element in ("b", "c"):
        run = Run.resume(diagram, step(rules=1), run.dump(), run.after)
        run.complete(element, 1, {})
    run = Run.resume(diagram, step(), run.dump(), run.after)
    run.complete("a", 1, {})
    assert (run.after.status, run.after.outcome) == ("finished", "end")
    assert {"a", "b", "c"} <= run.after.data.keys()


def test_arrivals_of_an_earlier_round_under_the_first_rules_no_longer_count() -> None:
    package = process(
        node("startEvent", "s"), script("z", "k = 0"), node("parallelGateway", "o", "f", "j", "oj"),
        node("exclusiveGateway", "m", "x", default="x-oj"), tasks("a", "b", "c"), script("n", "k = k + 1"),
        node("endEvent", "end"), row("s", "z", "o", "m", "f", "a", "j", "n", "x", "oj", "end"),
        row("f", "b", "j"), row("o", "c", "oj"), flow("x", "m", "k &lt; 2"),
    ).files["p.bpmn"].replace(b'id="m" name="m" default="x-oj"', b'id="m" name="m"')  # fmt: skip
    diagram = compile_diagram(Package({"p.bpmn": package}))
    run = Run.start(diagram, step(rules=1), {})
    for visit, element in ((1, "b"), (1, "a"), (2, "b")):
        run = Run.resume(diagram, step(rules=1), run.dump(), run.after)
        run.complete(element, visit, {})
    assert run.after.visits["j"] == 1
    for visit, element in ((2, "a"), (1, "c")):
        run = Run.resume(diagram, step(), run.dump(), run.after)
        run.complete(element, visit, {})
    assert (run.after.status, run.after.outcome, run.after.visits["j"]) == ("finished", "end", 2)


def test_an_inclusive_join_is_evaluated_last_while_a_token_is_on_its_way_to_it() -> None:
    """Through the way back every earlier token could reach either way in, so the rule alone would fire it twice."""
    package = process(
        node("startEvent", "s"), node("exclusiveGateway", "m"), node("parallelGateway", "f"), script("k", "n = 1"),
        node("exclusiveGateway", "x", default="x-j"), node("inclusiveGateway", "j"), tasks("u", "z"),
        node("endEvent", "end"), row("s", "m", "f", "j", "z", "end"), row("f", "k", "x", "j"),
        flow("x", "u", "n &lt; 1"), row("u", "m"),
    )  # fmt: skip
    [played] = outcomes(package)
    assert (played.order, played.last.visits["j"]) == (("z",), 1)
