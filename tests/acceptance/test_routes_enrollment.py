"""Each row of the enrolment table over HTTP, from the trigger to the mail and the patient's answer."""

import html
import json
import re

import pytest
from acceptance.conftest import typed
from usher_engine.enrollment import TERMS, TERMS_VERSION

#: A wrong try.
WRONG = typed("00000", "1900-01-01")


def test_a_complete_patient_is_invited_and_accepts(house):
    answer = house.select("sample-complete")
    assert answer.status_code == 200
    assert house.worker.run_due() == 1
    assert house.enrollment.patient("sample-complete").status == "Pending"

    patient = house.visitor()
    assert "who you are" in patient.get(house.postbox.link).text
    page = patient.post(house.postbox.link, house.identity_of("sample-complete"))
    proof = page.text.split('name="proof" value="')[1].split('"')[0]
    assert TERMS in page.text
    changed = patient.post(f"{house.postbox.link}/answer", {"proof": proof, "answer": "accept", "terms": "0"})
    assert "The terms have changed" in changed.text
    agreed = {"proof": proof, "answer": "accept", "terms": TERMS_VERSION}
    done = patient.post(f"{house.postbox.link}/answer", agreed)
    assert "You are enrolled" in done.text
    assert house.enrollment.patient("sample-complete").status == "Completed"
    assert "who you are" in patient.get(house.postbox.link).text


def test_update_now_names_what_is_missing_then_sends(house):
    alice = house.visitor("alice")
    page = house.select("sample-no-email", alice)
    assert "e-mail" in page.text.lower()
    assert ">Update Now</button>" in page.text
    task = house.newest_task()
    page = alice.post(f"/inbox/{task}/claim")
    assert "Modify Patient Information" in page.text
    assert "more fields" in page.text
    form = house.form_of(task)
    page = alice.post(f"/inbox/{task}/complete", {**form, "email": "not an address"})
    assert page.status_code == 422
    assert "One field needs another look" in page.text
    assert "not an address" in page.text
    page = alice.post(f"/inbox/{task}/complete", {**form, "email": "cleo@example.org"})
    assert page.status_code == 200, page.text
    assert "Update Now is done." in page.text
    house.worker.run_due()
    assert house.postbox.mails[-1]["To"] == "cleo@example.org"
    assert house.enrollment.patient("sample-no-email").status == "Pending"


@pytest.mark.parametrize(
    ("patient", "button", "answer"),
    [("sample-pending", "Resend Invitation", {}), ("sample-declined", "Enroll Now", {"reason": "asked at the desk"}),
     ("sample-deferred", "Enroll Now", {"reason": "asked at the desk"})],
)  # fmt: skip
def test_one_button_is_enough(house, patient, button, answer):
    alice = house.visitor("alice")
    page = house.select(patient, alice)
    assert re.search(rf">\s*{button}\s+<kbd>", page.text)
    task = house.newest_task()
    page = alice.post(f"/inbox/{task}/complete", answer)
    assert page.status_code == 200
    assert f"{button} is done." in page.text
    house.worker.run_due()
    assert len(house.postbox.mails) == 1
    assert house.enrollment.patient(patient).status == "Pending"


@pytest.mark.parametrize(
    "patient",
    ["sample-completed", "sample-deactivated", "sample-deleted", "sample-unavailable",
     "sample-deceased", "sample-inactive", "sample-merged", "sample-opted-out", "sample-minor"],
)  # fmt: skip
def test_everybody_else_gets_an_explanation_and_no_mail(house, patient):
    page = house.select(patient)
    instance = house.enrollment.engine.queries.instances()[0]
    assert instance.status == "finished"
    assert instance.explanation
    assert str(instance.explanation) in html.unescape(page.text)
    house.worker.run_due()
    assert house.postbox.mails == []


def test_a_second_trigger_answers_with_the_open_case(house):
    house.select("sample-pending")
    house.select("sample-pending", house.visitor("bob"))
    assert len(house.enrollment.engine.queries.instances()) == 1


def test_a_silent_mail_server_is_reported_and_the_mail_goes_out_later(house):
    house.postbox.down = True
    house.select("sample-complete")
    house.worker.run_due()
    case = house.enrollment.engine.queries.instances()[0]
    page = house.visitor("alice").get(f"/cases/{case.id}")
    assert "does not answer" in page.text
    house.postbox.down = False
    house.clock.forward(minutes=5)
    house.worker.run_due()
    assert len(house.postbox.mails) == 1


def test_five_wrong_tries_lock_the_link(house):
    house.select("sample-complete")
    house.worker.run_due()
    patient = house.visitor()
    for _ in range(4):
        page = patient.post(house.postbox.link, WRONG)
        assert page.status_code == 422
    fifth = patient.post(house.postbox.link, WRONG)
    right = patient.post(house.postbox.link, house.identity_of("sample-complete"))
    for page in (fifth, patient.get(house.postbox.link), right):
        assert page.status_code == 200
        assert "This link is locked" in page.text


