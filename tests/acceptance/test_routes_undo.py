"""Ten seconds to change one's mind, at the desk: the button, the task that is open again, and what history says."""

from __future__ import annotations

import pytest
from acceptance.conftest import House

HOLD_S = 10


@pytest.fixture
def patient_desk(house: House) -> House:
    """The house with a hold on mails."""
    object.__setattr__(house.enrollment.settings, "mail_hold", HOLD_S)
    return house


def completed(house: House) -> tuple[str, str]:
    """Alice has saved Update Now of a patient without e-mail; the task, and the page she lands on."""
    alice = house.visitor("alice")
    house.select("sample-no-email", alice)
    task = house.newest_task()
    page = alice.post(f"/inbox/{task}/complete", {**house.form_of(task), "email": "cleo@example.org"})
    return task, page.text


def test_the_desk_can_undo_what_it_has_just_done(patient_desk: House) -> None:
    house = patient_desk
    task, page = completed(house)
    case = task.partition(":")[0]
    assert "The invitation to Cleo Sample is on its way." in page and "leaves in 10 seconds" in page
    alice = house.visitor("alice")
    assert f"/invitations/undo/{case}/2" in alice.get(f"/cases/{case}").text
    back = alice.post(f"/invitations/undo/{case}/2")
    assert back.request.path == f"/inbox/{task}"
    assert "Nothing was sent. Update Now is open again, with what you typed." in back.text
    assert "cleo@example.org" in back.text and "claimed by you" in back.text
    assert "You undid Update Now before its mail left." in back.text
    house.clock.forward(minutes=1)
    house.worker.run_due()
    assert house.postbox.mails == []
    assert "leaves in" not in alice.get("/inbox").text


def test_every_page_of_an_undone_case_can_be_read(patient_desk: House) -> None:
    house = patient_desk
    task, _ = completed(house)
    case = task.partition(":")[0]
    alice, audrey = house.visitor("alice"), house.visitor("audrey")
    alice.post(f"/invitations/undo/{case}/2")
    alice.post(f"/inbox/{task}/complete", {**house.form_of(task), "email": "c.sample@example.org"})
    house.clock.forward(seconds=HOLD_S)
    house.worker.run_due()
    shown = audrey.get(f"/cases/{case}")
    assert "alice undid Update Now before its mail left." in shown.text
    assert "The patient&#39;s record is as it was before." in shown.text
    assert "Not sent: stopped before it left" in shown.text
    assert "cannot be read" not in shown.text
    for step in range(1, 6):
        replay = audrey.get(f"/cases/{case}/replay?step={step}")
        assert replay.status_code == 200
        assert "altered" not in replay.text
    frames = audrey.get(f"/cases/{case}/replay.json").get_json()
    assert "changed their mind" in str(frames)
    assert "proven" in audrey.get(f"/cases/{case}/proof").text.lower()
    assert not house.enrollment.engine.verify(case)


def test_too_late_says_so(patient_desk: House) -> None:
    house = patient_desk
    task, _ = completed(house)
    case = task.partition(":")[0]
    house.clock.forward(seconds=HOLD_S)
    house.worker.run_due()
    answer = house.visitor("alice").post(f"/invitations/undo/{case}/2")
    assert "It is too late to undo that" in answer.text


def test_nobody_else_can_undo_it(patient_desk: House) -> None:
    house = patient_desk
    task, _ = completed(house)
    case = task.partition(":")[0]
    assert "Only alice can undo" in house.visitor("bob").post(f"/invitations/undo/{case}/2").text
    assert house.visitor("audrey").post(f"/invitations/undo/{case}/2").status_code == 403
    assert house.visitor("alice").post("/invitations/undo/NOSUCHCASE12/2").status_code == 404
    assert house.visitor("alice").post(f"/invitations/undo/{case}/999999999").status_code == 200
    house.clock.forward(seconds=HOLD_S)
    house.worker.run_due()
    assert len(house.postbox.mails) == 1


def test_what_a_program_sends_is_not_held_but_a_persons_page_is(patient_desk: House) -> None:
    house = patient_desk
    body = {"patient_id": "sample-complete", "template": "Office Visit", "field": "Patient Portal"}
    asked = {**body, "action": "Enrollment"}
    client = house.app.test_client()
    answer = client.post("/api/v1/triggers", json=asked, headers={**house.token(), "Idempotency-Key": "1"})
    assert answer.status_code in (200, 201)
    house.worker.run_due()
    assert len(house.postbox.mails) == 1
    house.select("sample-complete-2")
    house.worker.run_due()
    assert len(house.postbox.mails) == 1
