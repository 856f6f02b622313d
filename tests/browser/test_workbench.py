"""The workbench in a real browser: an analyst changes the enrolment, sees each mistake on its element, deploys it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from browser.analyst import drawn, opened, saved, select
from browser.clinic import Clinic
from browser.scenes_workbench import ABE, ANA, CALL_FORM, TABLE, draft, fresh
from conftest import ROOT
from playwright.sync_api import Page, Route, expect
from usher_engine import Conflict, Engine
from usher_engine.accounts import Role
from usher_engine.bpmn import schema_problems
from usher_engine.definitions import from_zip, parse_xml, read_folder
from usher_engine.differences import ChangeKind, compare
from usher_engine.examples import run_examples

Desk = Callable[..., Page]


def test_a_deployment_is_taken_back_with_one_button(clinic: Clinic, engine: Engine, ana: Page) -> None:
    draft(clinic, **{"call.form": CALL_FORM})
    opened(ana)
    ana.get_by_role("navigation", name="Workbench").get_by_role("link", name="Deploy").click()
    ana.get_by_label("What changed, and why").fill("A form for calls.")
    number = engine.versions.all("enrollment")[0].number + 1
    ana.get_by_role("button", name=f"Deploy v{number}").click()
    expect(ana.get_by_role("status").first).to_contain_text(f"v{number} is in force")
    ana.get_by_role("row").filter(has=ana.get_by_role("link", name="1", exact=True)).locator("summary").click()
    ana.get_by_label("Why go back to v1?").fill("Nobody calls.")
    ana.get_by_role("button", name="Make v1 the version in force").click()
    expect(ana.get_by_role("status").first).to_contain_text("with the content of v1")
    assert engine.versions.all("enrollment")[0].hash == engine.versions.package("enrollment", 1).hash


def test_changes_of_two_people_go_together(engine: Engine, ana: Page, shot: Callable) -> None:
    opened(ana)
    seen = engine.drafts.find("enrollment").file("enrollment.bpmn")
    assert seen
    theirs = drawn(engine).replace('name="Save patient"', 'name="Keep patient"').encode()
    engine.drafts.save_file("enrollment", "enrollment.bpmn", theirs, etag=seen.etag, actor=ABE)
    select(ana, "UpdateNow").get_by_label("Name", exact=True).fill("Complete Now")
    expect(ana.locator("[data-saved]")).to_contain_text("merged with abe: 1 element changed.")
    expect(ana.locator("[data-outline] [data-element=SavePatient]")).to_contain_text("Keep patient")
    shot(ana, "workbench-merged")
    select(ana, "EnrollNow").get_by_label("Name", exact=True).fill("Enrol Again")  # she goes on
    saved(ana)
    for name in ("Keep patient", "Complete Now", "Enrol Again"):
        assert f'name="{name}"' in drawn(engine)
    assert engine.drafts.set_aside("enrollment") == []
    kinds = [point.kind.value for point in engine.draft_history.points("enrollment", limit=4)]
    assert kinds == ["saved", "saved", "merge", "merge"]


def test_what_a_closed_window_kept_is_merged_with_what_others_saved(engine: Engine, ana: Page) -> None:
    opened(ana)
    seen = engine.drafts.find("enrollment").file("enrollment.bpmn")
    assert seen
    kept = drawn(engine).replace('name="Update Now"', 'name="Complete Now"')
    theirs = drawn(engine).replace('name="Save patient"', 'name="Keep patient"').encode()
    engine.drafts.save_file("enrollment", "enrollment.bpmn", theirs, etag=seen.etag, actor=ABE)
    stored = json.dumps({"text": kept, "etag": seen.etag})
    ana.evaluate("text => localStorage.setItem('usher-draft:enrollment:enrollment.bpmn', text)", stored)
    opened(ana)
    expect(ana.locator("[data-saved]")).to_contain_text("is back, and saved")
    for name in ("Keep patient", "Complete Now"):
        assert f'name="{name}"' in drawn(engine)
    select(ana, "EnrollNow").get_by_label("Name", exact=True).fill("Enrol Again")
    saved(ana)
    for name in ("Keep patient", "Complete Now", "Enrol Again"):
        assert f'name="{name}"' in drawn(engine)


def test_two_people_save_and_nothing_is_lost(engine: Engine, ana: Page, shot: Callable) -> None:
    opened(ana)
    seen = engine.drafts.find("enrollment").file("enrollment.bpmn")
    assert seen
    theirs = drawn(engine).replace('name="Save patient"', 'name="Keep patient"')
    theirs = theirs.replace('name="Update Now"', 'name="Ask at the desk"').encode()
    engine.drafts.save_file("enrollment", "enrollment.bpmn", theirs, etag=seen.etag, actor=ABE)
    select(ana, "UpdateNow").get_by_label("Name", exact=True).fill("Complete Now")
    notice = ana.locator("[data-conflict]")
    expect(notice).to_contain_text("abe saved enrollment.bpmn")
    select(ana, "EnrollNow").get_by_label("Name", exact=True).fill("Enrol Again")  # she goes on
    expect(ana.locator("[data-outline] [data-element=EnrollNow]")).to_contain_text("Enrol Again")
    notice.get_by_role("button", name="Compare and choose").click()
    expect(ana.get_by_text("Both are kept until you choose.")).to_be_visible()
    shot(ana, "workbench-two-saves")
    [kept] = engine.drafts.set_aside("enrollment")
    assert kept.saved_by == "ana"
    for hunk in ana.locator(".hunks > li").filter(has_text="Keep patient").all():
        hunk.get_by_label("In the draft, by abe").check()
    with ana.expect_navigation():
        ana.get_by_role("button", name="Use what is chosen below").click()
    ana.wait_for_selector("body[data-ready]")
    for name in ("Keep patient", "Complete Now", "Enrol Again"):
        assert f'name="{name}"' in drawn(engine)
    assert engine.drafts.set_aside("enrollment") == []
    assert schema_problems(parse_xml(drawn(engine).encode(), "enrollment.bpmn")) == []


def test_what_is_still_being_typed_is_saved_too(engine: Engine, ana: Page) -> None:
    """Save, Ctrl+S, a link and a closed tab come right after the last key, without the pause the editor waits for."""
    opened(ana)
    name = select(ana, "UpdateNow").get_by_label("Name", exact=True)
    name.fill("Typed, then saved")
    ana.keyboard.press("Control+s")
    expect(ana.locator("[data-saved][data-state=saved]")).to_contain_text("saved")
    assert 'name="Typed, then saved"' in drawn(engine)
    name.fill("Typed, then tried")
    with ana.expect_navigation():  # a click without a blur before it: as from a script or a screen reader
        ana.get_by_role("link", name="Diagram", exact=True).dispatch_event("click", {"button": 0})
    assert 'name="Typed, then tried"' in drawn(engine)
    ana.wait_for_selector("body[data-ready]")
    name = select(ana, "UpdateNow").get_by_label("Name", exact=True)
    expect(name).to_have_value("Typed, then tried")
    name.fill("Typed, then exported")
    with ana.expect_download() as exported:
        ana.locator("[data-do=export]").dispatch_event("click", {"button": 0})
    assert 'name="Typed, then exported"' in exported.value.path().read_text()
    name.fill("Typed, then left")
    ana.goto("about:blank")
    opened(ana)
    expect(ana.locator("[data-outline] [data-element=UpdateNow]")).to_contain_text("Typed, then left")
    assert 'name="Typed, then left"' in drawn(engine)


def test_nothing_is_said_to_be_saved_while_a_save_is_under_way(engine: Engine, ana: Page) -> None:
    opened(ana)
    saved(ana)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "PUT":
            held.append(route)
        else:
            route.fallback()

    ana.route("**/draft/file/**", hold)
    ana.locator("[data-do=save]").click()
    place = ana.locator("[data-saved]")
    expect(place).to_have_attribute("data-state", "saving")
    while not held:
        ana.wait_for_timeout(20)
    held[0].continue_()
    expect(place).to_have_attribute("data-state", "saved")


def test_closing_the_browser_loses_nothing(engine: Engine, ana: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the server is away, too: what a closing window tries last leaves a browser that plays offline."""

    def away(*_: object, **__: object) -> None:
        raise Conflict("The server is away.")

    opened(ana)
    monkeypatch.setattr(type(engine.drafts), "save_file", away)
    ana.context.set_offline(True)
    select(ana, "UpdateNow").get_by_label("Name", exact=True).fill("Not yet saved")
    expect(ana.locator("[data-saved]")).to_contain_text("no connection")
    ana.goto("about:blank")
    ana.wait_for_timeout(500)  # what the closing window tries last fails too
    ana.context.set_offline(False)
    assert "Not yet saved" not in drawn(engine)
    monkeypatch.undo()
    opened(ana)
    expect(ana.locator("[data-outline] [data-element=UpdateNow]")).to_contain_text("Not yet saved")
    assert 'name="Not yet saved"' in drawn(engine)