def test_a_later_answer_is_deferred(house):
    house.select("sample-complete")
    house.worker.run_due()
    patient = house.visitor()
    page = patient.post(house.postbox.link, house.identity_of("sample-complete"))
    proof = page.text.split('name="proof" value="')[1].split('"')[0]
    wrong = patient.post(f"{house.postbox.link}/answer", {"proof": proof, "answer": "defer", "until": "2027-06-01"})
    assert wrong.status_code == 422
    assert "Choose a day from tomorrow on, within a year, or none." in wrong.text
    done = patient.post(f"{house.postbox.link}/answer", {"proof": proof, "answer": "defer", "until": "2026-06-01"})
    assert "1 June 2026" in done.text
    assert house.enrollment.patient("sample-complete").status == "Deferred"


def proof_for(house, patient):
    page = patient.post(house.postbox.link, house.identity_of("sample-complete"))
    return page.text.split('name="proof" value="')[1].split('"')[0]


ANSWERS = {
    "accept": ({"terms": TERMS_VERSION}, "You are enrolled"),
    "decline": ({}, "You said no on 4 May 2026"),
    "defer": ({"until": "2026-06-01"}, "We ask again on 1 June 2026"),
}


@pytest.mark.parametrize("first", ANSWERS)
@pytest.mark.parametrize("second", ANSWERS)
def test_a_second_click_shows_the_answer_that_was_given(house, first, second):
    house.select("sample-complete")
    house.worker.run_due()
    patient = house.visitor()
    proof = proof_for(house, patient)
    answer = f"{house.postbox.link}/answer"
    done = patient.post(answer, {"proof": proof, "answer": first, **ANSWERS[first][0]})
    again = patient.post(answer, {"proof": proof, "answer": second, **ANSWERS[second][0]})
    assert (done.status_code, again.status_code) == (200, 200)
    for page in (done, again, patient.post(house.postbox.link, house.identity_of("sample-complete"))):
        assert ANSWERS[first][1] in page.text
    stranger = house.visitor()
    assert stranger.get(house.postbox.link).text.count("who you are") == 1
    wrong = stranger.post(house.postbox.link, WRONG)
    guess = stranger.post(answer, {"proof": "9999999999.x", "answer": second, **ANSWERS[second][0]})
    for page in (stranger.get(house.postbox.link), wrong, guess):
        assert not any(words in page.text for _, words in ANSWERS.values())


def test_an_open_link_and_a_used_one_look_alike_to_whom_has_not_identified(house):
    house.select("sample-complete")
    house.worker.run_due()
    wrong = WRONG

    def seen():
        stranger = house.visitor()
        pages = (stranger.get(house.postbox.link), stranger.post(house.postbox.link, wrong))
        changing = r'(csrf_token" value|csrf|nonce)="[^"]*"|\d tries'
        return [(page.status_code, re.sub(changing, "", page.text)) for page in pages]

    before = seen()
    patient = house.visitor()
    patient.post(f"{house.postbox.link}/answer", {"proof": proof_for(house, patient), "answer": "decline"})
    assert house.enrollment.patient("sample-complete").status == "Declined"
    assert seen() == before


def test_a_replaced_and_an_expired_link_say_so(house):
    house.select("sample-complete")
    house.worker.run_due()
    first = house.postbox.link
    alice = house.visitor("alice")
    house.select("sample-complete", alice)
    alice.post(f"/inbox/{house.newest_task()}/complete", {})
    house.worker.run_due()
    patient = house.visitor()
    assert house.postbox.link != first
    for page in (patient.get(first), patient.post(first, house.identity_of("sample-complete"))):
        assert (page.status_code, "There is a newer invitation" in page.text) == (200, True)
    proof = proof_for(house, patient)
    house.clock.forward(days=31)
    late = patient.post(f"{house.postbox.link}/answer", {"proof": proof, "answer": "decline"})
    for page in (patient.get(house.postbox.link), late):
        assert (page.status_code, "This link ended on 3 June 2026" in page.text) == (200, True)
    assert house.enrollment.patient("sample-complete").status == "Pending"


def test_an_answer_that_staff_removed_is_not_shown_again(house):
    house.select("sample-complete")
    house.worker.run_due()
    first, patient = house.postbox.link, house.visitor()
    patient.post(f"{first}/answer", {"proof": proof_for(house, patient), "answer": "decline"})
    alice = house.visitor("alice")
    house.select("sample-complete", alice)
    alice.post(f"/inbox/{house.newest_task()}/complete", {"reason": "asked at the desk"})
    house.worker.run_due()
    page = patient.post(first, house.identity_of("sample-complete"))
    assert (page.status_code, "There is a newer invitation" in page.text) == (200, True)


def test_the_answer_of_somebody_who_has_died_is_refused_and_staff_see_why(house):
    house.select("sample-complete")
    house.worker.run_due()
    patient = house.visitor()
    proof = proof_for(house, patient)
    record = house.enrollment.patient("sample-complete").resource
    house.enrollment.import_patients([json.dumps({**record, "deceasedBoolean": True})])
    agreed = {"proof": proof, "answer": "accept", "terms": TERMS_VERSION}
    page = patient.post(f"{house.postbox.link}/answer", agreed)
    assert page.status_code == 403
    assert "Something changed. Please call us." in page.text
    assert "deceased" not in page.text
    assert house.enrollment.patient("sample-complete").status == "Pending"
    case = house.enrollment.engine.queries.instances()[0]
    story = html.unescape(house.visitor("alice").get(f"/cases/{case.id}").text)
    assert "The patient accepted, but the answer was refused: The patient is recorded as deceased." in story
