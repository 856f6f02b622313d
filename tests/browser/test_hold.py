"""Ten seconds to change one's mind, the life of a link, and the patient's pages, as a browser shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browser.axe import broken
from browser.clinic import Clinic
from browser.people import Patient, Staff
from playwright.sync_api import Page, expect


@pytest.fixture
def alice(desk: Callable[..., Page], clinic: Clinic) -> Staff:
    return Staff(desk("alice"), clinic)


@pytest.fixture
def patient(desk: Callable[..., Page], clinic: Clinic) -> Patient:
    return Patient(desk(), clinic)


@pytest.fixture
def held(clinic: Clinic) -> Iterator[Clinic]:
    """The clinic with a hold on mails."""
    settings = clinic.enrollment.settings
    object.__setattr__(settings, "mail_hold", 10)
    yield clinic
    object.__setattr__(settings, "mail_hold", 0)


def test_an_answer_is_undone_by_keyboard_with_what_was_typed(held: Clinic, alice: Staff) -> None:
    who = held.add(email=None)
    alice.trigger(who)
    alice.claim("Update Now")
    alice.page.get_by_label("E-mail").fill("typed@example.org")
    alice.save("Save and send invitation")
    undo = alice.page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    undo.press("Enter")
    expect(alice.page.get_by_label("E-mail")).to_have_value("typed@example.org")
    expect(alice.page.get_by_role("status").first).to_contain_text("Nothing was sent.")
    held.clock.forward(minutes=1)
    held.worker.wake()
    assert held.mails(who) == []


def test_only_a_page_that_runs_counts_as_an_opening(clinic: Clinic, patient: Patient) -> None:
    who = clinic.add()
    link = clinic.invited(who)
    patient.page.request.get(link)  # as a mail scanner does
    assert clinic.enrollment.invitations(who)[0].opens == 0
    with patient.page.expect_response(lambda answer: answer.url.endswith("/opened")) as said:
        patient.open(link)
    assert said.value.status == 204
    assert clinic.enrollment.invitations(who)[0].opens == 1


def test_the_day_stands_under_later_only(clinic: Clinic, patient: Patient) -> None:
    who = clinic.add()
    clinic.invited(who)
    patient.enter(who)
    day = patient.page.get_by_label("Not before")
    for choice, shown in (("Yes", False), ("Not now", True), ("No, ", False)):
        patient.page.get_by_role("radio", name=choice).check()
        expect(day).to_be_visible() if shown else expect(day).to_be_hidden()


def test_enter_continues_and_does_not_change_the_language(clinic: Clinic, patient: Patient) -> None:
    who = clinic.add()
    known = clinic.fields(who)
    patient.open(clinic.invited(who))
    year, month, day = known["birth_date"].split("-")
    patient.page.get_by_label("ZIP code").fill(known["zip_code"])
    for label, typed in (("Month", month), ("Day", day), ("Year", year)):
        patient.page.get_by_role("textbox", name=label).fill(typed)
    patient.page.keyboard.press("Enter")
    expect(patient.page.get_by_role("heading", level=1)).to_have_text("Would you like to use our patient portal?")


def test_spanish_on_a_phone_has_room_and_no_fault(clinic: Clinic, patient: Patient) -> None:
    who = clinic.add()
    known, page = clinic.fields(who), patient.page
    page.set_viewport_size({"width": 360, "height": 700})
    patient.open(f"{clinic.invited(who)}?lang=es")
    for _ in range(2):
        expect(page.locator("html")).to_have_attribute("lang", "es")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert broken(page) == []
        page.get_by_label("Código postal").fill("00000")
        for label, typed in zip(("Día", "Mes", "Año"), known["birth_date"].split("-")[::-1], strict=True):
            page.get_by_role("textbox", name=label).fill(typed)
        page.get_by_role("button", name="Continuar").click()
        expect(page.get_by_role("alert")).to_contain_text("No coincide con nuestros datos.")


def test_an_invitation_is_withdrawn_by_keyboard(clinic: Clinic, alice: Staff, desk: Callable[..., Page]) -> None:
    who = clinic.add()
    clinic.invited(who)
    page = alice.page
    page.goto(f"/patients/{who}")
    expect(page.get_by_role("list", name="The life of the link")).to_contain_text("Expires")
    page.get_by_role("link", name="Withdraw…").press("Enter")
    expect(page.get_by_role("radio", name="It went to the wrong person")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Withdraw the invitation").press("Enter")
    expect(page.get_by_role("list", name="The life of the link")).to_contain_text("It went to the wrong person.")
    assert clinic.status(who) == "Not Enrolled"
