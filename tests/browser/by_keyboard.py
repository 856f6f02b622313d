"""The workbench by keyboard alone: nothing here uses the mouse."""

from __future__ import annotations

from browser.clinic import Clinic
from playwright.sync_api import Locator, Page, expect

#: Letters that are further apart begin another word.
LETTERS_MS = 1500


def tab_to(page: Page, target: Locator, *, most: int = 120) -> None:
    """Move the focus to *target* as the keyboard does; fails where it cannot be reached."""
    target.wait_for()
    for _ in range(most):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by the keyboard: {target}")


def write(page: Page, target: Locator, text: str) -> None:
    tab_to(page, target)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def press(page: Page, target: Locator) -> None:
    tab_to(page, target)
    page.keyboard.press("Enter")


def follow(page: Page, target: Locator) -> None:
    """Press a link or a button that leads to another page, and wait until that is ready."""
    tab_to(page, target)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_selector("body[data-ready]")


def choose(page: Page, target: Locator, label: str) -> None:
    """Choose an option of a list by its first letters; a machine may be too slow to take them as one word."""
    for _ in range(3):
        tab_to(page, target)
        page.keyboard.type(label)
        if target.locator("option:checked").inner_text().strip() == label:
            break
        page.wait_for_timeout(LETTERS_MS)
    expect(target.locator("option:checked")).to_have_text(label)


def append_step(page: Page, kind: str) -> str:
    """Add the next step from the panel; answers the id of the new element."""
    choose(page, page.get_by_label("Add the next step"), kind)
    before = page.locator(".props header code").inner_text()
    press(page, page.locator("[data-field=append] button"))
    expect(page.locator(".props header code")).not_to_have_text(before)
    return page.locator(".props header code").inner_text()


def put_step(page: Page, source: str, kind: str) -> str:
    """Put a step on the only flow out of *source*; answers the id of the new element."""
    focus(page, source)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    choose(page, page.get_by_label("Put a step here"), kind)
    before = page.locator(".props header code").inner_text()
    press(page, page.locator("[data-field=insert] button"))
    expect(page.locator(".props header code")).not_to_have_text(before)
    return page.locator(".props header code").inner_text()


def focus(page: Page, element: str) -> None:
    """Move to the line of *element* in the list of elements."""
    target = page.locator(f"[data-outline] [data-element={element}]")
    tab_to(page, page.locator("[data-outline] button:not([tabindex='-1'])").first)
    page.keyboard.press("Home")
    for _ in range(60):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"not reached by the keyboard: {element}")


def show(page: Page, element: str) -> None:
    """Open the properties of *element* from the list of elements."""
    focus(page, element)
    page.keyboard.press("Enter")
    expect(page.locator(".props header code")).to_have_text(element)


def keep(page: Page) -> None:
    """Save by the keyboard."""
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved][data-state=saved]")).to_contain_text("saved")


def deploy(page: Page, clinic: Clinic, note: str, process: str = "enrollment") -> None:
    """From a page of the workbench: accept the examples that take another way now, and deploy."""
    number = next((version.number for version in clinic.enrollment.engine.versions.all(process)), 0) + 1
    follow(page, page.get_by_role("navigation", name="Workbench").get_by_role("link", name="Deploy"))
    accept = page.get_by_role("button", name="right now")
    if accept.count():
        follow(page, accept.last)
    expect(page.locator(".dep-lede")).to_contain_text(f"Nothing stands in the way of v{number}.")
    write(page, page.get_by_label("What changed, and why"), note)
    press(page, page.get_by_role("button", name=f"Deploy v{number}"))
    expect(page.get_by_role("status").first).to_contain_text(f"v{number} is in force")
