"""No rule of ours reaches into what bpmn-js, dmn-js and form-js draw: asked of their live elements, with menus open."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable

import pytest
from browser.analyst import opened
from browser.clinic import Clinic
from browser.scenes_workbench import TABLE, draft, fresh
from conftest import ROOT
from playwright.sync_api import Page, expect

SOURCES = ROOT / "web/ui/src"

#: Every selector of usher.css that matches an element inside a guest, or one that a guest put beside our frame.
REACHES_IN = """() => {
    const ours = ".sprite, .skip, .frame, .sr, dialog, script, template";
    const strangers = [...document.body.children].filter(one => !one.matches(ours));
    const inside = [".guest", ...strangers].flatMap(one => one === ".guest"
        ? [...document.querySelectorAll(".guest *")] : [one, ...one.querySelectorAll("*")]);
    const rules = of => [...of.cssRules].flatMap(one => one.selectorText ? [one] : one.cssRules ? rules(one) : []);
    const sheets = [...document.styleSheets].filter(sheet => sheet.href?.includes("/usher.css"));
    const selectors = sheets.flatMap(rules).map(rule => rule.selectorText);
    if (inside.length < 20 || selectors.length < 500) return [`${inside.length} elements, ${selectors.length} rules`];
    const state = /:(hover|active|focus-visible|focus-within|focus|checked|disabled|invalid|placeholder-shown)/g;
    const plain = text => text.replace(/::[\\w-]+(\\([^)]*\\))?/g, "").replace(state, ":not(no-such)");
    return selectors.filter(text => inside.some(one => one.matches(plain(text))));
}"""

#: Selectors of our own sheet for an editor that match inside it although no class of the editor stands in them.
UNNAMED = """text => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text.replace(/@import [^;]+;/g, ""));
    const rules = list => [...list].flatMap(one => one.selectorText ? [one] : one.cssRules ? rules(one.cssRules) : []);
    const inside = [...document.querySelectorAll(".guest *")].filter(one => !one.closest(".djs-overlay"));
    const theirs = /\\.(djs|bjs|bio|fjs|dmn|dms|tjs|cm|decision|input-|output-|context-menu|powered)[\\w-]*/;
    const parts = text => text.split(/,(?![^(]*\\))/).map(one => one.replace(/::[\\w-]+/g, ""));
    return rules(sheet.cssRules).flatMap(rule => parts(rule.selectorText)).filter(text =>
        !theirs.test(text) && inside.some(one => one.matches(text)));
}"""


@pytest.fixture
def untouched() -> Callable[[Page, str], None]:
    def check(page: Page, sheet: str) -> None:
        assert page.evaluate(REACHES_IN) == []
        assert page.evaluate(UNNAMED, (SOURCES / sheet).read_text()) == []

    return check


def test_no_rule_of_ours_reaches_into_the_diagram_editor(engine, ana: Page, untouched) -> None:
    ana.set_viewport_size({"width": 1280, "height": 900})
    opened(ana, "/processes/enrollment/edit#ResendInvitation")
    pad = ana.locator(".djs-context-pad.open")
    expect(pad).to_be_visible()
    assert pad.bounding_box()["height"] < 130  # three columns, as bpmn-js draws it
    pad.locator("[data-action=replace]").click()
    menu = ana.locator(".djs-popup")
    expect(menu).to_be_visible()
    box = menu.bounding_box()
    assert box["y"] + box["height"] <= 900
    untouched(ana, "modeler.css")
    ana.keyboard.press("Escape")
    ana.keyboard.press("Control+f")
    expect(ana.locator(".djs-search-container")).to_be_visible()
    untouched(ana, "modeler.css")
    ana.keyboard.press("Escape")
    ana.locator("[data-element-id=LoadPatient]").dblclick()
    expect(ana.locator(".djs-direct-editing-content")).to_be_visible()
    untouched(ana, "modeler.css")


def test_no_rule_of_ours_reaches_into_the_form_editor(engine, ana: Page, untouched) -> None:
    opened(ana, "/processes/enrollment/files/update-now.form")
    ana.locator(".fjs-form-field").nth(1).click()
    headers = ana.locator(".bio-properties-panel-group-header")
    expect(headers.filter(has_text="Validation")).to_be_visible()  # of the field, no longer of the form
    for header in headers.all():
        header.click()
    expect(ana.locator(".bio-properties-panel-group-header.open").first).to_be_visible()
    untouched(ana, "form-editor.css")


def test_no_rule_of_ours_reaches_into_the_table_editor(clinic: Clinic, engine, ana: Page, untouched) -> None:
    draft(clinic, **{"reminder.dmn": TABLE})
    opened(ana, "/processes/enrollment/files/reminder.dmn")
    ana.locator("th.input-cell").first.dblclick()
    ana.locator(".type-ref-edit-select").click()
    expect(ana.locator(".dms-select-options .option").first).to_be_visible()
    untouched(ana, "decision-editor.css")
    ana.keyboard.press("Escape")
    ana.locator("td.output-cell").first.click(button="right")
    expect(ana.locator(".context-menu")).to_be_visible()
    untouched(ana, "decision-editor.css")


def test_no_rule_of_ours_reaches_into_a_diagram_that_is_only_shown(clinic: Clinic, engine, ana: Page) -> None:
    fresh(clinic)
    opened(ana, "/processes/enrollment")
    expect(ana.locator("[data-diagram] .djs-shape").first).to_be_visible()
    assert ana.evaluate(REACHES_IN) == []


PLAIN = r"""@font-face{font-family:A}a:is(b,c)>d,e:before{content:"\"},{"}@media (width>1px){f[x='"{']::marker{g:h}}"""
GUARDED = (
    r"""@font-face{font-family:A}a:is(b,c)>d#,e#:before{content:"\"},{"}@media (width>1px){f[x='"{']#::marker{g:h}}"""
)
MOTION = "@keyframes j{to{k:l}}"


def test_a_guarded_sheet_keeps_its_rules() -> None:
    """The guard stands before pseudo-elements, outside strings and brackets, and not on frames of motion or fonts."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node on this machine")
    assert _guarded(node, PLAIN + MOTION) == GUARDED.replace("#", ":where(:not(.guest *))") + MOTION


def _guarded(node: str, css: str) -> str:
    module, text = json.dumps(str(ROOT / "web/ui/guests.mjs")), json.dumps(css)
    script = f"import {{guarded}} from {module}; process.stdout.write(guarded({text}))"
    done = subprocess.run([node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    return done.stdout
