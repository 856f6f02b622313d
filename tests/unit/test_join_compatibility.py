"""Whether the joins ahead of its tokens let a case migrate: none may wait forever or fire twice."""

from __future__ import annotations

import json

import pytest
from playing import process, scope, sketch, step
from usher_engine.bpmn import Run, compile_diagram, move
from usher_engine.core.errors import CannotMigrate
from usher_engine.core.events import InstanceMigrated

STEP = step()

PARALLEL = "S>Fork Fork>A Fork>B A>Join B>Join Join>E"
#: A waits for nobody.
ALONE = "S>A A>E"
#: The same in a loop.
LOOP = "S>Or Or>Fork Fork>A Fork>B A>Join B>Join Join>Or"
#: The join follows a fork that is still ahead.
LATER = "S>A A>Fork Fork>B Fork>C B>Join C>Join Join>E"


def drawn(flows, *elements):
    return compile_diagram(process(sketch(flows, *elements)))


def late(host):
    """A timer on *host*."""
    timer = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
    return f'<boundaryEvent id="Late" attachedToRef="{host}">{timer}</boundaryEvent>'


def migrate(source, target, mapping=None, *, done=()):
    """Return where a case started on *source* with *done* completed rests on *target*, or the problems."""
    run = Run.start(source, STEP, {})
    for task in done:
        stored, state = json.loads(json.dumps(run.dump())), run.after
        run = Run.resume(source, STEP, stored, state)
        run.complete(task, 1, {})
    migrated = InstanceMigrated(1, 2, "hash", mapping or {}, "")
    stored = json.loads(json.dumps(run.dump()))
    try:
        result = move(source, target, STEP, stored, run.after, migrated)
    except CannotMigrate as refused:
        return refused.problems
    return sorted(result.after.at)


def never_started(join):
    return [(join, f"The join {join} would wait for a branch that was never started.")]


@pytest.mark.parametrize(
    "flows",
    [
        PARALLEL,
        ALONE,
        LATER,
        "S>Fork Fork>A Fork>B Fork>C A>Join B>Join C>Join Join>E",
        "S>Fork Fork>A Fork>Fork2 Fork2>B Fork2>C B>Join2 C>Join2 Join2>Join A>Join Join>E",
        LOOP,
    ],
)
def test_a_case_moves_to_the_same_drawing(flows):
    tokens = migrate(drawn(flows), drawn(flows))
    assert tokens == sorted(Run.start(drawn(flows), STEP, {}).after.at)


def test_a_branch_that_was_never_started_would_be_waited_for():
    assert migrate(drawn(ALONE), drawn(PARALLEL)) == never_started("Join")


def test_a_way_round_through_the_join_itself_starts_no_branch():
    assert migrate(drawn(ALONE), drawn(LOOP)) == never_started("Join")


def test_a_gateway_where_ways_only_meet_waits_for_none():
    assert migrate(drawn(ALONE), drawn("S>Fork Fork>A Fork>B A>Or B>Or Or>E")) == ["A:1"]


def test_the_join_is_called_by_its_name():
    nameless = drawn(PARALLEL, '<parallelGateway id="Join"/>')
    assert migrate(drawn(ALONE), nameless) == never_started("Join")
    named = drawn(PARALLEL, '<parallelGateway id="Join" name="Both are there"/>')
    assert migrate(drawn(ALONE), named) == [
        ("Join", "The join Both are there would wait for a branch that was never started.")
    ]


def test_a_join_that_is_reached_by_all_its_ways_is_no_obstacle():
    assert migrate(drawn(ALONE), drawn(LATER)) == ["A:1"]


def test_a_join_that_cannot_be_reached_is_no_obstacle():
    target = drawn(f"{PARALLEL} Fork>C C>E2")
    assert migrate(drawn("S>C C>E2"), target) == ["C:1"]


