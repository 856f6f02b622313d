"""The address of the inbox: it holds the whole list, and says what of it is no more."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine import Actor
from usher_engine.cases import TaskOrder, stored_time
from usher_engine.core.practice_calendar import practice_calendar
from usher_web.staff.list_query import Column, Due, ListQuery, View, parse_list
from werkzeug.datastructures import MultiDict

ALICE = Actor(name="alice", role="staff")
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(str.strip).filter(bool)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(date.isoformat)

QUERIES = st.builds(
    ListQuery,
    view=st.sampled_from([*View]).map(str) | TEXT.map("group:{}".format),
    groups=st.lists(TEXT, unique=True, max_size=3).map(tuple),
    kinds=st.lists(TEXT.map("p/{}".format), unique=True, max_size=3).map(tuple),
    processes=st.lists(TEXT, unique=True, max_size=2).map(tuple),
    due=st.sampled_from(["", *Due]).map(str) | DAYS,
    who=st.sampled_from(["", "me", "free"]) | TEXT,
    text=st.just("") | TEXT,
    sort=st.sampled_from(TaskOrder),
    columns=st.lists(st.sampled_from(Column), unique=True).map(tuple),
    airy=st.booleans(),
    saved=st.sampled_from(["", "12"]),
    after=st.just("") | TEXT,
)


@given(QUERIES)
def test_an_address_reads_back_as_the_list_it_was_made_from(query: ListQuery) -> None:
    read = parse_list(MultiDict(parse_qsl(query.query(), keep_blank_values=True)))
    assert read == query
    assert read.gone == ()


@given(st.dictionaries(st.sampled_from(["view", "due", "sort", "cols", "rows", "saved", "kind", "q"]), st.text()))
def test_no_address_breaks_the_list(args: dict[str, str]) -> None:
    found = parse_list(MultiDict(args))
    found.task_filter(ALICE, "2026-05-04T09:00:00.000000Z", date(2026, 5, 4), practice_calendar("UTC"))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"cols": "why,clinic"}, "shows the column “clinic”. That column is gone"),
        ({"sort": "clinic"}, "sorts by “clinic”. That order is gone; it is shown by due date instead"),
        ({"due": "whenever"}, "“whenever” is no due date"),
        ({"due": "9999-12-31"}, "“9999-12-31” is no due date"),
        ({"view": "spring"}, "no view “spring”"),
    ],
)
def test_what_is_gone_is_said_and_the_rest_is_shown(args: dict[str, str], said: str) -> None:
    found = parse_list(MultiDict({**args, "with": "free"}))
    assert any(said in note for note in found.gone)
    assert found.who == "free"


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("Pacific/Kiritimati", datetime(2026, 10, 30, 10, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 31, 4, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 10, 30, 18, 15, tzinfo=UTC)),
    ],
)
def test_to_friday_is_a_rule_in_days_of_the_practice(zone: str, until: datetime) -> None:
    calendar = practice_calendar(zone)
    for day in (26, 28, 30):  # Monday, Wednesday, Friday itself
        now = stored_time(calendar.begin_of(date(2026, 10, day)))
        wanted = ListQuery(due="friday").task_filter(ALICE, now, date(2026, 10, day), calendar)
        assert wanted.due_before == stored_time(until)
    after = ListQuery(due="friday").task_filter(ALICE, "", date(2026, 10, 31), calendar)
    assert after.due_before == stored_time(calendar.begin_of(date(2026, 11, 7)))


def test_a_view_and_a_filter_must_both_hold() -> None:
    calendar, now = practice_calendar("UTC"), "2026-05-04T09:00:00.000000Z"
    wanted = ListQuery(view="overdue", due="2026-05-01").task_filter(ALICE, now, date(2026, 5, 4), calendar)
    assert wanted.due_before == "2026-05-02T00:00:00.000000Z"
    mine = ListQuery(view="mine", kinds=("p/Ask",)).task_filter(ALICE, now, date(2026, 5, 4), calendar)
    assert (mine.assignee, mine.kinds) == ("alice", frozenset({("p", "Ask")}))
    group = ListQuery(view="group:Front desk", groups=("Billing",)).task_filter(ALICE, now, date(2026, 5, 4), calendar)
    assert group.groups == {"Front desk"}
