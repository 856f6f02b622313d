"""What administrators set of a patient, over the API and on their page: portal statuses and opt-outs from e-mail."""

from __future__ import annotations

import pytest
from acceptance.conftest import House, Visitor
from flask.testing import FlaskClient
from usher_engine.accounts import Role
from usher_engine.enrollment import REPORTABLE
from werkzeug.test import TestResponse

PATIENT, WHY = "sample-complete", "The portal's report of today."
STATUS = {"status": "Deactivated", "reason": WHY}
OPT_OUT = {"scope": "practice", "opted_out": True, "reason": "Called us."}


class Program:
    """A program with a token."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self._client, self._headers = client, headers

    def set_status(self, patient: str = PATIENT, **body: object) -> TestResponse:
        return self._client.post(f"/api/v1/patients/{patient}/portal-status", json=body, headers=self._headers)

    def set_opt_out(self, patient: str = PATIENT, **body: object) -> TestResponse:
        return self._client.post(f"/api/v1/patients/{patient}/opt-out", json=body, headers=self._headers)


@pytest.fixture
def portal(house: House) -> Program:
    return Program(house.app.test_client(), house.token(Role.ADMIN, name="portal"))


def test_a_program_reports_a_status_and_the_next_trigger_takes_its_branch(house: House, portal: Program) -> None:
    answer = portal.set_status(**STATUS)
    assert answer.status_code == 200
    assert answer.json == {
        "patient": PATIENT, "status": "Deactivated", "opted_out": False, "address_opted_out": False, "version": 2,
    }  # fmt: skip
    assert portal.set_status(**STATUS).json == answer.json
    shown = house.select(PATIENT)
    assert "deactivated" in shown.text
    assert house.enrollment.engine.queries.instances()[0].outcome == "NothingToDo"
    [event] = house.enrollment.engine.audit.events(kind="SettingChanged", about=PATIENT)
    assert (event.actor, event.why, event.details["from"]) == ("portal", WHY, "API")
    audited = house.visitor("audrey").get(f"/audit/patients/{PATIENT}").text
    assert "Set the portal status to “Deactivated”: The portal" in audited


def test_a_program_opts_out_and_in_again(house: House, portal: Program) -> None:
    for scope, shown in (("practice", "opted_out"), ("address", "address_opted_out")):
        body = {**OPT_OUT, "scope": scope}
        for opted_out in (True, True, False, False):
            answer = portal.set_opt_out(**{**body, "opted_out": opted_out})
            assert (answer.status_code, answer.json[shown]) == (200, opted_out)
    kinds = [event.kind for event in house.enrollment.engine.audit.events(about=PATIENT)]
    assert [kind for kind in kinds if kind.startswith("OptOut")] == ["OptOutLifted", "OptOutSet"] * 2


def test_what_is_wrong_is_named_and_nothing_is_changed(house: House, portal: Program) -> None:
    def fields(answer: TestResponse) -> set[str]:
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
        return set(answer.json["fields"])

    assert fields(portal.set_status()) == {"status", "reason"}
    assert fields(portal.set_status(**STATUS, extra=1)) == {"extra"}
    assert fields(portal.set_status(**{**STATUS, "status": 7, "version": "1"})) == {"status", "version"}
    assert fields(portal.set_status(**STATUS, version=True)) == {"version"}
    assert fields(portal.set_status(status="Pending", reason=" ")) == {"status", "reason"}
    assert fields(portal.set_status(**{**STATUS, "reason": "x" * 2001})) == {"reason"}
    assert fields(portal.set_status("sample-declined", status="Not Enrolled", reason=WHY)) == {"status"}
    assert fields(portal.set_opt_out()) == {"scope", "opted_out", "reason"}
    assert fields(portal.set_opt_out(**{**OPT_OUT, "opted_out": "yes"})) == {"opted_out"}
    assert fields(portal.set_opt_out(**{**OPT_OUT, "scope": "all", "reason": ""})) == {"scope", "reason"}
    assert fields(portal.set_opt_out("sample-no-email", **{**OPT_OUT, "scope": "address"})) == {"scope"}
    assert portal.set_status("nobody", **STATUS).status_code == 404
    assert portal.set_opt_out("nobody", **OPT_OUT).status_code == 404
    assert portal.set_status(**STATUS, version=7).status_code == 409
    assert house.enrollment.patient(PATIENT).version == 1
    assert {event.kind for event in house.enrollment.engine.audit.events(about=PATIENT)} == {"Refused"}


@pytest.mark.parametrize("role", [Role.STAFF, Role.ANALYST, Role.AUDITOR])
def test_no_other_token_sets_anything(house: House, role: Role) -> None:
    program = Program(house.app.test_client(), house.token(role))
    for patient in (PATIENT, "nobody"):
        assert program.set_status(patient, **STATUS).status_code == 403
        assert program.set_opt_out(patient, **OPT_OUT).status_code == 403
    assert house.enrollment.patient(PATIENT).version == 1


def test_the_description_names_what_may_be_reported(house: House) -> None:
    described = house.app.test_client().get("/api/v1/openapi.json").json
    body = described["paths"]["/patients/{patient_id}/portal-status"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/StatusReport"}
    report = described["components"]["schemas"]["StatusReport"]
    assert report["properties"]["status"]["enum"] == list(REPORTABLE)


# the page


@pytest.fixture
def adam(house: House) -> Visitor:
    return house.visitor("adam")


def test_an_administrator_finds_a_patient_by_id_and_sees_no_name(house: House, adam: Visitor) -> None:
    shown = adam.get("/admin/patients", query_string={"patient": f" {PATIENT} "})
    assert (shown.status_code, shown.request.path) == (200, f"/admin/patients/{PATIENT}")
    assert "Not Enrolled" in shown.text and "No change is recorded" in shown.text
    fields = house.enrollment.patient(PATIENT).fields(house.clock(), house.enrollment.settings)
    for key in ("first_name", "last_name", "email", "zip_code", "birth_date"):
        assert fields[key] and fields[key] not in shown.text, key
    assert "No patient is known" in adam.get("/admin/patients?patient=nobody").text
    for path in ("/admin/patients?patient=nobody", "/admin/patients/nobody"):
        assert adam.get(path).status_code == 404
    for form in ("portal-status", "opt-out"):
        assert adam.post(f"/admin/patients/nobody/{form}", {"reason": WHY}).status_code == 404


def test_an_administrator_sets_a_status_and_reads_who_did(house: House, adam: Visitor) -> None:
    path = f"/admin/patients/{PATIENT}"
    house.select(PATIENT)
    house.worker.run_due()
    house.clock.forward(minutes=1)
    assert ">Pending</span>" in adam.get(path).text
    form = {"status": "Locked or Expired", "reason": "The portal <b>says</b> so.", "version": "2"}
    after = adam.post(f"{path}/portal-status", form)
    assert "The portal status is Locked or Expired." in after.text
    assert "“The portal &lt;b&gt;says&lt;/b&gt; so.”" in after.text
    assert after.text.index("administration") < after.text.index("/admin/cases/")
    late = adam.post(f"{path}/portal-status", {**form, "status": "Completed"})
    assert late.status_code == 409 and "Somebody else changed this patient" in late.text
    assert house.enrollment.patient(PATIENT).status == "Locked or Expired"
    audited = house.visitor("audrey").get(f"/audit/patients/{PATIENT}").text
    assert "Set the portal status to “Locked or Expired”" in audited and "Looked at the patient" in audited


@pytest.mark.parametrize("scope", ["practice", "address"])
def test_an_administrator_opts_out_and_undoes_it(house: House, adam: Visitor, scope: str) -> None:
    path = f"/admin/patients/{PATIENT}/opt-out"
    form = {"scope": scope, "opted_out": "yes", "reason": "Called us."}
    out = adam.post(path, form)
    assert "The opt-out was set." in out.text and "Undo the opt-out" in out.text and "Called us." in out.text
    house.select(PATIENT)
    assert house.enrollment.engine.queries.instances()[0].outcome == "NotEligible"
    house.clock.forward(minutes=1)
    back = adam.post(path, {**form, "opted_out": "no", "reason": "Asked for it."})
    assert "The opt-out was undone." in back.text and "Undo the opt-out" not in back.text
    house.select(PATIENT)
    assert house.enrollment.engine.queries.instances()[0].outcome != "NotEligible"


@pytest.mark.parametrize(
    ("form", "sent", "words"),
    [
        ("portal-status", {"status": "Pending", "version": "1", "reason": "x"}, "Choose one of: Not Enrolled"),
        ("portal-status", {"status": "Completed", "version": "1"}, "Say why, in 1 to 2000 characters."),
        ("portal-status", {"status": "Completed", "version": "x", "reason": "x"}, "Open the patient&#39;s page again"),
        ("opt-out", {"scope": "practice", "opted_out": "yes"}, "Say why, in 1 to 2000 characters."),
        ("opt-out", {"scope": "practice", "reason": "x"}, "Say whether to opt out"),
        ("opt-out", {"scope": "all", "opted_out": "yes", "reason": "x"}, "Choose one of: practice, address."),
    ],
)
def test_the_page_says_what_is_wrong(house: House, adam: Visitor, form: str, sent: dict[str, str], words: str) -> None:
    shown = adam.post(f"/admin/patients/{PATIENT}/{form}", sent)
    assert shown.status_code == 422
    assert words in shown.text and "One field needs another look." in shown.text
    assert house.enrollment.patient(PATIENT).version == 1
