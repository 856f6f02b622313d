"""The embedded patient directory, the portal's knowledge and the import, on each database."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from conftest import Clock
from usher_engine.core.errors import Conflict, InvalidSubmission, NotFound
from usher_engine.enrollment import BadLine, PatientRecord, Registry, portal_status, trigger_fields
from usher_engine.enrollment.enrollment_tables import email_opt_out
from usher_engine.enrollment.patient_registry import find
from usher_engine.enrollment.patients_import import import_patients
from usher_engine.enrollment.search_terms import parse_typed
from usher_engine.settings import Settings
from usher_engine.store import Database, to_text
from usher_web.demo.sample_patients import TRIGGERS, add_samples


def ada(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": "Sample", "given": ["Ada"]}],
        "telecom": [{"system": "email", "value": "Ada@example.org"}],
        **changes,
    }


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return Registry(settings)


@pytest.fixture
def load(database: Database, registry: Registry, clock: Clock) -> Any:
    def loaded(patient: str = "p1") -> PatientRecord:
        with database.read() as tx:
            return registry.load(tx, patient, now=clock())

    return loaded


@pytest.fixture
def save(database: Database, registry: Registry, clock: Clock) -> Any:
    def saved(resource: dict[str, Any]) -> str:
        with database.begin() as tx:
            return registry.save(tx, resource, by="test", now=clock())

    return saved


def test_a_new_patient_is_not_enrolled(save: Any, load: Any) -> None:
    assert save(ada()) == "new"
    assert (load().status, load().version, load().sends, load().response) == ("Not Enrolled", 1, 0, None)


def test_a_patient_saved_again_keeps_the_portal_status(database: Database, save: Any, load: Any, clock: Clock) -> None:
    save(ada())
    with database.begin() as tx:
        portal_status.set_status(tx, find(tx, "p1"), "Completed", by="ehr", now=clock())
    assert save(ada()) == "same"
    assert save(ada(birthDate="1980-01-01")) == "changed"
    assert load().status == "Completed"
    assert load().resource["birthDate"] == "1980-01-01"


def test_an_unknown_patient_is_not_found(load: Any) -> None:
    with pytest.raises(NotFound):
        load("nobody")


def test_an_update_writes_what_changed(
    database: Database, registry: Registry, save: Any, load: Any, clock: Clock
) -> None:
    save(ada())
    values = {"first_name": "Ada", "email": "new@example.org", "zip_code": "10001"}
    with database.begin() as tx:
        correction = registry.update(tx, "p1", values, by="alice", now=clock())
        again = registry.update(tx, "p1", values, by="alice", now=clock())
    assert (correction.changed, correction.version) == (("email", "zip_code"), 2)
    assert (again.changed, again.version) == ((), 2)
    assert load().resource["address"] == [{"use": "home", "postalCode": "10001"}]


def test_a_row_changed_meanwhile_is_a_conflict(database: Database, save: Any, clock: Clock) -> None:
    from usher_engine.enrollment import patient_registry as rows

    save(ada())
    with database.begin() as tx:
        seen = rows.find(tx, "p1")
        rows.change(tx, seen, by="alice", now=clock(), sends=1)
        with pytest.raises(Conflict):
            rows.change(tx, seen, by="bob", now=clock(), sends=2)


def test_search_and_pages(database: Database, registry: Registry, clock: Clock) -> None:
    add_samples(database, registry, clock())
    with database.read() as tx:

        def search(text: str, limit: int = 50, after: str | None = None) -> list[str]:
            return [
                r.id
                for r in registry.find_page(
                    tx, parse_typed(text, 2026), closed=None, now=clock(), limit=limit, after=after
                ).records
            ]

        everybody = search("")
        assert len(everybody) == 21
        assert search("ada sam") == ["sample-complete"]
        assert search("MR-1009") == ["sample-pending"]
        assert search("100%") == search("_") == []
        first = search("", limit=8)
        assert first + search("", limit=50, after=first[-1]) == everybody


def test_a_request_keeps_its_first_time_and_counts_sends(
    database: Database, save: Any, load: Any, clock: Clock
) -> None:
    save(ada())
    asked = clock()
    for who in ("alice", "bob"):
        with database.begin() as tx:
            portal_status.record_request(tx, "p1", by=who, requested_by=who, now=clock())
        clock.forward(days=1)
    record = load()
    assert (record.status, record.requested_at, record.requested_by, record.sends) == ("Pending", asked, "alice", 2)


def test_a_removed_response_stays_in_the_history(database: Database, save: Any, load: Any, clock: Clock) -> None:
    save(ada())
    until = date(2026, 6, 1)
    with database.begin() as tx:
        portal_status.add_response(tx, "p1", "Deferred", until=until, terms="", now=clock(), instance="i1")
    assert load().response.until == until
    with database.begin() as tx:
        removed = portal_status.remove_response(tx, "p1", reason="asked to", by="alice", now=clock())
        nothing = portal_status.remove_response(tx, "p1", reason="again", by="alice", now=clock())
    assert removed is not None
    assert (removed.status, nothing) == ("Deferred", None)
    assert (load().status, load().response) == ("Not Enrolled", None)
    with database.read() as tx:
        (answer,) = portal_status.answers(tx, "p1")
    assert (answer.status, answer.removed_by, answer.removed_reason) == ("Deferred", "alice", "asked to")


def test_a_response_only_the_status_tells_of_is_still_one(
    database: Database, save: Any, load: Any, clock: Clock
) -> None:
    save(ada())
    with database.begin() as tx:
        portal_status.set_status(tx, find(tx, "p1"), "Declined", by="ehr", now=clock())
    assert (load().response.status, load().response.at, load().response.until) == ("Declined", clock(), None)


def test_opt_outs_guard(database: Database, settings: Settings, save: Any, load: Any, clock: Clock) -> None:
    save(ada())
    assert load().guard(clock(), settings) is None
    with database.begin() as tx:
        for _ in range(2):
            portal_status.opt_out_address(tx, " ada@EXAMPLE.org ", by="patient", now=clock())
    assert "opt-out list" in load().guard(clock(), settings)
    with database.begin() as tx:
        portal_status.opt_in_address(tx, "ada@example.org")
        portal_status.set_practice_opt_out(tx, "p1", True, by="alice", now=clock())
    assert "from the practice" in load().guard(clock(), settings)


SPELLINGS = [
    "ada@bücher.example.org",
    "ADA@BÜCHER.example.org",
    "ada@xn--bcher-kva.example.org",
    "ada@bu\u0308cher.example.org",
    "ada@ｂücher.example.org",
    "\u200bada@bücher.example.org ",
]


@pytest.mark.parametrize("listed", SPELLINGS)
@pytest.mark.parametrize("recorded", SPELLINGS)
def test_an_opt_out_holds_for_every_spelling_of_the_address(
    database: Database, settings: Settings, save: Any, load: Any, clock: Clock, listed: str, recorded: str
) -> None:
    save(ada(telecom=[{"system": "email", "value": recorded}]))
    with database.begin() as tx:
        assert portal_status.opt_out_address(tx, listed, by="patient", now=clock())
        assert not portal_status.opt_out_address(tx, recorded, by="adam", now=clock())
        assert portal_status.opted_out_since(tx, recorded) == (clock(), "patient")
    assert "opt-out list" in load().guard(clock(), settings)
    with database.begin() as tx:
        assert portal_status.opt_in_address(tx, recorded)
        assert portal_status.opted_out_since(tx, listed) is None
    assert load().guard(clock(), settings) is None


@pytest.mark.parametrize("recorded", [*SPELLINGS, "ada@straße.example.org", "jürgen@example.org", "no address"])
def test_an_opt_out_of_usher_0_1_still_holds(
    database: Database, settings: Settings, save: Any, load: Any, clock: Clock, recorded: str
) -> None:
    """That version listed an address as the record or the mail spelled it, folded to lower case."""
    save(ada(telecom=[{"system": "email", "value": recorded}]))
    with database.begin() as tx:
        kept = {"address": recorded.strip().casefold(), "at": to_text(clock()), "by": "patient"}
        tx.execute(email_opt_out.insert().values(**kept))
        assert not portal_status.opt_out_address(tx, recorded, by="adam", now=clock())
    assert "opt-out list" in load().guard(clock(), settings)
    with database.begin() as tx:
        assert portal_status.opt_in_address(tx, recorded)
    assert load().guard(clock(), settings) is None


@pytest.mark.parametrize("listed", SPELLINGS[:4])
def test_an_opt_out_of_usher_0_1_holds_for_a_record_with_another_spelling(
    database: Database, settings: Settings, save: Any, load: Any, clock: Clock, listed: str
) -> None:
    save(ada(telecom=[{"system": "email", "value": SPELLINGS[0]}]))
    with database.begin() as tx:
        kept = {"address": listed.strip().casefold(), "at": to_text(clock()), "by": "patient"}
        tx.execute(email_opt_out.insert().values(**kept))
    assert "opt-out list" in load().guard(clock(), settings)


def test_invisible_characters_neither_hide_nor_fill_a_name(
    database: Database, settings: Settings, save: Any, load: Any, registry: Registry, clock: Clock
) -> None:
    save(ada(name=[{"family": "Sam\u200bple", "given": ["\u2060"]}], birthDate="\u200b"))
    fields = load().fields(clock(), settings)
    assert (fields["first_name"], fields["birth_date"]) == ("", "")
    save(ada(id="p2", name=[{"family": "می\u200cخواهم", "given": ["Ida"]}]))
    searches = {"sample": "p1", "\u200bsam\u00adple\u00a0": "p1", "میخواهم": "p2", "می\u200cخواهم ida": "p2"}
    with database.read() as tx:
        for typed, found in searches.items():
            assert [
                one.id for one in registry.find_page(tx, parse_typed(typed, 2026), now=clock(), limit=9).records
            ] == [found]


def test_triggers(database: Database, clock: Clock) -> None:
    with database.begin() as tx:
        trigger_fields.set_trigger(tx, "Office Visit", "Portal", "Enrollment", by="adam", now=clock())
        trigger_fields.set_trigger(tx, "Office Visit", "Portal", "Enrollment", by="adam", now=clock())
        assert trigger_fields.bound_process(tx, "Office Visit", "Portal", "Enrollment", patient_id="nobody") is None
        for template, field, action, wrong in [
            ("Other", "Portal", "Enrollment", "template"),
            ("Office Visit", "Other", "Enrollment", "field"),
            ("Office Visit", "Portal", "Message", "action"),
        ]:
            with pytest.raises(InvalidSubmission) as refused:
                trigger_fields.bound_process(tx, template, field, action, patient_id="p1")
            assert set(refused.value.fields) == {wrong}
        with pytest.raises(InvalidSubmission, match="“Message”"):
            trigger_fields.set_trigger(tx, "Office Visit", "Portal", "Message", by="adam", now=clock())
        with pytest.raises(InvalidSubmission, match="template"):
            trigger_fields.set_trigger(tx, " \u200b", "Portal", "Enrollment", by="adam", now=clock())
        trigger_fields.remove_trigger(tx, "Office Visit", "Portal")
        assert trigger_fields.templates(tx) == []


def test_samples_stand_in_every_status(
    database: Database, registry: Registry, settings: Settings, clock: Clock
) -> None:
    patients = add_samples(database, registry, clock())
    clock.forward(days=400)
    assert add_samples(database, registry, clock()) == patients
    with database.read() as tx:
        records = {p: registry.load(tx, p, now=clock()) for p in patients}
        assert {t.name: len(t.fields) for t in trigger_fields.templates(tx)} == {
            name: [t for t, _ in TRIGGERS].count(name) for name, _ in TRIGGERS
        }
    statuses = {record.status for record in records.values()}
    assert len(statuses) == 9
    guarded = {p for p, record in records.items() if record.guard(clock(), settings)}
    assert guarded == {f"sample-{why}" for why in ("deceased", "inactive", "merged", "opted-out", "minor")}
    assert records["sample-pending"].requested_at is not None
    assert records["sample-deferred"].response is not None
    assert {record.version for record in records.values()} <= {1, 2}


def test_import_keeps_good_lines_and_tells_bad_ones_by_number(
    database: Database, registry: Registry, load: Any, clock: Clock
) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    lines = [
        json.dumps(ada()).encode(),
        b"\n",
        b"{not json",
        json.dumps({"resourceType": "Observation", "id": "o1"}).encode(),
        json.dumps(ada(id="no/slash")).encode(),
        b'{"resourceType": "Patient", "id": "p2", "x": NaN}',
        b"\xff\xfe\xfa",
        json.dumps(ada(id="p3", typename="boom")).encode(),
        deep.encode(),
        b"[]",
        b'"' + b"x" * 1_100_000 + b'"',
        json.dumps(ada(id="p4", name=[{"family": "\ud800"}])).encode(),
        json.dumps(ada(id="p5", text={"div": "x" * 50_000})),
    ]
    seen: list[tuple[int, int]] = []
    report = import_patients(
        database, registry, lines, by="import", now=clock(), progress=lambda *so_far: seen.append(so_far)
    )
    assert (report.lines, report.new, report.changed, report.same) == (12, 2, 0, 0)
    assert [bad.number for bad in report.bad] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert report.bad[0] == BadLine(number=3, reason="is not JSON in UTF-8")
    assert seen == [(12, 10)]
    assert load("p5").status == "Not Enrolled"
    again = import_patients(database, registry, lines[:1], by="import", now=clock())
    assert (again.new, again.same) == (0, 1)
