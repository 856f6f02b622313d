"""Reading, correcting and redacting FHIR Patients: ours, and those of other people."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from usher_engine.core.errors import InvalidSubmission
from usher_engine.core.practice_calendar import full_years
from usher_engine.definitions import read_folder
from usher_engine.enrollment.birth_sex import BIRTH_SEX_EXTENSION, INDIVIDUAL_SEX_EXTENSION
from usher_engine.enrollment.eligibility import refusal
from usher_engine.enrollment.patient_corrections import changed_fields, read_fields, update_resource
from usher_engine.enrollment.patient_fields import FIELDS
from usher_engine.enrollment.patients_import import read_patient
from usher_engine.enrollment.redaction import redact
from usher_engine.enrollment.statuses import PortalStatus, glyph
from usher_engine.enrollment.timestamps import last_instant, parse_day
from usher_engine.forms import parse_form

ROOT = Path(__file__).parents[2]
PATIENTS = ROOT.parent / "shared" / "data" / "patients"
NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
SOURCES = "us-core-birthsex,us-core-individual-sex,gender"

needs_patients = pytest.mark.skipif(not PATIENTS.is_dir(), reason=f"no sample patients in {PATIENTS}")


def read(resource: dict[str, Any], sources: str = SOURCES) -> dict[str, str]:
    return read_fields(resource, NOW, sources)


def corrected(resource: dict[str, Any], sources: str = SOURCES, **values: str) -> dict[str, Any]:
    return update_resource(resource, changed_fields(resource, values, NOW, sources), NOW, sources)


def birth_sex(code: str) -> dict[str, Any]:
    return {"extension": [{"url": BIRTH_SEX_EXTENSION, "valueCode": code}]}


def individual_sex(code: str) -> dict[str, Any]:
    return {"extension": [{"url": INDIVIDUAL_SEX_EXTENSION, "valueCoding": {"code": code}}]}


COMPLETE = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [
        {"use": "maiden", "family": "Before", "given": ["Ada"]},
        {"use": "official", "family": "Sample", "given": ["Ada", "B."], "suffix": ["MSc"], "text": "Ada B. Sample"},
    ],
    "birthDate": "1980-02-29",
    "address": [{"use": "old", "postalCode": "99999"}, {"use": "home", "postalCode": "10001", "city": "Town"}],
    "telecom": [
        {"system": "phone", "value": "555-1000", "use": "mobile"},
        {"system": "email", "value": "late@example.org", "rank": 2},
        {"system": "email", "value": "ada@example.org", "rank": 1},
    ],
    "communication": [{"language": {"coding": [{"code": "es"}]}, "preferred": True}],
    **birth_sex("F"),
}


def test_every_field_is_read() -> None:
    assert {key: value for key, value in read(COMPLETE).items() if value} == {
        "first_name": "Ada",
        "middle_name": "B.",
        "last_name": "Sample",
        "name_suffix": "MSc",
        "previous_last_name": "Before",
        "birth_date": "1980-02-29",
        "birth_sex": "F",
        "language": "es",
        "email": "ada@example.org",
        "mobile": "555-1000",
        "phone": "555-1000",
        "city": "Town",
        "zip_code": "10001",
    }
    assert list(read({})) == list(FIELDS)


def test_absent_fields_are_empty_text() -> None:
    assert set(read({}).values()) == {""}


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "text", "address": {}, "telecom": [None, 3, "x"], "extension": "no", "gender": 7, "birthDate": 1980},
        {"name": [{"given": "Ada", "family": ["X"]}], "telecom": [{"system": "email", "value": {}, "rank": "1"}]},
        {"name": [{"given": [None], "period": "never"}], "communication": [{"language": "en"}], "link": "self"},
        {"extension": [{"url": INDIVIDUAL_SEX_EXTENSION, "valueCoding": "F"}, {"url": BIRTH_SEX_EXTENSION}]},
    ],
)
def test_wrong_shapes_count_as_absent(broken: dict[str, Any]) -> None:
    assert set(read(broken).values()) == {""}
    assert refusal(broken, NOW.date(), 18) is None


def test_an_entry_whose_period_has_ended_is_passed_over() -> None:
    telecom = [
        {"system": "email", "value": "past@example.org", "period": {"end": "2026-11-22"}},
        {"system": "email", "value": "today@example.org", "period": {"end": "2026-11-23"}},
    ]
    assert read({"telecom": telecom})["email"] == "today@example.org"


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        (birth_sex("M"), "M"),
        (birth_sex("asked-unknown"), "ASKU"),
        ({**birth_sex("X"), "gender": "female"}, "F"),
        (individual_sex("248152002"), "F"),
        (individual_sex("asked-declined"), "ASKU"),
        ({"gender": "other"}, "OTH"),
        ({"gender": "unknown"}, "UNK"),
        ({"gender": "zz"}, ""),
    ],
)
def test_birth_sex_is_taken_from_the_first_source_in_the_value_set(resource: dict[str, Any], code: str) -> None:
    assert read(resource)["birth_sex"] == code


def test_birth_sex_sources_are_a_setting() -> None:
    assert read({**birth_sex("F"), "gender": "male"}, "gender")["birth_sex"] == "M"
    assert read({"gender": "male"}, "us-core-birthsex")["birth_sex"] == ""


@pytest.mark.parametrize(
    ("resource", "word"),
    [
        ({"deceasedBoolean": True}, "deceased"),
        ({"deceasedDateTime": "2020"}, "deceased"),
        ({"active": False}, "inactive"),
        ({"link": [{"type": "replaced-by"}]}, "merged"),
        ({"birthDate": "2008-11-24"}, "under 18"),
        ({"birthDate": "2009"}, "under 18"),
        ({"birthDate": "2008-12"}, "under 18"),
    ],
)
def test_who_must_not_be_invited(resource: dict[str, Any], word: str) -> None:
    reason = refusal(resource, NOW.date(), 18)
    assert reason is not None
    assert word in reason
    assert str(resource.get("birthDate", "----")) not in reason


@pytest.mark.parametrize(
    "resource",
    [
        {"deceasedBoolean": False, "active": True},
        {"link": [{"type": "seealso"}]},
        {"birthDate": "2008-11-23"},
        {"birthDate": "2008"},
        {"birthDate": "not a date"},
    ],
)
def test_who_may_be_invited(resource: dict[str, Any]) -> None:
    assert refusal(resource, NOW.date(), 18) is None


def test_a_correction_is_read_back_and_loses_nothing_else() -> None:
    values = {
        "first_name": "Ida",
        "last_name": "Other",
        "birth_date": "1981-01-02",
        "zip_code": "10002",
        "email": "ida@example.org",
        "birth_sex": "M",
        "mobile": "555-2000",
        "language": "en",
    }
    after = corrected(COMPLETE, **values)
    assert {**read(COMPLETE), **values, "phone": "555-2000"} == read(after)
    assert after["name"][1] == {"use": "official", "family": "Other", "given": ["Ida", "B."], "suffix": ["MSc"]}
    assert after["name"][0] == COMPLETE["name"][0]
    assert after["address"][1]["city"] == "Town"
    assert len(after["telecom"]) == 3
    assert COMPLETE["birthDate"] == "1980-02-29"


def test_a_correction_makes_entries_that_are_missing() -> None:
    values = read(COMPLETE)
    assert read(corrected({"id": "p1"}, **values)) == values


def test_a_value_taken_away_ends_its_period() -> None:
    after = corrected(COMPLETE, mobile="")
    assert read(after)["mobile"] == ""
    assert after["telecom"][0]["value"] == "555-1000"


@pytest.mark.parametrize("code", ["F", "M", "OTH", "UNK"])
@pytest.mark.parametrize("sources", [SOURCES, "gender", "gender,us-core-birthsex", "us-core-individual-sex,gender"])
def test_birth_sex_is_written_where_it_is_read(code: str, sources: str) -> None:
    before = {**individual_sex("248152002"), "gender": "female"}
    assert read(corrected(before, sources, birth_sex=code), sources)["birth_sex"] == code


def test_unchanged_values_are_no_change() -> None:
    assert changed_fields(COMPLETE, read(COMPLETE), NOW, SOURCES) == {}


def test_only_known_fields_with_text_are_taken() -> None:
    with pytest.raises(InvalidSubmission) as refused:
        changed_fields(COMPLETE, {"nickname": "x"}, NOW, SOURCES)
    assert "nickname" in refused.value.fields
    with pytest.raises(InvalidSubmission, match="must be text"):
        changed_fields(COMPLETE, {"email": 7}, NOW, SOURCES)


@pytest.mark.parametrize(
    "identifier",
    [
        {"type": {"coding": [{"code": "SS"}]}, "value": "444222222"},
        {"type": {"coding": [{"code": "SB"}]}, "value": "1"},
        {"type": {"text": "Social Security Number"}, "value": "1"},
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "1"},
        {"system": "urn:oid:2.16.840.1.113883.4.1", "value": "1"},
        {"value": "123-45-6789"},
    ],
)
def test_social_security_numbers_are_dropped_wherever_they_are(identifier: dict[str, Any]) -> None:
    record_number = {"type": {"coding": [{"code": "MR"}]}, "value": "7"}
    resource = {
        "identifier": [identifier, record_number],
        "contained": [{"identifier": [identifier]}],
        "managingOrganization": {"identifier": identifier, "display": "Clinic"},
        "text": {"status": "generated", "div": "<div>444222222</div>"},
        "name": [{"text": "Ada"}],
    }
    assert redact(resource) == {
        "identifier": [record_number],
        "contained": [{"identifier": []}],
        "managingOrganization": {"display": "Clinic"},
        "name": [{"text": "Ada"}],
    }


def test_days_and_ages() -> None:
    assert parse_day("2026-02-30") is None
    assert parse_day("20260230") is None
    assert last_instant("2024-02") == datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
    assert last_instant("2024") == datetime(2024, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert last_instant("2024-13-77") is None
    born = datetime(2000, 2, 29, tzinfo=UTC).date()
    assert full_years(born, datetime(2018, 2, 28, tzinfo=UTC).date()) == 17
    assert full_years(born, datetime(2018, 3, 1, tzinfo=UTC).date()) == 18


def test_every_status_has_its_sign() -> None:
    assert {glyph(status.value) for status in PortalStatus} >= {
        "empty",
        "waiting",
        "done",
        "later",
        "locked",
        "unknown",
    }
    assert glyph("Forwarded") == "unknown"


def _mandatory() -> Any:
    return parse_form(read_folder(ROOT / "processes" / "enrollment").text("update-now.form"))


@needs_patients
def test_120_strangers() -> None:
    """Synthea's patients: none causes a crash, the deceased are guarded, adults lack only the e-mail."""
    form = _mandatory()
    lines = (PATIENTS / "synthea-100-Patient.ndjson").read_bytes().splitlines()
    stored = [read_patient(line) for line in lines]
    assert len(stored) == 120
    assert re.search(r"999-\d\d-\d{4}", json.dumps(stored)) is None
    assert "us-ssn" not in json.dumps(stored)
    deceased = [r for r in stored if "deceasedDateTime" in r]
    minors = [r for r in stored if r["birthDate"] > "2008-11-23" and r not in deceased]
    assert len(deceased) == 20
    for resource in stored:
        reason = refusal(resource, NOW.date(), 18)
        if resource in deceased:
            assert reason == "The patient is recorded as deceased."
        elif resource in minors:
            assert reason is not None
            assert "Age rule" in reason
        else:
            assert reason is None
            assert [f.key for f in form.missing(read(resource), today=NOW.date())] == ["email"]


@needs_patients
def test_of_the_published_examples_only_one_is_complete() -> None:
    form = _mandatory()
    complete = []
    for file in sorted((PATIENTS / "hl7-r4-examples").glob("Patient-*.json")):
        resource = read_patient(file.read_bytes())
        assert "444222222" not in json.dumps(resource)
        if not form.missing(read(resource), today=NOW.date()):
            complete.append(resource["id"])
    assert complete == ["f001"]


@needs_patients
def test_the_us_core_example_uses_its_current_name_and_address() -> None:
    resource = read_patient((PATIENTS / "uscore" / "patient-example.json").read_bytes())
    assert read(resource)["last_name"] == "Baxter"
    assert read(resource)["zip_code"] == "74048"
    assert read(resource)["birth_sex"] == "F"
