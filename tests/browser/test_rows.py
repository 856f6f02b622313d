"""Each row of the enrolment table in a browser: trigger, task, mail in the catcher, the patient's answer, and back."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from browser.clinic import Clinic
from browser.people import KEPT, Patient, Staff
from browser.windows import listening
from playwright.sync_api import Page, expect
from usher_engine import SYSTEM

FIELDS = {
    "first_name": ("First name", "first name", "Nora"),
    "last_name": ("Last name", "last name", "Winter"),
    "birth_date": ("Date of birth", "date of birth", "1975-06-30"),
    "zip_code": ("ZIP code", "ZIP code", "62704"),
    "email": ("E-mail", "e-mail", "nora.winter@example.org"),
    "birth_sex": ("Birth sex", "birth sex", "Female"),
}
REASON = "Asked for it at the desk."


@pytest.fixture
def alice(desk: Callable[..., Page], clinic: Clinic) -> Staff:
    return Staff(desk("alice"), clinic)


@pytest.fixture
def patient(desk: Callable[..., Page], clinic: Clinic) -> Patient:
    return Patient(desk(), clinic)


def expect_invited(clinic: Clinic, patient: str, mails: int = 1) -> None:
    """The mail is in the catcher, once, and the record says Pending."""
    clinic.until(lambda: len(clinic.mails(patient)) == mails and clinic.cases(patient)[0].status == "finished")
    assert clinic.status(patient) == "Pending"
    assert clinic.cases(patient)[0].outcome == "InvitationSent"
    assert clinic.link(patient).startswith(f"{clinic.url}/i/")


def fill(page: Page, key: str, value: str | None = None) -> None:
    label, _, usual = FIELDS[key]
    control = page.get_by_label(label)
    typed = usual if value is None else value
    control.select_option(label=typed) if key == "birth_sex" else control.fill(typed)


# Not Enrolled, everything filled


def test_complete_then_accepted(clinic: Clinic, alice: Staff, patient: Patient) -> None:
    who = clinic.add()
    alice.find_and_trigger(who)
    expect_invited(clinic, who)
    mail = clinic.mails(who)[0]
    assert "Hello Vera" in mail.text and clinic.settings.practice_name in mail.subject
    assert not any(private in mail.text for private in ("Quill", "1981", "97201"))
    alice.open_case(who)
    alice.expect_case("The invitation e-mail was sent, and the portal status was set to Pending.")
    alice.expect_story("selected “Patient Portal” on the template Office Visit.")

    patient.enter(who)
    patient.answer("Yes")
    patient.expect_thanks("You are enrolled")
    assert clinic.status(who) == "Completed"
    patient.open(clinic.link(who))
    patient.identify(clinic.fields(who)["zip_code"], clinic.fields(who)["birth_date"])
    patient.expect_thanks("You are enrolled")
    alice.page.reload()
    alice.expect_story("The patient accepted")
    expect(alice.page.locator(".notice").first).to_contain_text("The patient accepted")  # and what is so since then

    alice.trigger(who)
    alice.expect_case("The patient already has a portal account.")
    assert len(clinic.mails(who)) == 1


def test_complete_then_declined(clinic: Clinic, alice: Staff, patient: Patient) -> None:
    who = clinic.add()
    alice.trigger(who)
    expect_invited(clinic, who)
    patient.enter(who)
    patient.answer("No, ")
    patient.expect_thanks("You said no on")
    assert clinic.status(who) == "Declined"

    alice.trigger(who)
    alice.in_task("Enroll Now")
    expect(alice.message()).to_contain_text(f"The patient declined on {_day(clinic)}.")


def test_complete_then_deferred(clinic: Clinic, alice: Staff, patient: Patient) -> None:
    who = clinic.add()
    alice.trigger(who)
    expect_invited(clinic, who)
    until = clinic.clock().date() + timedelta(days=60)
    patient.enter(who)
    patient.answer("Not now", (until + timedelta(days=400)).isoformat())
    expect(patient.page.get_by_role("alert")).to_contain_text("Choose a day from tomorrow on, within a year, or none.")
    patient.answer("Not now", until.isoformat())
    patient.expect_thanks(f"We ask again on {until.day} {until:%B %Y}")
    assert clinic.status(who) == "Deferred"

    alice.trigger(who)
    alice.in_task("Enroll Now")
    expect(alice.message()).to_contain_text(f"deferred until {until.day} {until:%B %Y}.")


# Not Enrolled, something missing


@pytest.mark.parametrize("key", FIELDS)
def test_each_missing_field_is_asked_for(clinic: Clinic, alice: Staff, patient: Patient, key: str) -> None:
    label, spoken, _ = FIELDS[key]
    who = clinic.add(**{key: None})
    alice.trigger(who)
    task = alice.in_task("Update Now")
    expect(alice.message()).to_contain_text(f"The invitation cannot be sent: {spoken} is missing.")
    alice.claim("Update Now")
    expect(task.get_by_role("heading", name="Modify Patient Information")).to_be_visible()
    expect(task.get_by_label(label)).to_be_focused()
    value = f"{who}@example.org" if key == "email" else None
    fill(alice.page, key, value)
    alice.save("Save and send invitation")
    alice.expect_done("Update Now is done.")
    expect_invited(clinic, who)
    patient.enter(who)


def test_all_missing_fields_are_named_and_wrong_ones_count(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add(birth_date="1981", zip_code=None, email=None, first_name=None)
    alice.find_and_trigger(who)
    alice.in_task("Update Now")
    expect(alice.message()).to_contain_text("first name, date of birth, ZIP code and e-mail are missing.")
    alice.claim("Update Now")
    expect(alice.page.get_by_label("Last name")).to_be_hidden()  # filled, out of the way
    for key in ("first_name", "birth_date", "zip_code"):
        fill(alice.page, key)
    fill(alice.page, "email", f"{who}@example.org")
    alice.save("Save and send invitation")
    alice.expect_done("Update Now is done.")
    expect_invited(clinic, who)
    assert clinic.fields(who)["birth_date"] == "1975-06-30"


def test_wrong_fields_are_reported_next_to_them_and_nothing_is_lost(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add(email=None, zip_code=None)
    alice.trigger(who)
    alice.claim("Update Now")
    page = alice.page
    page.get_by_text("more fields").click()
    wrong = {"last_name": "", "email": "vera at example", "zip_code": "97", "birth_date": "2026-05-05"}
    for key, value in wrong.items():
        fill(page, key, value)
    fill(page, "first_name", "Veronica")
    alice.save("Save and send invitation")

    expect(page.locator("form [aria-invalid=true]").first).to_be_focused()
    expect(page.locator("[data-error-summary]")).to_contain_text("4 fields need another look.")
    for key, value in wrong.items():
        control = page.get_by_label(FIELDS[key][0])
        expect(control).to_have_value(value)
        expect(control).to_have_attribute("aria-invalid", "true")
        message = page.locator(f"#{control.get_attribute('aria-describedby')}")
        expect(message).to_be_visible()
        expect(page.locator("[data-error-summary]")).to_contain_text(message.inner_text())
    page.get_by_text("more fields").click()
    expect(page.get_by_label("First name")).to_have_value("Veronica")
    page.locator("[data-error-summary]").get_by_role("link", name="ZIP code").click()
    expect(page.get_by_label("ZIP code")).to_be_focused()
    assert clinic.fields(who)["first_name"] == "Vera"
    assert clinic.cases(who)[0].at == ("UpdateNow",)

    for key, value in {"last_name": "Quill", "zip_code": "97201", "birth_date": "1981-05-04"}.items():
        fill(page, key, value)
    fill(page, "email", f"{who}@example.org")
    alice.save("Save and send invitation")
    alice.expect_done("Update Now is done.")
    expect_invited(clinic, who)
    assert clinic.fields(who)["first_name"] == "Veronica"


def test_what_is_typed_is_there_on_another_computer(clinic: Clinic, alice: Staff, desk: Callable[..., Page]) -> None:
    who = clinic.add(email=None, zip_code=None)
    alice.trigger(who)
    alice.claim("Update Now")
    fill(alice.page, "zip_code")
    expect(alice.page.locator(KEPT)).to_contain_text("Draft saved")
    elsewhere = desk("alice")
    elsewhere.goto(alice.page.url)
    expect(elsewhere.get_by_label("ZIP code")).to_have_value("62704")
    expect(elsewhere.locator(KEPT)).to_contain_text("Draft saved")


# Pending


def test_pending_is_resent_and_the_old_link_is_dead(clinic: Clinic, alice: Staff, patient: Patient) -> None:
    who = clinic.add()
    alice.find_and_trigger(who)
    expect_invited(clinic, who)
    asked, old = clinic.clock(), clinic.link(who)
    clinic.clock.forward(hours=30)

    alice.trigger(who)
    alice.in_task("Resend Invitation")
    since = f"Pending since {_day(clinic, -30)}, {asked:%H:%M} UTC, requested by alice."
    expect(alice.message()).to_contain_text(since)
    expect(alice.message()).to_contain_text("The invitation was sent once.")
    alice.save("Resend Invitation")
    alice.expect_done("Resend Invitation is done.")
    expect_invited(clinic, who, mails=2)
    assert clinic.link(who) != old
    first, second = (mail.message_id for mail in clinic.mails(who))
    assert first != second

    patient.expect_dead(old, "There is a newer invitation")
    patient.enter(who)
    patient.answer("Yes")
    patient.expect_thanks("You are enrolled")
    assert clinic.status(who) == "Completed"


def test_pending_with_the_address_gone_asks_for_it(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add("Pending", email=None)
    alice.trigger(who)
    alice.in_task("Resend Invitation")
    alice.save("Resend Invitation")
    alice.in_task("Update Now")
    expect(alice.message()).to_contain_text("e-mail is missing.")
    alice.claim("Update Now")
    fill(alice.page, "email", f"{who}@example.org")
    alice.save("Save and send invitation")
    alice.expect_done("Update Now is done.")
    expect_invited(clinic, who)


# Declined or Deferred


@pytest.mark.parametrize("choice", ["No, ", "Not now"])
@pytest.mark.parametrize("gone", [None, "zip_code"])
def test_a_response_is_removed_with_a_reason(
    clinic: Clinic, alice: Staff, patient: Patient, choice: str, gone: str | None
) -> None:
    who = clinic.add()
    clinic.invited(who)
    patient.enter(who)
    until = clinic.clock().date() + timedelta(days=20)
    patient.answer(choice, until.isoformat() if choice == "Not now" else "")
    patient.expect_thanks("We ask again on" if choice == "Not now" else "You said no on")
    if gone:
        clinic.enrollment.import_patients([_without_address(clinic, who)])

    alice.find_and_trigger(who)
    alice.in_task("Enroll Now")
    expect(alice.message()).to_contain_text("Confirm that the response is removed.")
    alice.save("Enroll Now")
    expect(alice.page.get_by_role("alert")).to_contain_text("One field needs another look.")
    alice.page.get_by_label("Why is the response removed?").fill(REASON)
    alice.save("Enroll Now")
    if gone:
        alice.in_task("Update Now")
        expect(alice.message()).to_contain_text("ZIP code is missing.")
        alice.claim("Update Now")
        fill(alice.page, "zip_code")
        alice.save("Save and send invitation")
    alice.expect_done("is done.")
    expect_invited(clinic, who, mails=2)
    removed = clinic.enrollment.answers(who)[0]
    assert (removed.removed_by, removed.removed_reason) == ("alice", REASON)
    alice.open_case(who)
    alice.expect_story(REASON)


# everything else is explained


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("Completed", "already has a portal account"),
        ("Deactivated", "was deactivated by the practice"),
        ("Account Deleted", "account was deleted"),
        (None, "The portal status cannot be used: “Unavailable”"),
        ("Being Migrated", "The portal status cannot be used: “Being Migrated”"),
    ],
)
def test_other_statuses_are_explained(clinic: Clinic, alice: Staff, status: str | None, words: str) -> None:
    who = clinic.add(status)
    alice.find_and_trigger(who)
    alice.expect_case(words)
    assert clinic.cases(who)[0].outcome == "NothingToDo"
    assert clinic.mails(who) == []
    assert clinic.status(who) == (status or "Unavailable")


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"deceasedDateTime": "2025-02-11"}, "recorded as deceased"),
        ({"deceasedBoolean": True}, "recorded as deceased"),
        ({"active": False}, "record is inactive"),
        ({"link": [{"other": {"reference": "Patient/x"}, "type": "replaced-by"}]}, "merged into another one"),
        ({"birthDate": "2015-01-01"}, "patients under 18 are not invited by themselves"),
        ({}, "opted out of e-mail"),
    ],
)
def test_guards_stand_before_the_mail(clinic: Clinic, alice: Staff, resource: dict, words: str) -> None:
    who = clinic.add(resource=resource)
    if not resource:
        clinic.enrollment.portal_standing.set_opt_out(who, "practice", True, "Wants letters.", actor=SYSTEM)
    alice.find(who)
    expect(alice.page.locator(".notice.refuse")).to_contain_text(words)
    alice.page.get_by_role("main").get_by_role("link", name="Office Visit").click()
    expect(alice.page.locator(".notice.refuse")).to_contain_text(words)
    alice.select("Patient Portal")
    alice.expect_case(words)
    assert clinic.cases(who)[0].outcome == "NotEligible"
    assert clinic.mails(who) == []
    assert clinic.status(who) == "Not Enrolled"


def test_guards_stand_again_at_the_moment_of_sending(clinic: Clinic, alice: Staff, patient: Patient) -> None:
    """The patient opts out by the link in the first mail while the second waits to be sent."""
    who = clinic.add()
    alice.trigger(who)
    expect_invited(clinic, who)
    alice.trigger(who)
    with clinic.worker.gate:
        alice.save("Resend Invitation")
        alice.expect_done("is on its way.")
        patient.open(clinic.mails(who)[0].links[1])
        patient.page.get_by_role("button", name="Stop e-mail").click()
        expect(patient.page.get_by_role("heading", name="No more e-mail to this address")).to_be_visible()
    assert clinic.settled(who).outcome == "NotEligible"
    alice.open_case(who)
    alice.expect_case("The e-mail address is on the opt-out list.")
    assert len(clinic.mails(who)) == 1


# what else staff do with a task


@pytest.mark.parametrize(
    ("status", "fields", "title"),
    [
        ("Not Enrolled", {"email": None}, "Update Now"),
        ("Pending", {}, "Resend Invitation"),
        ("Declined", {}, "Enroll Now"),
    ],
)
def test_a_task_is_cancelled_with_a_reason(clinic: Clinic, alice: Staff, status: str, fields: dict, title: str) -> None:
    who = clinic.add(status, **fields)
    alice.trigger(who)
    alice.in_task(title).get_by_text("Cancel task…").click()
    alice.page.get_by_label("Why is it cancelled?").fill("  ")
    alice.save("Cancel this task")
    expect(alice.page.get_by_role("alert")).to_be_visible()
    assert clinic.cases(who)[0].status == "waiting"
    alice.page.get_by_label("Why is it cancelled?").fill("The patient moved away.")
    alice.save("Cancel this task")
    alice.expect_done(f"{title} was cancelled.")
    assert clinic.cases(who)[0].outcome == "Cancelled"
    assert (clinic.status(who), clinic.mails(who)) == (status, [])
    alice.open_case(who)
    alice.expect_case("Staff cancelled the task. No invitation was sent.")
    alice.expect_story("The patient moved away.")


def test_a_second_trigger_answers_with_the_open_case(clinic: Clinic, alice: Staff, desk: Callable[..., Page]) -> None:
    who = clinic.add(email=None)
    alice.trigger(who)
    alice.in_task("Update Now")
    bob = Staff(desk("bob"), clinic)
    bob.trigger(who, "Annual Wellness Visit")
    bob.in_task("Update Now")
    assert bob.page.url == alice.page.url
    asked = {"patient_id": who, "template": "Office Visit", "field": "Check-out", "action": "Enrollment"}
    ehr = {**clinic.token(f"ehr-{who}"), "Idempotency-Key": "visit 1"}
    answer = alice.page.request.post("/api/v1/triggers", data=asked, headers=ehr)
    assert answer.json()["instance"] == clinic.cases(who)[0].id
    assert len(clinic.cases(who)) == 1


def test_a_task_appears_in_an_open_inbox_without_a_reload(
    clinic: Clinic, alice: Staff, desk: Callable[..., Page]
) -> None:
    bob = desk("bob")
    listening(bob, "/inbox")
    who = clinic.add(last_name="Newcomer", email=None)
    alice.trigger(who)
    alice.in_task("Update Now")
    expect(bob.locator(".fresh")).to_contain_text("new task")
    bob.locator(".fresh").get_by_role("link", name="Show").click()
    row = bob.get_by_role("row", name="Newcomer")
    expect(row).to_contain_text("Update Now")
    expect(row).to_contain_text("e-mail missing")


# what goes wrong


def test_a_mail_server_that_is_down_is_reported_and_the_mail_goes_out_later(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add()
    clinic.postbox.stop()
    alice.trigger(who)
    clinic.until(lambda: "ServiceFailed" in _kinds(clinic, who))
    clinic.postbox.open_again()
    alice.open_case(who)
    alice.expect_story("The mail server cannot be reached.")
    alice.expect_story("will be tried again automatically")
    assert clinic.status(who) == "Not Enrolled"
    clinic.clock.forward(minutes=5)
    clinic.worker.wake()
    expect_invited(clinic, who)
    alice.page.reload()
    alice.expect_case("The invitation e-mail was sent, and the portal status was set to Pending.")


def test_a_refused_mail_stops_the_case_until_a_person_tries_again(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add()
    clinic.postbox.refusal = "554 No"
    alice.trigger(who)
    clinic.until(lambda: clinic.cases(who)[0].status == "incident")
    clinic.postbox.refusal = ""
    alice.open_case(who)
    alice.expect_case("This case is stopped.")
    expect(alice.page.locator('[data-element-id="SendInvitation"].way-incident')).to_be_visible()
    alice.save("Try again now")
    alice.expect_done("It is being tried again.")
    expect_invited(clinic, who)


def test_five_wrong_tries_lock_the_link(clinic: Clinic, patient: Patient) -> None:
    who = clinic.add()
    patient.open(clinic.invited(who))
    for _ in range(4):
        patient.identify("00000", "1981-05-04")
        expect(patient.page.get_by_role("alert")).to_contain_text("does not match what we have")
    patient.identify("00000", "1981-05-04")
    expect(patient.page.get_by_role("heading", name="This link is locked")).to_be_visible()
    patient.expect_dead(clinic.link(who), "This link is locked")


def test_an_unknown_patient_is_reported_with_a_way_on(clinic: Clinic, alice: Staff) -> None:
    answer = alice.page.goto("/patients/nobody")
    assert answer is not None and answer.status == 404
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("Nothing is here")
    alice.page.get_by_role("link", name="Go to the start page").click()
    expect(alice.page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_an_administrator_puts_the_trigger_on_a_field(clinic: Clinic, alice: Staff, desk: Callable[..., Page]) -> None:
    adam = desk("adam")
    adam.goto("/admin/triggers")
    adam.get_by_role("textbox", name="Template").fill("Telephone Encounter")
    adam.get_by_role("textbox", name="Field").fill("Portal")
    adam.get_by_role("textbox", name="Action").fill("Billing")
    adam.get_by_role("button", name="Set the trigger").click()
    expect(adam.get_by_role("alert")).to_contain_text("“Billing” is no action of the Patient Portal trigger.")
    adam.get_by_role("textbox", name="Action").fill("Enrollment")
    adam.get_by_role("button", name="Set the trigger").click()
    expect(adam.get_by_role("row", name="Telephone Encounter")).to_contain_text("Portal")

    who = clinic.add(email=None)
    alice.trigger(who, "Telephone Encounter", "Portal")
    alice.in_task("Update Now")
    adam.get_by_role("button", name="Take off Portal of Telephone Encounter").click()
    expect(adam.get_by_role("row", name="Telephone Encounter")).to_have_count(0)


def test_a_trigger_taken_off_meanwhile_is_refused_by_name(clinic: Clinic, alice: Staff) -> None:
    clinic.enrollment.set_trigger("Old Template", "Portal", "Enrollment", actor=SYSTEM)
    who = clinic.add()
    alice.open_template(who, "Old Template")
    clinic.enrollment.set_trigger("Old Template", "Portal", None, actor=SYSTEM)
    alice.select("Portal")
    expect(alice.page.get_by_role("alert")).to_contain_text("“Old Template” carries no Patient Portal trigger.")
    assert clinic.cases(who) == []


def _day(clinic: Clinic, hours: float = 0) -> str:
    at = clinic.clock() + timedelta(hours=hours)
    return f"{at.day} {at:%B %Y}"


def _kinds(clinic: Clinic, patient: str) -> list[str]:
    steps = clinic.enrollment.engine.queries.history(clinic.cases(patient)[0].id)
    return [event["kind"] for step in steps for event in step.events]


def _without_address(clinic: Clinic, patient: str) -> str:
    resource = clinic.enrollment.patient(patient).resource
    return json.dumps({**resource, "address": []})