def test_branches_may_change_names():
    renamed = "S>Fork Fork>X Fork>Y X>Join Y>Join Join>E"
    assert migrate(drawn(PARALLEL), drawn(renamed), {"A": "X", "B": "Y"}) == ["X:1", "Y:1"]
    half = "S>Fork Fork>X Fork>B X>Join B>Join Join>E"
    assert migrate(drawn(PARALLEL), drawn(half), {"A": "X"}) == ["B:1", "X:1"]


def test_one_branch_of_two_is_not_enough():
    three = drawn("S>Fork Fork>A Fork>B Fork>C A>Join B>Join C>Join Join>E")
    assert migrate(drawn(PARALLEL), three) == never_started("Join")


def test_one_branch_fewer_is_fine_when_its_token_went_elsewhere():
    apart = drawn("S>Fork Fork>A Fork>B A>E B>E2")
    assert migrate(drawn(PARALLEL), apart) == ["A:1", "B:1"]


def test_branches_may_change_places():
    turned = drawn(PARALLEL)
    assert migrate(drawn(PARALLEL), turned, {"A": "B", "B": "A"}) == ["A:2", "B:2"]


def test_two_tokens_may_not_come_one_after_the_other():
    row = drawn("S>A A>B B>E")
    assert migrate(drawn(PARALLEL), row) == [("B", "B would come after A, which is under way beside it.")]


def test_nor_through_a_fork_or_a_boundary_event():
    behind = [("B", "B would come after A, which is under way beside it.")]
    assert migrate(drawn(PARALLEL), drawn("S>A A>Fork Fork>B Fork>C B>E C>E2")) == behind
    assert migrate(drawn(PARALLEL), drawn("S>A A>B B>E Late>E2", late("A"))) == behind
    assert migrate(drawn(PARALLEL), drawn("S>A A>B B>E Late>E2", late("B"))) == behind
    assert migrate(drawn(PARALLEL), drawn("S>A A>E Late>B B>E2", late("A"))) == behind


def test_tokens_that_follow_each_other_already_may_go_on_doing_so():
    flows = "S>Fork Fork>A Fork>Or A>Or Or>B B>E"
    assert migrate(drawn(flows), drawn(flows)) == ["A:1", "B:1"]


def test_what_comes_behind_a_join_is_not_one_after_the_other():
    assert migrate(drawn(PARALLEL), drawn(LOOP)) == ["A:1", "B:1"]


def test_a_boundary_event_does_not_make_another_way_of_its_task():
    with_timer = drawn(f"{PARALLEL} Late>E2", late("A"))
    assert migrate(drawn(PARALLEL), with_timer) == ["A:1", "B:1"]
    assert migrate(with_timer, drawn(PARALLEL)) == ["A:1", "B:1"]


def test_a_boundary_event_is_a_way_ahead_too():
    flows = "S>A A>E Late>E2"
    joined = "S>Fork Fork>A Fork>B A>E Late>Join B>Join Join>E2"
    assert migrate(drawn(flows, late("A")), drawn(flows, late("A"))) == ["A:1"]
    assert migrate(drawn(flows, late("A")), drawn(joined, late("A"))) == never_started("Join")


def test_the_joins_inside_a_sub_process_count():
    def inside(flows):
        return drawn("S>Sub Sub>E", scope("Sub", sketch(flows)))

    one, two = "S2>A A>E2", "S2>Fork Fork>A Fork>B A>Join B>Join Join>E2"
    assert migrate(inside(two), inside(two)) == ["A:1", "B:1", "Sub:1"]
    assert migrate(inside(one), inside(two)) == never_started("Join")


def test_a_token_stays_in_its_sub_process():
    def both(inner, outer):
        return drawn(f"S>Sub Sub>{outer} {outer}>E", scope("Sub", sketch(f"S2>{inner} {inner}>E2")))

    here, there = both("A", "B"), both("B", "A")
    assert migrate(here, there) == [("A", "A does not lie in the same sub-process in this version.")]
