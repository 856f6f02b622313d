"""The front desk finds a patient however the name is spelled, and is asked which of two who look alike is meant."""

from collections.abc import Callable
from typing import Any

import pytest
from browser.clinic import Clinic
from playwright.sync_api import Page, expect

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


def record(number: str) -> dict[str, Any]:
    return {"identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": number}]}


@pytest.fixture(scope="module")
def twins(clinic: Clinic) -> tuple[str, str]:
    """Two patients of one name and birth date, others of names like theirs, and a value in two ways."""
    same = {"first_name": "Alex", "last_name": "Twin", "birth_date": "2000-02-29"}
    one = clinic.add(**same, resource=record("100-2041"), zip_code="97201")
    other = clinic.add("Pending", **same, resource=record("100-2042"), zip_code="97103")
    clinic.add("Completed", first_name="Álex", last_name="Twïn-Example", birth_date="1988-02-29")
    clinic.add("Declined", first_name="Alexandra", last_name="O’Twin", birth_date="1996-02-29")
    clinic.add(first_name="Alex", last_name="Twin", birth_date="1990-02-28", resource={"active": False})
    clinic.add(first_name="Maximiliana-Alexandra-Theodora", last_name="Twin" + "wolkenstein" * 8)
    with clinic.enrollment.engine.database.begin() as tx:
        now = clinic.clock()
        clinic.enrollment.registry.update(tx, one, {"email": "right@example.org"}, by="alice", now=now)
    return one, other


def look(page: Page, name: str, day_and_night: Callable[[Page, str], None]) -> None:
    for kind, size in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(size)
        day_and_night(page, f"{name}-{kind}")
    page.set_viewport_size(DESKTOP)


def test_found_by_keyboard_and_told_apart(
    twins: tuple[str, str], clinic: Clinic, desk: Callable[..., Page], day_and_night: Callable[[Page, str], None]
) -> None:
    one, other = twins
    page = desk("alice", reduced_motion="reduce")
    page.goto("/patients")
    page.get_by_label("Find a patient").fill("twin, alex 29 feb")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("4 patients match")
    first = page.locator(".hit").first
    expect(first).to_contain_text("2 look alike")
    expect(first.locator("mark").first).to_have_text("Alex")
    expect(page.locator(".hit mark", has_text="Twïn")).to_be_visible()
    page.wait_for_selector("body[data-ready]")
    look(page, "find", day_and_night)

    first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="100-2041")).to_be_visible()
    look(page, "patient-alike", day_and_night)
    page.get_by_role("main").get_by_role("link", name="Office Visit").click()
    page.get_by_role("row", name="Patient Portal").get_by_role("link", name="Enrollment…").click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Another Alex Twin was born on the same day.")
    look(page, "look-alike", day_and_night)
    assert clinic.cases(one) == clinic.cases(other) == []

    page.get_by_role("link", name="It is the other one").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("100-2042")
    page.get_by_role("link", name="It is the other one").click()
    page.get_by_role("button", name="Enrollment for 100-2041").click()
    clinic.until(lambda: clinic.status(one) == "Pending")
    assert len(clinic.mails(one)) == 1
    assert clinic.mails(other) == []


def test_without_a_look_alike_nothing_is_asked(clinic: Clinic, desk: Callable[..., Page]) -> None:
    who = clinic.add()
    page = desk("alice")
    page.goto(f"/patients/{who}/template?name=Office+Visit")
    page.get_by_role("row", name="Patient Portal").get_by_role("button", name="Enrollment").click()
    clinic.until(lambda: clinic.status(who) == "Pending")
    assert clinic.enrollment.engine.audit.events(kind="LookAlikeSeen", business_key=who) == []


def test_a_long_name_is_cut_and_the_record_number_is_not(twins: tuple[str, str], desk: Callable[..., Page]) -> None:
    page = desk("alice", reduced_motion="reduce")
    page.set_viewport_size(PHONE)
    page.goto("/patients?q=maximiliana")
    name, number = page.locator(".hit .who-name"), page.locator(".hit .r")
    assert name.evaluate("one => one.scrollWidth > one.clientWidth")
    assert number.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
    page.goto("/patients?q=alex+twin")
    expect(page.get_by_text("Show 1 patient that is inactive, merged or deceased")).to_be_visible()


def test_two_values_are_decided_on_a_page(
    twins: tuple[str, str], clinic: Clinic, desk: Callable[..., Page], day_and_night: Callable[[Page, str], None]
) -> None:
    one, _ = twins
    resource = dict(clinic.enrollment.patient(one).resource)
    resource["telecom"] = [{"system": "email", "value": "theirs@example.org", "use": "home"}]
    resource["address"] = [{"use": "home", "postalCode": "97209", "country": "US"}]
    clinic.imports(resource)
    page = desk("adam", reduced_motion="reduce")
    page.goto("/import-conflicts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Which value is right?")
    table = page.get_by_role("table", name="E-mail")
    expect(table).to_contain_text("right@example.org")
    expect(table).to_contain_text("theirs@example.org")
    look(page, "two-values", day_and_night)
    page.get_by_role("button", name="Keep the record’s E-mail").click()
    expect(page.locator(".flash")).to_contain_text("The value in the record stays.")
    assert clinic.fields(one)["email"] == "right@example.org"
    assert clinic.fields(one)["zip_code"] == "97209"
