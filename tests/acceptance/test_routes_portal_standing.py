"""What administrators set of a patient, over the API and on their page: portal statuses and opt-outs from e-mail."""

from __future__ import annotations

import pytest
from acceptance.conftest import House
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
    assert house.enrollment.engine.instances()[0].outcome == "NothingToDo"
    [event] = house.enrollment.engine.audit_events(kind="SettingChanged", about=PATIENT)
    assert (event.actor, event.why, event.details["from"]) == ("portal", WHY, "API")
    audited = house.visitor("audrey").get(f"/audit/patients/{PATIENT}").text
    assert "Set the portal status to “Deactivated”: The portal" in audited


def test_a_program_opts_out_and_in_again(house: House, portal: Program) -> None:
    for scope, shown in (("practice", "opted_out"), ("address", "address_opted_out")):
        body = {**OPT_OUT, "scope": scope}
        for opted_out in (True, True, False, False):
            answer = portal.set_opt_out(**{**body, "opted_out": opted_out})
            assert (answer.status_code, answer.json[shown]) == (200, opted_out)
    kinds = [event.kind for event in house.enrollment.engine.audit_events(about=PATIENT)]
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
    assert {event.kind for event in house.enrollment.engine.audit_events(about=PATIENT)} == {"Refused"}


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
    assert body["content"]["application/json"]["schema"]["properties"]["status"]["enum"] == list(REPORTABLE)
