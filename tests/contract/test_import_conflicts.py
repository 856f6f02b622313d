"""Imports that keep corrections, on each database: what comes in, what stays, what a person decides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import SECRET, Clock, alice
from sqlalchemy import text
from usher_engine.core.errors import Conflict, NotFound
from usher_engine.enrollment import Enrollment, Take, open_enrollment
from usher_engine.settings import Settings
from usher_engine.store import Database


@pytest.fixture
def enrollment(database: Database, clock: Clock) -> Enrollment:
    return open_enrollment(Settings(env="development", secret_key=SECRET), clock=clock, database=database)


def ada(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": "Sample", "given": ["Ada"]}],
        "birthDate": "1981-05-04",
        "address": [{"use": "home", "line": ["1 Elm Street"], "city": "Portland", "postalCode": "97201"}],
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


def email(value: str) -> list[dict[str, str]]:
    return [{"system": "email", "use": "home", "value": value}]


class Desk:
    """Imports, corrects and reads one patient."""

    def __init__(self, enrollment: Enrollment) -> None:
        self.enrollment = enrollment

    def imports(self, *patients: dict[str, Any], dry: bool = False) -> dict[str, int]:
        lines = [json.dumps(one) for one in patients]
        counts = self.enrollment.import_patients(lines, dry=dry).counts
        return {name: number for name, number in counts.items() if number}

    def corrects(self, **values: str) -> None:
        with self.enrollment.engine.database.begin() as tx:
            self.enrollment.registry.update(tx, "p1", values, by="alice", now=self.enrollment.engine.clock())

    def reads(self, *fields: str) -> tuple[str, ...]:
        record = self.enrollment.patient("p1")
        found = record.fields(self.enrollment.engine.clock(), self.enrollment.settings)
        return tuple(found[field] for field in fields)


@pytest.fixture
def desk(enrollment: Enrollment) -> Desk:
    return Desk(enrollment)


def test_the_unchanged_file_undoes_no_correction(desk: Desk) -> None:
    assert desk.imports(ada()) == {"new": 1}
    desk.corrects(email="ada@example.org", zip_code="97202")
    version = desk.enrollment.patient("p1").version
    for _ in range(2):
        assert desk.imports(ada()) == {"same": 1}
    assert desk.reads("email", "zip_code") == ("ada@example.org", "97202")
    assert desk.enrollment.patient("p1").version == version


def test_the_ehrs_own_changes_come_in_beside_corrections(desk: Desk) -> None:
    desk.imports(ada())
    desk.corrects(email="ada@example.org")
    changed = ada(name=[{"family": "Married", "given": ["Ada"]}], active=False)
    assert desk.imports(changed, dry=True) == {"changed": 1, "kept": 1}
    assert desk.reads("last_name") == ("Sample",)
    assert desk.imports(changed) == {"changed": 1, "kept": 1}
    assert desk.reads("email", "last_name") == ("ada@example.org", "Married")
    assert desk.enrollment.patient("p1").resource["active"] is False
    assert desk.imports(changed) == {"same": 1}
    assert desk.enrollment.finder.find("married", closed=True).total == 1


def test_a_conflict_waits_for_a_person(desk: Desk) -> None:
    desk.imports(ada(telecom=email("old@example.org")))
    desk.corrects(email="ada@example.org")
    theirs = ada(telecom=email("new@example.org"))
    assert desk.imports(theirs) == {"same": 1, "kept": 1, "conflicts": 1}
    assert desk.reads("email") == ("ada@example.org",)
    conflicts = desk.enrollment.import_conflicts
    (found,) = conflicts.of("p1")
    assert (found.group, dict(found.before), dict(found.ours), dict(found.theirs)) == (
        "email",
        {"email": "old@example.org"},
        {"email": "ada@example.org"},
        {"email": "new@example.org"},
    )
    assert conflicts.count() == 1
    assert desk.imports(theirs) == {"same": 1}
    assert [one.group for one in conflicts.page(limit=5).conflicts] == ["email"]
    with pytest.raises(Conflict, match="changed since"):
        conflicts.decide("p1", "email", Take.EHR, seen="older", actor=alice)
    conflicts.decide("p1", "email", Take.EHR, seen=found.seen, actor=alice)
    assert desk.reads("email") == ("new@example.org",)
    with pytest.raises(Conflict, match="already"):
        conflicts.decide("p1", "email", Take.EHR, seen=found.seen, actor=alice)
    assert (conflicts.count(), desk.imports(theirs)) == (0, {"same": 1})
    (event,) = desk.enrollment.engine.audit.events(kind="ImportConflictDecided")
    assert (event.actor, event.business_key) == ("alice", "p1")
    assert (event.details["field"], event.details["take"]) == ("email", "ehr")
    assert "example.org" not in json.dumps(event.details)


def test_ours_can_stay_and_then_stays(desk: Desk) -> None:
    desk.imports(ada(telecom=email("old@example.org")))
    desk.corrects(email="ada@example.org")
    theirs = ada(telecom=email("new@example.org"))
    desk.imports(theirs)
    (found,) = desk.enrollment.import_conflicts.of("p1")
    desk.enrollment.import_conflicts.decide("p1", "email", Take.RECORD, seen=found.seen, actor=alice)
    assert desk.imports(theirs) == {"same": 1}
    assert desk.imports({**theirs, "active": True}) == {"changed": 1, "kept": 1}
    assert desk.reads("email") == ("ada@example.org",)
    assert desk.enrollment.import_conflicts.of("p1") == []


def test_an_address_stays_whole(desk: Desk) -> None:
    desk.imports(ada())
    desk.corrects(zip_code="97203")
    moved = ada(address=[{"use": "home", "line": ["7 Harbor Road"], "city": "Astoria", "postalCode": "97201"}])
    assert desk.imports(moved)["conflicts"] == 1
    assert desk.reads("address_line1", "city", "zip_code") == ("1 Elm Street", "Portland", "97203")
    (found,) = desk.enrollment.import_conflicts.of("p1")
    assert (found.group, sorted(found.theirs)) == ("address", ["address_line1", "city", "zip_code"])
    desk.enrollment.import_conflicts.decide("p1", "address", Take.EHR, seen=found.seen, actor=alice)
    assert desk.reads("address_line1", "city", "zip_code") == ("7 Harbor Road", "Astoria", "97201")


def test_a_conflict_ends_when_both_come_to_the_same(desk: Desk) -> None:
    desk.imports(ada(telecom=email("old@example.org")))
    desk.corrects(email="ada@example.org")
    desk.imports(ada(telecom=email("new@example.org")))
    assert desk.imports(ada(telecom=email("ada@example.org"))) in ({"same": 1}, {"changed": 1})
    assert desk.enrollment.import_conflicts.count() == 0
    desk.imports(ada(telecom=email("other@example.org")))
    assert desk.reads("email") == ("other@example.org",)


def test_what_staff_typed_meanwhile_ends_it_too(desk: Desk) -> None:
    desk.imports(ada(telecom=email("old@example.org")))
    desk.corrects(email="ada@example.org")
    desk.imports(ada(telecom=email("new@example.org")))
    desk.corrects(email="new@example.org")
    assert desk.enrollment.import_conflicts.of("p1") == []


def test_records_of_an_older_usher_lose_nothing(desk: Desk, database: Database) -> None:
    desk.imports(ada(telecom=email("old@example.org")))
    desk.corrects(email="ada@example.org", city="Salem")
    with database.begin() as tx:
        tx.execute(text("UPDATE patient SET imported = NULL"))
    assert desk.imports(ada(telecom=email("old@example.org")))["conflicts"] == 1
    assert desk.reads("email", "city") == ("ada@example.org", "Salem")
    assert {one.group for one in desk.enrollment.import_conflicts.of("p1")} == {"email", "address"}


def test_a_dry_run_stores_nothing(desk: Desk) -> None:
    assert desk.imports(ada(), dry=True) == {"new": 1}
    with pytest.raises(NotFound):
        desk.enrollment.patient("p1")
    assert desk.enrollment.engine.audit.events(kind="Imported") == []
