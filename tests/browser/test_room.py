"""Steps added by panel or keyboard make room: nothing comes to lie on anything, lanes and sub-processes grow."""

from __future__ import annotations

import random

import pytest
from browser.analyst import drawn, opened, saved, select
from browser.clinic import Clinic
from browser.drawing import faults
from browser.scenes_workbench import fresh
from conftest import ROOT
from playwright.sync_api import Page, expect
from usher_engine import Engine
from usher_engine.definitions import read_folder

#: Opens an element from the list, chooses a kind of step and presses the button; answers whether it could.
ADD = """([element, field, kind]) => {
    document.querySelector(`[data-outline] [data-element="${element}"]`)?.click();
    const choice = document.getElementById(`p-${field}`);
    const option = [...(choice?.options ?? [])].find(one => one.textContent === kind);
    if (!option) return false;
    choice.value = option.value;
    choice.parentElement.querySelector("button").click();
    return true;
}"""
LISTED = "[...document.querySelectorAll('[data-outline] [data-element]')].map(one => one.dataset.element)"
STEPS = ("User task", "Gateway, one way", "Waiting event, time", "Sub-process")
PROCESSES = ("enrollment", "error_boundary", "items_in_turn", "event_subprocess", "loop")


def test_a_step_goes_on_a_flow_without_an_id(engine: Engine, ana: Page) -> None:
    """From a task to its way on, and a step onto it, by keyboard alone; one Undo takes it back."""
    opened(ana)
    before = drawn(engine)
    line = ana.locator("[data-outline] [data-element=LoadPatient]")
    line.focus()
    ana.keyboard.press("ArrowRight")
    expect(ana.get_by_role("button", name="→ May be invited?", exact=True).first).to_be_focused()
    ana.keyboard.press("Enter")
    expect(ana.locator(".props h2")).to_have_text("Load patient → May be invited?")
    ana.get_by_label("Put a step here").focus()
    ana.keyboard.press("Tab")
    ana.keyboard.press("Enter")
    expect(ana.locator(".props h2")).to_have_text("User task after “Load patient”")
    saved(ana)
    assert faults(drawn(engine)) == []
    ana.locator("[data-do=undo]").click()
    saved(ana)
    assert drawn(engine).count("<bpmndi:BPMNShape") == before.count("<bpmndi:BPMNShape")
    way = select(ana, "SavePatient").get_by_role("button", name="→ Check mandatory fields")
    way.click()
    expect(ana.locator(".props h2")).to_have_text("Save patient → Check mandatory fields")


@pytest.mark.parametrize("name", PROCESSES)
def test_steps_anywhere_make_room(name: str, clinic: Clinic, engine: Engine, ana: Page) -> None:
    """Any step, on any flow and after any element, one after the other."""
    folder = ROOT / "processes" / name if name == "enrollment" else ROOT / "tests" / "processes" / name
    package = read_folder(folder)
    key = package.key
    fresh(clinic, key, package)
    opened(ana, f"/processes/{key}/edit")
    file = next(path for path in package.diagrams() if f'id="{key}"' in package.text(path))
    known = faults(package.text(file))
    chance = random.Random(name)
    listed = ana.evaluate(LISTED)
    for turn, element in enumerate(chance.sample(listed, min(len(listed), 24))):
        for field in ("insert", "append", "attach"):
            kind = "Time" if field == "attach" else chance.choice(STEPS)
            ana.evaluate(ADD, [element, field, kind])
        if turn % 6 == 5:
            saved(ana)
            assert sorted(set(faults(engine.drafts.package(key).text(file))) - set(known)) == [], f"after {element}"
    saved(ana)
    assert sorted(set(faults(engine.drafts.package(key).text(file))) - set(known)) == []
