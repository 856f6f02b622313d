"""The API as an EHR uses it: tokens, idempotency, problem details, and a description that fits the routes."""

import re
from dataclasses import replace

import pytest
from conftest import ROOT
from usher_engine import SYSTEM
from usher_engine.accounts import Role
from usher_engine.definitions import Package, read_folder, to_zip
from usher_web.site import KEY

BODY = {"patient_id": "sample-pending", "template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"}


def test_a_trigger_starts_one_case_for_one_key(house):
    client, headers = house.app.test_client(), house.token()
    keyed = {**headers, "Idempotency-Key": "visit-1"}
    first = client.post("/api/v1/triggers", json=BODY, headers=keyed)
    again = client.post("/api/v1/triggers", json=BODY, headers=keyed)
    assert first.status_code == again.status_code == 201
    assert first.json["instance"] == again.json["instance"]
    assert first.json["at"] == ["ResendInvitation"]
    assert first.headers["Location"] == f"/api/v1/instances/{first.json['instance']}"
    other = client.post("/api/v1/triggers", json={**BODY, "patient_id": "sample-declined"}, headers=keyed)
    assert other.status_code == 422
    assert other.mimetype == "application/problem+json"
    assert len(house.enrollment.engine.queries.instances()) == 1


def test_bad_triggers_are_refused_by_name(house):
    client, headers = house.app.test_client(), {**house.token(), "Idempotency-Key": "k"}

    def post(body, **options):
        return client.post("/api/v1/triggers", headers=headers, **(options or {"json": body}))

    assert post({**BODY, "patient_id": "nobody"}).status_code == 404
    wrong = post({**BODY, "action": "Message"})
    assert wrong.status_code == 422
    assert "Message" in wrong.json["fields"]["action"]
    assert post({**BODY, "field": "Vitals"}).json["fields"]["field"]
    assert post({"patient_id": "x"}).json["fields"].keys() == {"template", "field", "action"}
    assert post({**BODY, "extra": 1}).json["fields"] == {"extra": "is not known here"}
    assert post({**BODY, "patient_id": 7}).json["fields"] == {"patient_id": "must be text"}
    assert post(None, data="{not json", content_type="application/json").status_code == 400
    assert post(None, data="[" * 100_000, content_type="application/json").status_code == 400
    assert post(None, data="[1]", content_type="application/json").status_code == 400
    assert post(None, data="a=b", content_type="text/plain").status_code == 415
    assert post(None, data=b" " * 300_000, content_type="application/json").status_code == 413
    assert client.post("/api/v1/triggers", json=BODY, headers=house.token(name="two")).status_code == 400
    assert house.enrollment.engine.queries.instances() == []


def test_tokens_are_needed_fit_their_role_and_can_be_revoked(house):
    client, headers = house.app.test_client(), house.token()
    missing = client.get("/api/v1/tasks")
    assert missing.status_code == 401
    assert missing.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/api/v1/tasks", headers={"Authorization": "Bearer usher_wrong"}).status_code == 401
    assert client.get("/api/v1/definitions", headers=headers).status_code == 403
    assert client.get("/api/v1/tasks", headers=headers).status_code == 200
    house.accounts.revoke_token("ehr")
    assert client.get("/api/v1/tasks", headers=headers).status_code == 401
    cookie = house.visitor("alice").client
    assert cookie.get("/api/v1/tasks").status_code == 401


