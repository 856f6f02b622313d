"""
Ten changes an analyst makes, each in the browser alone: from the edit over the deployment to a live case at its end.

Here: a reminder with its own text, a required phone, and a changed mail. `test_ten_changes_tasks.py`,
`test_ten_changes_mails.py` and `test_ten_changes_processes.py` have the others.
"""

from __future__ import annotations

from browser import changes
from browser.analyst import opened, saved
from browser.by_keyboard import deploy as deploy_by_keyboard
from browser.by_keyboard import follow, press, tab_to
from browser.clinic import Clinic
from browser.people import Staff
from browser.scenes_profile import confirm
from playwright.sync_api import Page, expect
from usher_engine.enrollment import portal_status
from usher_engine.enrollment.patient_registry import find

TO_PATIENT = {"patient_id": "patient_id"}
NUDGE = """---
subject: Your invitation to {{ practice }} is still open
---

Hello{{ " " + first_name if first_name else "" }}, a week ago we invited you. The link in that mail still works.

---

[No more e-mail]({{ opt_out }})
"""


def test_a_reminder_with_its_own_text(clinic: Clinic, shipped: Page, alice: Staff) -> None:
    ana = shipped
    changes.add_file(ana, "mail/nudge.en.md")
    changes.write(ana, "mail/nudge.en.md", NUDGE)
    opened(ana)
    week = changes.insert(ana, "RecordPending", "Invitation sent", "Waiting event, time")
    changes.name(ana, "Seven days")
    ana.get_by_label("After a time").fill("7 days")
    read = changes.insert(ana, week, "Invitation sent", "Service task")
    changes.operator(ana, read, "Read the answer", "patient/load", result="patient", **TO_PATIENT)
    asks = changes.insert(ana, read, "Invitation sent", "Gateway, one way")
    changes.name(ana, "Answered?")
    nudge = changes.insert(ana, asks, "Invitation sent", "Service task")
    changes.operator(ana, nudge, "Send the nudge", "mail/send", result="sent", **TO_PATIENT, template="'nudge'")
    changes.connect(ana, asks, "InvitationSent")
    ana.get_by_label("Taken when no other condition holds").check()
    changes.flow(ana, asks, "Send the nudge")
    ana.locator("#p-condition").fill('patient.status == "Pending"')
    saved(ana)
    changes.deploy(ana, clinic, "Who does not answer in a week gets a nudge.")

    silent, quick = clinic.add(), clinic.add()
    for patient in (silent, quick):
        alice.trigger(patient)
        clinic.until(lambda patient=patient: clinic.cases(patient)[0].at == (week,))
    with clinic.enrollment.engine.database.begin() as tx:
        portal_status.set_status(tx, find(tx, quick, lock=True), "Completed", by="the portal", now=clinic.clock())
    clinic.clock.forward(days=7, minutes=1)
    for patient in (silent, quick):
        clinic.until(lambda patient=patient: clinic.cases(patient)[0].status == "finished")
    assert clinic.mails(silent)[0].subject == "Your invitation to Sample Clinic is still open"
    assert len(clinic.mails(silent)) == 2 and len(clinic.mails(quick)) == 1


def test_a_phone_is_asked_for_from_now_on(clinic: Clinic, shipped: Page, alice: Staff) -> None:
    ana = shipped
    opened(ana, f"{changes.PROCESS}/files/update-now.form")
    changes.require(ana, "Mobile")
    changes.deploy(ana, clinic, "We call before the first visit.")
    who = clinic.add()
    alice.trigger(who)
    page = alice.page
    alice.in_task("Update Now")
    expect(alice.message()).to_contain_text("mobile is missing")
    alice.claim("Update Now")
    page.get_by_label("Mobile").fill("503 555 0175")
    alice.save("Save and send invitation")
    assert clinic.settled(who).outcome == "InvitationSent"
    assert clinic.fields(who)["mobile"] == "503 555 0175"
    assert len(clinic.mails(who)) == 1


def test_a_mail_is_changed_by_keyboard_looked_at_and_sent(clinic: Clinic, shipped: Page, alice: Staff) -> None:
    ana = shipped
    confirm(ana, clinic, "ana@clinic.example.org")
    path = "mail/invitation.en.md"
    ana.goto(f"{changes.PROCESS}/files")
    follow(ana, ana.get_by_role("link", name=path))
    source = ana.get_by_label(path, exact=True)
    tab_to(ana, source)
    ana.keyboard.press("Control+Home")
    for _ in range(3):
        ana.keyboard.press("ArrowDown")
    ana.keyboard.press("End")
    ana.keyboard.press("Enter")
    ana.keyboard.type("Bring your insurance card to {{ practice }}.")
    expect(ana.frame_locator("iframe").locator("body")).to_contain_text("Bring your insurance card to Sample Clinic.")
    press(ana, ana.get_by_role("button", name="Send to me"))
    expect(ana.get_by_role("status").first).to_contain_text("on its way to ana@clinic.example.org")
    sample = clinic.postbox.to("ana@clinic.example.org")[0]
    assert "Bring your insurance card to Sample Clinic." in sample.text and sample.subject.startswith("[Sample]")
    deploy_by_keyboard(ana, clinic, "Patients forget their card.")
    who = clinic.add()
    alice.trigger(who)
    assert clinic.settled(who).outcome == "InvitationSent"
    assert "Bring your insurance card to Sample Clinic." in clinic.mails(who)[0].text
