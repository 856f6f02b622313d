"""A process from nothing, in a real browser: drawn, deployed, started and worked."""

from __future__ import annotations

from browser.analyst import opened, saved, select
from browser.clinic import Clinic
from conftest import package
from playwright.sync_api import Page, expect
from usher_engine import Actor
from usher_engine.definitions import read_start

ANA = Actor(name="ana", role="analyst")


def test_the_panel_of_a_start_event_says_how_a_case_begins(clinic: Clinic, ana: Page) -> None:
    engine = clinic.enrollment.engine
    files = {path: content for path, content in package("room_booking").files.items() if path.endswith(".form")}
    before = package("parallel")
    process = before.key
    engine.drafts.start(process, package=before, actor=ANA)
    engine.drafts.save_file(process, "ask.form", files["ask.form"], etag="", actor=ANA)
    opened(ana, f"/processes/{process}/edit")
    start = read_start(before).element
    props = select(ana, start)
    props.get_by_label("Start form").select_option("ask.form")
    props.get_by_label("Groups that may start it").fill("Front desk, Billing")
    props.get_by_label("Roles that may start it").fill("analyst")
    props.get_by_label("What the case is about").fill("room")
    saved(ana)
    declared = read_start(engine.drafts.package(process))
    assert (declared.form, declared.groups, declared.roles) == ("ask.form", ("Front desk", "Billing"), ("analyst",))
    assert declared.business_key == "room"
    props.get_by_label("Roles that may start it").fill("auditor")
    expect(ana.locator("[data-findings] li", has_text="“auditor” can start no case")).not_to_have_count(0)
