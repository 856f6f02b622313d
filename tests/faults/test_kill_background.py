"""kill -9 wherever the worker writes without a person: timers fire once, cases of a run move once, and all verify."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from usher_engine.enrollment import Enrollment

from .background import ask_to_move, check_moves, check_timers, doomed_worker, move, pause, ring
from .children import KILLED, Child
from .story import LATER, START, Place

Enter = Callable[..., Enrollment]


def test_timers_of_a_worker_killed_at_any_point(make_place: Callable[..., Place], enter: Enter) -> None:
    place = make_place()
    early, late = enter(place).engine, enter(place.later(LATER + timedelta(hours=1))).engine
    deaths: set[str] = set()
    for number in itertools.count():
        pause(early, number)
        due = place.later(START + timedelta(hours=1, minutes=1))
        code, heard = Child(doomed_worker, due, "ring", number + 1).ended()
        ring(late)
        check_timers(late, number)
        if not heard:
            break
        assert code == KILLED
        deaths |= set(heard)
    assert code == 0
    assert deaths >= {"UPDATE job", "DELETE job", "INSERT job", "INSERT step", "INSERT user_task", "after COMMIT"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_migration_whose_worker_is_killed_at_any_point(make_place: Callable[..., Place], enter: Enter) -> None:
    place = make_place()
    early, late = enter(place).engine, enter(place.later()).engine
    deaths: set[str] = set()
    for number in itertools.count():
        batch = ask_to_move(early, number)
        code, heard = Child(doomed_worker, place, "move", number + 1).ended()
        move(late)
        check_moves(late, batch)
        if not heard:
            break
        assert code == KILLED
        deaths |= set(heard)
    assert code == 0
    assert deaths >= {"UPDATE instance", "INSERT step", "INSERT user_task", "INSERT batch_case", "after COMMIT"}
