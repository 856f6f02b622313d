"""What an analyst does in the workbench, click by click."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect
from usher_engine import Engine

EDIT = "/processes/enrollment/edit"


def opened(page: Page, path: str = EDIT) -> Page:
    page.goto(path)
    page.wait_for_selector("body[data-ready]")
    return page


def select(page: Page, element: str) -> Locator:
    """Open the properties of *element* from the list of elements."""
    page.locator(f"[data-outline] [data-element={element}]").click()
    expect(page.locator(".props header code")).to_have_text(element)
    return page.locator("[data-properties]")


def saved(page: Page) -> None:
    """Save at once, and wait until the server has it."""
    page.locator("[data-do=save]").click()
    expect(page.locator("[data-saved][data-state=saved]")).to_contain_text("saved")


def drawn(engine: Engine) -> str:
    return engine.drafts.package("enrollment").text("enrollment.bpmn")