def test_what_was_not_saved_meets_what_others_saved(engine: Engine, ana: Page) -> None:
    opened(ana)
    ana.context.set_offline(True)
    select(ana, "UpdateNow").get_by_label("Name", exact=True).fill("Mine")
    expect(ana.locator("[data-saved]")).to_contain_text("no connection")
    ana.goto("about:blank")
    ana.wait_for_timeout(500)  # what the closing window tries last fails too
    ana.context.set_offline(False)
    seen = engine.drafts.find("enrollment").file("enrollment.bpmn")
    assert seen
    theirs = drawn(engine).replace('name="Save patient"', 'name="Theirs"')
    # The window's last try may have come through: whatever the task is called by now, it gets another name.
    theirs = re.sub(r'(id="UpdateNow" name=)"[^"]*"', r'\1"Theirs, too"', theirs)
    engine.drafts.save_file("enrollment", "enrollment.bpmn", theirs.encode(), etag=seen.etag, actor=ABE)
    opened(ana)
    expect(ana.locator("[data-conflict]")).to_contain_text("abe saved enrollment.bpmn")
    select(ana, "LoadPatient").get_by_label("Name", exact=True).fill("Also new")
    saved(ana)
    assert 'name="Theirs"' in drawn(engine)
    assert 'name="Also new"' in drawn(engine)
    [kept] = engine.drafts.set_aside("enrollment")
    assert b'name="Mine"' in engine.drafts.set_aside_content("enrollment", kept.id)[1]


