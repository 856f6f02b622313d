"""The token simulation of the workbench: a token walks the diagram as it is drawn, and the analyst chooses the way."""

from __future__ import annotations

import re
from collections.abc import Callable

from browser.analyst import drawn, opened, select
from browser.scenes_workbench import ANA
from playwright.sync_api import Page, expect
from usher_engine import Engine
from usher_engine.definitions import Package


def expect_words(page: Page, *words: str) -> None:
    for one in words:
        expect(page.locator("[data-simulation] [data-said]")).to_contain_text(one)


def expect_choices(page: Page, *names: str) -> None:
    expect(page.locator("[data-next] button")).to_have_text([re.compile(f"^{re.escape(name)}") for name in names])


def choose(page: Page, name: str) -> None:
    page.locator("[data-next]").get_by_role("button", name=name).click()


def walking(page: Page, engine: Engine, key: str, drawing: str) -> None:
    """Simulate a process of its own, drawn as *drawing* describes."""
    head = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
    text = f'{head}<process id="{key}" name="Walk" isExecutable="true">{drawing}</process></definitions>'
    engine.drafts.start(key, actor=ANA, package=Package({f"{key}.bpmn": text.encode()}))
    opened(page, f"/processes/{key}/edit")
    page.get_by_role("button", name="Simulate").click()


def flows(*pairs: str) -> str:
    ends = (pair.split(">") for pair in pairs)
    return "".join(f'<sequenceFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in ends)


def test_the_keyboard_walks_a_token_through_the_enrolment(
    engine: Engine, ana: Page, accessible: Callable, shot: Callable
) -> None:
    before = drawn(engine)
    opened(ana)
    ana.get_by_role("button", name="Simulate").press("Enter")
    expect(ana.get_by_role("button", name="Simulate")).to_have_attribute("aria-pressed", "true")
    expect(ana.locator("[data-simulation]")).to_contain_text("Data and conditions are ignored")
    ana.keyboard.press("Enter")  # the focus lies on what can happen first
    expect_words(ana, "Begun at “Trigger selected”.", "Then “Load patient”.", "The token is at “May be invited?”.")
    expect_choices(ana, "yes", "no")
    ana.keyboard.press("Enter")
    ana.locator("[data-next]").get_by_role("button", name="Declined or Deferred").press("Enter")
    expect_words(ana, "“Portal status?”: “Declined or Deferred”.", "The token is at “Enroll Now”.")
    expect_choices(ana, "“Enroll Now” is done", "“Status changed” happens", "“Cancel” happens")
    expect(ana.locator("[data-element-id=Flow_status_declined].sim-taken").first).to_be_visible()
    expect(ana.locator("[data-element-id=EnrollNow].sim-here").first).to_be_visible()
    accessible(ana)
    shot(ana, "workbench-simulation")
    ana.keyboard.press("Enter")
    expect_words(ana, "“Enroll Now” is done.", "The token is at “May be invited?”.")
    ana.get_by_role("button", name="Back", exact=True).press("Enter")
    expect_words(ana, "The token is at “Enroll Now”.")
    choose(ana, "“Cancel” happens")
    expect_words(ana, "“Cancel” has happened. Then “Cancelled”.", "the run is over")
    expect(ana.locator("[data-moves] li")).to_have_count(4)
    ana.keyboard.press("Escape")
    expect(ana.locator("[data-simulation]")).to_be_hidden()
    expect(ana.locator(".sim-token, .sim-taken")).to_have_count(0)
    assert drawn(engine) == before


def test_pressing_an_element_chooses_it_and_drawing_ends_the_walk(engine: Engine, ana: Page) -> None:
    opened(ana)
    ana.get_by_role("button", name="Simulate").click()
    ana.locator("[data-element-id=TriggerSelected] .djs-hit").first.click()
    expect_words(ana, "The token is at “May be invited?”.")
    ana.locator("[data-element-id=Flow_may_be_invited] .djs-hit").first.click(force=True)
    expect_words(ana, "The token is at “Portal status?”.")
    ana.locator("[data-element-id=LoadPatient] .djs-hit").first.dblclick()  # would write its name
    expect(ana.locator(".djs-direct-editing-content")).to_have_count(0)
    expect(ana.locator("[data-simulation]")).to_be_visible()
    select(ana, "UpdateNow")
    expect(ana.locator("[data-simulation]")).to_be_hidden()
    expect(ana.get_by_role("button", name="Simulate")).to_have_attribute("aria-pressed", "false")


def test_a_token_that_can_never_go_on_is_reported(engine: Engine, ana: Page) -> None:
    walking(
        ana,
        engine,
        "stuck",
        '<startEvent id="s" name="Start"/><exclusiveGateway id="g" name="Which?"/><task id="a" name="A"/>'
        '<task id="b" name="B"/><parallelGateway id="j" name="Both"/><endEvent id="e" name="End"/>'
        + flows("s>g", "g>a", "g>b", "a>j", "b>j", "j>e"),
    )
    choose(ana, "Start")
    choose(ana, "Which? → A")
    expect_words(ana, "a token is left at “Both”: the run never ends.")


def test_several_ways_and_what_comes_first(engine: Engine, ana: Page) -> None:
    walking(
        ana,
        engine,
        "several",
        '<startEvent id="s" name="Start"/><inclusiveGateway id="g" name="Which?"/>'
        '<userTask id="a" name="A"/><userTask id="b" name="B"/><userTask id="c" name="C"/>'
        '<inclusiveGateway id="j"/><eventBasedGateway id="w" name="First of"/>'
        '<intermediateCatchEvent id="m" name="Answer"><messageEventDefinition/></intermediateCatchEvent>'
        '<intermediateCatchEvent id="t" name="Three days"><timerEventDefinition/></intermediateCatchEvent>'
        '<endEvent id="e" name="Answered"/><endEvent id="l" name="Late"/>'
        + flows("s>g", "g>a", "g>b", "g>c", "a>j", "b>j", "c>j", "j>w", "w>m", "w>t", "m>e", "t>l"),
    )
    choose(ana, "Start")
    choose(ana, "Take the ways that are ticked")
    expect_words(ana, "The token is at “Which?”.")  # at least one
    ana.get_by_label("Which? → A").check()
    ana.get_by_label("Which? → C").check()
    choose(ana, "Take the ways that are ticked")
    expect_words(ana, "Tokens are at “A” and “C”.")
    choose(ana, "“A” is done")
    choose(ana, "“C” is done")
    expect_choices(ana, "“Answer” happens", "“Three days” happens")
    choose(ana, "“Three days” happens")
    expect_words(ana, "Then “Late”", "the run is over")
