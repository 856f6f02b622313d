"""Starting a case over the API: who may, what the start form asks for, one case for each key."""

from __future__ import annotations

from typing import Any

import pytest
from acceptance.conftest import House
from conftest import package
from usher_engine import SYSTEM
from usher_engine.accounts import Role
from werkzeug.test import TestResponse

PLACE = "/api/v1/processes/room_booking/instances"
DATA = {"room": "Room 4", "day": "2026-06-01", "people": 3}


@pytest.fixture
def booking(house: House) -> House:
    house.enrollment.engine.deploy(package("room_booking"), actor=SYSTEM)
    return house


def post(
    house: House, token: dict[str, str], body: Any, key: str | None = "k", place: str = PLACE, **options: Any
) -> TestResponse:
    headers = {**token, **({"Idempotency-Key": key} if key else {})}
    return house.app.test_client().post(place, headers=headers, **(options or {"json": body}))


def cases(house: House) -> int:
    return len(house.enrollment.engine.queries.instances(process="room_booking"))


def test_one_case_for_each_key(booking: House) -> None:
    token = booking.token()
    first, again = (post(booking, token, {"data": DATA}) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json == again.json and first.json["at"] == ["Confirm"]
    assert first.headers["Location"] == f"/api/v1/instances/{first.json['instance']}"
    assert booking.app.test_client().get(first.headers["Location"], headers=token).json["business_key"] == "Room 4"
    other = post(booking, token, {"data": {**DATA, "room": "Room 5"}})
    assert other.status_code == 422 and "Idempotency-Key" in other.json["fields"]
    assert post(booking, token, {"data": DATA}, key="new").json["instance"] != first.json["instance"]
    assert cases(booking) == 2


@pytest.mark.parametrize(
    ("role", "groups", "status"),
    [
        (Role.STAFF, ("Front desk",), 201),
        (Role.STAFF, ("Health records", "Billing"), 201),
        (Role.ANALYST, (), 201),
        (Role.STAFF, ("Billing",), 404),
        (Role.ADMIN, (), 404),
        (Role.AUDITOR, (), 403),
    ],
)
def test_the_process_says_whose_token_may_start_it(
    booking: House, role: Role, groups: tuple[str, ...], status: int
) -> None:
    answer = post(booking, booking.token(role, groups=groups), {"data": DATA})
    assert answer.status_code == status
    assert cases(booking) == (status == 201)


@pytest.mark.parametrize("place", ["/api/v1/processes/enrollment/instances", "/api/v1/processes/nowhere/instances"])
def test_a_process_that_names_nobody_is_not_there(booking: House, place: str) -> None:
    assert post(booking, booking.token(), {"data": {"patient_id": "sample-complete"}}, place=place).status_code == 404
    assert booking.enrollment.engine.queries.instances() == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"room", "day"}),
        ({"data": {}}, {"room", "day"}),
        ({"data": {**DATA, "people": "many"}}, {"people"}),
        ({"data": {**DATA, "people": [1]}}, {"people"}),
        ({"data": {**DATA, "colour": "red"}}, {"colour"}),
        ({"data": {**DATA, "__class__": "x"}}, {"body.data.__class__"}),
        ({"data": [1]}, {"data"}),
        ({"data": DATA, "business_key": "mine"}, {"business_key"}),
    ],
)
def test_what_the_form_does_not_take_is_a_problem_that_names_the_field(
    booking: House, body: Any, fields: set[str]
) -> None:
    answer = post(booking, booking.token(), body)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert set(answer.json["fields"]) == fields
    assert cases(booking) == 0


def test_bad_requests_are_refused(booking: House) -> None:
    token = booking.token()
    assert post(booking, token, {"data": DATA}, key=None).status_code == 400
    assert post(booking, token, None, data="{", content_type="application/json").status_code == 400
    assert post(booking, {}, {"data": DATA}).status_code == 401
    assert post(booking, {"Authorization": "Bearer page_x"}, {"data": DATA}).status_code == 401
    assert cases(booking) == 0
