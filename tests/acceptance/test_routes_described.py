"""Every answer of the API is described: each route with its success and its refusals, to the last field."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from acceptance.conftest import House
from acceptance.described import Watch
from conftest import ROOT
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from usher_engine import SYSTEM, Actor
from usher_engine.accounts import Role
from usher_engine.core import errors
from usher_engine.definitions import Package, read_folder, to_zip
from usher_web.api import openapi
from usher_web.api.openapi import description
from usher_web.casework import search_query
from usher_web.error_pages import STATUS, TITLES

PATIENT, OTHER = "sample-declined", "sample-pending"
TRIGGER = {"patient_id": PATIENT, "template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"}
REFUSED = {"400", "401", "403", "404", "409", "410", "413", "415", "422", "428", "429", "500", "503"}


class Program:
    """A program that sends the token of a role and an idempotency key."""

    def __init__(self, house: House, role: Role = Role.STAFF) -> None:
        self.client: FlaskClient = house.app.test_client()
        self.headers = {**house.token(role, role.value), "Idempotency-Key": "1"}

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.headers)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        sent = {"json": body} if body is not None else options
        return self.client.post(f"/api/v1{path}", headers={**self.headers, **options.pop("headers", {})}, **sent)


@pytest.fixture
def programs(house: House) -> dict[str, Program]:
    return {role.value: Program(house, role) for role in Role}


def wait_for_a_message(house: House) -> None:
    engine = house.enrollment.engine
    engine.deploy(read_folder(ROOT / "tests" / "processes" / "message_catch"), actor=SYSTEM)
    engine.start("message_catch", {}, actor=SYSTEM, business_key="invoice-7")


def succeed(house: House, programs: dict[str, Program]) -> None:
    """Every operation once, so that it does what it is there for."""
    staff, analyst = programs["staff"], programs["analyst"]
    for path in ("/health", "/openapi.json", "/metrics"):
        assert staff.get(path).status_code == 200
    case = staff.post("/triggers", TRIGGER).json["instance"]
    [task] = staff.get("/tasks").json["tasks"]
    claimed = staff.post(f"/tasks/{task['id']}/claim", {"revision": task["revision"]})
    staff.post(f"/tasks/{task['id']}/unclaim", {"revision": claimed.json["revision"]})
    done = {"data": {"reason": "asked by phone"}, "revision": claimed.json["revision"] + 1}
    assert staff.post(f"/tasks/{task['id']}/complete", done).status_code == 200
    house.worker.run_due()
    other = staff.post("/triggers", {**TRIGGER, "patient_id": OTHER}, headers={"Idempotency-Key": "2"})
    assert staff.post(f"/instances/{other.json['instance']}/cancel", {"reason": "a mistake"}).status_code == 200
    assert len(staff.get("/instances").json["instances"]) == 2
    assert staff.get("/patients?q=example").json["total"] > 1
    assert staff.get(f"/instances/{case}").status_code == 200
    assert len(staff.get(f"/instances/{case}/history").json["steps"]) > 3
    wait_for_a_message(house)
    paid = {"name": "Paid", "data": {"sum": 5}, "business_key": "invoice-7"}
    assert staff.post("/messages", paid, headers={"Idempotency-Key": "3"}).json["waits"]
    house.enrollment.engine.deploy(read_folder(ROOT / "tests" / "processes" / "room_booking"), actor=SYSTEM)
    asked = {"data": {"room": "Room 4", "day": "2026-06-01"}}
    begun = staff.post("/processes/room_booking/instances", asked, headers={"Idempotency-Key": "4"})
    assert begun.json["at"] == ["Confirm"]
    reported = {"status": "Deactivated", "reason": "as the portal says"}
    opted_out = {"scope": "practice", "opted_out": True, "reason": "by phone"}
    assert programs["admin"].post("/patients/sample-opted-out/portal-status", reported).json["status"] == "Deactivated"
    assert programs["admin"].post("/patients/sample-opted-out/opt-out", opted_out).json["opted_out"]
    package = read_folder(ROOT / "processes" / "enrollment")
    changed = to_zip(Package({**package.files, "README.md": b"another"}))
    deployed = analyst.post("/definitions/enrollment/versions", data=changed, content_type="application/zip")
    assert deployed.status_code == 201
    assert len(analyst.get("/definitions").json["definitions"]) == 4


def refuse(house: House, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of refusal."""
    staff, analyst = programs["staff"], programs["analyst"]
    stranger, engine = house.app.test_client(), house.enrollment.engine
    assert stranger.get("/api/v1/tasks").status_code == 401
    assert staff.get("/definitions").status_code == 403
    assert staff.get("/tasks?after=%00").status_code == 400
    assert staff.get("/instances/NOTHING").status_code == 404
    assert staff.get("/instances?status=asleep").json["fields"]
    assert staff.post("/triggers", {**TRIGGER, "more": 1}).json["fields"] == {"more": "is not known here"}
    assert staff.post("/triggers", data="a=b", content_type="text/plain").status_code == 415
    assert staff.post("/triggers", data=b" " * 300_000, content_type="application/json").status_code == 413
    task = engine.inbox.tasks(limit=200)[-1]
    path = f"/tasks/{task.id}"
    assert staff.post(f"{path}/complete", {"data": {}}).status_code == 428
    assert staff.post(f"{path}/complete", {"data": {}, "revision": 99}).json["title"] == "Somebody was faster"
    engine.cases.cancel(task.instance, "a mistake", actor=Actor(name="alice"))
    assert staff.post(f"{path}/claim").status_code == 409
    broken = analyst.post("/definitions/enrollment/versions", data=b"no zip", content_type="application/zip")
    assert broken.status_code == 422
    package = read_folder(ROOT / "processes" / "enrollment")
    diagram = package.files["enrollment.bpmn"].replace(b"update-now.form", b"gone.form")
    bad = to_zip(Package({**package.files, "enrollment.bpmn": diagram}))
    refused = analyst.post("/definitions/enrollment/versions", data=bad, content_type="application/zip")
    assert refused.json["problems"]
    for error, status in ((errors.Purged(), 410), (errors.Paused(), 503), (errors.Corrupt(), 409), (KeyError(), 500)):
        monkeypatch.setattr(type(engine.cases), "cancel", raising(error))
        refused = programs["admin"].post(f"/instances/{task.instance}/cancel", {"reason": "why"})
        assert refused.status_code == status
    monkeypatch.setattr(type(house.accounts), "hit", lambda *_: False)
    assert staff.get("/tasks").status_code == 429


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_every_answer_is_described(
    house: House, programs: dict[str, Program], watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed(house, programs)
    done = {(path, method) for path, method, status in watch.seen if status < 300}
    assert done == {(path, method) for path, item in openapi.PATHS.items() for method in item}
    house.select(OTHER)
    refuse(house, programs, monkeypatch)
    assert {str(status) for _, _, status in watch.seen if status >= 300} == REFUSED
    assert watch.faults == []


def without(document: dict[str, Any], *way: str) -> dict[str, Any]:
    document = copy.deepcopy(document)
    inner = document
    for name in way[:-1]:
        inner = inner[name]
    del inner[way[-1]]
    return document


@pytest.mark.parametrize(
    "way",
    [
        ("paths", "/tasks"),
        ("paths", "/tasks/{task_id}/claim", "post"),
        ("paths", "/tasks/{task_id}/claim", "post", "responses", "200"),
        ("paths", "/tasks/{task_id}/claim", "post", "responses", "409"),
        ("paths", "/instances", "get", "responses", "422"),
        *(("components", "schemas", shape, "properties", field)
          for shape, field in (
              ("Outcome", "waits"), ("OpenTask", "title"), ("Wait", "due"), ("Instance", "explanation"),
              ("Instances", "previous"), ("Task", "assignee"), ("Tasks", "next"), ("Step", "hash"),
              ("History", "steps"), ("Version", "note"), ("Definitions", "definitions"), ("Health", "status"),
              ("Problem", "fields"),
              ("Problem", "problems"), ("Problem", "winner"), ("Problem", "reference"), ("Trigger", "patient_id"),
              ("Answer", "data"), ("Seen", "revision"), ("Cancellation", "reason"), ("Message", "business_key"),
          )),
    ],
    ids="/".join,
)  # fmt: skip
def test_what_is_missing_in_the_description_is_noticed(
    house: House, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch, way: tuple[str, ...]
) -> None:
    incomplete = Watch(without(description("http://localhost"), *way))
    incomplete.over(house.app)
    succeed(house, programs)
    house.select(OTHER)
    refuse(house, programs, monkeypatch)
    assert incomplete.faults


def test_the_description_is_one(house: House) -> None:
    document = house.app.test_client().get("/api/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document))) == set(schemas)


def test_a_route_names_its_parameters() -> None:
    for path, item in openapi.PATHS.items():
        for operation in item.values():
            named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path


def test_a_search_of_cases_takes_what_the_page_takes() -> None:
    described = {one["name"] for one in openapi.PATHS["/instances"]["get"]["parameters"]}
    assert described == {*search_query.PARAMETERS, "business_key", "limit", "after", "before"}


def test_every_refusal_the_api_knows_has_words() -> None:
    """412 is a draft's, 405 belongs to no operation; only one view answers 428."""
    known = {status for _, status, _ in STATUS} | set(TITLES)
    assert set(openapi.WORDS) == (known - {405, 412}) | {428, 500}
