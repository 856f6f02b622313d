"""Completion where an expression stands: names, fields and words of our language, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

from browser.analyst import drawn, opened, saved, select
from browser.clinic import Clinic
from browser.scenes_workbench import TABLE, draft
from playwright.sync_api import Locator, Page, expect
from usher_engine import Engine


def _options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Completion").get_by_role("option")


def test_an_expression_is_completed_by_keyboard(engine: Engine, ana: Page, accessible: Callable) -> None:
    opened(ana, "/processes/enrollment/edit#Flow_status_pending")
    condition = ana.locator("#p-condition")
    condition.fill("")
    ana.keyboard.type("u")
    expect(_options(ana)).to_have_count(0)  # one letter says nothing yet
    ana.keyboard.type("p")
    expect(_options(ana).first).to_contain_text("Update Now")
    expect(condition).to_have_attribute("aria-activedescendant", "p-condition-completion-0")
    accessible(ana)
    ana.keyboard.press("Enter")
    expect(condition).to_have_value("update")
    expect(_options(ana)).to_have_count(0)
    ana.keyboard.type(".")
    expect(_options(ana).first).to_contain_text("first_name")
    expect(ana.locator("[data-completion-said]")).to_have_text("7 fields")
    ana.keyboard.press("ArrowDown")
    ana.keyboard.press("Tab")
    expect(condition).to_have_value("update.last_name")
    expect(condition).to_be_focused()
    ana.keyboard.type(' == "up')  # inside a text nothing is offered
    expect(_options(ana)).to_have_count(0)
    ana.keyboard.type('" and le')
    ana.keyboard.press("Enter")
    ana.keyboard.type("explan")
    expect(_options(ana)).to_have_count(1)
    ana.keyboard.press("Escape")  # closes the list, the field keeps the focus
    expect(condition).to_have_value('update.last_name == "up" and len(explan)')
    expect(condition).to_be_focused()
    ana.keyboard.press("Escape")
    expect(ana.locator("[data-outline] [data-element=Flow_status_pending]")).to_be_focused()
    saved(ana)
    assert 'update.last_name == "up" and len(explan)' in drawn(engine)


def test_asked_for_by_key_it_offers_names_then_functions(engine: Engine, ana: Page) -> None:
    opened(ana, "/processes/enrollment/edit#Flow_status_pending")
    ana.locator("#p-condition").fill("")
    ana.keyboard.press("Control+Space")
    expect(_options(ana).filter(has_text="Load patient")).to_have_count(1)
    expect(_options(ana).filter(has_text="today()")).to_have_count(0)
    ana.keyboard.press("Control+Space")
    expect(_options(ana).filter(has_text="today()")).to_have_count(1)
    ana.keyboard.press("Escape")
    expect(_options(ana)).to_have_count(0)


def test_a_message_is_completed_inside_braces_only(engine: Engine, ana: Page) -> None:
    opened(ana)
    message = select(ana, "UpdateNow").get_by_label("Message to staff")
    message.fill("")
    ana.keyboard.type("Update ")
    expect(_options(ana)).to_have_count(0)
    ana.keyboard.type("{{ pati")
    ana.keyboard.press("Enter")
    expect(message).to_have_value("Update {{ patient")
    ana.keyboard.type(" }} up")
    expect(_options(ana)).to_have_count(0)


def test_a_name_is_offered_as_soon_as_a_step_sets_it(engine: Engine, ana: Page) -> None:
    opened(ana)
    with ana.expect_response("**/draft/check"):
        select(ana, "SavePatient").get_by_label("Name of the result").fill("kept_record")
    condition = select(ana, "Flow_status_pending").locator("#p-condition")
    condition.fill("")
    ana.keyboard.type("kept")
    expect(_options(ana).first).to_contain_text("kept_record")


def test_a_cell_is_completed_with_names_and_fields(clinic: Clinic, engine: Engine, ana: Page) -> None:
    draft(clinic, **{"reminder.dmn": TABLE})
    opened(ana, "/processes/enrollment/files/reminder.dmn")
    ana.locator("td.output-cell").first.click()
    ana.keyboard.press("Control+a")
    ana.keyboard.type("up")
    offered = ana.locator(".cm-tooltip-autocomplete li")
    expect(offered.first).to_contain_text("Update Now")
    ana.wait_for_timeout(150)  # the editor takes no key for a list that has only just opened
    ana.keyboard.press("Enter")
    ana.keyboard.type(".")
    expect(offered.filter(has_text="zip_code")).to_have_count(1)
