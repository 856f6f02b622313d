"""Finding patients on each database: one index, true counts, pages both ways, and plans that read no table through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import Clock
from sqlalchemy import event, text
from usher_engine.core.errors import NotFound
from usher_engine.enrollment import PatientRecord, Registry, patient_index, patient_keys
from usher_engine.enrollment.patient_index import FoundPatients
from usher_engine.enrollment.search_terms import parse_typed
from usher_engine.settings import Settings
from usher_engine.store import Database

CROWD = 200


def resource(key: str, given: str, family: str, born: str = "2000-02-29", **more: Any) -> dict[str, Any]:
    name = {"use": "official", "family": family, "given": [given]}
    return {"resourceType": "Patient", "id": key, "name": [name], "birthDate": born, **more}


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return Registry(settings)


@pytest.fixture
def save(database: Database, registry: Registry, clock: Clock) -> Callable[..., None]:
    def saved(*resources: dict[str, Any]) -> None:
        with database.begin() as tx:
            for one in resources:
                registry.save(tx, one, by="test", now=clock())

    return saved


@pytest.fixture
def find(database: Database, registry: Registry, clock: Clock) -> Callable[..., FoundPatients]:
    def found(typed: str, *, limit: int = 50, **how: Any) -> FoundPatients:
        with database.read() as tx:
            return registry.find_page(tx, parse_typed(typed, 2026), now=clock(), limit=limit, **how)

    return found


def ids(found: FoundPatients) -> list[str]:
    return [record.id for record in found.records]


def test_the_nearest_come_first_and_counts_are_true(save: Any, find: Any) -> None:
    save(
        resource("p1", "Josephine", "Fictive"),
        resource("p2", "José", "Fictive"),
        resource("p3", "Fatima", "José-Sample"),
        resource("p4", "Jose", "Fictive", deceasedBoolean=True),
        resource("p5", "Jose", "Fictive", active=False),
    )
    found = find("jose f")
    assert (ids(found), found.total, found.others) == (["p2", "p3", "p1"], 3, 2)
    assert (ids(find("jose f", closed=True)), find("jose f", closed=True).others) == (["p4", "p5"], 3)
    assert find("jose f", closed=None).total == 5
    assert ids(find("fictive, josephine")) == ["p1"]
    assert (ids(find("…")), find("…").total) == ([], 0)
    assert find("").total == 3


def test_a_whole_record_number_names_one_patient(save: Any, find: Any) -> None:
    save(
        resource("p1", "Ada", "Sample", identifier=[{"value": "100-1042"}, {"value": "SHARED"}]),
        resource("p2", "Ben", "Sample", identifier=[{"value": "100-1043"}, {"value": "SHARED"}]),
    )
    assert find("100-1042").exact == find(" 1001042 ").exact == find("P1").exact == "p1"
    assert find("1042").exact == find("shared").exact == find("").exact == ""
    assert ids(find("1042")) == ["p1"]


@pytest.mark.parametrize("typed", ["", "sample", "s", "a sample"])
@pytest.mark.parametrize("ranked", [0, 2_000])
def test_pages_go_both_ways_without_gaps(
    save: Any, find: Any, typed: str, ranked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_index, "MOST_RANKED", ranked)
    save(*(resource(f"p{n:02}", f"A{'bcd'[n % 3]}", "Sample" if n % 2 else "Samples") for n in range(25)))
    whole = ids(find(typed, limit=100))
    assert len(whole) == find(typed).total == 25
    down: list[str] = []
    page = find(typed, limit=7)
    assert not page.has_newer
    while True:
        down += ids(page)
        if not page.has_older:
            break
        page = find(typed, limit=7, after=down[-1])
        assert page.has_newer
    assert down == whole
    back = find(typed, limit=7, before=whole[14])
    assert (ids(back), back.has_newer, back.has_older) == (whole[7:14], True, True)
    first = find(typed, limit=7, before=whole[7])
    assert (ids(first), first.has_newer) == (whole[:7], False)
    with pytest.raises(NotFound):
        find(typed, after="nobody")


def test_every_write_keeps_the_keys(database: Database, registry: Registry, save: Any, find: Any, clock: Clock) -> None:
    save(resource("p1", "Ada", "Sample"))
    with database.begin() as tx:
        registry.update(tx, "p1", {"last_name": "Múltiple", "zip_code": "10001"}, by="alice", now=clock())
    assert ids(find("multiple")) == ids(find("10001")) == ["p1"]
    assert ids(find("sample")) == []
    save(resource("p1", "Ada", "Sample", deceasedBoolean=True))
    assert (find("multiple").total, find("multiple").others) == (0, 1)


def test_look_alikes(database: Database, registry: Registry, save: Any) -> None:
    save(
        resource("p1", "Alex", "Twin"),
        resource("p2", "Álex", "TWIN"),
        resource("p3", "Alex", "Twin", active=False),
        resource("p4", "Alex", "Twin", "2000-03-01"),
        resource("p5", "Twin", "Alex"),
    )
    with database.read() as tx:
        found = registry.look_alikes(tx, ["p1", "p2", "p3", "p4", "nobody"])
    assert found == {"p1": ("p2", "p5"), "p2": ("p1", "p5"), "p3": (), "p4": (), "nobody": ()}


def test_what_an_older_usher_stored_gets_its_keys(database: Database, save: Any, find: Any) -> None:
    save(resource("p1", "Ada", "Sample"), resource("p2", "Ben", "Sample"))
    with database.begin() as tx:
        tx.execute(text("DELETE FROM patient_key"))
        tx.execute(text("UPDATE patient SET search = 'ada sample', sort_name = '' WHERE id = 'p1'"))
        tx.execute(text("UPDATE patient SET resource = '{' WHERE id = 'p2'"))
    assert ids(find("sample")) == []
    with database.begin() as tx:
        assert patient_keys.rebuild(tx) == (1, 1)
        assert patient_keys.rebuild(tx, everybody=True) == (2, 0)
    assert ids(find("sample")) == ["p1"]


TYPED = ("", "given7", "family7 given7", "1940-01-10", "555 0141 7777", "given", "p00007")


def test_no_search_reads_a_table_through(
    database: Database, save: Any, find: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_index, "MOST_RANKED", 100)
    years = [f"{1940 + n % 60}-0{1 + n % 9}-1{n % 9}" for n in range(CROWD)]
    save(*(resource(f"p{n:05}", f"Given{n}", f"Family{n % 50}", years[n]) for n in range(CROWD)))
    for typed in TYPED:
        for how in ({}, {"after": "p00070"}, {"before": "p00070"}):
            looked = _statements(database, find, typed, how)
            assert len(looked) <= 5, (typed, how)
            if database.is_sqlite:  # the planner of PostgreSQL rightly reads so small a table through
                _require_indexes(database, looked)


def _statements(database: Database, find: Any, typed: str, how: dict[str, str]) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(database.db, "before_cursor_execute", note)
    find(typed, **how)
    event.remove(database.db, "before_cursor_execute", note)
    return [(statement, given) for statement, given in seen if "patient" in statement]


def _require_indexes(database: Database, looked: list[tuple[str, Any]]) -> None:
    with database.read() as tx:
        for statement, given in looked:
            rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
            scans = [row[-1] for row in rows if row[-1].startswith("SCAN patient")]
            assert all("INDEX" in scan for scan in scans), (statement, scans)


def test_a_patient_is_read_back_as_found(save: Any, find: Any) -> None:
    save(resource("p1", "Ada", "Sample"))
    (record,) = find("ada").records
    assert isinstance(record, PatientRecord)
    assert record.status == "Not Enrolled"
