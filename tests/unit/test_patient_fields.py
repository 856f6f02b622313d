"""The patient's fields: each is written where it is read, changes nothing else, and has its shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from usher_engine.core.errors import InvalidSubmission
from usher_engine.core.shapes import value_problems
from usher_engine.enrollment import operator_shapes
from usher_engine.enrollment.patient_corrections import changed_fields, read_fields, update_resource
from usher_engine.enrollment.patient_fields import FIELDS, PatientField

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
SOURCES = "us-core-birthsex,us-core-individual-sex,gender"
WRITTEN = [one for one in FIELDS.values() if one.write]

#: Fields that may be read from the place that another one is written to.
_NUMBERS = frozenset({"phone", "mobile", "home_phone", "work_phone"})
TWINS = {
    **dict.fromkeys(_NUMBERS, _NUMBERS),
    "gender": frozenset({"birth_sex"}),
    "birth_sex": frozenset({"gender"}),
}

#: What other systems hold beside what Usher reads, and must find again.
STRANGER: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "3", "profile": ["http://example.org/profile"]},
    "extension": [{"url": "http://example.org/loyalty", "valueString": "gold"}],
    "identifier": [
        {"system": "http://example.org/mrn", "type": {"coding": [{"code": "MR"}]}, "value": "000123"},
        {"system": "http://example.org/dl", "value": "D-1"},
    ],
    "name": [
        {"use": "official", "family": "Sample", "given": ["Ada", "B."], "prefix": ["Dr."], "_family": {"id": "f"}},
        {"use": "nickname", "given": ["Addie"]},
        {"use": "maiden", "family": "Before", "given": ["Ada"], "period": {"end": "2001-01-01"}},
    ],
    "telecom": [
        {"system": "phone", "use": "work", "value": "555-3000", "extension": [{"url": "x:ext", "valueString": "7"}]},
        {"system": "phone", "use": "home", "value": "555-1000", "rank": 1},
        {"system": "phone", "use": "mobile", "value": "555-2000", "rank": 2},
        {"system": "fax", "value": "555-9000"},
        {"system": "email", "use": "home", "value": "ada@example.org"},
    ],
    "address": [
        {"use": "home", "line": ["1 Long Road", "Flat 2", "c/o B"], "city": "Town", "state": "NY",
         "postalCode": "10001", "extension": [{"url": "x:geo", "valueString": "1,2"}]},
        {"use": "work", "line": ["2 Office Park"], "postalCode": "10002"},
    ],
    "maritalStatus": {"coding": [{"code": "M"}]},
    "communication": [
        {"language": {"coding": [{"code": "en"}]}},
        {"language": {"coding": [{"code": "es"}]}, "preferred": True},
    ],
    "contact": [
        {"relationship": [{"coding": [{"code": "N"}]}], "name": {"text": "Next Of Kin"}},
        {"relationship": [{"coding": [{"code": "C"}]}, {"text": "Sister"}],
         "name": {"given": ["Bo"], "family": "Other"},
         "telecom": [{"system": "phone", "value": "555-4000"}], "gender": "female"},
    ],
    "generalPractitioner": [{"reference": "Practitioner/1"}],
}  # fmt: skip


def read(resource: dict[str, Any]) -> dict[str, str]:
    return read_fields(resource, NOW, SOURCES)


def corrected(resource: dict[str, Any], **values: str) -> dict[str, Any]:
    return update_resource(resource, changed_fields(resource, values, NOW, SOURCES), NOW, SOURCES)


def another_value(field: PatientField, letter: str = "X") -> str:
    if field.codes:
        return list(field.codes)[-1]
    return {"birth_date": "1990-01-02", "email": f"{letter.lower()}@example.com", "language": "fr"}.get(
        field.key, f"{letter} 12 {field.key}"
    )


@pytest.mark.parametrize("field", WRITTEN, ids=lambda field: field.key)
@pytest.mark.parametrize("resource", [STRANGER, {"resourceType": "Patient", "id": "p2"}], ids=["full", "empty"])
def test_a_field_is_read_back_as_written_and_touches_no_other(field: PatientField, resource: dict[str, Any]) -> None:
    if field.key == "emergency_contact_relationship":
        resource = corrected(resource, emergency_contact_name="Bo")
    before, kept = read(resource), json.dumps(resource)
    value = another_value(field)
    after = corrected(resource, **{field.key: value})
    assert read(after)[field.key] == value
    if resource.get("name"):
        changed = {key for key, now in read(after).items() if now != before[key]}
        assert changed - {field.key} <= TWINS.get(field.key, frozenset())
    assert json.dumps(resource) == kept, "the record given is left alone"


@pytest.mark.parametrize("field", WRITTEN, ids=lambda field: field.key)
def test_a_correction_keeps_what_other_systems_wrote(field: PatientField) -> None:
    after = corrected(STRANGER, **{field.key: another_value(field)})
    for part in ("meta", "identifier", "generalPractitioner"):
        assert after[part] == STRANGER[part]
    assert {"url": "http://example.org/loyalty", "valueString": "gold"} in after["extension"]
    assert after["name"][0]["prefix"] == ["Dr."]
    assert after["address"][0]["line"][2] == "c/o B"
    assert after["address"][0]["extension"] == STRANGER["address"][0]["extension"]
    assert after["telecom"][3] == STRANGER["telecom"][3]
    assert after["contact"][0] == STRANGER["contact"][0]
    assert after["contact"][1]["gender"] == "female"


@pytest.mark.parametrize("field", WRITTEN, ids=lambda field: field.key)
def test_no_correction_leaves_an_empty_text_that_fhir_forbids(field: PatientField) -> None:
    def walk(value: Any) -> None:
        assert value not in ("", [], {}), value
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(part)

    walk(corrected(STRANGER, **{field.key: another_value(field)}))
    if field.key not in ("birth_date", "last_name", "emergency_contact_name"):
        walk(corrected(STRANGER, **{field.key: ""}))
    if field.key != "emergency_contact_relationship":
        walk(corrected({"id": "p2"}, **{field.key: another_value(field)}))


def test_a_second_given_name_without_a_first_is_marked_as_fhir_asks() -> None:
    after = corrected({"id": "p"}, middle_name="B.", address_line2="Flat 2")
    assert after["name"][0]["given"] == [None, "B."]
    assert after["name"][0]["_given"][0]["extension"][0]["valueCode"] == "unknown"
    assert read(after)["first_name"] == ""
    again = corrected(after, first_name="Ada", address_line1="1 Road")
    assert again["name"][0]["given"] == ["Ada", "B."]
    assert "_given" not in again["name"][0]
    assert again["address"][0]["line"] == ["1 Road", "Flat 2"]


def test_the_shapes_hold_what_records_hold() -> None:
    for resource in (STRANGER, {}):
        assert not value_problems(operator_shapes.FIELDS_OF_PATIENT, read(resource), where="fields")
    odd = {"gender": "zz", "maritalStatus": {"coding": [{"code": "??"}]}, "extension": [{"url": FIELDS["race"].path}]}
    assert not value_problems(operator_shapes.FIELDS_OF_PATIENT, read(odd), where="fields")
    assert "record_number" not in operator_shapes.CORRECTION["properties"]


def test_race_holds_several_categories() -> None:
    after = corrected(STRANGER, race="2106-3 2028-9", ethnicity="2135-2")
    assert read(after)["race"] == "2106-3 2028-9"
    parts = [part for extension in after["extension"] for part in extension.get("extension", [])]
    texts = [part["valueString"] for part in parts if part["url"] == "text"]
    assert texts == ["White, Asian", "Hispanic or Latino"]


@pytest.mark.parametrize(
    ("values", "key", "reason"),
    [
        ({"phoen": "1"}, "phoen", "is no field of a patient; did you mean “phone”?"),
        ({"xyz": "1"}, "xyz", "is no field of a patient; known are first_name"),
        ({"gender": "f"}, "gender", "must be one of male, female, other, unknown"),
        ({"race": "2106-3 white"}, "race", "must be one of 1002-5"),
        ({"record_number": "9"}, "record_number", "can be read only"),
        ({"city": 7}, "city", "must be text"),
    ],
)
def test_what_cannot_be_written_is_refused_at_its_field(values: dict[str, Any], key: str, reason: str) -> None:
    with pytest.raises(InvalidSubmission) as refused:
        changed_fields(STRANGER, values, NOW, SOURCES)
    assert refused.value.fields[key].startswith(reason)


def test_a_read_only_field_may_stand_in_a_form_unchanged() -> None:
    assert changed_fields(STRANGER, {"record_number": "000123", "city": "Here"}, NOW, SOURCES) == {"city": "Here"}


def test_the_phone_and_the_number_it_is_read_from_must_agree() -> None:
    assert read(corrected(STRANGER, phone="1", home_phone="1"))["phone"] == "1"
    with pytest.raises(InvalidSubmission, match="is another than “home_phone”"):
        corrected(STRANGER, phone="1", home_phone="2")


def test_a_relationship_needs_somebody() -> None:
    with pytest.raises(InvalidSubmission, match="needs the name or the telephone number"):
        corrected({"id": "p"}, emergency_contact_relationship="Sister")


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
_KEYS = ("name", "telecom", "address", "extension", "contact", "communication", "identifier", "gender", "maritalStatus")
_INNER = ("use", "given", "family", "line", "period", "rank", "relationship", "url", "language", "type")
_PARTS = st.fixed_dictionaries({}, optional=dict.fromkeys(_INNER, _JSON))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.dictionaries(st.sampled_from(_KEYS), st.lists(_PARTS, max_size=2) | _JSON, max_size=4))
def test_no_record_from_outside_breaks_reading_or_writing(resource: dict[str, Any]) -> None:
    found = read(resource)
    assert not value_problems(operator_shapes.FIELDS_OF_PATIENT, found, where="fields")
    for field in WRITTEN:
        if field.key != "emergency_contact_relationship":
            assert read(corrected(resource, **{field.key: another_value(field)}))[field.key] == another_value(field)
