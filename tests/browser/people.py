"""What people do in the product, click by click: staff at the desk, a patient with the link in the mail."""

from __future__ import annotations

import re
from urllib.parse import quote_plus

from browser.clinic import Clinic
from playwright.sync_api import Locator, Page, expect

#: Where a trigger leads.
ONWARD = re.compile(r"/(inbox|cases)/[^/?#]+([?#].*)?$")
TASK = re.compile(r"/inbox/[^/?]+")
CASE = re.compile(r"/cases/[^/?]+")

#: Where the form of a task says what has become of what is typed into it.
KEPT = "form[data-task-form] [data-saved]"


class Staff:
    """A person at the front desk."""

    def __init__(self, page: Page, clinic: Clinic) -> None:
        self.page = page
        self.clinic = clinic

    def find(self, patient: str) -> None:
        """From the search in the bar to the patient's page; a whole record number leads straight there."""
        self.page.goto("/inbox")
        self.page.get_by_role("searchbox").fill(patient)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        expect(self.page.locator("dd.num").first).to_have_text(patient)

    def find_and_trigger(self, patient: str, template: str = "Office Visit", field: str = "Patient Portal") -> None:
        """The whole way: find the patient, open the template, select the trigger on its field."""
        self.clinic.clock.forward(minutes=1)  # so that the patient's cases have an order
        self.find(patient)
        with self.page.expect_navigation():
            self.page.get_by_role("main").get_by_role("link", name=template).click()
        self.select(field)
        self.page.wait_for_url(ONWARD)

    def trigger(self, patient: str, template: str = "Office Visit", field: str = "Patient Portal") -> None:
        """Select the trigger on a field of a template that is open for the patient."""
        self.clinic.clock.forward(minutes=1)
        self.open_template(patient, template)
        self.select(field)
        self.page.wait_for_url(ONWARD)

    def open_template(self, patient: str, template: str = "Office Visit") -> None:
        self.page.goto(f"/patients/{patient}/template?name={quote_plus(template)}")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(template)

    def select(self, field: str) -> None:
        self.page.get_by_role("row", name=field).get_by_role("button", name="Enrollment").click()

    def in_task(self, title: str) -> Locator:
        """The open task, which must be this one."""
        expect(self.page).to_have_url(TASK)
        expect(self.page.get_by_role("heading", name=title, level=2)).to_be_visible()
        return self.page.get_by_role("article", name=title)

    def message(self) -> Locator:
        """The message of the open task."""
        return self.page.get_by_role("article").get_by_role("status").filter(has=self.page.locator(".say"))

    def claim(self, title: str) -> None:
        """Press the button the task is named after; it opens the form."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=title, exact=True).click()
        expect(self.page.get_by_text("claimed by you")).to_be_visible()

    def save(self, button: str) -> None:
        """Press a button that sends a form; the page that answers is there when this returns, with its scripts."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button).click()

    def expect_done(self, words: str) -> None:
        """A line above the next task says what was done."""
        expect(self.page.locator(".strip").filter(has_text=words).first).to_be_visible()

    def open_case(self, patient: str) -> None:
        self.page.goto(f"/cases/{self.clinic.cases(patient)[0].id}")

    def expect_case(self, words: str) -> None:
        """The page of a case, with this as its first notice."""
        expect(self.page).to_have_url(CASE)
        expect(self.page.locator(".notice .say").first).to_contain_text(words)

    def expect_story(self, words: str) -> None:
        """The story of the case contains this."""
        expect(self.page.locator(".steps")).to_contain_text(words, ignore_case=True)


class Patient:
    """A patient who opens the link in the mail."""

    def __init__(self, page: Page, clinic: Clinic) -> None:
        self.page = page
        self.clinic = clinic

    def open(self, link: str) -> None:
        self.page.goto(link)

    def identify(self, zip_code: str, birth_date: str) -> None:
        self.page.get_by_label("ZIP code").fill(zip_code)
        year, month, day = birth_date.split("-")
        for label, typed in (("Month", month), ("Day", day), ("Year", year)):
            self.page.get_by_role("textbox", name=label).fill(typed)
        with self.page.expect_navigation():  # a second try looks like the first one
            self.page.get_by_role("button", name="Continue").click()

    def enter(self, patient: str) -> None:
        """Open the newest link of *patient* and say who they are."""
        known = self.clinic.fields(patient)
        self.open(self.clinic.link(patient))
        self.identify(known["zip_code"], known["birth_date"])
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("Would you like")

    def answer(self, choice: str, until: str = "") -> None:
        """Send an answer: “Yes”, “Not now” or “No, ”."""
        self.page.get_by_role("radio", name=re.compile(f"^{choice}")).check()
        if until:
            self.page.get_by_label("Not before").fill(until)
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Send my answer").click()

    def expect_thanks(self, words: str) -> None:
        """The page about the answer that was given."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(words)

    def expect_dead(self, link: str, words: str) -> None:
        answer = self.page.goto(link)
        assert answer is not None and answer.status == 200
        expect(self.page.get_by_role("heading", name=words)).to_be_visible()
