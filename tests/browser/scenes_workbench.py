"""The workbench in every state worth looking at; the scenes of `scenes` go on here."""

from __future__ import annotations

import json
from dataclasses import replace

from acceptance.test_routes_import import INVOICE
from browser.clinic import Clinic
from browser.scenes import Stage, plain, scene
from conftest import ROOT
from playwright.sync_api import Page, expect
from usher_engine import Actor, Conflict, NotFound, StaleDraft
from usher_engine.definitions import Package, read_folder

ANA = Actor(name="ana", role="analyst")
ABE = Actor(name="abe", role="analyst")
DRAFT = "/processes/enrollment"
EXAMPLE = "examples/05-pending-resend.json"
TABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Reminder" namespace="x">
  <decision id="reminder" name="Reminder"><decisionTable id="t" hitPolicy="FIRST">
    <input id="i" label="Status"><inputExpression id="ie" typeRef="string"><text>status</text></inputExpression></input>
    <output id="o" label="Days" name="days" typeRef="number" />
    <rule id="r1"><inputEntry id="e1"><text>"Pending"</text></inputEntry>
      <outputEntry id="x1"><text>14</text></outputEntry></rule>
  </decisionTable></decision>
</definitions>
"""

SHORT_MAIL = b"---\nsubject: Hello\n---\n\n[Open]({{ link }}){.button}\n\n[No more]({{ opt_out }})\n"

CALL_FORM = b"""{"components": [{"type": "textfield", "key": "spoke_to", "label": "Whom did you reach?", "id": "f1",
    "validate": {"required": true}}]}"""


def draft(clinic: Clinic, **files: bytes) -> None:
    """A draft of the enrolment with these files saved into it (dots and slashes written as they are)."""
    engine = clinic.enrollment.engine
    try:
        engine.drafts.find("enrollment")
    except NotFound:
        engine.drafts.start("enrollment", actor=ANA)
    for path, content in files.items():
        there = engine.drafts.find("enrollment").file(path)
        engine.drafts.save_file("enrollment", path, content, etag=there.etag if there else "", actor=ANA)


def fresh(clinic: Clinic, key: str = "enrollment", package: Package | None = None) -> None:
    """A draft that is *package*, or the version in force, with nothing set aside."""
    engine = clinic.enrollment.engine
    while True:
        try:
            engine.drafts.discard(key, etag=engine.drafts.find(key).etag, actor=ANA)
        except Conflict:
            continue  # a window of the test before has saved what was typed in it
        except NotFound:
            break
    engine.drafts.start(key, actor=ANA, package=package)


def open_editor(page: Page, stage: Stage, path: str) -> None:
    draft(stage.clinic, **{"reminder.dmn": TABLE})
    page.goto(f"{DRAFT}/files/{path}")
    page.wait_for_selector("body[data-ready]")


@scene("edit", "ana", path=f"{DRAFT}/edit")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic)
    page.goto(f"{DRAFT}/edit#ResendInvitation")
    page.wait_for_selector("body[data-ready]")


@scene("edit-findings", "ana")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic)
    text = stage.clinic.enrollment.engine.drafts.package("enrollment").text("enrollment.bpmn")
    broken = text.replace('patient.status == "Pending"', "patient.status === 1")
    broken = broken.replace("resend-invitation.form", "gone.form")
    draft(stage.clinic, **{"enrollment.bpmn": broken.encode()})
    page.goto(f"{DRAFT}/edit#Flow_status_pending")
    page.wait_for_selector("body[data-ready]")
    expect(page.locator(".flag")).not_to_have_count(0)


@scene("edit-form", "ana", path=f"{DRAFT}/files/update-now.form")
def _(page: Page, stage: Stage) -> None:
    open_editor(page, stage, "update-now.form")


@scene("edit-table", "ana")
def _(page: Page, stage: Stage) -> None:
    open_editor(page, stage, "reminder.dmn")


@scene("edit-mail", "ana")
def _(page: Page, stage: Stage) -> None:
    open_editor(page, stage, "mail/invitation.en.md")


@scene("edit-text", "ana")
def _(page: Page, stage: Stage) -> None:
    open_editor(page, stage, "README.md")


@scene("draft-files", "ana", path=f"{DRAFT}/files")
def _(page: Page, stage: Stage) -> None:
    draft(stage.clinic)
    page.goto(f"{DRAFT}/files")


@scene("draft-none", "ana")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic)
    engine = stage.clinic.enrollment.engine
    engine.drafts.discard("enrollment", etag=engine.drafts.find("enrollment").etag, actor=ANA)
    page.goto(f"{DRAFT}/edit")


plain("draft-new", "/drafts/new", "ana")


@scene("draft-late", "ana", path=f"{DRAFT}/late/x")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic)
    engine = stage.clinic.enrollment.engine
    seen = engine.drafts.find("enrollment").file("mail/invitation.en.md")
    assert seen
    text = engine.drafts.package("enrollment").text("mail/invitation.en.md")
    engine.drafts.save_file("enrollment", seen.path, text.replace("Hello", "Dear").encode(), etag=seen.etag, actor=ABE)
    try:
        mine = text.replace("Hello", "Good day").replace("works once", "works only once")
        engine.drafts.save_file("enrollment", seen.path, mine.encode(), etag=seen.etag, actor=ANA)
    except StaleDraft as late:
        page.goto(f"{DRAFT}/late/{late.aside}")


@scene("compare", "ana", path=f"{DRAFT}/compare")
def _(page: Page, stage: Stage) -> None:
    draft(stage.clinic, **{"mail/invitation.en.md": SHORT_MAIL})
    page.goto(f"{DRAFT}/compare?from=1&to=draft")


@scene("draft-late-elements", "ana")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic)
    engine = stage.clinic.enrollment.engine
    drawn, seen = engine.drafts.package("enrollment").text("enrollment.bpmn"), engine.drafts.find("enrollment")
    found = seen.file("enrollment.bpmn")
    assert found is not None
    for name, actor in (("Ask at the desk", ABE), ("Complete the record", ANA)):
        text = drawn.replace('name="Update Now"', f'name="{name}"').encode()
        try:
            engine.drafts.save_file("enrollment", "enrollment.bpmn", text, etag=found.etag, actor=actor)
        except StaleDraft as late:
            page.goto(f"{DRAFT}/late/{late.aside}")


@scene("deploy", "ana", path=f"{DRAFT}/deploy")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic)
    draft(stage.clinic, **{"reminder.dmn": TABLE, "mail/invitation.en.md": SHORT_MAIL})
    page.goto(f"{DRAFT}/deploy")


@scene("deploy-blocked", "ana")
def _(page: Page, stage: Stage) -> None:
    draft(stage.clinic, **{"update-now.form": b"{"})
    page.goto(f"{DRAFT}/deploy")


@scene("deploy-examples", "ana")
def _(page: Page, stage: Stage) -> None:
    """Two examples take another way, and one of them was accepted."""
    fresh(stage.clinic)
    engine = stage.clinic.enrollment.engine
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    text = text.replace('patient.status == "Completed"', 'patient.status == "Completed" and patient.sends == 99')
    text = text.replace('name="Resend Invitation"', 'name="Send it again"')
    draft(stage.clinic, **{"enrollment.bpmn": text.encode()})
    example = json.loads(engine.drafts.package("enrollment").text(EXAMPLE))
    draft(stage.clinic, **{EXAMPLE: json.dumps({**example, "path": [*example["path"][:6], "NotEligible"]}).encode()})
    etag = engine.drafts.find("enrollment").etag
    engine.deployments.accept_examples("enrollment", ["examples/11-completed.json"], etag=etag, actor=ANA)
    page.goto(f"{DRAFT}/deploy")


@scene("deploy-sent-back", "ana")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic, package=read_folder(ROOT / "processes" / "enrollment"))
    draft(stage.clinic, **{"notes.txt": b"new"})
    engine = stage.clinic.enrollment.engine
    etag = engine.drafts.find("enrollment").etag
    engine.deployments.ask_sign_off("enrollment", etag=etag, note="The desk asked for notes.", actor=ANA)
    engine.deployments.send_back("enrollment", etag=etag, reason="Notes belong into the message.", actor=ABE)
    page.goto(f"{DRAFT}/deploy")


@scene("draft-history", "ana", path=f"{DRAFT}/history")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic)
    draft(stage.clinic, **{"reminder.dmn": TABLE})
    engine = stage.clinic.enrollment.engine
    etag = engine.drafts.find("enrollment").etag
    begun = engine.draft_history.keep("enrollment", "Wording agreed with the front desk", etag=etag, actor=ABE).number
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    text = text.replace('name="Resend Invitation"', 'name="Send it again"')
    draft(stage.clinic, **{"enrollment.bpmn": text.encode()})
    form = engine.drafts.find("enrollment").file("resend-invitation.form")
    assert form is not None
    engine.drafts.remove_file("enrollment", "resend-invitation.form", etag=form.etag, actor=ANA)
    page.goto(f"{DRAFT}/history?state={begun}")


@scene("import", "ana", path=f"{DRAFT}/import")
def _(page: Page, stage: Stage) -> None:
    package = Package({"invoice.bpmn": INVOICE.encode()})
    fresh(stage.clinic, "invoice", package)
    page.goto("/processes/invoice/import")


@scene("draft-discarded", "ana")
def _(page: Page, stage: Stage) -> None:
    fresh(stage.clinic)
    draft(stage.clinic, **{"notes.txt": b"new"})
    engine = stage.clinic.enrollment.engine
    engine.drafts.discard("enrollment", etag=engine.drafts.find("enrollment").etag, actor=ANA)
    page.goto(f"{DRAFT}/edit")


@scene("processes-drafts", "ana")
def _(page: Page, stage: Stage) -> None:
    draft(stage.clinic, **{"update-now.form": b"{"})
    page.goto("/processes")


@scene("process-versions", "ana")
def _(page: Page, stage: Stage) -> None:
    engine = stage.clinic.enrollment.engine
    fresh(stage.clinic)
    if len(engine.versions.all("enrollment")) == 1:
        changed = Package({**engine.versions.package("enrollment").files, "notes.txt": b"x"})
        engine.deploy(changed, actor=replace(ANA, name="abe"), note="Notes for the front desk.")
    page.goto("/processes/enrollment")
    page.get_by_text("Go back").first.click()