def test_a_task_is_claimed_and_completed_with_the_revision_seen(house):
    client, headers = house.app.test_client(), house.token()
    house.select("sample-declined")
    task = client.get("/api/v1/tasks", headers=headers).json["tasks"][0]
    assert task["title"] == "Enroll Now"
    path = f"/api/v1/tasks/{task['id']}"
    claimed = client.post(f"{path}/claim", json={"revision": task["revision"]}, headers=headers)
    assert claimed.status_code == 200
    answer = {"data": {"reason": "asked by phone"}}
    assert client.post(f"{path}/complete", json=answer, headers=headers).status_code == 428
    stale = client.post(f"{path}/complete", json={**answer, "revision": task["revision"]}, headers=headers)
    assert stale.status_code == 409
    wrong = client.post(f"{path}/complete", json={"data": {}, "revision": claimed.json["revision"]}, headers=headers)
    assert wrong.json["fields"].keys() == {"reason"}
    etag = {"If-Match": f'"{claimed.json["revision"]}"'}
    done = client.post(f"{path}/complete", json=answer, headers=headers | etag)
    assert done.status_code == 200
    gone = client.post(f"{path}/complete", json=answer, headers=headers | etag)
    assert (gone.status_code, gone.json["winner"]) == (409, "ehr")
    history = client.get(f"/api/v1/instances/{task['instance']}/history", headers=headers).json["steps"]
    assert [step["command"]["kind"] for step in history] == ["start", "claim", "complete"]
    assert history[1]["previous"] == history[0]["hash"]


@pytest.mark.parametrize(
    ("move", "body", "fields"),
    [
        ("claim", {"more": 1}, {"more": "is not known here"}),
        ("unclaim", {"revision": "1"}, {"revision": "must be a whole number"}),
        ("complete", {"data": [], "revision": 1}, {"data": "must be an object"}),
        ("complete", {"reason": "asked", "revision": True}, {
            "reason": "is not known here", "revision": "must be a whole number",
        }),
    ],
)  # fmt: skip
def test_a_body_that_is_not_as_described_is_refused_by_field(house, move, body, fields):
    client, headers = house.app.test_client(), house.token()
    house.select("sample-declined")
    refused = client.post(f"/api/v1/tasks/{house.newest_task()}/{move}", json=body, headers=headers)
    assert (refused.status_code, refused.json["fields"]) == (422, fields)
    assert house.enrollment.engine.queries.instances()[0].revision == 1


def test_unclaim_instances_and_other_groups(house):
    client, headers = house.app.test_client(), house.token()
    house.select("sample-pending")
    task = client.get("/api/v1/tasks", headers=headers).json["tasks"][0]
    client.post(f"/api/v1/tasks/{task['id']}/claim", headers=headers)
    assert client.post(f"/api/v1/tasks/{task['id']}/unclaim", headers=headers).status_code == 200
    listed = client.get("/api/v1/instances?status=waiting", headers=headers).json["instances"]
    assert [found["instance"] for found in listed] == [task["instance"]]
    one = client.get(f"/api/v1/instances/{task['instance']}", headers=headers)
    assert one.headers["ETag"] == f'"{one.json["revision"]}"'
    billing = house.token(name="billing", groups=("Billing",))
    assert client.get("/api/v1/tasks", headers=billing).json["tasks"] == []
    assert client.get(f"/api/v1/instances/{task['instance']}", headers=billing).status_code == 404
    assert client.get("/api/v1/instances", headers=billing).json["instances"] == []


def test_a_package_is_deployed_and_a_broken_one_changes_nothing(house):
    client, headers = house.app.test_client(), house.token(Role.ANALYST)
    package = read_folder(ROOT / "processes" / "enrollment")
    path, kind = "/api/v1/definitions/enrollment/versions", "application/zip"
    broken = Package(
        {**package.files, "enrollment.bpmn": package.files["enrollment.bpmn"].replace(b"update-now.form", b"gone.form")}
    )
    refused = client.post(path, data=to_zip(broken), headers=headers, content_type=kind)
    assert refused.status_code == 422
    assert "UpdateNow" in {problem["element"] for problem in refused.json["problems"]}
    assert client.post(path, data=b"no zip", headers=headers, content_type=kind).status_code == 422
    assert client.post(path, data=b"x" * 3_000_000, headers=headers, content_type=kind).status_code == 413
    wrong = client.post("/api/v1/definitions/other/versions", data=to_zip(package), headers=headers, content_type=kind)
    assert wrong.status_code == 422
    assert [v["version"] for v in client.get("/api/v1/definitions", headers=headers).json["definitions"]] == [1]
    changed = Package({**package.files, "README.md": b"another"})
    assert client.post(path, data=to_zip(changed), headers=headers, content_type=kind).json["version"] == 2