def test_a_round_trip_keeps_every_word(clinic: Clinic, engine: Engine, ana: Page, tmp_path) -> None:
    opened(ana)
    name = select(ana, "UpdateNow").get_by_label("Name", exact=True)
    name.fill("Something")
    saved(ana)
    name.fill("Update Now")
    saved(ana)
    package = engine.drafts.package("enrollment")
    assert schema_problems(parse_xml(package.files["enrollment.bpmn"], "enrollment.bpmn")) == []
    assert engine.deployments.check_draft("enrollment", package) == []
    report = run_examples(package, engine.services)
    assert (report.failed, report.elements, report.flows) == (0, 1.0, 1.0)
    opened(ana)
    expect(ana.locator("[data-conflict]")).to_be_hidden()  # nothing the editor does not understand
    ana.locator(".file-menu summary").click()
    with ana.expect_download() as download:
        ana.get_by_role("link", name="Export the whole package").click()
    brought = from_zip(download.value.path().read_bytes())
    version = engine.deployments.deploy_draft("enrollment", etag=brought.hash, note="round trip", actor=ANA)
    assert version.hash == brought.hash == package.hash == engine.deploy(brought, actor=ANA).hash
    with ana.expect_download() as svg:
        ana.get_by_role("button", name="Export as picture").click()
    picture = svg.value.path().read_text()
    assert "Update Now" in picture
    assert "var(--" not in picture
    with ana.expect_download() as bpmn:
        ana.get_by_role("button", name="Export as .bpmn").click()
    assert bpmn.value.path().read_text() == drawn(engine)
    opened(ana, f"/processes/enrollment/compare?from=1&to={version.number}")  # bpmn-js as it comes, without our editor
    expect(ana.locator("[data-side=after][data-warnings]")).to_have_attribute("data-warnings", "0")


