"""
An analyst's whole way in the browser: the enrolment is changed, repaired, tried, run on what really happened and
deployed, and the cases that are under way follow. Everything verifies afterwards.
"""

import re
from collections.abc import Callable

import pytest
from browser.analyst import drawn, opened, saved, select
from browser.clinic import Clinic
from browser.people import Staff
from browser.scenes_workbench import CALL_FORM, draft
from playwright.sync_api import Page, expect

Desk = Callable[..., Page]

CASES, RUNNING = 200, 50
WORKBENCH = "Workbench"


@pytest.fixture
def recorded(clinic: Clinic) -> None:
    """Two hundred cases, fifty of which wait at Enroll Now for staff to remove the patient's answer."""
    for number in range(CASES):
        clinic.trigger(clinic.add("Declined" if number < RUNNING else "Completed"))


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name=WORKBENCH).get_by_role("link", name=name, exact=True).click()
    page.wait_for_selector("body[data-ready]")


def test_from_the_first_change_to_the_last_moved_case(
    clinic: Clinic, recorded: None, desk: Desk, accessible: Callable, shot: Callable
) -> None:
    page, engine = desk("ana"), clinic.enrollment.engine
    draft(clinic, **{"call.form": CALL_FORM})
    editor(page)
    task = change(page)
    mistake(page)
    shot(page, "shows-2-mended")
    assert task in drawn(engine)
    try_it(page)
    editor(page)
    backtest(page, accessible)
    version = deploy(page, clinic)
    start(desk("alice"), clinic, task, version)
    page = desk("ana")
    move(page, version, accessible)
    assert engine.migrations.live_versions("enrollment")[version] == RUNNING + 1
    result = engine.verification.verify_all()
    assert (result.findings, result.equal) == ([], result.checked)
    replayed(desk("audrey"), clinic)


def editor(page: Page) -> None:
    page.goto("/processes")
    page.get_by_role("button", name="Edit Portal enrolment").click()
    page.wait_for_selector("body[data-ready]")


def change(page: Page) -> str:
    """A user task with a form on the way of Declined and Deferred; Enroll Now gets another id. Answers the new id."""
    props = select(page, "Flow_status_declined")
    props.get_by_label("Put a step here").select_option(label="User task")
    props.get_by_role("button", name="Add").click()
    expect(props.locator("header p")).to_contain_text("User task")
    task = props.locator("header code").inner_text()
    props.get_by_label("Name", exact=True).fill("Call the patient")
    props.get_by_label("Form", exact=True).select_option("call.form")
    props.get_by_label("Name of the answer").fill("call")
    props.get_by_label("Group").fill("Front desk")
    props.get_by_label("Message to staff").fill("Call first.")
    props = select(page, "EnrollNow")
    props.get_by_label("Id", exact=True).fill("EnrolAgain")
    saved(page)
    return task


def mistake(page: Page) -> None:
    """A broken condition is found on its element while the analyst types, and is fixed from the finding."""
    props = select(page, "Flow_status_pending")
    condition = props.get_by_label("Taken when", exact=True)
    good = condition.input_value()
    condition.fill("patient.status = = 'Pending'")
    found = page.locator("[data-findings] li", has_text="In the condition")
    expect(found).to_have_count(1)
    expect(page.locator(".djs-overlay-finding .flag-error")).to_have_count(1)
    expect(page.locator("[data-element-id=Flow_status_pending].has-error").first).to_be_visible()
    expect(page.locator("[data-counts]")).to_have_text("1 error")
    select(page, "LoadPatient")
    found.get_by_role("button", name="Pending").click()
    condition.fill(good)
    expect(found).to_have_count(0)
    saved(page)


def try_it(page: Page) -> None:
    tab(page, "Try")
    page.get_by_label("With the inputs of an example").select_option("examples/08-declined-enroll-now.json")
    page.get_by_role("button", name="Begin with this example").click()
    expect(page.get_by_role("heading", name="Call the patient")).to_be_visible()
    page.get_by_label("Whom did you reach?").fill("the patient")
    page.get_by_role("form", name="Call the patient").locator(".send button").click()
    expect(page.get_by_role("heading", name="Enroll Now")).to_be_visible()


