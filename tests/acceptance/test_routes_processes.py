"""The list of processes: what is in force, what runs, where each draft stands, who starts cases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from acceptance.conftest import House
from conftest import package
from usher_engine import SYSTEM, Actor
from usher_engine.authoring import DraftState, StandingDraft
from usher_engine.definitions import Package

ANA = Actor(name="ana", role="analyst")


@pytest.fixture
def booking(house: House) -> House:
    house.enrollment.engine.deploy(package("room_booking"), actor=SYSTEM)
    return house


def row_of(page: str, process: str) -> str:
    """The words of the row of *process*."""
    rows = " ".join(page.split()).split("<tr>")
    return next(row for row in rows if f'<code class="under">{process}</code>' in row)


def standing(house: House, process: str = "room_booking") -> StandingDraft:
    engine = house.enrollment.engine
    in_force = {version.process: version for version in reversed(engine.versions.all())}
    return engine.draft_states.all(in_force)[process]


def changed(house: House, name: str, content: bytes) -> None:
    """A draft of the booking in which one file is different."""
    engine = house.enrollment.engine
    drafted = any(draft.process == "room_booking" for draft in engine.drafts.all())
    draft = engine.drafts.find("room_booking") if drafted else engine.drafts.start("room_booking", actor=ANA)
    there = draft.file(name)
    engine.drafts.save_file("room_booking", name, content, etag=there.etag if there else "", actor=ANA)


def test_what_runs_and_who_starts_it(booking: House) -> None:
    engine = booking.enrollment.engine
    engine.start("room_booking", {"room": "1", "day": "2026-06-01"}, actor=SYSTEM)
    booking.select("sample-pending")
    engine.deploy(package("parallel"), actor=SYSTEM)
    page = booking.visitor("audrey").get("/processes").text
    room, enrolment = row_of(page, "room_booking"), row_of(page, "enrollment")
    assert '<td class="r">1</td>' in room and "Start page: Front desk, Health records, all analyst" in room
    assert '<td class="r">1</td>' in enrolment and "Trigger “Enrollment”" in enrolment
    assert "nobody yet" in row_of(page, "parallel")
    assert "3 processes" in page and "2 running cases" in page
    assert "Draft" not in page and "New process" not in page


def test_incidents_are_counted_with_their_process(booking: House) -> None:
    engine = booking.enrollment.engine
    plain = package("room_booking")
    broken = plain.text("room_booking.bpmn").replace("{{ room }} is", "{{ 1 / (len(room) - 1) }} is")
    engine.deploy(Package({**plain.files, "room_booking.bpmn": broken.encode()}), actor=SYSTEM)
    engine.start("room_booking", {"room": "1", "day": "2026-06-01"}, actor=SYSTEM)
    assert engine.queries.live_counts() == {"room_booking": (1, 1)}
    page = booking.visitor("ana").get("/processes").text
    assert "1 incident<" in page


def test_a_draft_that_is_what_is_in_force_is_none(booking: House) -> None:
    booking.enrollment.engine.drafts.start("room_booking", actor=ANA)
    assert standing(booking).state is DraftState.NONE
    row = row_of(booking.visitor("ana").get("/processes").text, "room_booking")
    assert "</svg>none</span>" in row


def test_ready_and_errors(booking: House) -> None:
    changed(booking, "notes.txt", b"x")
    assert standing(booking).state is DraftState.READY
    changed(booking, "ask.form", b"{")
    found = standing(booking)
    assert found.state is DraftState.ERRORS and found.errors
    row = row_of(booking.visitor("ana").get("/processes").text, "room_booking")
    assert f"{found.errors} error" in row and "on v1, ana," in row


def test_waits_for_a_signature(booking: House) -> None:
    engine = booking.enrollment.engine
    engine.context.settings = replace(engine.settings, deploy_four_eyes=1)
    changed(booking, "notes.txt", b"x")
    draft = engine.drafts.find("room_booking")
    abe = Actor(name="abe", role="analyst")
    engine.deployments.ask_sign_off("room_booking", etag=draft.etag, note="Notes.", actor=abe)
    assert standing(booking).state is DraftState.WAITING
    row = row_of(booking.visitor("ana").get("/processes").text, "room_booking")
    assert "waits for a signature" in row and "look and sign off, asked by abe" in row


def test_stale_names_what_would_be_undone(booking: House) -> None:
    engine = booking.enrollment.engine
    changed(booking, "notes.txt", b"x")
    for number in (2, 3):
        engine.deploy(Package({**package("room_booking").files, "n.txt": bytes([number])}), actor=SYSTEM)
    found = standing(booking)
    assert (found.state, found.undoes) == (DraftState.STALE, (2, 3))
    assert "on v1, would undo v2, v3" in row_of(booking.visitor("ana").get("/processes").text, "room_booking")


def test_a_new_process_is_not_deployed_and_what_is_left_is_counted(house: House) -> None:
    ana = house.visitor("ana")
    ana.get("/drafts/new")
    ana.post("/drafts/new", {"key": "recall", "name": "Recall"})
    found = standing(house, "recall")
    assert found.state is DraftState.LEFT and found.errors
    row = row_of(ana.get("/processes").text, "recall")
    assert "not deployed" in row and f"{found.errors} left to do" in row and "nobody yet" in row
    assert 'href="/processes/recall/edit"' in row
    assert ">Recall</a>" in row


def test_a_draft_that_cannot_be_read_has_its_row(house: House) -> None:
    engine = house.enrollment.engine
    engine.drafts.start("broken", package=Package({"x.bpmn": b"<broken"}), actor=ANA)
    row = row_of(house.visitor("ana").get("/processes").text, "broken")
    assert "left to do" in row and ">broken</a>" in row
