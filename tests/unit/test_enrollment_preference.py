"""Which name, address, e-mail address and mobile number of a FHIR Patient counts (FHIR R4, use, rank and period)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.enrollment.fhir_preference import EMAIL_USES, NAME_USES, is_in_use, preferred
from usher_engine.enrollment.patient_corrections import changed_fields, read_fields, update_resource
from usher_engine.enrollment.timestamps import first_instant

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)
SOURCES = "us-core-birthsex,gender"

Entry = dict[str, Any]


def read(**resource: list[Entry]) -> dict[str, str]:
    return read_fields(resource, NOW, SOURCES)


def email(value: str, **more: Any) -> Entry:
    return {"system": "email", "value": f"{value}@example.org", **more}


def name(first: str, **more: Any) -> Entry:
    return {"family": f"{first}son", "given": [first], **more}


@pytest.mark.parametrize(
    ("period", "in_use"),
    [
        ({"start": "2026-05-04"}, True),
        ({"start": "2026-05-05"}, False),
        ({"start": "2026-05"}, True),
        ({"start": "2026-06"}, False),
        ({"start": "2026"}, True),
        ({"start": "2027"}, False),
        ({"start": "2026-05-04T09:02:00Z"}, True),
        ({"start": "2026-05-04T09:02:01Z"}, False),
        ({"start": "2026-05-04T11:02:00+02:00"}, True),
        ({"end": "2026-05-04"}, True),
        ({"end": "2026-05-03"}, False),
        ({"end": "2026-05"}, True),
        ({"end": "2026-04"}, False),
        ({"end": "2025"}, False),
        ({"end": "2026-05-04T09:02:00Z"}, False),
        ({"end": "9999-12-31T23:59:59-05:00"}, True),
        ({"start": "0001-01-01T00:00:00+05:00"}, True),
        ({"start": "2026-01-01", "end": "2026-12-31"}, True),
        ({"start": "soon", "end": 2025}, True),
        ("always", True),
        (None, True),
    ],
)
def test_an_entry_is_in_use_within_its_period(period: Any, in_use: bool) -> None:
    assert is_in_use({"period": period}, NOW) is in_use
    assert read(telecom=[email("a", period=period)])["email"] == ("a@example.org" if in_use else "")
    assert read(name=[name("Ada", period=period)])["first_name"] == ("Ada" if in_use else "")
    assert read(address=[{"postalCode": "1", "period": period}])["zip_code"] == ("1" if in_use else "")


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ([name("Usual", use="usual"), name("Official", use="official")], "Official"),
        ([name("Plain"), name("Usual", use="usual")], "Usual"),
        ([name("Bunny", use="nickname"), name("Anon", use="anonymous"), name("Tess")], "Tess"),
        ([name("Maiden", use="maiden"), name("Temp", use="temp"), name("Tess", use="invented")], "Tess"),
        ([name("Maiden", use="maiden"), name("Bunny", use="nickname"), name("Temp", use="temp")], "Temp"),
        ([name("Maiden", use="maiden")], "Maiden"),
        ([name("Anon", use="anonymous")], ""),
        ([name("Old", use="old")], ""),
        ([name("Married", use="official", period={"start": "2026-09"}), name("Now", use="usual")], "Now"),
        ([{"use": "official", "text": "Tess Testa"}, name("Tess", use="usual")], "Tess"),
        ([name("First"), name("Second")], "First"),
    ],
)
def test_which_name_counts(names: list[Entry], first: str) -> None:
    known = read(name=names)
    assert (known["first_name"], known["last_name"]) == (first, f"{first}son" if first else "")


@pytest.mark.parametrize(
    ("emails", "found"),
    [
        ([email("work", use="work"), email("home", use="home")], "home"),
        ([email("work", use="work"), email("plain")], "plain"),
        ([email("temp", use="temp"), email("work", use="work")], "work"),
        ([email("old", use="old"), email("temp", use="temp")], "temp"),
        ([email("home", use="home"), email("work", use="work", rank=1)], "work"),
        ([email("two", rank=2), email("one", rank=1)], "one"),
        ([email("work", use="work", rank=1), email("home", use="home", rank=1)], "home"),
        ([email("zero", rank=0), email("true", rank=True), email("text", rank="1"), email("ranked", rank=9)], "ranked"),
        ([email("later", rank=1, period={"start": "2026-09-01"}), email("now", rank=2)], "now"),
    ],
)
def test_which_email_counts(emails: list[Entry], found: str) -> None:
    assert read(telecom=emails)["email"] == f"{found}@example.org"


def test_the_mobile_number_follows_rank_and_use() -> None:
    sms, mobile = {"system": "sms", "value": "1", "use": "work"}, {"system": "phone", "value": "2", "use": "mobile"}
    assert read(telecom=[sms, mobile])["mobile"] == "2"
    assert read(telecom=[mobile, {**sms, "rank": 1}])["mobile"] == "1"
    assert read(telecom=[{"system": "phone", "value": "3", "use": "home"}])["mobile"] == ""


@pytest.mark.parametrize(
    ("uses", "found"),
    [(["work", "home"], "home"), (["temp", "billing"], "billing"), (["old", "temp"], "temp"), (["work", None], "None")],
)
def test_which_zip_code_counts(uses: list[str | None], found: str) -> None:
    assert read(address=[{"use": use, "postalCode": str(use)} for use in uses])["zip_code"] == found


def test_an_address_with_a_zip_code_comes_before_a_home_without() -> None:
    assert read(address=[{"use": "home", "city": "Town"}, {"use": "work", "postalCode": "1"}])["zip_code"] == "1"


@pytest.mark.parametrize("use", ["nickname", "maiden", "temp", "anonymous", "old"])
def test_a_corrected_name_does_not_overwrite_one_that_says_something_else(use: str) -> None:
    resource = {"name": [name("Tess", use=use)]}
    changed = changed_fields(resource, {"first_name": "Tessa", "last_name": "Tesson"}, NOW, SOURCES)
    after = update_resource(resource, changed, NOW, SOURCES)
    assert after["name"][0] == resource["name"][0]
    assert after["name"][1] == {"use": "official", "family": "Tesson", "given": ["Tessa"]}
    assert read(**after)["first_name"] == "Tessa"


DAYS = st.integers(-3, 3).map(lambda days: (NOW + timedelta(days=days)).isoformat())
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"value": st.integers()},
        optional={
            "use": st.sampled_from(["home", "work", "temp", "old", "mobile", "usual", "anonymous", "maiden", "x", 7]),
            "rank": st.sampled_from([-1, 0, 1, 2, True, "1", None]),
            "period": st.fixed_dictionaries({}, optional={"start": DAYS, "end": DAYS}),
        },
    ),
    max_size=6,
)


@given(ENTRIES, st.sampled_from([EMAIL_USES, NAME_USES]))
def test_the_choice_is_in_use_and_nothing_in_use_is_better(entries: list[Entry], uses: tuple[str, ...]) -> None:
    found = preferred(entries, uses, NOW, has_value=lambda _: True)
    usable = [e for e in entries if is_in_use(e, NOW)]
    assert (found is None) == (usable == [])
    if found is None:
        return
    assert found in usable
    assert found.get("use") not in ("old", "anonymous")
    start, end = (first_instant(found.get("period", {}).get(bound)) for bound in ("start", "end"))
    assert start is None or start <= NOW
    assert end is None or end > NOW
    best = min(_rank(entry) for entry in usable)
    assert _rank(found) == best
    rivals = [entry for entry in usable if _rank(entry) == best]
    assert all(_place(found, uses) <= _place(rival, uses) for rival in rivals)


@given(ENTRIES, ENTRIES)
def test_entries_out_of_use_change_nothing(entries: list[Entry], others: list[Entry]) -> None:
    unused = [{**e, "use": "old"} for e in others] + [{**e, "period": {"end": "2020"}} for e in others]
    alone = preferred(entries, EMAIL_USES, NOW, has_value=lambda _: True)
    assert preferred(unused + entries + unused, EMAIL_USES, NOW, has_value=lambda _: True) is alone


def _rank(entry: Entry) -> float:
    rank = entry.get("rank")
    return rank if type(rank) is int and rank > 0 else float("inf")


def _place(entry: Entry, uses: tuple[str, ...]) -> int:
    use = entry.get("use")
    return uses.index(use if use in uses else "")
