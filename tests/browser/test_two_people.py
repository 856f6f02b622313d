"""Two people at one task: one finishes it, the other learns who was faster and when, and loses nothing typed."""

import re
from collections.abc import Callable

import pytest
from browser.clinic import Clinic
from browser.people import Staff
from playwright.sync_api import Page, expect

FASTER = "Somebody was faster"


@pytest.fixture
def alice(desk: Callable[..., Page], clinic: Clinic) -> Staff:
    return Staff(desk("alice"), clinic)


@pytest.fixture
def bob(desk: Callable[..., Page], clinic: Clinic) -> Staff:
    return Staff(desk("bob"), clinic)


def press(page: Page, button: str) -> int:
    """Press a button that sends a form; answers the status of what came back, not of a draft saved meanwhile."""
    form = re.compile(r"/inbox/[^/]+/(?!draft)")
    with page.expect_response(lambda answer: answer.request.method == "POST" and bool(form.search(answer.url))) as sent:
        page.get_by_role("button", name=button).click()
    return sent.value.status


def expect_faster(page: Page, clinic: Clinic, who: str) -> None:
    """The page of the slower person names the other and the time."""
    expect(page.get_by_role("heading", level=1)).to_have_text(FASTER)
    at = clinic.clock()
    expect(page.get_by_role("alert")).to_contain_text(who)
    expect(page.get_by_role("alert").locator("time")).to_have_attribute("datetime", re.compile(f"{at:%Y-%m-%dT%H:%M}"))


def expect_one_mail(clinic: Clinic, patient: str) -> None:
    """What follows the task ran once."""
    case = clinic.settled(patient)
    assert case.outcome == "InvitationSent"
    assert len(clinic.mails(patient)) == 1
    kinds = [event["kind"] for step in clinic.enrollment.engine.queries.history(case.id) for event in step.events]
    assert kinds.count("UserTaskCompleted") == kinds.count("ServiceRequested") == kinds.count("ServiceCompleted") == 1
    assert clinic.enrollment.patient(patient).sends == 1


def test_one_finishes_and_the_other_learns_it(clinic: Clinic, alice: Staff, bob: Staff) -> None:
    who = clinic.add("Pending")
    alice.trigger(who)
    alice.in_task("Resend Invitation")
    bob.page.goto(alice.page.url)
    assert press(alice.page, "Resend Invitation") == 303
    assert press(bob.page, "Resend Invitation") == 409
    expect_faster(bob.page, clinic, "alice")
    expect_one_mail(clinic, who)
    bob.page.get_by_role("link", name=re.compile("See case")).click()
    bob.expect_case("The invitation e-mail was sent, and the portal status was set to Pending.")


def test_what_was_typed_is_still_shown(clinic: Clinic, alice: Staff, bob: Staff) -> None:
    who = clinic.add("Declined")
    alice.trigger(who)
    bob.page.goto(alice.page.url)
    bob.page.get_by_label("Why is the response removed?").fill("She called and asked me to.")
    alice.page.get_by_label("Why is the response removed?").fill("Asked at the desk.")
    assert press(alice.page, "Enroll Now") == 303
    assert press(bob.page, "Enroll Now") == 409
    expect_faster(bob.page, clinic, "alice")
    expect(bob.page.get_by_role("region", name="What you typed")).to_contain_text("She called and asked me to.")
    expect_one_mail(clinic, who)
    reasons = [
        step.command.get("submission") for step in clinic.enrollment.engine.queries.history(clinic.cases(who)[0].id)
    ]
    assert "She called and asked me to." not in str(reasons)


