"""What reports count, on a small log whose numbers were worked out by hand."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from case_log import LOG, START, case, counted, went
from usher_engine.enrollment.funnel import milestones
from usher_engine.reporting.tally import OF_ALL, WAY, Spread, Tally, rounded, total


def test_the_numbers_worked_out_by_hand() -> None:
    found = counted(LOG)
    assert found.cases == 5
    assert found.statuses == {"finished": 3, "cancelled": 1, "waiting": 1}
    assert found.visits == {"B": 5, "A": 5, "S": 3, "E": 3}
    assert found.flows == {"f1": 5, "f2": 3}
    assert found.resting == {"A": 1}
    waits = found.waits["A"]  # 5, 10, 20 and 60 minutes
    assert (waits.number, waits.median, waits.percentile(90)) == (4, 600, 3_600)
    assert sorted(found.waits["S"].counts.elements()) == [60, 120, 120]
    assert found.waits.keys() == {"A", "S"}
    assert sorted(found.times["end"].counts.elements()) == [300, 660, 1_320, 3_720]
    assert sorted(found.times["answered"].counts.elements()) == [3_600, 86_400]
    assert found.groups[OF_ALL] == {"start": 5, "end": 4, "invited": 3, "answered": 2, "completed": 1, "declined": 1}
    assert found.groups["es"] == {"start": 2, "end": 2, "invited": 1, "answered": 1, "declined": 1}
    assert found.groups["en"] == {"start": 2, "end": 1, "invited": 1, "answered": 1, "completed": 1}
    assert found.groups[""] == {"start": 1, "end": 1, "invited": 1}
    ways = {one.way: (one.count, one.example, one.times.median) for one in found.variants.values()}
    assert ways == {("B", "A", "S", "E"): (3, "A1", 1_320), ("B", "A"): (1, "A4", 300)}


@pytest.mark.parametrize("cut", range(len(LOG) + 1))
def test_parts_add_up_to_the_whole_and_survive_being_kept(cut: int) -> None:
    parts = [Tally.from_json(counted(part).to_json()) for part in (LOG[:cut], LOG[cut:])]
    whole = counted(LOG)
    added = total(parts)
    assert added == whole
    assert [part.to_json() for part in parts] == [counted(part).to_json() for part in (LOG[:cut], LOG[cut:])]


def test_a_patient_who_answers_twice_counts_by_the_last_answer() -> None:
    events = went(10, 1, 11, "Deferred", 100) + went(10, 1, 11, "Completed", 2_000)[-1:]
    assert milestones(events) == {
        "invited": START + timedelta(minutes=11),
        "answered": START + timedelta(minutes=100),
        "completed": START + timedelta(minutes=2_000),
    }


@pytest.mark.parametrize("details", [None, "x", {}, {"response": None}, {"response": ["x"]}])
def test_an_altered_answer_is_none(details: object) -> None:
    fact = {"kind": "FactRecorded", "name": "Patient Enrollment Response Added", "details": details}
    assert milestones([(START, fact)]) == {}


def test_long_ways_are_kept_in_part() -> None:
    events = case((0, "InstanceStarted", {}), *[(n, "ElementPassed", {"element": f"E{n}"}) for n in range(WAY + 5)])
    tally = Tally()
    tally.count("X", [*events, (START, {"kind": "InstanceFinished"})], {}, "")
    (variant,) = tally.variants.values()
    assert (len(variant.way), variant.more) == (WAY, 5)


def test_nothing_counts_as_nothing() -> None:
    tally = Tally()
    tally.count("X", [], {}, "")
    assert tally == Tally()
    assert Spread().median is None and Spread().number == 0


@pytest.mark.parametrize(
    ("seconds", "kept"), [(-1, 0), (0.4, 0), (59.6, 60), (999, 999), (1_234, 1_230), (1_236, 1_240), (98_765, 98_800)]
)
def test_durations_keep_three_figures(seconds: float, kept: int) -> None:
    assert rounded(seconds) == kept


@pytest.mark.parametrize(("per_cent", "value"), [(1, 1), (50, 5), (90, 9), (91, 10), (100, 10)])
def test_percentiles_by_nearest_rank(per_cent: float, value: int) -> None:
    assert Spread(Counter(range(1, 11))).percentile(per_cent) == value
