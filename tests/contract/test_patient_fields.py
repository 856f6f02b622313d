"""A field that an analyst adds to Update Now and makes mandatory works from the check to the record."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import ROOT, Clock, alice
from usher_engine import Actor, Worker
from usher_engine.core.errors import InvalidSubmission
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment import open_enrollment
from usher_engine.enrollment.enrollment_operators import missing
from usher_engine.enrollment.patient_corrections import read_fields
from usher_engine.enrollment.patient_fields import FIELDS, PatientField
from usher_engine.gate import check_package
from usher_engine.services import Call
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

ADMIN = Actor(name="adam", role="admin")
SHIPPED = read_folder(ROOT / "processes" / "enrollment")
FORM = "update-now.form"
ASKED = {component.get("key") for component in json.loads(SHIPPED.text(FORM))["components"]}
MORE = [one for one in FIELDS.values() if one.write and one.key not in ASKED]


def component(field: PatientField) -> dict[str, Any]:
    """The field as an analyst would add it: a choice where it has codes, text otherwise."""
    base = {"id": f"Field_{field.key}", "key": field.key, "label": field.title, "validate": {"required": True}}
    options = [{"value": code, "label": words} for code, words in field.codes.items()]
    return {**base, "type": "select", "values": options} if options else {**base, "type": "textfield"}


def asking(*fields: PatientField) -> Package:
    form = json.loads(SHIPPED.text(FORM))
    form["components"][-1:-1] = [component(field) for field in fields]
    return replace(SHIPPED, files={**SHIPPED.files, FORM: json.dumps(form).encode()})


def value_of(field: PatientField) -> str:
    return next(iter(field.codes), "") or f"some {field.key}"


@pytest.mark.parametrize("field", MORE, ids=lambda field: field.key)
def test_the_check_asks_for_a_mandatory_field_and_is_content_with_it(field: PatientField) -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    call = Call(instance="I", element="E", visit=1, now=now, actor="alice", package=asking(field))
    record = {"first_name": "A", "last_name": "B", "birth_date": "1980-01-01", "zip_code": "10001", "birth_sex": "F"}
    complete = {**dict.fromkeys(FIELDS, ""), **record, "email": "a@example.org"}
    assert missing({"patient": {"fields": complete}, "form": FORM}, call)["keys"] == [field.key]
    filled = {**complete, field.key: value_of(field)}
    assert missing({"patient": {"fields": filled}, "form": FORM}, call)["keys"] == []


def test_all_fields_at_once_come_from_the_form_into_the_record(
    settings: Settings, database: Database, clock: Clock
) -> None:
    mails: list[Any] = []
    opened = open_enrollment(
        replace(settings, mail_from="portal@example.org"), clock=clock, send_mail=mails.append, database=database
    )
    package = asking(*MORE)
    found = check_package(package, opened.engine.context.services)
    assert [finding for finding in found if finding.severity == "error"] == []
    opened.engine.deploy(package, actor=ADMIN)
    add_samples(database, opened.registry, clock())

    case = opened.trigger("sample-complete", "Office Visit", "Patient Portal", "Enrollment", actor=alice)
    task = opened.engine.inbox.task(case.tasks[0].id, alice)
    assert task.element == "UpdateNow"
    unnamed = [field.key for field in MORE if field.title[1:] not in task.message and not task.initial[field.key]]
    assert not unnamed
    given = {key: value for key, value in task.initial.items() if key in ASKED} | {f.key: value_of(f) for f in MORE}
    given["phone"] = given["mobile"] = "555-0100"
    with pytest.raises(InvalidSubmission) as refused:
        opened.engine.complete(task.id, {**given, "county": ""}, actor=alice, revision=task.revision)
    assert list(refused.value.fields) == ["county"]
    opened.engine.complete(task.id, given, actor=alice, revision=task.revision)
    while Worker(opened.engine).run_due():
        pass
    assert opened.patient("sample-complete").status == "Pending"
    assert len(mails) == 1
    with database.begin() as tx:
        record = opened.registry.load(tx, "sample-complete", now=clock())
    now = read_fields(record.resource, clock(), settings.birth_sex_sources)
    assert {field.key: now[field.key] for field in MORE} == {field.key: given[field.key] for field in MORE}
