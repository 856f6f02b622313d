"""The gate follows the data: each mistake is found on its element, field, row or file; sound packages have none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from usher_engine.definitions import Package
from usher_engine.definitions.package_io import read_folder
from usher_engine.enrollment import enrollment_services
from usher_engine.gate import Finding, check_package
from usher_engine.settings import Settings

ROOT = Path(__file__).parents[2]
SERVICES = enrollment_services(Settings(), None, None, None)  # type: ignore[arg-type]
SHIPPED = read_folder(ROOT / "processes" / "enrollment")
STATUS = 'patient.status == "Pending"'
EXPLAIN = 'explanation = "The patient already has a portal account.'


def data_findings(package: Package) -> list[Finding]:
    return [finding for finding in check_package(package, SERVICES) if finding.rule.startswith(("data-", "example"))]


def changed(old: str, new: str, file: str = "enrollment.bpmn") -> Package:
    """The shipped package with the first *old* of *file* replaced."""
    text = SHIPPED.files[file].decode()
    assert old in text
    return Package({**SHIPPED.files, file: text.replace(old, new, 1).encode()})


def with_field(form: str, **component: object) -> Package:
    """The shipped package whose *form* has one field more."""
    schema = json.loads(SHIPPED.files[form])
    schema["components"].insert(1, component)
    return Package({**SHIPPED.files, form: json.dumps(schema).encode()})


def with_answer(operator: str, answer: object) -> Package:
    """The shipped package whose first example answers *operator* with *answer*."""
    file = "examples/01-not-enrolled.json"
    example = json.loads(SHIPPED.files[file])
    example["services"][operator] = [answer]
    return Package({**SHIPPED.files, file: json.dumps(example).encode()})


MISTAKES = {
    "a field that a record lacks": (
        changed(STATUS, 'patient.statsu == "Pending"'),
        ("enrollment.bpmn", "Flow_status_pending", "data-field", "error", "Did you mean “status”?"),
    ),
    "a status misspelt": (
        changed(STATUS, 'patient.status == "Pendng"'),
        ("enrollment.bpmn", "Flow_status_pending", "data-value", "error", "Did you mean “Pending”?"),
    ),
    "a status of which nobody has heard": (
        changed(STATUS, 'patient.status == "On holiday"'),
        ("enrollment.bpmn", "Flow_status_pending", "data-value", "warning", "It may be: Not Enrolled"),
    ),
    "a status misspelt in a list": (
        changed('["Declined", "Deferred"]', '["Declined", "Deferre"]'),
        ("enrollment.bpmn", "Flow_status_declined", "data-value", "error", "Did you mean “Deferred”?"),
    ),
    "a name misspelt in a condition": (
        changed(STATUS, 'pateint.status == "Pending"'),
        ("enrollment.bpmn", "Flow_status_pending", "data-unset", "warning", "Did you mean “patient”?"),
    ),
    "a name that nothing sets": (
        changed(STATUS, "room.free == True"),
        ("enrollment.bpmn", "Flow_status_pending", "data-unset", "warning", "nothing sets “room”"),
    ),
    "a name read before it is set": (
        changed('value="patient_id"', 'value="recorded.version"'),
        ("enrollment.bpmn", "LoadPatient", "data-unset", "warning", "nothing sets “recorded” before this place"),
    ),
    "a name set only on the ways that come back": (
        changed('value="patient_id"', 'value="saved.version"'),
        ("enrollment.bpmn", "LoadPatient", "data-perhaps", "warning", 'write get("saved")'),
    ),
    "a number compared with a text": (
        changed("patient.sends &gt; 0", "patient.sends &gt; '0'"),
        ("enrollment.bpmn", "ResendInvitation", "data-kind", "error", "“patient.sends” is a whole number"),
    ),
    "a number equal to a text": (
        changed("patient.sends == 1", "patient.sends == '1'"),
        ("enrollment.bpmn", "ResendInvitation", "data-kind", "error", "never equals text"),
    ),
    "a number joined to a text": (
        changed("str(patient.sends)", "patient.sends"),
        ("enrollment.bpmn", "ResendInvitation", "data-kind", "error", "str(…) makes a text"),
    ),
    "a field of a text": (
        changed(EXPLAIN, 'explanation = patient.status.name\nrest = "'),
        ("enrollment.bpmn", "ExplainCompleted", "data-kind", "error", "“patient.status” is text"),
    ),
    "a field of what may be null": (
        changed("patient.guard != None", 'patient.response.status == "Declined"'),
        ("enrollment.bpmn", "Flow_must_not_be_invited", "data-null", "warning", "“patient.response” may be null"),
    ),
    "a name that is set on one way only": (
        changed("patient.guard or error.message", "error.message"),
        ("enrollment.bpmn", "ExplainNotEligible", "data-perhaps", "warning", 'write get("error")'),
    ),
    "a field misspelt in a script": (
        changed(EXPLAIN, 'explanation = patient.fields.frist_name\nrest = "'),
        ("enrollment.bpmn", "ExplainCompleted", "data-field", "error", "Did you mean “first_name”?"),
    ),
    "a name of another branch": (
        changed(EXPLAIN, 'explanation = invitation.text\nrest = "'),
        ("enrollment.bpmn", "ExplainCompleted", "data-unset", "warning", "nothing sets “invitation” before this place"),
    ),
    "a name that a condition asked for on one way only": (
        changed(EXPLAIN, 'explanation = missing.text\nrest = "'),
        ("enrollment.bpmn", "ExplainCompleted", "data-perhaps", "warning", 'write get("missing")'),
    ),
    "a field misspelt in a message": (
        changed("missing.text", "missing.txt"),
        ("enrollment.bpmn", "UpdateNow", "data-field", "error", "Did you mean “text”?"),
    ),
    "a record written as text": (
        changed("{{ missing.text }}", "{{ missing }}"),
        ("enrollment.bpmn", "UpdateNow", "data-kind", "error", "is a record"),
    ),
    "initial values that are no record": (
        changed('value="patient.fields"', 'value="patient.status"'),
        ("enrollment.bpmn", "UpdateNow", "data-kind", "error", "must be a record"),
    ),
    "a field of a form misspelt in a parameter": (
        changed('value="enroll.reason"', 'value="enroll.raeson"'),
        ("enrollment.bpmn", "RemoveResponse", "data-field", "error", "Did you mean “reason”?"),
    ),
    "a parameter of another kind": (
        changed('id="values" type="any" value="update"', 'id="values" type="any" value="update.first_name"'),
        ("enrollment.bpmn", "SavePatient", "data-kind", "error", "must be a record"),
    ),
    "a parameter that is another record": (
        changed('id="invitation" type="any" value="invitation"', 'id="invitation" type="any" value="missing"'),
        ("enrollment.bpmn", "RecordPending", "data-", "", ""),
    ),
    "a field that the operator does not take": (
        with_field("update-now.form", type="textfield", key="phoen", label="Phone", validate={"required": True}),
        ("update-now.form", "phoen", "data-field", "error", "patient/update"),
    ),
    "a field of another kind than the operator takes": (
        with_field("update-now.form", type="number", key="nickname", label="Nickname"),
        ("update-now.form", "nickname", "data-field", "error", "not taken"),
    ),
    "an answer of another shape": (
        with_answer("patient/missing", {"keys": [], "label": [], "text": ""}),
        ("examples/01-not-enrolled.json", "", "example", "warning", "patient/missing"),
    ),
    "an answer for an operator that nobody asks": (
        with_answer("patient/loads", {}),
        ("examples/01-not-enrolled.json", "", "example", "warning", "Did you mean “patient/load”?"),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_at_its_place(name: str) -> None:
    package, (file, element, rule, severity, words) = MISTAKES[name]
    found = data_findings(package)
    fitting = [f for f in found if (f.file, f.element) == (file, element) and f.rule.startswith(rule)]
    assert fitting, found
    assert any(f.severity.startswith(severity) and words in f.message for f in fitting), fitting


def test_the_shipped_process_has_no_findings() -> None:
    assert check_package(SHIPPED, SERVICES) == []


def test_an_answer_may_leave_out_what_the_example_does_not_need() -> None:
    assert data_findings(with_answer("invitation/send", {"to": "ann@example.com"})) == []


REMEDIES = {
    "a status misspelt": 'patient.status == "Pending"',
    "a field that a record lacks": 'patient.status == "Pending"',
    "a name misspelt in a condition": 'patient.status == "Pending"',
    "a status misspelt in a list": 'patient.status in ["Declined", "Deferred"]',
    "a field of a form misspelt in a parameter": "enroll.reason",
    "a name that is set on one way only": 'explanation = get("error").message',
}


@pytest.mark.parametrize("name", REMEDIES)
def test_a_slip_has_a_remedy(name: str) -> None:
    package, (file, element, rule, _severity, _words) = MISTAKES[name]
    [found] = [f for f in data_findings(package) if (f.element, f.rule) == (element, rule)]
    assert found.remedy is not None
    assert found.remedy.after == REMEDIES[name]
    mended = package.files[file].decode().replace(found.remedy.before, found.remedy.after)
    left = data_findings(Package({**package.files, file: mended.encode()}))
    assert [f for f in left if (f.element, f.rule) == (element, rule)] == []


def test_what_has_no_slip_has_no_remedy() -> None:
    package, _ = MISTAKES["a status of which nobody has heard"]
    assert [finding.to_json().get("remedy") for finding in data_findings(package)] == [None]
