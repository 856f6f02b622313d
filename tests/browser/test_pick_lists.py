"""What an element names is chosen from what there is, by its name."""

from __future__ import annotations

import re
from collections.abc import Callable

from browser.analyst import drawn, opened, saved, select
from browser.clinic import Clinic
from browser.scenes_workbench import SHORT_MAIL, draft
from playwright.sync_api import Page, expect
from usher_engine import Engine

TYPED = "(one, text) => { one.value = text; one.dispatchEvent(new Event('input', { bubbles: true })); }"
CONTACT = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">
  <process id="contact" name="Contact the patient" isExecutable="true">
    <startEvent id="Begin"><outgoing>f</outgoing></startEvent><sequenceFlow id="f" sourceRef="Begin" targetRef="Done" />
    <endEvent id="Done"><incoming>f</incoming></endEvent></process></definitions>"""


def test_a_called_process_is_chosen_by_name(clinic: Clinic, engine: Engine, ana: Page) -> None:
    draft(clinic, **{"contact.bpmn": CONTACT})
    opened(ana)
    flow = select(ana, "SavePatient").get_by_role("button", name="→ Check mandatory fields")
    flow.click()
    ana.get_by_label("Put a step here").select_option(label="Called process")
    ana.locator("[data-field=insert] button").click()
    called = ana.get_by_label("Process", exact=True)
    expect(called.locator("option")).to_have_text(["Choose…", "Contact the patient (contact)"])  # never itself
    called.select_option("contact")
    expect(ana.get_by_role("link", name="Open its diagram")).to_have_attribute(
        "href", "/processes/enrollment/files/contact.bpmn"
    )
    saved(ana)
    assert 'calledElement="contact"' in drawn(engine)


def test_a_mail_and_its_language_are_chosen(clinic: Clinic, engine: Engine, ana: Page, accessible: Callable) -> None:
    draft(clinic, **{"mail/reminder.en.md": SHORT_MAIL})
    opened(ana)
    template = select(ana, "SendInvitation").get_by_label("template")
    template.focus()
    ana.keyboard.press("ArrowDown")
    offered = ana.get_by_role("listbox", name="Completion").get_by_role("option")
    expect(offered).to_have_text([re.compile("invitation.*English, Spanish"), re.compile("reminder.*English")])
    accessible(ana)
    ana.keyboard.press("ArrowDown")
    ana.keyboard.press("Enter")
    expect(template).to_have_value('"reminder"')
    ana.keyboard.press("ArrowDown")  # chosen before: all of them again
    expect(offered).to_have_count(2)
    ana.keyboard.press("Escape")
    language = ana.get_by_label("language")
    language.fill("")
    ana.keyboard.type('"sp')  # by its tag only
    expect(offered).to_have_count(0)
    language.fill("")
    ana.keyboard.type("e")
    expect(offered).to_have_text([re.compile("en.*English"), re.compile("es.*Spanish")])
    ana.keyboard.type("s")
    ana.keyboard.press("Tab")
    expect(language).to_have_value('"es"')
    saved(ana)
    assert re.search(r'id="template"[^>]+reminder', drawn(engine))


def test_a_process_that_follows_an_operator_says_which(engine: Engine, ana: Page) -> None:
    opened(ana)
    follows = select(ana, "TriggerSelected").get_by_label("Starts by itself after")
    expect(follows.locator("option").first).to_have_text("Nothing: people or triggers start it")
    expect(follows.locator("option[value='mail/send']")).to_have_text("Send a mail (mail/send)")
    expect(follows.locator("option[value='patient/load']")).to_have_count(0)  # it only reads
    follows.select_option("mail/send")
    saved(ana)
    assert 'name="startsAfter" value="mail/send"' in drawn(engine)


def test_two_fields_changed_in_a_moment_are_both_kept(engine: Engine, ana: Page) -> None:
    """One is written while the other still waits for a pause: what waits is not shown as it was."""
    opened(ana)
    panel = select(ana, "SendInvitation")
    template, language = panel.get_by_label("template"), panel.get_by_label("language")
    template.evaluate(TYPED, '"invitation"')
    language.evaluate(TYPED, '"es"')
    language.evaluate("one => one.dispatchEvent(new Event('change', { bubbles: true }))")
    expect(template).to_have_value('"invitation"')
    saved(ana)
    assert re.search(r'id="template"[^>]+invitation', drawn(engine))
    assert re.search(r'id="language"[^>]+es', drawn(engine))