def backtest(page: Page, accessible: Callable) -> None:
    tab(page, "Backtest")
    expect(page.get_by_label("Draft or version")).to_have_value("draft")
    page.get_by_role("button", name="Run the cases").click()
    heading = page.get_by_role("heading", name=re.compile("recorded cases take the same way"))
    expect(heading).to_have_text(
        "150 of 200 recorded cases take the same way; 50 need an answer nobody gave.", timeout=120_000
    )
    accessible(page)
    page.get_by_role("link", name=re.compile("Both ways")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Case")
    expect(page.locator("[data-drawn] .djs-element.parts").first).to_be_attached()
    page.go_back()


def deploy(page: Page, clinic: Clinic) -> int:
    number = clinic.enrollment.engine.versions.all("enrollment")[0].number + 1
    opened(page, "/processes/enrollment/deploy")
    page.get_by_role("button", name=re.compile("are right now")).click()
    expect(page.locator(".dep-lede")).to_contain_text(f"Nothing stands in the way of v{number}.")
    page.get_by_label("What changed, and why").fill("Staff call before they enrol again.")
    page.get_by_role("button", name=f"Deploy v{number}").click()
    expect(page.get_by_role("status").first).to_contain_text(f"v{number} is in force")
    return number


def start(page: Page, clinic: Clinic, task: str, version: int) -> None:
    """A case of the new version, selected and worked at the front desk."""
    patient, staff = clinic.add("Declined"), Staff(page, clinic)
    staff.trigger(patient)
    staff.in_task("Call the patient")
    [case] = clinic.cases(patient)
    assert (case.version, case.at) == (version, (task,))
    staff.claim("Call the patient")
    page.get_by_label("Whom did you reach?").fill("the patient")
    page.get_by_role("article").locator("form .send button.go").click()
    clinic.until(lambda: clinic.cases(patient)[0].at == ("EnrolAgain",))


def move(page: Page, version: int, accessible: Callable) -> None:
    page.goto("/processes/enrollment")
    page.get_by_role("link", name="Move running cases").click()
    page.get_by_label("On version").select_option("1")
    page.get_by_label("Waiting at").select_option("EnrollNow")
    page.get_by_role("button", name="Show what takes whose place").click()
    expect(page.get_by_label("Enroll Now")).to_have_value("EnrolAgain")  # proposed by its name
    accessible(page)
    page.get_by_role("button", name="Try it; nothing is moved yet").click()
    expect(page.get_by_role("heading", name="50 of 50 cases would go over.")).to_be_visible(timeout=60_000)
    page.get_by_label("Why are they moved?").fill("They are called first now.")
    page.get_by_role("button", name=f"Move 50 cases to version {version}").click()
    expect(page.get_by_role("heading", name="50 of 50 cases were moved.")).to_be_visible(timeout=60_000)
    accessible(page)


def replayed(page: Page, clinic: Clinic) -> None:
    """The step before the move is shown on the version it was made on, the move on the new one."""
    case = next(one for one in clinic.enrollment.engine.queries.instances(limit=300) if one.revision == 2 and one.tasks)
    opened(page, f"/cases/{case.id}/replay")
    expect(page.locator("[data-replay][data-ready]")).to_be_visible()
    expect(page.locator('[data-element-id="EnrolAgain"].way-here').first).to_be_attached()
    page.keyboard.press("Home")
    expect(page.locator('[data-element-id="EnrollNow"].way-here').first).to_be_attached()
    expect(page.locator('[data-element-id="EnrolAgain"]')).to_have_count(0)
    page.keyboard.press("End")
    expect(page.locator('[data-element-id="EnrolAgain"].way-here').first).to_be_attached()
