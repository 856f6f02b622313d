"""Reports on both databases: days are counted once, recounted when their cases have new steps, never with a step."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from conftest import Clock, Outside, alice, package
from usher_engine import Database, Engine, Settings, Worker
from usher_engine.reporting import OF_ALL, Figures, altered_figures
from usher_engine.store import Transaction
from usher_engine.store import figure_rows as rows
from usher_engine.store.tables import record_tables

MAY_4 = date(2026, 5, 4)


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=alice)
    return engine


def nobody(_tx: Transaction, _keys: Collection[str]) -> dict[str, str]:
    return {}


@pytest.fixture
def figures(database: Database, settings: Settings) -> Figures:
    return Figures(database, settings, lambda _told: {}, nobody)


def started(engine: Engine, outside: Outside) -> str:
    outside.answers = [{"n": 2}]
    return engine.start("small", {"q": 1}, actor=alice, business_key="someone").id


def answered(engine: Engine, case: str, clock: Clock, minutes: int) -> None:
    clock.forward(minutes=minutes)
    engine.complete(f"{case}:U:1", {"word": "enough"}, actor=alice)
    Worker(engine).run_due()


def kept(database: Database) -> list[rows.Kept]:
    with database.read() as tx:
        return rows.stored_figures(tx, "small", "0000", "9999")


def test_a_day_is_counted_once_and_recounted_when_a_case_has_new_steps(
    small: Engine, outside: Outside, figures: Figures, clock: Clock, database: Database
) -> None:
    assert figures.span("small") is None
    assert figures.period("small", MAY_4, MAY_4).total.cases == 0
    first, second = started(small, outside), started(small, outside)
    assert kept(database) == [], "no step writes figures"
    found = figures.period("small", MAY_4, MAY_4)
    assert (found.total.cases, found.total.resting["U"], found.uncounted) == (2, 2, 0)
    (before,) = kept(database)
    figures.period("small", MAY_4, MAY_4)
    assert kept(database) == [before]
    answered(small, first, clock, 30)
    after = figures.period("small", MAY_4, MAY_4).total
    assert (after.waits["U"].median, after.statuses) == (1_800, {"finished": 1, "waiting": 1})
    clock.forward(days=3)
    answered(small, second, clock, 0)
    third = started(small, outside)
    whole = figures.period("small", MAY_4, date(2026, 5, 31))
    assert sorted(whole.days) == [MAY_4, date(2026, 5, 7)]
    assert whole.total.groups[OF_ALL] == {"start": 3, "end": 2}
    assert whole.days[MAY_4].waits["U"].number == 2
    small.cases.cancel(third, "not wanted", actor=alice)
    assert figures.period("small", MAY_4, date(2026, 5, 31)).total.statuses == {"finished": 2, "cancelled": 1}
    assert figures.span("small") == (MAY_4, date(2026, 5, 7))


def test_versions_and_days_are_counted_separately(
    small: Engine, outside: Outside, figures: Figures, clock: Clock, settings: Settings, database: Database
) -> None:
    started(small, outside)
    small.deploy(package("small"), actor=alice)
    started(small, outside)
    assert figures.period("small", MAY_4, MAY_4, version=2).total.cases == 1
    assert figures.period("small", MAY_4, MAY_4).total.cases == 2
    assert figures.period("small", date(2026, 5, 5), date(2026, 6, 1)).total.cases == 0
    assert figures.period("small", date(1, 1, 1), date(9999, 1, 1)).total.cases == 2, "no longer than there are cases"
    clock.time = clock.time.replace(hour=23, minute=30)
    started(small, outside)
    there = Figures(database, replace(settings, time_zone="Asia/Kathmandu"), lambda _told: {}, nobody)
    days = {day: tally.cases for day, tally in there.period("small", MAY_4, date(2026, 5, 5)).days.items()}
    assert days == {MAY_4: 2, date(2026, 5, 5): 1}, "a day is a day of the practice"
    assert figures.period("small", MAY_4, MAY_4).total.cases == 3


def test_unreadable_stored_figures_are_recounted(
    small: Engine, outside: Outside, figures: Figures, database: Database
) -> None:
    started(small, outside)
    figures.period("small", MAY_4, MAY_4)
    with database.begin() as tx:
        tx.execute(record_tables.day_figures.update().values(content=b"x"))
    assert figures.period("small", MAY_4, MAY_4).total.cases == 1


def test_without_patience_days_are_counted_behind_ones_back(
    small: Engine, outside: Outside, figures: Figures, database: Database
) -> None:
    started(small, outside)
    (day,) = figures._days_with_cases("small", MAY_4, MAY_4, None)
    assert figures.period("small", MAY_4, MAY_4, patience_s=-1).uncounted == 1
    figures.wait()
    assert [one.basis.rpartition(":")[0] for one in kept(database)] == [day.basis]
    assert figures.period("small", MAY_4, MAY_4, patience_s=-1).uncounted == 0


def test_groups_and_milestones_are_the_domains(small: Engine, outside: Outside, settings: Settings) -> None:
    started(small, outside)
    asked: list[Any] = []

    def groups(_tx: Transaction, keys: Collection[str]) -> dict[str, str]:
        asked.append(keys)
        return {"someone": "en"}

    figures = Figures(small.database, settings, lambda events: {"seen": events[0][0]}, groups)
    assert figures.period("small", MAY_4, MAY_4).total.groups["en"] == {"start": 1, "seen": 1}
    assert asked == [{"someone"}]


def test_altered_figures_are_counted_again_and_found(
    small: Engine, outside: Outside, figures: Figures, database: Database, settings: Settings
) -> None:
    """Somebody who can write to the database cannot make a report say something else."""
    started(small, outside)
    figures.period("small", MAY_4, MAY_4)
    assert altered_figures(database, settings) == []
    with database.begin() as tx:
        tx.execute(record_tables.day_figures.update().values(content=zlib.compress(b'{"cases":1300}')))
    (finding,) = altered_figures(database, settings)
    assert finding.message == "The report figures of small, version 1, 2026-05-04 were altered."
    assert figures.period("small", MAY_4, MAY_4).total.cases == 1
    assert altered_figures(database, settings) == []
