"""What administrators stop and let go on: a case by its number, a process with its automatic work."""

from __future__ import annotations

import pytest
from usher_engine.accounts import Role

REASON = {"reason": "drawn wrong"}
PLACE = {"template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"}
TRIGGER = {"patient_id": "sample-pending", **PLACE}


@pytest.fixture
def adam(house):
    return house.visitor("adam")


@pytest.fixture
def case(house):
    house.select("sample-pending")
    return house.newest_task().split(":")[0]


def test_an_administrator_ends_a_case_and_sees_no_patient(house, adam, case):
    shown = adam.get(f"/admin/cases/{case}")
    assert shown.status_code == 200 and "Cancel this case" in shown.text
    assert "Hana" not in shown.text and "sample-pending" not in shown.text
    assert adam.post(f"/admin/cases/{case}/cancel", {"reason": " "}).status_code == 422
    after = adam.post(f"/admin/cases/{case}/cancel", REASON)
    assert "The case was cancelled." in after.text and "Cancel this case" not in after.text
    engine = house.enrollment.engine
    assert engine.instance(case).status == "cancelled"
    [end] = engine.audit.events(kind="CaseCancelled")
    assert (end.actor, end.subject, end.business_key, end.why) == ("adam", case, "sample-pending", "drawn wrong")
    assert adam.post(f"/admin/cases/{case}/cancel", REASON).status_code == 409
    assert "Cancelled case" in house.visitor("audrey").get("/audit").text


def test_an_administrator_tries_a_stopped_case_again(house, case):
    engine = house.enrollment.engine
    house.postbox.down = True
    house.visitor("alice").post(f"/inbox/{house.newest_task()}/complete")
    for _ in range(engine.settings.job_attempts):
        house.worker.run_due()
        house.clock.forward(days=1)
    adam = house.visitor("adam")
    assert "The mail server does not answer." in adam.get("/admin/cases").text
    shown = adam.get(f"/admin/cases/{case}")
    assert "Try again now" in shown.text
    house.postbox.down = False
    assert "It is being tried again." in adam.post(f"/admin/cases/{case}/retry").text
    house.worker.run_due()
    assert engine.instance(case).status == "finished"
    assert adam.post(f"/admin/cases/{case}/retry").status_code == 409


def test_a_refused_repair_says_why_in_one_notice(adam, case):
    refused = adam.post(f"/admin/cases/{case}/repair")
    assert refused.status_code == 409 and "nothing to repair" in refused.text
    page = refused.text.partition("<template")[0]  # what follows is shown by scripts only, when it is needed
    assert "</main>" in page and page.count('class="notice') == 1


def test_a_case_is_found_by_its_number(adam, case):
    assert f"/admin/cases/{case}" in adam.get("/admin/cases", query_string={"number": case[:6].lower()}).request.path
    assert adam.get("/admin/cases", query_string={"number": "Z" * 12}).status_code == 404
    assert adam.get("/admin/cases/NOTHING").status_code == 404
    assert adam.post("/admin/cases/NOTHING/cancel", REASON).status_code == 404


def test_a_case_whose_state_cannot_be_read_is_listed_and_ends(house, adam, case):
    engine = house.enrollment.engine
    with engine.database.begin() as tx:
        tx.exec_driver_sql("UPDATE instance_state SET content = '{'")
        tx.exec_driver_sql("UPDATE instance SET status = 'incident'")
    assert "altered outside Usher" in adam.get("/admin/cases").text
    assert adam.get(f"/admin/cases/{case}").status_code == 200
    adam.post(f"/admin/cases/{case}/cancel", REASON)
    assert engine.instance(case).status == "cancelled"


def test_a_paused_process_begins_nothing_and_says_why(house, adam):
    path = "/admin/processes/enrollment"
    shown = adam.post(f"{path}/pause", {**REASON, "version": "0"})
    assert shown.status_code == 200 and "“drawn wrong”" in shown.text
    assert adam.post(f"{path}/pause", {**REASON, "version": "0"}).status_code == 409
    refused = house.select("sample-pending")
    assert refused.status_code == 503
    assert "This process is paused" in refused.text and "paused by adam" in refused.text
    shown = house.visitor("ana").get("/processes/enrollment").text
    assert "“enrollment” is paused." in shown and "Paused by adam" in shown
    shown = adam.get("/admin/processes").text
    assert "paused with all versions" in shown and "runs" not in shown

    headers = {**house.token(), "Idempotency-Key": "1"}
    client = house.app.test_client()
    problem = client.post("/api/v1/triggers", json=TRIGGER, headers=headers)
    assert (problem.status_code, problem.mimetype) == (503, "application/problem+json")
    assert problem.json["title"] == "This process is paused" and "drawn wrong" in problem.json["detail"]

    assert "It goes on." in adam.post(f"{path}/resume", {"reason": "repaired", "version": "0"}).text
    assert client.post("/api/v1/triggers", json=TRIGGER, headers=headers).status_code == 201
    found = house.visitor("audrey").get("/audit").text
    assert "Paused all of enrollment: drawn wrong" in found and "Let all of enrollment go on: repaired" in found


def test_a_running_case_of_a_paused_version_says_so(house, adam, case):
    adam.post("/admin/processes/enrollment/pause", {**REASON, "version": "1"})
    shown = house.visitor("alice").get(f"/cases/{case}").text
    assert "Version 1 of “enrollment” is paused." in shown and "Paused by adam" in shown
    assert "You can still complete its tasks." in shown
    assert "Paused by adam" in adam.get(f"/admin/cases/{case}").text
    alice = house.visitor("alice")
    alice.post(f"/inbox/{house.newest_task()}/complete")
    house.worker.run_due()
    assert house.postbox.mails == []
    adam.post("/admin/processes/enrollment/resume", {**REASON, "version": "1"})
    house.worker.run_due()
    assert len(house.postbox.mails) == 1


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "١"])
def test_an_unknown_version_is_reported(adam, version):
    for what in ("pause", "resume"):
        refused = adam.post(f"/admin/processes/enrollment/{what}", {**REASON, "version": version})
        assert refused.status_code == 422 and "Say which version" in refused.text
    assert adam.post("/admin/processes/nothing/pause", {**REASON, "version": "0"}).status_code == 404
    assert adam.post("/admin/processes/enrollment/resume", {**REASON, "version": "0"}).status_code == 404


def test_programs_end_cases_that_are_theirs(house, case):
    client, path = house.app.test_client(), f"/api/v1/instances/{case}/cancel"
    staff, other = house.token(), house.token(name="billing", groups=("Billing",))
    admin, auditor = house.token(Role.ADMIN, "ops"), house.token(Role.AUDITOR, "eyes")
    assert client.post(path, json=REASON, headers=auditor).status_code == 403
    assert client.post(path, json=REASON, headers=other).status_code == 404
    assert client.post(path, json={}, headers=admin).json["fields"] == {"reason": "is missing"}
    assert client.post(path, json={"reason": " "}, headers=admin).status_code == 422
    assert client.post(path, json={**REASON, "revision": 7}, headers=admin).status_code == 409
    assert client.post("/api/v1/instances/NOTHING/cancel", json=REASON, headers=admin).status_code == 404
    ended = client.post(path, json={**REASON, "revision": 1}, headers=admin)
    assert (ended.status_code, ended.json["status"]) == (200, "cancelled")
    assert client.post(path, json=REASON, headers=staff).status_code == 409