def test_a_file_from_outside_takes_the_place_of_the_diagram(
    engine: Engine, ana: Page, tmp_path, accessible: Callable
) -> None:
    opened(ana)
    other = tmp_path / "other.bpmn"
    other.write_text(drawn(engine).replace('name="Load patient"', 'name="Fetch patient"'))
    ana.locator("[data-import]").set_input_files(other)
    question = ana.get_by_role("dialog", name="Put other.bpmn in place of the diagram?")
    expect(question).to_contain_text("1 element changed")
    expect(question.get_by_role("button", name="Keep what is drawn")).to_be_focused()
    accessible(ana)
    question.get_by_role("button", name="Keep what is drawn").click()
    assert 'name="Fetch patient"' not in drawn(engine)
    ana.locator("[data-import]").set_input_files(other)
    question.get_by_role("button", name="Put it in place").click()
    expect(ana.locator("[data-outline] [data-element=LoadPatient]")).to_contain_text("Fetch patient")
    back = ana.get_by_role("button", name="Take the import back")
    expect(back).to_be_visible()
    assert 'name="Fetch patient"' in drawn(engine)
    with ana.expect_navigation():
        back.click()
    ana.wait_for_selector("body[data-ready]")
    expect(ana.locator("[data-outline] [data-element=LoadPatient]")).to_contain_text("Load patient")
    assert 'name="Fetch patient"' not in drawn(engine)
    kinds = [point.kind.value for point in engine.draft_history.points("enrollment", limit=3)]
    assert kinds == ["saved", "restore", "import"]


def test_a_restore_point_is_named_in_place(engine: Engine, ana: Page, accessible: Callable) -> None:
    opened(ana)
    field = select(ana, "UpdateNow").get_by_label("Name", exact=True)
    field.fill("Complete Now")
    ana.keyboard.press("Control+s")
    name = ana.get_by_label("Name of the restore point; may be empty")
    expect(name).to_be_focused()
    accessible(ana)
    name.fill("Agreed with the desk")
    ana.keyboard.press("Enter")
    expect(ana.locator("[data-saved]")).to_have_text("kept as “Agreed with the desk”")
    expect(field).to_be_focused()
    ana.keyboard.press("Control+s")
    expect(name).to_be_focused()
    ana.keyboard.press("Escape")
    expect(name).to_have_count(0)
    [newest, *_] = engine.draft_history.points("enrollment", limit=2)
    assert (newest.kind.value, newest.name) == ("named", "Agreed with the desk")


HOSTILE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><definitions>&x;</definitions>'


def test_a_file_that_is_no_diagram_takes_nothing_away(engine: Engine, ana: Page, tmp_path) -> None:
    opened(ana)
    before = engine.drafts.package("enrollment")
    for name, text in (("broken.bpmn", "<a"), ("hostile.bpmn", HOSTILE), ("picture.bpmn", "\x00PNG")):
        (tmp_path / name).write_text(text)
        ana.locator("[data-import]").set_input_files(tmp_path / name)
        expect(ana.locator("[data-conflict]")).to_contain_text(f"{name} cannot be opened as a diagram.")
    saved(ana)
    assert [one.kind for one in compare(before, engine.drafts.package("enrollment")).changes] in (
        [],
        [ChangeKind.MOVED],
    )
    select(ana, "UpdateNow").get_by_label("Name", exact=True).fill("Goes on")
    saved(ana)
    assert 'name="Goes on"' in drawn(engine)


