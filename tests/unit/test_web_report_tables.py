"""Reports as tables and charts: what stands in them, in which order, and in which words."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from case_log import LOG, counted
from usher_engine.reporting import OF_ALL, Period
from usher_web.auditor import report_tables
from usher_web.words.case_narrative import Names
from usher_web.words.charts import LEFT, RIGHT, WIDTH, bars, heat

NAMES = Names(elements={"A": "Ask", "S": "Send mail", "E": "Sent", "B": ""})


def test_elements_and_their_waits() -> None:
    table = report_tables.elements(counted(LOG), NAMES, {})
    assert table.rows == (
        ("Ask", "5", "4", "10 min", "1 h", "1"),
        ("B", "5", "", "", "", ""),
        ("Send mail", "3", "3", "2 min", "2 min", ""),
        ("Sent", "3", "", "", "", ""),
    )


def test_the_funnel_in_all_by_month_and_by_language() -> None:
    found = counted(LOG)
    assert report_tables.funnel(found.groups[OF_ALL]) == [
        ("Triggered", 5, "5 · 100 %"),
        ("Invited", 3, "3 · 60 %"),
        ("Answered", 2, "2 · 40 %"),
        ("Completed", 1, "1 · 20 %"),
        ("Declined", 1, "1 · 20 %"),
        ("Deferred", 0, "0 · 0 %"),
    ]
    assert report_tables.by_language(found).rows == (
        ("English (en)", "2", "1", "1", "1", "0", "0"),
        ("Spanish (es)", "2", "1", "1", "0", "1", "0"),
        ("Unknown", "1", "1", "0", "0", "0", "0"),
    )
    days = {date(2026, 5, 31): counted(LOG[:2]), date(2026, 6, 1): counted(LOG[2:]), date(2026, 5, 1): counted(LOG)}
    assert report_tables.by_month(Period(days=days, uncounted=0)).rows == (
        ("May 2026", "7", "5", "4", "2", "2", "0"),
        ("June 2026", "3", "1", "0", "0", "0", "0"),
    )


def test_times_and_ways() -> None:
    found = counted(LOG)
    table = report_tables.times("t", "T", found.times["end"])
    assert [row for row in table.rows if row[1] != "0"] == [("1 min to 1 h", "3", "75 %"), ("1 to 4 h", "1", "25 %")]
    assert report_tables.typical(found.times["end"]) == "4 cases: half within 11 min, 9 of 10 within 1 h."
    ways = report_tables.variants_table(report_tables.variants(found, NAMES))
    assert ways.rows == (
        ("1", "Ask → Send mail → Sent", "3", "75 %", "22 min"),
        ("2", "Ask", "1", "25 %", "5 min"),
    )


def test_a_download_is_csv_and_no_formula() -> None:
    table = report_tables.Table(name="x", title="X", head=("A", "B"), rows=(("=1+1", "2"), ('say "hi", all', "")))
    assert list(csv.reader(io.StringIO(table.to_csv()))) == [["A", "B"], ["'=1+1", "2"], ['say "hi", all', ""]]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0, "under 1 s"), (59, "59 s"), (60, "1 min"), (90, "1.5 min"), (3_600, "1 h"), (86_400, "1 day"),
     (12 * 86_400, "12 days"), (36 * 3_600, "1.5 days")],
)  # fmt: skip
def test_durations_in_words(seconds: float | None, words: str) -> None:
    assert report_tables.seconds_words(seconds) == words


def test_a_heat_map_has_five_classes_on_a_logarithmic_scale() -> None:
    assert [heat(value, 10_000) for value in (0, 1, 6, 40, 260, 10_000)] == [0, 1, 2, 3, 4, 5]
    assert heat(3, 0) == 0
    found = counted(LOG)
    assert report_tables.heat_of(found, by_wait=False)["elements"]["A"] == {"level": 5, "words": "5"}
    assert report_tables.heat_of(found, by_wait=True) == {
        "elements": {"A": {"level": 5, "words": "10 min"}, "S": {"level": 4, "words": "2 min"}},
        "flows": {},
        "visits": dict(found.visits),
    }


def test_the_longest_bar_fills_the_room_and_nothing_is_no_bar() -> None:
    found = bars([("a", 200, "200"), ("b", 1, "1"), ("c", 0, "0")])
    assert [bar.width for bar in found.bars] == [WIDTH - LEFT - RIGHT, 2, 0]
    assert found.bars[0].y < found.bars[1].y < found.height
    assert bars([]).height == 0 and bars([("a", 0, "0")]).bars[0].width == 0
