"""The Start page in every state worth looking at; the scenes of `scenes` go on here."""

from __future__ import annotations

from browser.scenes import Stage, scene
from conftest import package
from playwright.sync_api import Page, expect
from usher_engine import SYSTEM, NotFound

PLACE = "/start/room_booking"


def booking(page: Page, stage: Stage, path: str = PLACE) -> None:
    """Open the Start page of a clinic where rooms are booked."""
    engine = stage.clinic.enrollment.engine
    try:
        engine.versions.package("room_booking")
    except NotFound:
        engine.deploy(package("room_booking"), actor=SYSTEM)
    page.goto(path)
    page.wait_for_selector("body[data-ready]")


def ask(page: Page, stage: Stage) -> None:
    """Ask for a room that nobody has asked for."""
    booking(page, stage)
    stage.clinic.patients += 1
    page.get_by_role("textbox", name="Room").fill(f"Room {stage.clinic.patients}")
    page.get_by_role("textbox", name="Day").fill("2026-06-01")
    page.get_by_role("button", name="Ask for the room").click()
    expect(page.get_by_text("was started.")).to_be_visible()


@scene("start", "alice", path="/start")
def _(page: Page, stage: Stage) -> None:
    booking(page, stage, "/start")


@scene("start-nothing", "adam", path="/start")
def _(page: Page, stage: Stage) -> None:
    booking(page, stage, "/start")


@scene("start-form", "alice", path=PLACE)
def _(page: Page, stage: Stage) -> None:
    booking(page, stage)


@scene("start-wrong", "alice", path=PLACE)
def _(page: Page, stage: Stage) -> None:
    booking(page, stage)
    page.get_by_label("People").fill("many")
    page.get_by_role("button", name="Ask for the room").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()


@scene("start-started", "alice", "ana", path=PLACE)
def _(page: Page, stage: Stage) -> None:
    ask(page, stage)


@scene("start-twice", "alice", path=PLACE)
def _(page: Page, stage: Stage) -> None:
    ask(page, stage)
    page.get_by_role("textbox", name="Room").fill(f"Room {stage.clinic.patients}")
    page.get_by_role("textbox", name="Day").fill("2026-06-01")
    page.get_by_role("button", name="Ask for the room").click()
    expect(page.get_by_text("This was started already")).to_be_visible()