def test_a_broken_draft_opens_with_a_way_out(clinic: Clinic, engine: Engine, ana: Page, shot: Callable) -> None:
    whole = drawn(engine)
    broken = whole[: len(whole) // 2]
    draft(clinic, **{"enrollment.bpmn": broken.encode()})
    opened(ana)
    expect(ana.locator("[data-conflict]")).to_contain_text("enrollment.bpmn cannot be opened as a diagram.")
    expect(ana.locator("[data-counts]")).to_have_text("1 error")
    shot(ana, "workbench-unreadable")
    saved(ana)  # what could not be drawn is not saved as nothing
    assert drawn(engine) == broken
    with ana.expect_navigation():
        ana.get_by_role("link", name="Mend its text").click()
    ana.wait_for_selector("body[data-ready]")
    area = ana.get_by_label("enrollment.bpmn")
    expect(area).to_have_value(broken)
    area.fill(whole)
    saved(ana)
    expect(ana.locator("[data-counts]")).to_have_text("Nothing stands against a deployment.")
    opened(ana)
    expect(ana.locator("[data-conflict]")).to_be_hidden()
    assert drawn(engine) == whole


def test_the_keyboard_is_enough(engine: Engine, ana: Page) -> None:
    opened(ana)
    first = ana.locator("[data-outline] button").first
    first.focus()
    ana.keyboard.press("ArrowDown")
    ana.keyboard.press("ArrowDown")
    expect(ana.locator("[data-outline] [data-element=LoadPatient]")).to_be_focused()
    ana.keyboard.press("Enter")
    expect(ana.locator(".props header code")).to_have_text("LoadPatient")
    expect(ana.get_by_label("Name", exact=True)).to_be_focused()
    ana.get_by_label("Add the next step").focus()
    ana.get_by_label("Add the next step").select_option(label="Script task")
    ana.keyboard.press("Tab")
    ana.keyboard.press("Enter")
    expect(ana.locator(".props header p")).to_contain_text("Script task")
    added = ana.locator(".props header code").inner_text()
    ana.keyboard.press("Escape")
    expect(ana.locator(f"[data-outline] [data-element={added}]")).to_be_focused()
    ana.locator("[data-do=undo]").press("Enter")
    expect(ana.locator(f"[data-outline] [data-element={added}]")).to_have_count(0)
    ana.keyboard.press("Control+f")
    expect(ana.locator(".djs-search-container")).to_be_visible()


def test_operators_come_from_the_registry_with_their_parameters(engine: Engine, ana: Page) -> None:
    opened(ana)
    props = select(ana, "SavePatient")
    call = props.get_by_label("What it does")
    call.select_option("patient/load")
    expect(ana.locator("[data-findings] li", has_text="patient/load has no parameter")).not_to_have_count(0)
    call.select_option("patient/remove-response")
    expect(props.get_by_label("reason *")).to_be_visible()
    props.get_by_label("reason *").fill("'because'")
    saved(ana)
    assert 'id="reason" type="any" value="&#39;because&#39;"' in drawn(engine).replace("'because'", "&#39;because&#39;")


def test_a_slip_is_mended_with_one_button_and_undone_in_one_step(
    clinic: Clinic, engine: Engine, ana: Page, shot: Callable
) -> None:
    right = (ROOT / "processes/enrollment/enrollment.bpmn").read_text()
    wrong = right.replace('patient.status == "Pending"', 'patient.statsu == "Pending"')
    draft(clinic, **{"enrollment.bpmn": wrong.encode()})
    opened(ana)
    slip = ana.locator("[data-findings] li", has_text="has no field “statsu”")
    shot(ana, "workbench-remedy")
    slip.get_by_role("button", name="Change to “status”").click()
    expect(slip).to_have_count(0)
    saved(ana)
    assert 'patient.status == "Pending"' in drawn(engine)
    ana.locator("body").press("Control+z")
    expect(slip).to_have_count(1)
    saved(ana)
    assert 'patient.statsu == "Pending"' in drawn(engine)


def test_a_mail_is_shown_as_a_patient_would_get_it(engine: Engine, ana: Page) -> None:
    opened(ana, "/processes/enrollment/files/mail/invitation.en.md")
    frame = ana.frame_locator("iframe")
    expect(frame.locator("body")).to_contain_text("Hello Sam,")
    begin = "---\nsubject: Hi\n---\n\n{{ first_name.upper() }}, see {{ link }}"
    ana.get_by_label("mail/invitation.en.md").fill(f"{begin} {{{{ oops }}}}")
    expect(frame.locator("body")).to_contain_text("cannot be filled in")
    expect(ana.locator("[data-findings] li", has_text="Nothing fills “oops”")).to_have_count(1)
    ana.get_by_label("mail/invitation.en.md").fill(begin)
    expect(frame.locator("body")).to_contain_text("SAM, see http")
    saved(ana)
    assert engine.drafts.package("enrollment").text("mail/invitation.en.md") == begin


def test_a_form_is_drawn_and_saved(engine: Engine, ana: Page) -> None:
    opened(ana, "/processes/enrollment/files/resend-invitation.form")
    ana.locator(".fjs-element[data-field-type=button]").click()
    ana.locator(".bio-properties-panel-group-header", has_text="General").click()
    ana.get_by_label("Field label").fill("Send it again")
    ana.keyboard.press("Control+s")
    expect(ana.locator("[data-saved][data-state=saved]")).to_contain_text("saved")
    expect(ana.locator(".fjs-form-field-button button")).to_have_text("Send it again")
    assert "Send it again" in engine.drafts.package("enrollment").text("resend-invitation.form")


def test_a_decision_table_is_edited_and_saved(clinic: Clinic, engine: Engine, ana: Page) -> None:
    draft(clinic, **{"reminder.dmn": TABLE})
    opened(ana, "/processes/enrollment/files/reminder.dmn")
    cell = ana.locator("td.output-cell [contenteditable], td.output-cell")
    cell.first.click()
    ana.keyboard.press("Control+a")
    ana.keyboard.type("21")
    ana.keyboard.press("Control+s")
    expect(ana.locator("[data-saved][data-state=saved]")).to_contain_text("saved")
    assert "21" in engine.drafts.package("enrollment").text("reminder.dmn")


def test_four_eyes_over_the_page(clinic: Clinic, engine: Engine, ana: Page, desk: Desk) -> None:
    if not any(user.name == "abe" for user in clinic.accounts.users()):
        clinic.accounts.add_user("abe", "a password for tests", role=Role.ANALYST, by="test")
    settings, engine.context.settings = engine.settings, replace(engine.settings, deploy_four_eyes=1)
    try:
        draft(clinic, **{"notes.txt": b"for the second pair of eyes"})
        opened(ana, "/processes/enrollment/deploy")
        ana.get_by_label("What changed, and why").fill("Notes.")
        ana.get_by_role("button", name="Ask for the sign-off").click()
        expect(ana.get_by_text("Another analyst has to sign this off")).to_be_visible()
        abe = desk("abe")
        abe.goto("/processes")
        abe.get_by_role("link", name="look and sign off").click()
        abe.get_by_role("button", name="Sign off and deploy").click()
        expect(abe.get_by_role("status").first).to_contain_text("is in force")
    finally:
        engine.context.settings = settings
    assert engine.versions.all("enrollment")[0].signed_off_by == "abe"


def test_a_lost_session_is_reported_and_nothing_is_thrown_away(engine: Engine, ana: Page) -> None:
    opened(ana)
    ana.route("**/draft/file/**", _signed_out)
    select(ana, "UpdateNow").get_by_label("Name", exact=True).fill("Kept")
    expect(ana.locator("[data-saved]")).to_contain_text("sign in again")
    ana.unroute_all()
    saved(ana)
    assert 'name="Kept"' in drawn(engine)


def _signed_out(route: Route) -> None:
    if route.request.method == "PUT":
        route.fulfill(status=401, json={"title": "You are signed out"})
    else:
        route.fallback()


PROCESSES = sorted(path.parent.name for path in (ROOT / "tests" / "processes").glob("*/*.bpmn"))


@pytest.mark.parametrize("name", PROCESSES)
def test_the_editor_loses_nothing_of_a_diagram(name: str, clinic: Clinic, ana: Page) -> None:
    """Every kind of element that runs goes through the editor; only the one name that was changed differs."""
    engine, before = clinic.enrollment.engine, read_folder(ROOT / "tests" / "processes" / name)
    key = before.key
    fresh(clinic, key, before)
    opened(ana, f"/processes/{key}/edit")
    expect(ana.locator("[data-conflict]")).to_be_hidden()
    file = before.diagrams()[0] if len(before.diagrams()) == 1 else f"{name}.bpmn"
    ana.locator("[data-outline] > li > button").nth(1).click()
    ana.locator(".props").get_by_label("Name", exact=True).fill("Renamed here")
    expect(ana.locator("[data-outline]")).to_contain_text("Renamed here")
    saved(ana)
    after = engine.drafts.package(key)
    changed = [change for change in compare(before, after).changes if change.kind is not ChangeKind.MOVED]
    aspects = [aspect for change in changed for aspect in change.aspects]
    # isSequential="false" is the default in BPMN (BPMN 2.0.2, table 10.29); the editor leaves it out.
    assert [one.after for one in aspects if (one.before, one.after) != ("false", "")] == ["Renamed here"]
    assert schema_problems(parse_xml(after.files[file], file)) == []
    found = engine.deployments.check_draft(key, after)
    assert {one.rule for one in found if one.severity == "error"} <= {"service", "mail"}


def test_a_thrown_message_names_its_receiver(clinic: Clinic, ana: Page) -> None:
    engine, key = clinic.enrollment.engine, _message_throw(clinic)
    opened(ana, f"/processes/{key}/edit")
    props = select(ana, "Pay")
    expect(props.get_by_label("Script before")).to_have_count(0)
    expect(props.get_by_label("Contents")).to_have_value('{"sum": sum}')
    props.get_by_label("For the case about").fill("other")
    saved(ana)
    after = engine.drafts.package(key)
    assert '<spiffworkflow:property name="businessKey" value="other"' in after.text("message_throw.bpmn")


def test_a_send_task_sends_to_a_case_or_has_an_operator(clinic: Clinic, ana: Page) -> None:
    engine, key = clinic.enrollment.engine, _message_throw(clinic)
    opened(ana, f"/processes/{key}/edit")
    props = select(ana, "Tell")
    expect(props.get_by_label("What it does")).to_have_value("")
    expect(props.get_by_label("For the case about")).to_have_value("partner")
    expect(props.get_by_label("Name of the result")).to_have_count(0)
    props = select(ana, "Write")
    expect(props.get_by_label("What it does")).to_have_value("test/effect")
    expect(props.get_by_label("For the case about")).to_have_count(0)
    expect(props.get_by_label("Name of the result")).to_have_value("written")
    props.get_by_label("What it does").select_option("patient/load")
    saved(ana)
    assert 'serviceTaskOperator id="patient/load" resultVariable="written"' in engine.drafts.package(key).text(
        "message_throw.bpmn"
    )


def test_a_cycle_explains_what_happens_to_missed_times(clinic: Clinic, ana: Page) -> None:
    engine, before = clinic.enrollment.engine, read_folder(ROOT / "tests" / "processes" / "timer_boundary")
    fresh(clinic, before.key, before)
    opened(ana, f"/processes/{before.key}/edit")
    props = select(ana, "Remind")
    expect(props.get_by_label("Times that passed while nothing ran")).to_have_value("")
    props.get_by_label("Times that passed while nothing ran").select_option("Left out")
    saved(ana)
    after = engine.drafts.package(before.key)
    assert '<spiffworkflow:property name="missed" value="skip"' in after.text("timer_boundary.bpmn")
    assert not [one for one in engine.deployments.check_draft(before.key, after) if one.element == "Remind"]
    props.get_by_label("Kind of time").select_option("After a time")
    expect(props.get_by_label("Times that passed while nothing ran")).to_have_count(0)


def _message_throw(clinic: Clinic) -> str:
    """The key of a draft of a process that throws messages, as it was drawn."""
    before = read_folder(ROOT / "tests" / "processes" / "message_throw")
    fresh(clinic, before.key, before)
    return before.key
