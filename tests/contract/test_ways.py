"""Ways through a diagram: parallel branches, joins and loops, as events and counts."""

from __future__ import annotations

import pytest
from conftest import alice, package
from usher_engine import Actor, Engine


@pytest.fixture
def parallel(engine: Engine) -> Engine:
    engine.deploy(package("parallel"), actor=Actor(name="ana", role="analyst"))
    return engine


@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")])
def test_a_join_counts_every_flow_once_a_round(parallel: Engine, order: tuple[str, str]) -> None:
    case = parallel.start("parallel", {"n": 2}, actor=alice).id
    for _ in range(2):
        for element in order:
            task = next(task for task in parallel.instance(case).tasks if task.element == element)
            parallel.complete(task.id, {}, actor=alice)
    state = parallel.queries.rebuild(case)
    assert state.status == "finished"
    rounds = dict.fromkeys(("round", "left", "right", "a", "b", "joined", "counted"), 2)
    assert state.flows == {"in": 1, "more": 1, "out": 1, **rounds}
    assert state.visits["Join"] == 2 and state.visits["Again"] == 2


def test_a_long_loop_stays_in_the_inbox(parallel: Engine) -> None:
    case = parallel.start("parallel", {"n": 3}, actor=alice)
    for _ in range(3):
        for task in parallel.instance(case.id).tasks:
            parallel.complete(task.id, {}, actor=alice)
    assert parallel.instance(case.id).status == "finished"


@pytest.mark.parametrize(
    ("ways", "before", "flows"),
    [
        (["a", "b"], {"B"}, {"first": 1, "second": 1, "a": 1, "b": 1}),
        (["a"], set(), {"first": 1, "a": 1}),
        ([], set(), {"third": 1, "c": 1}),
    ],
)
def test_inclusive_branches_meet_and_a_process_is_called(
    engine: Engine, ways: list[str], before: set[str], flows: dict[str, int]
) -> None:
    engine.deploy(package("calls"), actor=Actor(name="ana", role="analyst"))
    case = engine.start("calls", {"ways": ways}, actor=alice)
    assert {task.element for task in case.tasks} == (before or {"Ask"})
    for _ in range(1 + len(before)):
        case = engine.complete(case.tasks[0].id, {}, actor=alice)
    assert (case.status, case.outcome) == ("finished", "Over")
    state = engine.queries.rebuild(case.id)
    assert state.flows == {"in": 1, "on": 1, "c1": 1, "c2": 1, "back": 1, **flows}
    assert state.visits["Together"] == state.visits["Call"] == state.visits["Enough"] == 1


def test_a_number_too_large_for_json_becomes_the_nearest_there_is(parallel: Engine) -> None:
    case = parallel.start("parallel", {"n": -(2**53 - 1)}, actor=alice)
    for task in case.tasks:
        case = parallel.complete(task.id, {}, actor=alice)
    assert case.status == "finished"
    assert parallel.queries.rebuild(case.id).data["n"] == -(2**53)
    assert parallel.verify(case.id) == []
