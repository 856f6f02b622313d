"""A process that has no patient: its name and what the case is about stand where the patient would."""

from __future__ import annotations

import pytest
from acceptance.conftest import House
from conftest import package
from usher_engine import SYSTEM, Instance

WORDS = {"room": "Room 4", "day": "2026-06-01", "people": "3"}


@pytest.fixture
def case(house: House) -> Instance:
    house.enrollment.engine.deploy(package("room_booking"), actor=SYSTEM)
    return house.enrollment.engine.start("room_booking", WORDS, actor=SYSTEM)


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_inbox_and_the_task_say_what_it_is_about(house: House, case: Instance) -> None:
    alice = house.visitor("alice")
    assert "<bdi>Room 4</bdi>" in alice.get("/inbox").text
    page = plain(alice.get(f"/inbox/{case.tasks[0].id}").text)
    assert "<span>Room booking</span>" in page
    assert "<dt>About</dt> <dd> Room 4 </dd>" in page
    assert "Portal status" not in page
    done = alice.post(f"/inbox/{case.tasks[0].id}/complete", {"revision": str(case.revision)})
    assert done.status_code == 200
    assert house.enrollment.engine.instance(case.id).status == "finished"


def test_lists_the_case_and_its_replay_name_process_and_subject(house: House, case: Instance) -> None:
    house.select("sample-pending")
    alice = house.visitor("alice")
    cases = plain(alice.get("/cases").text)
    assert "Room 4" in cases and "Room booking" in cases and "Portal enrolment" in cases
    page = plain(alice.get(f"/cases/{case.id}").text)
    assert "<span>Room 4</span> <span>Room booking v1</span>" in page
    assert "<h2>Patient</h2>" not in page
    assert alice.get(f"/cases/{case.id}/replay").status_code == 200
    audrey = house.visitor("audrey")
    assert audrey.get(f"/cases/{case.id}/replay").status_code == 200
    assert audrey.get("/audit").status_code == 200


def test_the_search_box_finds_the_case_by_what_it_is_about(house: House, case: Instance) -> None:
    found = house.visitor("alice").get("/search?q=Room%204").text
    assert f'href="/cases/{case.id}"' in found
    assert "Confirm the room" in found
    assert f'href="/cases/{case.id}"' not in house.visitor("charlie").get("/search?q=Room%204").text


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xes", "ocel", "fhir"])
def test_exports_hold_the_case(house: House, case: Instance, kind: str) -> None:
    audrey = house.visitor("audrey")
    audrey.get("/exports")
    exported = audrey.post("/exports", {"format": kind})
    assert exported.status_code == 200
    assert case.id in exported.text
