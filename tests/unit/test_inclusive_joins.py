"""The rule of inclusive joins in isolation: which tokens hold a join back."""

import pytest
from usher_engine.definitions import inclusive_join


def flows(*ways):
    """``a>b`` as a flow of that id from a to b."""
    return [(way, *way.split(">")) for way in ways]


BLOCK = flows("s>f", "f>a", "f>b", "a>j", "b>j", "j>e")
#: An inclusive block parallel to a task, in a loop.
LOOP = flows("s>m", "m>p", "p>u", "p>f", *("f>a", "f>b", "a>j", "b>j", "u>q", "j>q", "q>x", "x>m", "x>e"))
#: found/models/I4: two ways lead from x into the same arm, one of them through o2.
TWICE = flows("o>x", "o>b", "o>j", "x>o2", "x>a", "o2>xj", "a>xj", "xj>j", "b>j", "j>z")


@pytest.mark.parametrize(
    ("ways", "filled", "occupied", "holding"),
    [
        (BLOCK, ["a>j"], ["b"], ["b"]),
        (BLOCK, ["a>j"], ["f>b"], ["f>b"]),
        (BLOCK, ["a>j"], ["a>j"], []),
        (BLOCK, ["a>j", "b>j"], [], []),
        # a token before the split could reach either arm, including the filled one
        (BLOCK, ["a>j"], ["s>f"], []),
        (BLOCK, ["a>j"], ["j>e", "e"], []),
        # the parallel task reaches both arms through the loop
        (LOOP, ["a>j"], ["u"], []),
        (LOOP, ["a>j"], ["u", "b"], ["b"]),
        (LOOP, ["a>j"], ["u>q"], []),
        (TWICE, ["b>j"], ["a"], ["a"]),
        (TWICE, ["xj>j"], ["b"], ["b"]),
        (TWICE, ["o>j"], ["o2", "b"], ["o2", "b"]),
        (TWICE, ["xj>j", "b>j"], ["z"], []),
    ],
)
def test_a_token_that_can_only_reach_an_empty_arm_holds_the_join_back(ways, filled, occupied, holding):
    join = inclusive_join("j", ways, {})
    assert join.waits_for(filled, occupied) == holding
    assert join.goes_on(filled, occupied) == (not holding)


def test_a_join_without_a_token_does_not_go_on():
    assert not inclusive_join("j", BLOCK, {}).goes_on([], [])
    assert inclusive_join("j", flows("j>e"), {}).waits_for([], ["e"]) == []


def test_a_token_after_the_join_counts_if_a_loop_brings_it_back():
    join = inclusive_join("j", [*BLOCK, *flows("j>k", "k>b")], {})
    assert join.waits_for(["a>j"], ["k"]) == ["k"]
    assert join.waits_for(["b>j"], ["k"]) == []


def test_a_way_that_passes_the_join_itself_does_not_count():
    join = inclusive_join("j", flows("s>j", "j>k", "k>j"), {})
    assert join.waits_for(["k>j"], ["s"]) == ["s"]
    assert join.waits_for(["s>j"], ["s>j"]) == []


def test_an_activity_may_be_left_through_its_boundary_event():
    ways = flows("f>a", "f>b", "late>c", "c>j", "b>j", "a>e")
    join = inclusive_join("j", ways, {"late": "a"})
    assert join.waits_for(["b>j"], ["a"]) == ["a"]
    assert join.waits_for(["b>j"], ["late"]) == ["late"]
    assert inclusive_join("j", ways, {}).waits_for(["b>j"], ["a"]) == []


def test_ways_that_meet_before_an_arm_all_lead_to_it():
    join = inclusive_join("j", flows("c>x", "s>a", "s>b", "a>x", "b>x", "d>x", "x>j", "y>j"), {})
    for place in ("s", "a", "b", "c", "d", "x", "s>a", "s>b", "a>x", "b>x", "c>x", "d>x", "x>j"):
        assert join.waits_for(["y>j"], [place]) == [place]