def test_a_message_reaches_the_case_that_waits_once(house):
    engine, client, headers = house.enrollment.engine, house.app.test_client(), house.token()
    engine.deploy(read_folder(ROOT / "tests" / "processes" / "message_catch"), actor=SYSTEM)
    case = engine.start("message_catch", {}, actor=SYSTEM, business_key="invoice-7").id

    def send(body, key="k1"):
        return client.post("/api/v1/messages", json=body, headers={**headers, "Idempotency-Key": key})

    paid = {"name": "Paid", "data": {"sum": 5}, "business_key": "invoice-7"}
    sent = send(paid)
    assert (sent.status_code, sent.json["at"]) == (200, ["Papers"])
    assert sent.json["waits"] == [{"element": "Papers", "due": None, "message": "News"}]
    assert send(paid).json["revision"] == sent.json["revision"]
    assert send({**paid, "data": {"sum": 6}}).status_code == 422
    lost = send(paid, "k2")
    assert lost.status_code == 404
    assert f"{case} waits for “News”" in lost.json["detail"]
    shown = " ".join(house.visitor("audrey").get(f"/cases/{case}").text.split())
    assert "Papers: waits for the message “News”" in shown


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "Paid"}, 422),
        ({"name": "Paid", "business_key": "nobody"}, 404),
        ({"name": "Paid", "instance": "0" * 12}, 404),
        ({"name": 7, "business_key": "b"}, 422),
        ({"name": "Paid", "business_key": "b", "data": []}, 422),
        ({"name": "Paid", "business_key": "b", "data": {"__x": 1}}, 422),
        ({"name": "Paid", "business_key": "b", "more": 1}, 422),
    ],
)
def test_a_message_for_nobody_or_of_the_wrong_form_is_refused(house, body, code):
    client, headers = house.app.test_client(), house.token()
    answer = client.post("/api/v1/messages", json=body, headers={**headers, "Idempotency-Key": "k"})
    assert answer.status_code == code and answer.json["detail"]
    assert client.post("/api/v1/messages", json=body, headers=headers).status_code == 400


def test_health_and_metrics(house):
    client = house.app.test_client()
    assert client.get("/api/v1/health").json == {"status": "ok"}
    house.select("sample-pending")
    text = client.get("/api/v1/metrics", headers=house.token()).text
    assert "usher_tasks_open 1" in text
    assert 'usher_instances{status="waiting"} 1' in text


def test_faults_are_counted_by_where_they_were(house, monkeypatch):
    token = house.token()

    def counted():
        text = house.app.test_client().get("/api/v1/metrics", headers=token).text
        assert "# TYPE usher_faults_total counter" in text
        return int(re.search(r'usher_faults_total\{where="web"\} (\d+)', text)[1])

    before = counted()
    monkeypatch.setattr(house.app.extensions[KEY].engine, "versions", lambda: {}["nothing"])
    failed = house.app.test_client().get("/api/v1/health")
    assert failed.status_code == 500 and len(failed.json["reference"]) == 8
    assert counted() == before + 1


def test_the_description_fits_the_routes(house):
    described = house.app.test_client().get("/api/v1/openapi.json").json
    written = {(path, method) for path, item in described["paths"].items() for method in item}
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix("/api/v1"), method.lower())
        for rule in house.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in rule.methods & {"GET", "POST", "PUT", "DELETE"}
    }
    assert written == served
    references = set(re.findall(r"#/components/schemas/(\w+)", str(described)))
    assert references <= set(described["components"]["schemas"])


def test_a_token_that_asks_too_often_has_to_wait(make_house, settings):
    house = make_house(replace(settings, api_per_minute=2))
    client, headers = house.app.test_client(), house.token()
    codes = [client.get("/api/v1/tasks", headers=headers).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    house.clock.forward(minutes=2)
    assert client.get("/api/v1/tasks", headers=headers).status_code == 200
