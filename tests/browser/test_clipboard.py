"""What is copied in one diagram is pasted into another, with all that Usher keeps with it."""

from __future__ import annotations

from browser.analyst import opened, saved, select
from browser.clinic import Clinic
from browser.scenes_workbench import fresh
from conftest import ROOT
from playwright.sync_api import Page, expect
from usher_engine import Engine
from usher_engine.bpmn import schema_problems
from usher_engine.definitions import parse_xml, read_folder


def test_a_task_is_pasted_into_another_diagram(clinic: Clinic, engine: Engine, ana: Page) -> None:
    package = read_folder(ROOT / "tests" / "processes" / "loop")
    fresh(clinic, package.key, package)
    opened(ana)
    select(ana, "UpdateNow")
    ana.locator("[data-canvas] svg[tabindex]").focus()
    ana.keyboard.press("Control+c")
    opened(ana, f"/processes/{package.key}/edit")
    before = ana.locator("[data-outline] [data-element]").count()
    ana.locator("[data-canvas] svg[tabindex]").focus()
    ana.keyboard.press("Control+v")
    ana.locator("[data-canvas] svg[tabindex]").click(position={"x": 420, "y": 360})
    pasted = ana.locator("[data-outline] button", has_text="Update Now").first
    expect(pasted).to_be_visible()
    assert ana.locator("[data-outline] [data-element]").count() > before
    saved(ana)
    file = next(path for path in package.diagrams() if f'id="{package.key}"' in package.text(path))
    text = engine.drafts.package(package.key).text(file)
    assert 'name="form" value="update-now.form"' in text
    assert "instructionsForEndUser" in text
    assert schema_problems(parse_xml(text.encode(), file)) == []
