"""
Ten changes an analyst makes, each in the browser alone: from the edit over the deployment to a live case at its end.

Here: a called process and an imported Camunda 7 process. A process from nothing, by keyboard, is in `test_starts.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from acceptance.test_routes_import import INVOICE
from browser import changes
from browser.analyst import opened, saved, select
from browser.clinic import PASSWORD, Clinic
from browser.people import Staff
from browser.scenes_profile import confirm
from playwright.sync_api import Page, expect
from usher_engine.accounts import Role


def test_another_process_is_called(clinic: Clinic, shipped: Page, alice: Staff) -> None:
    ana = shipped
    changes.add_file(ana, "contact.bpmn")
    ana.get_by_label("Name", exact=True).fill("Contact the patient")
    call = changes.append(ana, "Start", "User task")
    changes.task(ana, call, "Call the patient", Group="Front desk", Message_to_staff="Say that a mail is coming.")
    changes.append(ana, call, "End event")
    changes.name(ana, "Reached")
    saved(ana)
    opened(ana)
    contact = changes.insert(ana, "RecordPending", "Invitation sent", "Called process")
    changes.name(ana, "Contact")
    ana.get_by_label("Process", exact=True).select_option("contact")
    saved(ana)
    changes.deploy(ana, clinic, "Whoever is invited is called.")

    who = clinic.add()
    alice.trigger(who)
    clinic.until(lambda: clinic.cases(who)[0].tasks)
    page = alice.page
    page.goto(f"/inbox/{clinic.cases(who)[0].tasks[0].id}")
    alice.in_task("Call the patient")
    alice.save("Call the patient")
    assert clinic.settled(who).outcome == "InvitationSent"
    [case] = clinic.cases(who)
    engine = clinic.enrollment.engine
    entered = {event.get("element") for step in engine.queries.history(case.id) for event in step.events}
    assert {contact, call} <= entered
    assert engine.verify(case.id) == []


def test_a_camunda_7_process_is_imported(
    clinic: Clinic, ana: Page, desk: Callable[..., Page], tmp_path: Path, shot: Callable
) -> None:
    """Its foreign code becomes a mail to the accounting group; its form and its group are read from the file."""
    clinic.accounts.add_user("gus", PASSWORD, role=Role.STAFF, groups=["accounting"], by="test")
    gus = desk("gus")
    confirm(gus, clinic, "gus@clinic.example.org")
    file, process = tmp_path / "invoice.bpmn", "/processes/invoice"
    file.write_text(INVOICE)
    ana.goto("/drafts/new")
    ana.locator("input[type=file]").set_input_files(file)
    ana.get_by_role("button", name="Begin the draft").click()
    ana.wait_for_url(f"**{process}/edit")
    ana.goto(f"{process}/import")
    with ana.expect_navigation():
        ana.get_by_role("button", name="Take over what Usher translated").click()
    while (remedy := ana.locator(".imported-things form button")).count():
        with ana.expect_navigation():
            remedy.first.click()
    expect(ana.locator(".dep-lede")).to_contain_text("1 thing is left to do.")
    shot(ana, "ten-imported")
    changes.add_file(ana, "mail/archive.en.md", process)
    changes.write(ana, "mail/archive.en.md", "---\nsubject: To be archived\n---\n\nAn invoice was not approved.\n")
    opened(ana, f"{process}/edit")
    select(ana, "S").get_by_label("Groups that may start it").fill("accounting")
    changes.operator(ana, "A", "Archive", "mail/send", result="archived", group="'accounting'", template="'archive'")
    saved(ana)
    changes.deploy(ana, clinic, "Invoices are reviewed here from now on.", process)

    for approved in (True, False):
        clinic.clock.forward(hours=1)  # a second start of the same within minutes would lead to the first case
        gus.goto("/start")
        gus.get_by_role("region", name="Processes").get_by_role("link", name="Invoice").click()
        gus.get_by_role("button", name="Start").click()
        gus.locator("#started").get_by_role("link").click()
        gus.get_by_role("link", name="Review").click()
        gus.get_by_role("button", name="Review", exact=True).click()
        gus.get_by_role("checkbox", name="OK?").set_checked(approved)
        gus.get_by_role("article").locator("form .send button.go").click()
        expect(gus.get_by_text("Review is done.")).to_be_visible()
    engine = clinic.enrollment.engine
    clinic.until(lambda: all(case.status == "finished" for case in engine.queries.instances(process="invoice")))
    assert len(engine.queries.instances(process="invoice")) == 2
    assert [mail.subject for mail in clinic.postbox.to("gus@clinic.example.org")][:-1] == ["To be archived"]
