"""A package of several diagrams in a real browser: chosen by name, entered by a call, each call with its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from browser.clinic import Clinic
from called_packages import CONTACT, LETTER, MAIN, call, chain, package
from playwright.sync_api import Page, expect
from usher_engine import SYSTEM, Actor

Desk = Callable[..., Page]
ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
NESTED = package(a_contact=CONTACT, m_middle=MAIN, z_letter=LETTER)
EACH = chain("each", call("Everyone", "contact", each="people"), name="Reach everyone")


@dataclass(frozen=True)
class Cases:
    """Two cases: one has called twice and rests in the second letter; in the other three calls run at once."""

    twice: str
    at_once: str


@pytest.fixture(scope="module")
def cases(clinic: Clinic) -> Cases:
    engine = clinic.enrollment.engine
    engine.deploy(NESTED, actor=SYSTEM)
    engine.deploy(package(a=CONTACT, m=EACH, z=LETTER), actor=SYSTEM)
    twice = engine.cases.start("middle", {}, actor=SYSTEM).id
    for _ in range(4):  # Phone, Write, Between, Phone
        complete_first(clinic, twice)
    at_once = engine.cases.start("each", {"people": [1, 2, 3]}, actor=SYSTEM).id
    complete_first(clinic, at_once, -1)
    return Cases(twice, at_once)


def complete_first(clinic: Clinic, case: str, place: int = 0) -> None:
    engine = clinic.enrollment.engine
    task = engine.instance(case).tasks[place].id
    engine.cases.claim(task, actor=ALICE)
    engine.complete(task, {}, actor=ALICE)


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    page.wait_for_selector("body[data-ready]")
    return page


def shown(page: Page, key: str) -> None:
    expect(page.locator(f'.canvas[data-shown="{key}"]')).to_be_visible()


@pytest.mark.parametrize("width", [1440, 360])
def test_the_replay_looks_right(
    cases: Cases, desk: Desk, day_and_night: Callable[[Page, str], None], width: int
) -> None:
    page = desk("audrey", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    opened(page, f"/cases/{cases.twice}/replay")
    shown(page, "z_letter.bpmn")
    day_and_night(page, f"diagrams-replay-{width}")
    page.get_by_role("button", name="Reach the patient").first.click()
    shown(page, "a_contact.bpmn")
    day_and_night(page, f"diagrams-replay-called-{width}")
    page.get_by_role("button", name="Look after somebody").first.click()
    shown(page, "m_middle.bpmn")
    day_and_night(page, f"diagrams-replay-main-{width}")
