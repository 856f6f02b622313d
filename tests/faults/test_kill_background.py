"""kill -9 wherever the worker writes without a person: timers fire once, cases of a run move once, and all verify."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from usher_engine import Engine
from usher_engine.cases import Batch
from usher_engine.enrollment import Enrollment

from .background import ask_to_move, check_moves, check_timers, doomed_worker, move, pause, ring
from .children import KILLED, Child
from .story import LATER, START, Place, bury

T = TypeVar("T")
Enter = Callable[..., Enrollment]


def killed_at_every_point(
    work: str, worker: Place, begin: Callable[[int], T], survivor: Engine, end: Callable[[T], None]
) -> set[str]:
    """
    Begin something again and again and kill the worker that does it, each time one fault point later.

    When the dead are buried *survivor* goes on: *end* finishes what was begun and checks it.
    Returns where the worker died.
    """
    deaths: set[str] = set()
    for number in itertools.count():
        begun = begin(number)
        code, heard = Child(doomed_worker, worker, work, number + 1).ended()
        bury(survivor.database)
        end(begun)
        if not heard:
            assert code == 0
            return deaths
        assert code == KILLED
        deaths |= set(heard)
    raise AssertionError("never reached")


def test_timers_of_a_worker_killed_at_any_point(make_place: Callable[..., Place], enter: Enter) -> None:
    place = make_place()
    early, late = enter(place).engine, enter(place.later(LATER + timedelta(hours=1))).engine

    def begin(number: int) -> int:
        pause(early, number)
        return number

    def end(number: int) -> None:
        ring(late)
        check_timers(late, number)

    due = place.later(START + timedelta(hours=1, minutes=1))
    deaths = killed_at_every_point("ring", due, begin, late, end)
    assert deaths >= {"UPDATE job", "DELETE job", "INSERT job", "INSERT step", "INSERT user_task", "after COMMIT"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_migration_whose_worker_is_killed_at_any_point(make_place: Callable[..., Place], enter: Enter) -> None:
    place = make_place()
    early, late = enter(place).engine, enter(place.later()).engine

    def end(batch: Batch) -> None:
        move(late)
        check_moves(late, batch)

    deaths = killed_at_every_point("move", place, lambda number: ask_to_move(early, number), late, end)
    assert deaths >= {"UPDATE instance", "INSERT step", "INSERT user_task", "INSERT batch_case", "after COMMIT"}
