"""An administrator sets a portal status and undoes an opt-out; the front desk's next trigger goes the way of it."""

import json
from collections.abc import Callable

import pytest
from browser.axe import moves_sideways
from browser.clinic import COMPLETE, Clinic, fhir
from browser.people import Patient, Staff
from playwright.sync_api import Page, expect


@pytest.fixture
def alice(desk: Callable[..., Page], clinic: Clinic) -> Staff:
    return Staff(desk("alice"), clinic)


@pytest.fixture
def adam(desk: Callable[..., Page]) -> Page:
    return desk("adam")


def open_patient(page: Page, patient: str) -> None:
    page.goto("/admin/people")
    page.get_by_role("navigation", name="Admin").get_by_role("link", name="Portal status").click()
    page.get_by_role("textbox", name="Patient, by id").fill(patient)
    page.get_by_role("button", name="Show the patient").click()
    expect(page.get_by_role("heading", name=f"Patient {patient}")).to_be_visible()


def change(page: Page, act: str, reason: str, button: str | None = None, status: str = "") -> None:
    """Open the form *act*, fill it and send it."""
    page.get_by_text(f"{act}…").click()
    form = page.locator("details[open]")
    if status:
        form.get_by_role("combobox", name="Portal status").select_option(status)
    form.get_by_role("textbox", name="Why?").fill(reason)
    form.get_by_role("button", name=button or act).click()


def test_a_status_set_by_an_administrator_decides_the_next_trigger(clinic: Clinic, alice: Staff, adam: Page) -> None:
    who = clinic.add()
    open_patient(adam, who)
    words = "Her relatives wrote <b>us</b> " + "long" * 100
    change(adam, "Set another portal status", words, "Set the portal status", status="Account Deleted")
    expect(adam.get_by_text("The portal status is Account Deleted.")).to_be_visible()
    row = adam.get_by_role("row", name="Account Deleted")
    expect(row).to_contain_text(words)
    expect(row).to_contain_text("administration")
    adam.set_viewport_size({"width": 360, "height": 740})
    assert not moves_sideways(adam)
    alice.trigger(who)
    alice.expect_case("The patient's portal account was deleted.")
    assert clinic.cases(who)[0].outcome == "NothingToDo"
    assert clinic.mails(who) == []


def test_an_opt_out_by_the_patient_is_undone_when_the_patient_asks(
    clinic: Clinic, alice: Staff, adam: Page, desk: Callable[..., Page]
) -> None:
    who = clinic.add()
    clinic.trigger(who)
    clinic.settled(who)
    patient = Patient(desk(), clinic)
    patient.page.goto(f"{clinic.link(who)}/opt-out")
    patient.page.get_by_role("button", name="Stop e-mail").click()
    expect(patient.page.get_by_role("heading", name="No more e-mail to this address")).to_be_visible()
    open_patient(adam, who)
    expect(adam.get_by_role("row", name="Address opted out")).to_contain_text("patient")
    change(adam, "Undo the opt-out of the address", "Asked at the desk.")
    expect(adam.get_by_text("The opt-out was undone.")).to_be_visible()
    expect(adam.get_by_role("row", name="Address opted in")).to_contain_text("“Asked at the desk.”")
    alice.trigger(who)
    alice.in_task("Resend Invitation")
    alice.save("Resend Invitation")
    assert clinic.settled(who).outcome == "InvitationSent"
    assert len(clinic.mails(who)) == 2


def test_a_form_that_is_late_says_so_and_keeps_what_was_typed(clinic: Clinic, adam: Page) -> None:
    who = clinic.add()
    open_patient(adam, who)
    corrected = fhir(who, {**COMPLETE, "first_name": "Other"})
    clinic.enrollment.import_patients([json.dumps(corrected)])
    change(adam, "Set another portal status", "The portal says so.", "Set the portal status", status="Completed")
    expect(adam.get_by_role("alert")).to_contain_text("Somebody else changed this patient")
    expect(adam.locator("details[open]").get_by_role("textbox", name="Why?")).to_have_value("The portal says so.")
    adam.get_by_role("button", name="Set the portal status").click()
    expect(adam.get_by_text("The portal status is Completed.")).to_be_visible()
    assert clinic.status(who) == "Completed"
