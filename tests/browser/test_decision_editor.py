"""The decision-table editor by mouse: types and policies that Usher knows, and completion in Usher's own language."""

from __future__ import annotations

from browser.analyst import opened
from browser.clinic import Clinic
from browser.scenes_workbench import TABLE, draft
from playwright.sync_api import Page, expect
from usher_engine import Engine
from usher_engine.dmn import OFFERED_TYPES

PAGE = "/processes/enrollment/files/reminder.dmn"


def test_type_and_hit_policy_are_chosen_with_the_mouse(clinic: Clinic, engine: Engine, ana: Page) -> None:
    draft(clinic, **{"reminder.dmn": TABLE})
    opened(ana, PAGE)
    ana.locator("th.input-cell").first.dblclick()
    ana.locator(".type-ref-edit-select").click()
    options = ana.locator(".dms-select-options .option")
    expect(options).to_have_text(list(OFFERED_TYPES))
    options.get_by_text("number", exact=True).click()
    expect(ana.locator(".type-ref-edit-select input")).to_have_value("number")
    ana.keyboard.press("Escape")
    ana.locator(".hit-policy-edit-policy-select").click()
    options.get_by_text("Any", exact=True).click()
    ana.keyboard.press("Control+s")
    expect(ana.locator("[data-saved][data-state=saved]")).to_contain_text("saved")
    saved = engine.drafts.package("enrollment").text("reminder.dmn")
    assert 'typeRef="number"><text>status' in "".join(line.strip() for line in saved.splitlines())
    assert 'hitPolicy="ANY"' in saved


def test_a_cell_is_completed_with_the_words_of_our_language(clinic: Clinic, engine: Engine, ana: Page) -> None:
    draft(clinic, **{"reminder.dmn": TABLE})
    opened(ana, PAGE)
    ana.locator("td.output-cell").first.click()
    ana.keyboard.press("Control+a")
    ana.keyboard.type("so")
    offered = ana.locator(".cm-tooltip-autocomplete li")
    expect(offered).to_have_count(1)  # not `some … satisfies`, and none of FEEL's functions
    expect(offered).to_contain_text("sorted(…)")
    ana.wait_for_timeout(150)  # the editor takes no key for a list that has only just opened
    ana.keyboard.press("Enter")
    ana.keyboard.type("labels")
    ana.keyboard.press("Control+s")
    expect(ana.locator("[data-saved][data-state=saved]")).to_contain_text("saved")
    assert "<text>sorted(labels)</text>" in engine.drafts.package("enrollment").text("reminder.dmn")
