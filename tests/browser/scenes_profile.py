"""A person's profile in every state worth looking at; the scenes of `scenes` go on here."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from browser.clinic import Clinic
from browser.scenes import BOB, Stage, plain, scene
from playwright.sync_api import Page
from usher_engine import Actor
from usher_engine.accounts import StaffProfiles, Substitutes

PROFILE = "/profile"


def confirmation(page: Page, clinic: Clinic, address: str) -> str:
    """Ask for the confirmation mail of *address* on the profile; answers the link in it."""
    page.goto(PROFILE)
    page.get_by_label("address", exact=False).fill(address)
    page.get_by_role("button", name="Send the confirmation mail").click()
    page.get_by_role("status").filter(has_text="on its way").wait_for()
    body = clinic.postbox.to(address)[0].text
    found = re.search(r"/profile/email/[\w-]+(?=\s)", body)
    assert found is not None, body
    return found.group()


def confirm(page: Page, clinic: Clinic, address: str) -> None:
    """Confirm *address* as the one of whoever is signed in."""
    page.goto(confirmation(page, clinic, address))
    page.get_by_role("button", name="Confirm the address").click()
    page.get_by_text("from now on").wait_for()


plain("profile", PROFILE, "alice")


@scene("profile-wrong", "ana", path=PROFILE)
def _(page: Page, stage: Stage) -> None:
    page.goto(PROFILE)
    page.get_by_label("Name that colleagues see").fill("bob")
    with page.expect_navigation():
        page.get_by_role("button", name="Save the name").click()


@scene("profile-full", "audrey", path=PROFILE)
def _(page: Page, stage: Stage) -> None:
    confirm(page, stage.clinic, "audrey@clinic.example.org")
    confirmation(page, stage.clinic, "audrey.auditor@clinic.example.org")


@scene("profile-confirm", "adam", path=f"{PROFILE}/email/x")
def _(page: Page, stage: Stage) -> None:
    page.goto(confirmation(page, stage.clinic, "adam@clinic.example.org"))


@scene("profile-digest-off", "alice", path=f"{PROFILE}/digest/x")
def _(page: Page, stage: Stage) -> None:
    """The link in a mail of the morning, as whoever is signed in opens it."""
    clinic = stage.clinic
    choices, alice = clinic.enrollment.digests.choices, Actor(name="alice", role="staff")
    StaffProfiles(clinic.accounts.database, clinic.accounts.clock).take_over_address(
        "alice", "alice@clinic.example.org", actor=alice
    )
    choices.turn_on("alice", actor=alice)
    due = choices.take_next(clinic.enrollment.engine.settings.calendar.day_of(clinic.accounts.clock()))
    assert due is not None
    page.goto(f"{PROFILE}/digest/{due.off}")
    page.get_by_role("button", name="Stop them").wait_for()
    choices.turn_off("alice", actor=alice)


plain("profile-late", f"{PROFILE}/email/x", "bob")


def away(stage: Stage) -> None:
    """Alice is away from today on, and bob stands in; both have that once only."""
    accounts = stage.clinic.accounts
    substitutes = Substitutes(accounts.database, accounts.clock, accounts.calendar)
    if not substitutes.of("alice"):
        today = accounts.calendar.day_of(accounts.clock())
        alice = replace(BOB, name="alice")
        substitutes.name("alice", "bob", first=today, last=today + timedelta(days=9), groups=(), actor=alice)


@scene("profile-away", "alice", path=PROFILE)
def _(page: Page, stage: Stage) -> None:
    away(stage)
    page.goto(PROFILE)


@scene("person-away", "adam", path="/admin/people/alice")
def _(page: Page, stage: Stage) -> None:
    away(stage)
    page.goto("/admin/people/alice")


@scene("task-stood-in", "bob", path="/inbox/{task:mine}")
def _(page: Page, stage: Stage) -> None:
    away(stage)
    page.goto(stage.filled("/inbox/{task:mine}?view=for:alice"))
    page.get_by_text("for whom you stand in").wait_for()


plain("workload", "/workload", "adam")


@scene("assign-away", "bob")
def _(page: Page, stage: Stage) -> None:
    away(stage)
    page.goto(stage.filled("/inbox/{task:free}"))
    page.get_by_text("Assign, due date, later…").click()
    page.get_by_label("Give it to").select_option("alice")
    with page.expect_navigation():
        page.get_by_role("button", name="Assign", exact=True).click()
