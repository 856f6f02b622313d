"""Whose turn it is: kinds one after the other, and no kind of work outside may take every thread."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from usher_engine.jobs.turns import Turns
from usher_engine.store import Job

_NUMBERS = count(1)


def job(operator: str) -> Job:
    number = next(_NUMBERS)
    plain = {"instance": "A", "element": "E", "visit": number, "parameters": {}, "actor": "system", "attempts": 1}
    return Job(id=number, operator=operator, lease=str(number), **plain)  # type: ignore[arg-type]


def test_the_kind_served_longest_ago_comes_first() -> None:
    turns = Turns(1)
    due = ["timer", "mail/send", "message"]
    served = []
    for _ in range(6):
        taken = job(turns.order(due)[0])
        turns.begin(taken)
        turns.end(taken)
        served.append(taken.operator)
    assert served == [*due, *due]


@pytest.mark.parametrize(("threads", "of_one", "outside"), [(0, 1, 1), (1, 1, 1), (2, 1, 1), (4, 2, 3), (8, 6, 7)])
def test_what_hangs_leaves_threads_to_the_others(threads: int, of_one: int, outside: int) -> None:
    turns, begun = Turns(threads), {"mail/send": 0, "http/request": 0}
    for kind in begun:
        while turns.order([kind]):
            turns.begin(job(kind))
            begun[kind] += 1
    assert begun["mail/send"] == of_one
    assert sum(begun.values()) == outside
    assert turns.order(["mail/send", "timer", "http/request", "message"]) == ["timer", "message"]


def test_a_thread_that_is_done_makes_room() -> None:
    turns, hanging = Turns(2), job("mail/send")
    assert turns.begin(hanging)
    assert (turns.order(["mail/send"]), turns.in_hand()) == ([], [hanging])
    turns.end(hanging)
    assert (turns.order(["mail/send"]), turns.in_hand()) == (["mail/send"], [])


def test_a_job_in_hand_is_not_begun_again_when_its_lease_has_ended() -> None:
    turns, hanging = Turns(4), job("mail/send")
    assert turns.begin(hanging)
    assert not turns.begin(Job(**{name: getattr(hanging, name) for name in Job.__slots__} | {"lease": "another"}))
    assert turns.in_hand() == [hanging]


def test_a_new_job_under_the_number_of_one_that_is_gone_is_begun() -> None:
    """SQLite gives the highest number again when its job was removed, by a case that was ended."""
    turns, hanging = Turns(4), job("mail/send")
    assert turns.begin(hanging)
    other = replace(hanging, instance="B", lease="another")
    assert turns.begin(other)
    turns.end(other)
    assert turns.in_hand() == [hanging]
