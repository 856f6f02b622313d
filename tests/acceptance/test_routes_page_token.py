"""The template's page calls the very API an EHR calls, with a short-lived token of its session; a form works too."""

import re

import pytest

TEMPLATE = "/patients/{}/template?name=Office%20Visit"
BODY = {"template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"}


def opened(visitor, patient="sample-complete"):
    """What the page's script finds: its token and the idempotency key of the trigger."""
    page = visitor.get(TEMPLATE.format(patient))
    assert page.status_code == 200
    token = re.search(r'data-token="([^"]+)"', page.text).group(1)
    return {"Authorization": f"Bearer {token}"}, re.findall(r'name="key" value="([^"]+)"', page.text)


def send(house, token, key, **body):
    """As the script sends it: without the session's cookie."""
    client = house.app.test_client()
    headers = {**token, "Idempotency-Key": key}
    return client.post("/api/v1/triggers", json={"patient_id": "sample-complete", **BODY, **body}, headers=headers)


def test_the_page_shows_the_template_with_its_fields(house):
    page = house.visitor("alice").get(TEMPLATE.format("sample-complete")).text
    assert "<h1>Office Visit</h1>" in page
    for words in ("Patient Portal", "Check-out", "Enrollment", "Ada Sample", 'data-trigger="/api/v1/triggers"'):
        assert words in page
    assert house.visitor("alice").get("/patients/sample-complete/template?name=Nothing").status_code == 404


def test_selecting_calls_the_api_and_leads_to_the_task(house):
    alice = house.visitor("alice")
    token, (_, key) = opened(alice, "sample-pending")
    answer = send(house, token, key, patient_id="sample-pending")
    assert answer.status_code == 201
    case = answer.get_json()["instance"]
    page = alice.get(f"/cases/{case}/onward")
    assert "Resend Invitation" in page.text
    assert house.enrollment.engine.queries.history(case)[0].actor == "alice"


def test_script_and_form_with_the_same_key_are_one_request(house):
    alice = house.visitor("alice")
    token, (_, key) = opened(alice)
    by_script = send(house, token, key).get_json()["instance"]
    alice.post("/patients/sample-complete/trigger", {**BODY, "key": key})
    assert [case.id for case in house.enrollment.engine.queries.instances()] == [by_script]


def test_a_refusal_says_why(house):
    alice = house.visitor("alice")
    token, (_, key) = opened(alice)
    refused = send(house, token, key, action="Prescription")
    assert refused.status_code == 422
    assert "Prescription" in refused.get_json()["detail"]
    page = alice.post("/patients/sample-complete/trigger", {**BODY, "action": "Prescription"})
    assert page.status_code == 422
    assert "is no action of the Patient Portal trigger" in page.text
    assert "Office Visit" in page.text


def test_the_token_ends_with_its_session_and_after_a_quarter_of_an_hour(house):
    alice = house.visitor("alice")
    token, (_, key) = opened(alice)
    house.clock.forward(minutes=14)
    alice.get("/inbox")
    assert send(house, token, key).status_code == 201
    house.clock.forward(minutes=2)
    late = send(house, token, key)
    assert late.status_code == 401
    assert "Reload it" in late.get_json()["detail"]
    token, (_, key) = opened(alice)
    alice.post("/sign-out")
    assert send(house, token, key).status_code == 401


def test_a_disabled_account_has_no_token(house):
    token, (_, key) = opened(house.visitor("alice"))
    house.accounts.disable("alice")
    assert send(house, token, key).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/instances", "/api/v1/metrics"])
def test_it_opens_nothing_else(house, path):
    token, _ = opened(house.visitor("alice"))
    assert house.app.test_client().get(path, headers=token).status_code == 401


def test_a_forged_or_foreign_token_is_refused(house):
    token, (_, key) = opened(house.visitor("alice"))
    secret = token["Authorization"].removeprefix("Bearer ")
    altered = secret[:20] + ("A" if secret[20] != "A" else "B") + secret[21:]
    for forged in (secret[:-2], altered, "page_", secret.replace("page_", "")):
        assert send(house, {"Authorization": f"Bearer {forged}"}, key).status_code == 401
    cookie = house.visitor("alice").client.post(
        "/api/v1/triggers", json={"patient_id": "sample-complete", **BODY}, headers={"Idempotency-Key": key}
    )
    assert cookie.status_code == 401, "a cookie opens no door of the API"
    assert house.enrollment.engine.queries.instances() == []
