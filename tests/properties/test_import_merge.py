"""A three-way import, whatever the EHR and staff change: corrections stay, the EHR's own changes come in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from usher_engine.enrollment.import_merge import ADDRESS, Merged, group_of, merge
from usher_engine.enrollment.patient_corrections import changed_fields, read_fields, update_resource

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)
SOURCES = "extension,gender"
FIELDS = (
    "first_name",
    "last_name",
    "email",
    "mobile",
    "home_phone",
    "marital_status",
    "language",
    "birth_date",
    *ADDRESS,
)

texts = st.sampled_from(("", "One", "Two", "Three"))
values = {
    "email": st.sampled_from(("", "one@example.org", "ONE@EXAMPLE.ORG", "two@example.org")),
    "marital_status": st.sampled_from(("", "M", "S")),
    "language": st.sampled_from(("", "es", "en")),
    "birth_date": st.sampled_from(("", "1981-05-04", "1981-04-05")),
}
changes = st.fixed_dictionaries({}, optional={key: values.get(key, texts) for key in FIELDS})
BLANK: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1980-01-01"}


def changed(resource: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    return update_resource(resource, changed_fields(resource, given, NOW, SOURCES), NOW, SOURCES)


def read(resource: dict[str, Any]) -> dict[str, str]:
    found = read_fields(resource, NOW, SOURCES)
    return {key: found[key].casefold() if key == "email" else found[key] for key in FIELDS}


def merged(base: Any, ours: Any, theirs: Any) -> Merged:
    before = json.dumps([base, ours, theirs])
    found = merge(base, ours, theirs, NOW, SOURCES)
    assert json.dumps([base, ours, theirs]) == before
    return found


@given(changes, changes, changes)
def test_each_field_has_the_value_it_should(first: dict[str, str], staff: dict[str, str], ehr: dict[str, str]) -> None:
    base = changed(BLANK, first)
    ours, theirs = changed(base, staff), changed(base, ehr)
    found = merged(base, ours, theirs)
    old, mine, new, after = read(base), read(ours), read(theirs), read(found.resource)
    disputed = {group_of(one.field) for one in found.conflicts}
    corrected = {group_of(key) for key in FIELDS if mine[key] != old[key]}
    moved = {group_of(key) for key in FIELDS if new[key] != old[key]}
    assert disputed <= corrected & moved
    for key in FIELDS:
        if group_of(key) in disputed:
            assert after[key] == mine[key]
        elif mine[key] == old[key]:
            assert after[key] == new[key]
        else:
            assert after[key] == mine[key], "a correction is never lost"
    for one in found.conflicts:
        assert read(theirs)[one.field] != mine[one.field]


def test_an_address_in_other_letters_is_no_other_address() -> None:
    base = changed(BLANK, {"email": "one@example.org"})
    ours = changed(base, {"email": "ONE@EXAMPLE.ORG"})
    assert merged(base, ours, base).resource == ours
    moved = merged(base, ours, changed(base, {"email": "two@example.org"}))
    assert (read(moved.resource)["email"], moved.conflicts) == ("two@example.org", ())


@given(changes, changes)
def test_the_unchanged_file_changes_nothing(first: dict[str, str], staff: dict[str, str]) -> None:
    base = changed(BLANK, first)
    ours = changed(base, staff)
    found = merged(base, ours, base)
    assert read(found.resource) == read(ours)
    assert (found.changed, found.conflicts) == ((), ())


@given(changes, changes)
def test_without_corrections_the_record_is_what_the_ehr_sends(first: dict[str, str], ehr: dict[str, str]) -> None:
    base = changed(BLANK, first)
    theirs = {**changed(base, ehr), "deceasedBoolean": True}
    found = merged(base, base, theirs)
    assert (found.resource, found.kept, found.conflicts) == (theirs, (), ())


@given(changes, changes, changes)
def test_the_same_file_again_keeps_everything(
    first: dict[str, str], staff: dict[str, str], ehr: dict[str, str]
) -> None:
    base = changed(BLANK, first)
    theirs = changed(base, ehr)
    once = merged(base, changed(base, staff), theirs)
    again = merged(theirs, once.resource, theirs)
    assert read(again.resource) == read(once.resource)
    assert (again.changed, again.conflicts) == ((), ())


@given(changes, changes)
def test_of_an_unknown_base_nothing_is_lost_without_a_word(staff: dict[str, str], ehr: dict[str, str]) -> None:
    ours, theirs = changed(BLANK, staff), changed(BLANK, ehr)
    assume(ours != theirs)
    found = merged(None, ours, theirs)
    mine, new, after = read(ours), read(theirs), read(found.resource)
    told = {one.field for one in found.conflicts}
    for key in FIELDS:
        assert after[key] == (mine[key] or (new[key] if key not in told else "")) or group_of(key) in map(
            group_of, told
        )
        if mine[key] and new[key] and mine[key] != new[key]:
            assert key in told
