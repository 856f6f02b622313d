"""
Ten changes an analyst makes, each in the browser alone: from the edit over the deployment to a live case at its end.

Here: a decision table that chooses template and language, and a notice to the front desk that goes out in parallel.
"""

from __future__ import annotations

from collections.abc import Callable

from browser import changes
from browser.analyst import opened, saved
from browser.by_keyboard import append_step, choose, deploy, follow, keep, put_step, tab_to, write
from browser.clinic import Clinic
from browser.people import Staff
from browser.scenes_profile import confirm
from playwright.sync_api import Page, expect

NOTICE = """---
subject: {{ who }} was invited
---

The invitation went out today. Expect a call.
"""


def test_the_front_desk_gets_a_notice_in_parallel_by_keyboard(
    clinic: Clinic, shipped: Page, alice: Staff, desk: Callable[..., Page]
) -> None:
    confirm(desk("bob"), clinic, "bob@clinic.example.org")
    ana, path = shipped, "mail/notice.en.md"
    ana.goto(f"{changes.PROCESS}/files")
    write(ana, ana.get_by_label("Name", exact=True), path)
    with ana.expect_navigation(url=f"**/files/{path}"):
        ana.keyboard.press("Enter")
    ana.wait_for_selector("body[data-ready]")
    tab_to(ana, ana.get_by_label(path, exact=True))
    ana.keyboard.press("Control+a")
    ana.keyboard.insert_text(NOTICE)
    keep(ana)
    follow(ana, ana.get_by_role("navigation", name="Workbench").get_by_role("link", name="Diagram"))
    fork = put_step(ana, "RecordPending", "Gateway, all ways")
    tell = append_step(ana, "Service task")
    write(ana, ana.get_by_label("Name", exact=True), "Tell the front desk")
    choose(ana, ana.get_by_label("What it does"), "Send a mail (mail/send)")
    for parameter, value in {"group": "'Front desk'", "template": "'notice'", "values": "{'who': patient.id}"}.items():
        write(ana, ana.locator(f"#p-parameter_{parameter}"), value)
    write(ana, ana.get_by_label("Name of the result"), "told")
    append_step(ana, "End event")
    write(ana, ana.get_by_label("Name", exact=True), "Front desk told")
    keep(ana)
    assert fork != tell
    deploy(ana, clinic, "The front desk knows who will call.")

    who = clinic.add()
    alice.trigger(who)
    clinic.until(lambda: clinic.cases(who)[0].status == "finished")
    assert len(clinic.mails(who)) == 1
    [notice] = clinic.postbox.to("bob@clinic.example.org")[:1]
    assert notice.subject == f"{who} was invited"
    alice.open_case(who)
    expect(alice.page.locator("main")).to_contain_text("Tell the front desk")
    assert "bob@clinic" not in alice.page.content()


TEMPLATE = """---
subject: {subject}
---

{text} {{{{ first_name }}}}.

[No more e-mail]({{{{ opt_out }}}})
"""
MAILS = {
    "mail/gentle.es.md": ("Una palabra amable", "Tómese su tiempo,"),
    "mail/brisk.en.md": ("Please answer", "Hurry up,"),
}


def test_a_table_chooses_the_mail_and_its_language(clinic: Clinic, shipped: Page, alice: Staff) -> None:
    ana = shipped
    for path, (subject, text) in MAILS.items():
        changes.add_file(ana, path)
        changes.write(ana, path, TEMPLATE.format(subject=subject, text=text))
    changes.add_file(ana, "which.dmn")
    changes.table(
        ana,
        ["patient.fields.language"],
        ["template", "language"],
        [['"es"', '"gentle"', '"es"'], ['not("es")', '"brisk"', '"en"']],
    )
    opened(ana)
    decide = changes.insert(ana, "RecordPending", "Invitation sent", "Business rule task")
    changes.name(ana, "Which mail?")
    ana.get_by_label("Decision table").select_option("which")
    ana.get_by_label("Name of the result").fill("which")
    send = changes.insert(ana, decide, "Invitation sent", "Service task")
    changes.operator(
        ana, send, "Say hello", "mail/send", result="hello",
        patient_id="patient_id", template="which.template", language="which.language",
    )  # fmt: skip
    saved(ana)
    changes.deploy(ana, clinic, "A word after the invitation.")

    for language, subject in {"es": "Una palabra amable", "en": "Please answer"}.items():
        spoken = {"communication": [{"language": {"coding": [{"code": language}]}, "preferred": True}]}
        who = clinic.add(resource=spoken)
        alice.trigger(who)
        clinic.until(lambda who=who: clinic.cases(who)[0].status == "finished")
        assert clinic.mails(who)[0].subject == subject