def test_both_at_the_same_moment(clinic: Clinic, alice: Staff, bob: Staff) -> None:
    """Both requests are on their way before either is answered."""
    who = clinic.add("Declined")
    alice.trigger(who)
    alice.in_task("Enroll Now")
    bob.page.goto(alice.page.url)
    pages = (alice.page, bob.page)
    for page in pages:
        page.get_by_label("Why is the response removed?").fill("Asked for it.")
    answers: list[int] = []
    for page in pages:
        page.on("response", lambda answer: answers.append(answer.status) if answer.request.method == "POST" else None)
    for page in pages:
        page.evaluate("setTimeout(() => document.querySelector('.btn.go[type=submit]').click(), 100)")
    line = f'.strip[data-case="{clinic.cases(who)[0].id}"]'
    done, late = alice.page.locator(line), bob.page.locator(line)
    for page in pages:
        expect(page.locator(line).or_(page.get_by_role("heading", name=FASTER))).to_be_visible()
    assert sorted(status for status in answers if status in (303, 409)) == [303, 409]
    assert done.count() + late.count() == 1
    expect_one_mail(clinic, who)


def test_another_person_has_claimed_it(clinic: Clinic, alice: Staff, bob: Staff) -> None:
    who = clinic.add(email=None)
    alice.trigger(who)
    alice.in_task("Update Now")
    bob.page.goto(alice.page.url)
    alice.claim("Update Now")
    assert press(bob.page, "Update Now") == 409
    expect(bob.page.get_by_role("alert")).to_contain_text("alice")
    bob.page.goto(alice.page.url)
    expect(bob.page.get_by_text("claimed by alice")).to_be_visible()
    expect(bob.page.locator("form[data-task-form]").get_by_role("textbox")).to_have_count(0)
    expect(bob.page.get_by_text("Cancel task…")).to_have_count(0)


@pytest.mark.parametrize("finished", [False, True], ids=["claimed", "finished"])
def test_a_form_taken_over_by_another_keeps_what_was_typed(
    clinic: Clinic, alice: Staff, bob: Staff, desk: Callable[..., Page], finished: bool
) -> None:
    """Bob has the form open, releases the task in a second window, and alice takes it."""
    who = clinic.add(email=None, zip_code=None)
    bob.trigger(who)
    bob.claim("Update Now")
    bob.page.get_by_label("E-mail").fill("typed.by.bob@example.org")
    second = desk("bob")
    second.goto(bob.page.url)
    second.get_by_role("button", name="Release").click()
    expect(second.get_by_text("The task is free for others again.")).to_be_visible()

    alice.page.goto(bob.page.url)
    alice.claim("Update Now")
    alice.page.get_by_label("ZIP code").fill("62704")
    alice.page.get_by_label("E-mail").fill(f"{who}@example.org")
    if finished:
        assert press(alice.page, "Save and send invitation") == 303
    assert press(bob.page, "Save and send invitation") == 409
    expect(bob.page.get_by_role("alert")).to_contain_text("alice")
    expect(bob.page.get_by_role("region", name="What you typed")).to_contain_text("typed.by.bob@example.org")
    if finished:
        expect_faster(bob.page, clinic, "alice")
    else:
        assert press(alice.page, "Save and send invitation") == 303
    expect_one_mail(clinic, who)
    assert clinic.fields(who)["email"] == f"{who}@example.org"


def test_a_cancelled_task_is_gone_for_the_other_too(clinic: Clinic, alice: Staff, bob: Staff) -> None:
    who = clinic.add("Pending")
    alice.trigger(who)
    alice.in_task("Resend Invitation")
    bob.page.goto(alice.page.url)
    alice.page.get_by_text("Cancel task…").click()
    alice.page.get_by_label("Why is it cancelled?").fill("Wrong patient.")
    assert press(alice.page, "Cancel this task") == 303
    assert press(bob.page, "Resend Invitation") == 409
    expect_faster(bob.page, clinic, "alice")
    assert clinic.mails(who) == []


def test_a_double_click_is_one_answer(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add("Pending")
    alice.trigger(who)
    alice.page.get_by_role("button", name="Resend Invitation").dblclick()
    alice.expect_done("Resend Invitation is done.")
    expect_one_mail(clinic, who)


def test_a_double_click_on_the_trigger_is_one_case(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add()
    alice.open_template(who)
    alice.page.get_by_role("row", name="Patient Portal").get_by_role("button", name="Enrollment").dblclick()
    alice.expect_case("")
    clinic.until(lambda: clinic.cases(who)[0].status == "finished")
    assert len(clinic.cases(who)) == 1
    assert len(clinic.mails(who)) == 1
