"""The registry against the history: a portal status or answer altered outside Usher is found and reported in words."""

from __future__ import annotations

import contextlib
import sqlite3
import threading

import pytest
from acceptance.conftest import House
from conftest import alice
from usher_engine import Actor
from usher_engine.enrollment import Answer

ADAM = Actor(name="adam", role="admin")


@pytest.fixture
def answered(house: House) -> str:
    """A case whose patient was invited, and declined."""
    house.select("sample-pending")
    case = house.enrollment.engine.queries.instances()[0]
    house.clock.forward(minutes=1)
    engine = house.enrollment.engine
    engine.cases.claim(case.tasks[0].id, actor=alice)
    engine.complete(case.tasks[0].id, {}, actor=alice)
    house.clock.forward(minutes=1)
    house.worker.run_due()
    token = house.postbox.link.removeprefix("/i/")
    house.clock.forward(minutes=1)
    proof = house.enrollment.identify(token, **house.known_of("sample-pending"))
    house.enrollment.respond(token, proof, Answer.DECLINE)
    house.clock.forward(minutes=1)
    return case.id


def test_what_was_recorded_agrees(house: House, answered: str) -> None:
    assert house.enrollment.patient("sample-pending").status == "Declined"
    assert house.enrollment.disagreements() == []
    house.enrollment.portal_standing.set_status("sample-pending", "Completed", "the portal says so", actor=ADAM)
    assert house.enrollment.disagreements() == [], "another system's report is recorded too"
    events = house.enrollment.engine.audit.events(about="sample-pending", kind="SettingChanged")
    assert events[0].details == {"setting": "portal status", "status": "Completed"}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE patient SET portal_status = 'Completed' WHERE id = 'sample-pending'",
            "portal status: the history last recorded “Declined”, the registry holds “Completed”",
        ),
        (
            "UPDATE patient SET portal_status = NULL WHERE id = 'sample-pending'",
            "the history last recorded “Declined”, the registry holds “Unavailable”",
        ),
        (
            "UPDATE patient_response SET status = 'Deferred' WHERE instance IS NOT NULL",
            "The registry lacks the answer of patient sample-pending that was recorded: “Declined”",
        ),
        ("DELETE FROM patient_response WHERE instance IS NOT NULL", "The registry lacks the answer"),
        (
            """INSERT INTO patient_response (patient, status, at, instance)
            SELECT patient, 'Completed', at, instance FROM patient_response WHERE instance IS NOT NULL""",
            "The registry holds an answer of patient sample-pending that was never recorded in this case: “Completed”",
        ),
    ],
)
def test_what_was_altered_is_found_and_reported(house: House, answered: str, statement: str, words: str) -> None:
    address = house.enrollment.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(address)) as file, file:
        file.execute(statement)
    file.close()
    found = house.enrollment.disagreements()
    assert {one.instance for one in found} == {answered}
    assert {one.kind for one in found} == {"registry"}
    assert any(words in one.message for one in found)
    audrey = house.visitor("audrey")
    audrey.get("/audit")
    audrey.post("/audit/check")
    for thread in threading.enumerate():
        if thread.name.startswith("usher-check"):
            thread.join()
    page = audrey.get("/audit").text
    assert words.partition(": “")[0] in page
    assert "Patient&#39;s standing altered" in page
    assert "Hana" not in "".join(one.message for one in found)


def test_a_request_moved_in_time_is_found(house: House) -> None:
    house.select("sample-pending")
    assert house.enrollment.disagreements() == []
    address = house.enrollment.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(address)) as file, file:
        file.execute("UPDATE patient SET requested_at = '2020-01-01T00:00:00.000000Z' WHERE id = 'sample-pending'")
    file.close()
    (found,) = house.enrollment.disagreements()
    assert "time of the request" in found.message
    assert "2020-01-01T00:00:00Z" in found.message
