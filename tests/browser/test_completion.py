"""Completion where an expression stands: names, fields and words of our language, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from browser.analyst import drawn, opened, saved, select
from browser.clinic import Clinic
from browser.scenes_workbench import TABLE, draft
from playwright.sync_api import Locator, Page, expect
from usher_engine import Engine


def _options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Completion").get_by_role("option")


def test_an_expression_is_completed_by_keyboard(engine: Engine, ana: Page, accessible: Callable) -> None:
    opened(ana, "/processes/enrollment/edit#Flow_status_pending")
    condition = ana.locator("#p-condition")
    condition.fill("")
    ana.keyboard.type("p")
    expect(_options(ana)).to_have_count(0)  # one letter says nothing yet
    ana.keyboard.type("a")
    expect(_options(ana).first).to_contain_text("Load patient")
    expect(condition).to_have_attribute("aria-activedescendant", "p-condition-completion-0")
    accessible(ana)
    ana.keyboard.press("Enter")
    expect(condition).to_have_value("patient")
    expect(_options(ana)).to_have_count(0)
    ana.keyboard.type(".sta")
    expect(_options(ana).first).to_contain_text("status")
    expect(ana.locator("[data-completion-said]")).to_have_text(re.compile(r"^\d+ fields?$"))
    ana.keyboard.press("Tab")
    expect(condition).to_have_value("patient.status")
    expect(condition).to_be_focused()
    ana.keyboard.type(" == ")  # the values that a status has
    expect(_options(ana).filter(has_text="Locked or Expired")).to_have_count(1)
    ana.keyboard.type("Pen")
    expect(_options(ana)).to_have_count(1)
    ana.keyboard.press("Enter")
    expect(condition).to_have_value('patient.status == "Pending"')
    ana.keyboard.type(" and le")
    ana.keyboard.press("Enter")
    ana.keyboard.type("patien")
    expect(_options(ana).first).to_contain_text("patient")
    ana.keyboard.press("Escape")  # closes the list, the field keeps the focus
    expect(_options(ana)).to_have_count(0)
    expect(condition).to_have_value('patient.status == "Pending" and len(patien)')
    expect(condition).to_be_focused()
    ana.keyboard.press("Escape")
    expect(ana.locator("[data-outline] [data-element=Flow_status_pending]")).to_be_focused()
    saved(ana)
    assert "len(patien)" in drawn(engine)


def test_a_place_offers_what_is_set_there(engine: Engine, ana: Page) -> None:
    """What a later step sets is offered at the second asking only, and says so; what a case may lack has a mark."""
    opened(ana)
    condition = select(ana, "Flow_status_pending").locator("#p-condition")
    condition.fill("")
    ana.keyboard.type("invi")
    expect(_options(ana).first).to_contain_text("StatusChangedResendInvitation")
    expect(_options(ana)).to_have_count(1)
    ana.keyboard.press("Control+Space")
    ana.keyboard.press("Control+Space")
    expect(_options(ana).filter(has_text="not set before this step")).to_contain_text("invitation")
    ana.keyboard.press("Escape")
    parameter = select(ana, "SavePatient").locator("[data-field='parameter:values'] textarea")
    parameter.fill("")
    ana.keyboard.type("upd")
    expect(_options(ana).first).to_contain_text("Update Now")
    expect(_options(ana).first).not_to_contain_text("perhaps set")
    before = select(ana, "SendInvitation").locator("#p-PreScript")
    before.fill("")
    ana.keyboard.type("x = upd")
    expect(_options(ana).first).to_contain_text("◑ perhaps set")


def test_a_script_after_a_step_reads_what_the_step_sets(engine: Engine, ana: Page) -> None:
    opened(ana)
    for field in ("PreScript", "PostScript"):
        script = select(ana, "LoadPatient").locator(f"#p-{field}")
        script.fill("")
        ana.keyboard.type("x = patien")
        named = _options(ana).filter(has=ana.get_by_text("patient", exact=True))
        expect(named.filter(has_text="perhaps set")).to_have_count(1 if field == "PreScript" else 0)
        expect(named).to_have_count(1)
        ana.keyboard.press("Escape")
        script.fill("")


def test_a_mail_is_completed_with_its_values(engine: Engine, ana: Page) -> None:
    opened(ana, "/processes/enrollment/files/mail/invitation.en.md")
    text = ana.locator("#text")
    text.focus()
    ana.keyboard.press("Control+End")
    ana.keyboard.type("Write to {{ con")
    expect(_options(ana).first).to_contain_text("contact")
    assert _options(ana).first.bounding_box()["y"] < ana.viewport_size["height"]
    ana.keyboard.press("Enter")
    expect(text).to_have_value(re.compile(r"Write to \{\{ contact$"))


def test_asked_for_by_key_it_offers_names_then_functions(engine: Engine, ana: Page) -> None:
    opened(ana, "/processes/enrollment/edit#Flow_status_pending")
    ana.locator("#p-condition").fill("")
    ana.keyboard.press("Control+Space")
    expect(_options(ana).filter(has_text="Load patient")).to_have_count(1)
    expect(_options(ana).filter(has_text="today()")).to_have_count(0)
    ana.keyboard.press("Control+Space")
    expect(_options(ana).filter(has_text="today()")).to_have_count(1)
    ana.keyboard.press("Escape")
    expect(_options(ana)).to_have_count(0)


def test_a_message_is_completed_inside_braces_only(engine: Engine, ana: Page) -> None:
    opened(ana)
    message = select(ana, "UpdateNow").get_by_label("Message to staff")
    message.fill("")
    ana.keyboard.type("Update ")
    expect(_options(ana)).to_have_count(0)
    ana.keyboard.type("{{ pati")
    ana.keyboard.press("Enter")
    expect(message).to_have_value("Update {{ patient")
    ana.keyboard.type(" }} up")
    expect(_options(ana)).to_have_count(0)


def test_a_name_is_offered_as_soon_as_a_step_sets_it(engine: Engine, ana: Page) -> None:
    opened(ana)
    with ana.expect_response("**/draft/check"):
        select(ana, "SavePatient").get_by_label("Name of the result").fill("kept_record")
    condition = select(ana, "Flow_fields_missing").locator("#p-condition")
    condition.fill("")
    ana.keyboard.type("kept")
    expect(_options(ana).first).to_contain_text("kept_record")


def test_a_cell_is_completed_with_names_and_fields(clinic: Clinic, engine: Engine, ana: Page) -> None:
    draft(clinic, **{"reminder.dmn": TABLE})
    opened(ana, "/processes/enrollment/files/reminder.dmn")
    ana.locator("td.output-cell").first.click()
    ana.keyboard.press("Control+a")
    ana.keyboard.type("up")
    offered = ana.locator(".cm-tooltip-autocomplete li")
    expect(offered.first).to_contain_text("Update Now")
    ana.wait_for_timeout(150)  # the editor takes no key for a list that has only just opened
    ana.keyboard.press("Enter")
    ana.keyboard.type(".")
    expect(offered.filter(has_text="zip_code")).to_have_count(1)


def test_a_cell_knows_where_its_decision_is_taken(clinic: Clinic, engine: Engine, ana: Page) -> None:
    """In an input's cell the values it may have; of the names, those that are set at the task which decides."""
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    calls = "<bpmn:extensionElements><spiffworkflow:calledDecisionId>reminder</spiffworkflow:calledDecisionId>"
    begins = text.index("<bpmn:scriptTask", text.index("</bpmn:subProcess>"))
    key = text[begins:].split('id="', 1)[1].split('"')[0]
    task = text[begins : text.index("</bpmn:scriptTask>", begins) + len("</bpmn:scriptTask>")]
    flows = task[task.index("<bpmn:incoming") : task.index("<bpmn:script>")]
    tag = "bpmn:businessRuleTask"
    rule = f'<{tag} id="{key}" name="Decide">{calls}</bpmn:extensionElements>{flows}</{tag}>'
    table = TABLE.replace(b"<text>status</text>", b"<text>patient.status</text>")
    draft(clinic, **{"enrollment.bpmn": text.replace(task, rule).encode(), "reminder.dmn": table})
    opened(ana, "/processes/enrollment/files/reminder.dmn")
    ana.locator("td.input-cell").first.click()
    ana.keyboard.press("Control+a")
    ana.keyboard.type("Comp")  # the task is on the way of those whose status is Completed
    offered = ana.locator(".cm-tooltip-autocomplete li")
    expect(offered.filter(has_text='"Completed"')).to_have_count(1)
    ana.locator("td.output-cell").first.click()
    ana.keyboard.press("Control+a")
    ana.keyboard.type("patien")
    expect(offered.filter(has_text="patient").first).to_be_visible()
    ana.keyboard.press("Control+a")
    ana.keyboard.type("enrol")  # set on another way only
    expect(offered.filter(has_text="Enroll Now")).to_have_count(0)
