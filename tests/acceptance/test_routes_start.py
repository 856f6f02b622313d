"""The Start page: who sees which process, the form with its errors, one case for what is sent twice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from acceptance.conftest import House, Visitor
from acceptance.every_route import hidden
from conftest import package
from usher_engine import SYSTEM, Actor, Instance
from usher_engine.definitions import Package

PLACE = "/start/room_booking"
WORDS = {"room": "Room 4", "day": "2026-06-01", "people": "3", "reason": "A visit"}


@pytest.fixture
def booking(house: House) -> House:
    house.enrollment.engine.deploy(package("room_booking"), actor=SYSTEM)
    return house


def cases(house: House) -> list[Instance]:
    return house.enrollment.engine.queries.instances(process="room_booking")


def press(visitor: Visitor, words: dict[str, Any] | None = None, **more: str) -> Any:
    key = hidden(visitor.get(PLACE), "start.key")
    return visitor.post(PLACE, {"start.key": key, **(words or WORDS), **more})


@pytest.mark.parametrize(("who", "sees"), [("alice", True), ("ana", True), ("charlie", False), ("adam", False)])
def test_the_list_shows_what_a_person_may_start(booking: House, who: str, sees: bool) -> None:
    visitor = booking.visitor(who)
    page = visitor.get("/start").text
    assert ("Room booking" in page) is sees
    assert ("There is nothing for you to start" in page) is not sees
    assert visitor.get(PLACE).status_code == (200 if sees else 404)
    assert visitor.post(PLACE, WORDS).status_code == (200 if sees else 404)
    assert len(cases(booking)) == sees


def test_an_enrolment_is_not_on_the_page_because_its_process_names_nobody(booking: House) -> None:
    visitor = booking.visitor("alice")
    assert "enrollment" not in visitor.get("/start").text
    assert visitor.get("/start/enrollment").status_code == 404
    assert visitor.post("/start/enrollment", {"patient_id": "sample-complete"}).status_code == 404


def test_a_case_is_started_named_and_linked_and_the_form_is_empty(booking: House) -> None:
    page = press(booking.visitor("alice"))
    (case,) = cases(booking)
    assert page.status_code == 200
    assert f'href="/cases/{case.id}"' in page.text
    assert "was started." in page.text and "It waits at Confirm the room." in page.text
    assert 'value="Room 4"' not in page.text
    assert re.search(r'id="started"[^>]* autofocus', page.text)
    assert case.business_key == "Room 4"
    first = booking.enrollment.engine.queries.history(case.id)[0]
    assert first.actor == "alice"


def test_an_analyst_may_start_a_case_but_gets_no_link_that_would_refuse_them(booking: House) -> None:
    page = press(booking.visitor("ana"))
    (case,) = cases(booking)
    assert "was started." in page.text
    assert f"/cases/{case.id}" not in page.text


def test_a_refused_form_comes_back_as_sent_with_its_errors(booking: House) -> None:
    page = press(booking.visitor("alice"), {"room": "", "day": "2026-13-01", "people": "many", "reason": "Keep this"})
    assert page.status_code == 422
    assert "3 fields need another look" in page.text
    assert page.text.count('aria-invalid="true"') == 3
    assert "Keep this" in page.text and 'value="many"' in page.text
    assert cases(booking) == []


def test_pressed_twice_there_is_one_case(booking: House) -> None:
    visitor = booking.visitor("alice")
    key = hidden(visitor.get(PLACE), "start.key")
    pages = [visitor.post(PLACE, {"start.key": key, **WORDS}) for _ in range(2)]
    (case,) = cases(booking)
    assert all(page.status_code == 200 and f"/cases/{case.id}" in page.text for page in pages)


def test_a_page_gone_back_to_starts_another_case_with_other_words(booking: House) -> None:
    visitor = booking.visitor("alice")
    key = hidden(visitor.get(PLACE), "start.key")
    for room in ("Room 4", "Room 5"):
        assert visitor.post(PLACE, {"start.key": key, **WORDS, "room": room}).status_code == 200
    assert len(cases(booking)) == 2


def test_the_same_words_lead_to_the_first_case_and_to_a_way_to_start_another(booking: House) -> None:
    visitor = booking.visitor("alice")
    press(visitor)
    booking.clock.forward(minutes=4)
    page = press(visitor)
    (case,) = cases(booking)
    assert page.status_code == 409
    assert "This was started already" in page.text and f"/cases/{case.id}" in page.text
    assert 'value="Room 4"' in page.text and "Start another one" in page.text
    again = {"start.key": hidden(page, "start.key"), **WORDS, "start.again": "yes"}
    assert visitor.post(PLACE, again).status_code == 200
    assert visitor.post(PLACE, again).status_code == 200
    assert len(cases(booking)) == 2


def test_a_paused_process_says_so_and_keeps_what_was_typed(booking: House) -> None:
    visitor = booking.visitor("alice")
    key = hidden(visitor.get(PLACE), "start.key")
    admin = Actor(name="adam", role="admin")
    booking.enrollment.engine.pauses.pause("room_booking", "The rooms are being painted.", actor=admin)
    page = visitor.post(PLACE, {"start.key": key, **WORDS})
    assert page.status_code == 503
    assert "The rooms are being painted." in page.text and 'value="Room 4"' in page.text
    assert "Ask for the room" not in page.text
    assert cases(booking) == []


def test_the_case_of_someone_else_is_not_told_of(booking: House) -> None:
    engine = booking.enrollment.engine
    enrolled = engine.start("enrollment", {"patient_id": "sample-pending"}, actor=SYSTEM, business_key="sample-pending")
    page = booking.visitor("ana").get(f"{PLACE}?case={enrolled.id}")
    assert "was started" not in page.text
    assert booking.visitor("ana").get(f"{PLACE}?case=nonsense").status_code == 200


def test_hostile_fields_and_keys_are_refused_in_words(booking: House) -> None:
    visitor = booking.visitor("alice")
    visitor.get(PLACE)
    for sent in ({**WORDS, "__class__": "x"}, {**WORDS, "room": "x" * 30_000}, {**WORDS, "extra": "1"}):
        page = visitor.post(PLACE, {"start.key": "k" * 500, **sent})
        assert page.status_code == 422 and "Traceback" not in page.text
    assert cases(booking) == []


def test_without_a_start_form_there_is_a_button(booking: House) -> None:
    plain = package("room_booking")
    diagram = plain.text("room_booking.bpmn").replace("{{ room }} is asked for on {{ day }}, for {{ people }}", "Some")
    for name, value in (("form", "ask.form"), ("businessKey", "room")):
        diagram = diagram.replace(f'<spiffworkflow:property name="{name}" value="{value}"/>', "")
    booking.enrollment.engine.deploy(Package({"room_booking.bpmn": diagram.encode()}), actor=SYSTEM)
    visitor = booking.visitor("alice")
    page = visitor.get(PLACE)
    assert "Start Room booking" in page.text
    assert visitor.post(PLACE, {"start.key": hidden(page, "start.key")}).status_code == 200
    assert len(cases(booking)) == 1


def test_the_page_lists_the_cases_of_today(booking: House) -> None:
    visitor = booking.visitor("alice")
    press(visitor)
    page = visitor.get(PLACE).text
    assert "Your cases of today" in page and "Room 4" in page
    booking.clock.forward(days=1)
    assert "Your cases of today" not in booking.visitor("alice").get(PLACE).text


def test_an_administrator_binds_a_trigger_to_any_deployed_process(booking: House) -> None:
    plain = package("room_booking")
    diagram = plain.text("room_booking.bpmn").replace("room_booking", "call_back").replace("Room booking", "Call back")
    diagram = diagram.replace("{{ room }} is asked for on {{ day }}, for {{ people }}", "Call these")
    for name, value in (("form", "ask.form"), ("businessKey", "room")):
        diagram = diagram.replace(f'<spiffworkflow:property name="{name}" value="{value}"/>', "")
    booking.enrollment.engine.deploy(Package({"call_back.bpmn": diagram.encode()}), actor=SYSTEM)
    adam = booking.visitor("adam")
    assert ">Call back</option>" in adam.get("/admin/triggers").text
    bound = {"template": "Office Visit", "field": "Phone", "action": "Call the patient", "process": "call_back"}
    page = adam.post("/admin/triggers", bound)
    assert page.status_code == 200 and "<td>Call the patient</td>" in page.text
    refused = adam.post("/admin/triggers", {**bound, "process": "room_booking"})
    assert refused.status_code == 422 and "its start form needs Room, Day" in refused.text
    assert adam.post("/admin/triggers", {**bound, "process": "nowhere"}).status_code == 422
    alice = booking.visitor("alice")
    assert "Call the patient" in alice.get("/patients/sample-complete/template?name=Office+Visit").text
    asked = {"template": "Office Visit", "field": "Phone", "action": "Call the patient"}
    page = alice.post("/patients/sample-complete/trigger", asked)
    (case,) = booking.enrollment.engine.queries.instances(process="call_back")
    assert case.business_key == "sample-complete"
    assert page.status_code == 200 and page.request.path == f"/inbox/{case.tasks[0].id}"
