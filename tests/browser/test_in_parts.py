"""Some changes of a draft are undone and the others stay; two people's changes of one form or table go together."""

from __future__ import annotations

import json
from collections.abc import Callable

from browser.analyst import drawn, opened, saved, select
from browser.clinic import Clinic
from browser.drawing import crossed, faults
from browser.scenes_workbench import ABE, TABLE, draft
from playwright.sync_api import Page, expect
from usher_engine import Engine

FORM = "update-now.form"


def theirs(engine: Engine, path: str, old: str, new: str) -> None:
    """A colleague saves one change of a file."""
    text = engine.drafts.package("enrollment").text(path)
    assert old in text
    seen = engine.drafts.find("enrollment").file(path)
    assert seen
    changed = text.replace(old, new, 1).encode()
    engine.drafts.save_file("enrollment", path, changed, etag=seen.etag, actor=ABE)


def test_only_some_changes_are_undone(engine: Engine, desk: Callable, day_and_night: Callable) -> None:
    """A step that was added goes, with its line and its place in the lane; a new name stays."""
    ana = opened(desk("ana", reduced_motion="reduce"))
    select(ana, "SavePatient").get_by_role("button", name="→ Check mandatory fields").click()
    ana.get_by_label("Put a step here").select_option(label="User task")
    ana.locator("[data-field=insert] button").click()
    expect(ana.locator(".props header p")).to_contain_text("User task")
    ana.get_by_label("Name", exact=True).fill("Call the patient")
    select(ana, "EnrollNow").get_by_label("Name", exact=True).fill("Enrol Again")
    saved(ana)
    lines = drawn(engine).count("<bpmndi:BPMNEdge")
    ana.goto("/processes/enrollment/history")
    ana.get_by_role("link", name="The draft began").click()
    ana.wait_for_selector("body[data-ready]")
    ana.get_by_text("Take only some…").click()
    expect(ana.get_by_label("Enrol Again: name")).not_to_be_checked()
    ana.get_by_label("Call the patient added").check()
    day_and_night(ana, "history-some")
    with ana.expect_navigation():
        ana.get_by_role("button", name="Undo these changes").click()
    expect(ana.locator(".flash, [data-flash], .notice").first).to_be_visible()
    text = drawn(engine)
    assert "Call the patient" not in text
    assert "Enrol Again" in text
    assert text.count("<bpmndi:BPMNEdge") == lines - 1
    assert (faults(text), crossed(text)) == ([], [])
    opened(ana)  # and it can be drawn on
    expect(ana.locator("[data-unread]")).to_have_count(0)


def test_two_people_s_fields_of_one_form_go_together(engine: Engine, ana: Page) -> None:
    opened(ana, f"/processes/enrollment/files/{FORM}")
    fields = json.loads(engine.drafts.package("enrollment").text(FORM))["components"]
    first, second = [one["label"] for one in fields if one["type"] == "textfield"][:2]
    theirs(engine, FORM, f'"label": "{first}"', '"label": "Given name"')
    ana.locator(".fjs-element", has_text=second).last.click()
    ana.locator(".bio-properties-panel-group-header", has_text="General").click()
    ana.get_by_label("Field label").fill("Family name")
    expect(ana.locator("[data-saved]")).to_contain_text("merged with abe")
    expect(ana.locator(".fjs-editor-container")).to_contain_text("Given name")
    text = engine.drafts.package("enrollment").text(FORM)
    assert "Given name" in text
    assert "Family name" in text


def test_two_people_s_rows_of_one_table_go_together(clinic: Clinic, engine: Engine, ana: Page) -> None:
    row = b"""<rule id="r2"><inputEntry id="e2"><text>-</text></inputEntry>
      <outputEntry id="x2"><text>7</text></outputEntry></rule>"""
    draft(clinic, **{"reminder.dmn": TABLE.replace(b"</decisionTable>", row + b"</decisionTable>")})
    opened(ana, "/processes/enrollment/files/reminder.dmn")
    theirs(engine, "reminder.dmn", "<text>7</text>", "<text>8</text>")
    ana.locator("td.output-cell").first.click()
    ana.keyboard.press("Control+a")
    ana.keyboard.type("21")
    expect(ana.locator("[data-saved]")).to_contain_text("merged with abe")
    expect(ana.locator("td.output-cell", has_text="8")).to_have_count(1)
    text = engine.drafts.package("enrollment").text("reminder.dmn")
    assert "<text>21</text>" in text
    assert "<text>8</text>" in text
