"""
Ten changes an analyst makes, each in the browser alone: from the edit over the deployment to a live case at its end.

Here: a task for a guardian with form, group and due date, and a wrong address that leads to *Correct e-mail*.
"""

from __future__ import annotations

from collections.abc import Callable

from browser import changes
from browser.analyst import opened, saved, select
from browser.clinic import PASSWORD, Clinic
from browser.people import Staff
from playwright.sync_api import Page, expect
from usher_engine.accounts import Role


def test_a_guardian_is_asked_first(
    clinic: Clinic, shipped: Page, alice: Staff, desk: Callable[..., Page], shot: Callable
) -> None:
    clinic.accounts.add_user("fay", PASSWORD, role=Role.STAFF, groups=["Family desk"], by="test")
    ana = shipped
    changes.add_file(ana, "guardian.form")
    changes.add_field(ana, "textfield", "Who agreed", "guardian")
    changes.add_field(ana, "button", "Guardian agrees", "")
    shot(ana, "ten-guardian-form")
    opened(ana)
    select(ana, "Flow_status_not_enrolled")
    ana.get_by_label("Put a step here").select_option(label="User task")
    ana.locator("[data-field=insert] button").click()
    expect(ana.locator(".props header p")).to_contain_text("User task")
    ask = changes.here(ana)
    message = "Ask the guardian before the patient is invited.\nCall the number on file."
    changes.task(
        ana, ask, "Ask guardian", Message_to_staff=message, Form="guardian.form", Group="Family desk",
        Due_in="3 days", Name_of_the_answer="asked",
    )  # fmt: skip
    saved(ana)
    shot(ana, "ten-guardian")
    changes.deploy(ana, clinic, "Guardians agree first.")

    who = clinic.add()
    alice.trigger(who)
    [case] = clinic.cases(who)
    [task] = case.tasks
    assert (task.title, task.groups) == ("Ask guardian", ("Family desk",))
    assert task.due is not None and (task.due - clinic.clock()).days in (2, 3)
    fay = desk("fay")
    fay.goto("/inbox")
    fay.get_by_role("link", name="Ask guardian").first.click()
    expect(fay.get_by_role("article")).to_contain_text("Ask the guardian before the patient is invited.")
    fay.get_by_role("button", name="Ask guardian", exact=True).click()
    fay.get_by_label("Who agreed").fill("The mother")
    with fay.expect_navigation():
        fay.get_by_role("button", name="Guardian agrees").click()
    assert clinic.settled(who).outcome == "InvitationSent"
    assert len(clinic.mails(who)) == 1


def test_a_wrong_address_leads_to_correct_e_mail(
    clinic: Clinic, shipped: Page, alice: Staff, desk: Callable[..., Page]
) -> None:
    ana = shipped
    changes.add_file(ana, "correct.form")
    changes.add_field(ana, "textfield", "New address", "email")
    changes.add_field(ana, "button", "Save and send again", "")
    opened(ana)
    changes.operator(
        ana, "SendInvitation", "Send invitation e-mail", "mail/send", result="invitation",
        patient_id="patient_id", template="'invitation'", with_link="True",
    )  # fmt: skip
    wrong = changes.attach(ana, "SendInvitation", "Error")
    changes.name(ana, "Wrong address")
    ana.get_by_label("Error code").fill("no-address")
    correct = changes.append(ana, wrong, "User task")
    changes.task(
        ana, correct, "Correct e-mail", Message_to_staff="{{ error.message }}\nAsk the patient for the right address.",
        Form="correct.form", Group="Front desk", What_the_form_begins_with="patient.fields",
        Name_of_the_answer="update",
    )  # fmt: skip
    changes.connect(ana, correct, "SavePatient")
    saved(ana)
    changes.rewrite(ana, "examples/18-not-eligible-at-sending.json", "invitation/send", "mail/send")
    changes.deploy(ana, clinic, "A wrong address is a task, not an incident.")

    who = clinic.add(email="nobody@wrong.example.org")
    clinic.postbox.unknown.add("nobody@wrong.example.org")
    alice.trigger(who)
    clinic.until(lambda: clinic.cases(who)[0].tasks)
    page = alice.page
    page.goto(f"/inbox/{clinic.cases(who)[0].tasks[0].id}")
    alice.in_task("Correct e-mail")
    expect(alice.message()).to_contain_text("refused the recipient's address")
    alice.claim("Correct e-mail")
    page.get_by_label("New address").fill("right@example.org")
    alice.save("Save and send again")
    assert clinic.settled(who).outcome == "InvitationSent"
    assert [mail.to for mail in clinic.mails(who)] == ["right@example.org"]
    assert clinic.status(who) == "Pending"
