"""The workbench over HTTP: ETags and conflicts, refusals and their explanations, and that nothing leaks."""

import html
import io
import json
import re
import zipfile
from dataclasses import replace

import pytest
from usher_engine.authoring import file_etag
from usher_engine.definitions import from_zip

FILES = "/processes/enrollment/draft/file"
LATE = re.compile(r"/processes/enrollment/late/(\w+)")


@pytest.fixture
def ana(house):
    visitor = house.visitor("ana")
    visitor.get("/processes")
    visitor.post("/processes/enrollment/draft")
    return visitor


@pytest.fixture
def engine(house):
    return house.enrollment.engine


def put(visitor, path, text, **headers):
    sent = {"X-CSRF-Token": visitor.csrf, "X-Requested-With": "fetch", **headers}
    return visitor.client.put(f"{FILES}/{path}", data=text, headers=sent)


def etag_of(engine, path):
    return f'"{engine.drafts.find("enrollment").file(path).etag}"'


def upload(name, content):
    return {"upload": (io.BytesIO(content), name)}


def test_a_file_is_read_and_saved_by_its_etag(ana, engine):
    got = ana.get(f"{FILES}/mail/invitation.en.md")
    assert got.headers["ETag"] == etag_of(engine, "mail/invitation.en.md")
    assert got.headers["Content-Disposition"] == "attachment"
    again = ana.client.get(f"{FILES}/mail/invitation.en.md", headers={"If-None-Match": got.headers["ETag"]})
    assert again.status_code == 304
    saved = put(ana, "mail/invitation.en.md", "Hello", **{"If-Match": got.headers["ETag"]})
    assert saved.status_code == 200
    assert saved.json["etag"] == file_etag(b"Hello")
    assert saved.json["saved"] == "today 09:02"
    assert saved.json["draft"] == engine.drafts.find("enrollment").etag
    late = put(ana, "mail/invitation.en.md", "Other", **{"If-Match": got.headers["ETag"]})
    assert (late.status_code, late.mimetype) == (412, "application/problem+json")
    assert (late.json["winner"], late.json["etag"]) == ("ana", file_etag(b"Hello"))
    assert ana.get(f"/processes/enrollment/draft/late/{late.json['aside']}").data == b"Other"
    assert engine.drafts.package("enrollment").files["mail/invitation.en.md"] == b"Hello"


def test_a_save_says_what_it_saw(ana, engine):
    assert put(ana, "notes.txt", "x").status_code == 428
    assert put(ana, "notes.txt", "x", **{"If-None-Match": "*"}).status_code == 200
    assert put(ana, "notes.txt", "y", **{"If-None-Match": "*"}).status_code == 412
    assert put(ana, "../notes.txt", "x", **{"If-None-Match": "*"}).status_code in {404, 405, 422}
    large = put(ana, "large.txt", "x" * 1_000_001, **{"If-None-Match": "*"})
    assert (large.status_code, large.json["problems"][0]["element"]) == (422, "large.txt")
    assert put(ana, "huge.txt", "x" * 2_200_000, **{"If-None-Match": "*"}).status_code == 413
    headers = {"X-CSRF-Token": ana.csrf, "If-Match": etag_of(engine, "notes.txt")}
    gone = ana.client.delete(f"{FILES}/notes.txt", headers=headers)
    assert gone.status_code == 200
    assert ana.get(f"{FILES}/notes.txt").status_code == 404


def test_another_site_cannot_save(ana, engine):
    forged = put(ana, "notes.txt", "x", **{"If-None-Match": "*", "Origin": "https://evil.example"})
    assert forged.status_code == 403
    assert put(ana, "notes.txt", "x", **{"If-None-Match": "*", "X-CSRF-Token": "no"}).status_code == 403


@pytest.mark.parametrize("name", ["alice", "audrey", "adam"])
def test_nobody_else_saves_or_reads(house, ana, engine, name):
    other = house.visitor(name)
    assert put(other, "notes.txt", "x", **{"If-None-Match": "*"}).status_code == 403
    assert other.get(f"{FILES}/enrollment.bpmn").status_code == 403
    assert other.client.delete(f"{FILES}/enrollment.bpmn", headers={"X-CSRF-Token": other.csrf}).status_code == 403


def check(visitor, files):
    headers = {"X-CSRF-Token": visitor.csrf}
    return visitor.client.post("/processes/enrollment/draft/check", json={"files": files}, headers=headers)


def test_what_is_typed_is_checked_and_not_saved(ana, engine):
    before = engine.drafts.find("enrollment").etag
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    assert check(ana, {}).json["findings"] == []
    answer = check(ana, {"enrollment.bpmn": text.replace('patient.status == "Pending"', "patient.status = = 1")})
    found = answer.json["findings"][0]
    assert (found["element"], found["rule"], found["severity"]) == ("Flow_status_pending", "expression", "error")
    assert check(ana, {"enrollment.bpmn": "<!DOCTYPE x><x/>"}).json["findings"][0]["severity"] == "error"
    other = check(ana, {"enrollment.bpmn": text.replace('"enrollment"', '"other"')}).json["findings"][0]
    assert other["rule"] == "process-id"
    assert check(ana, "no").status_code == 400
    assert engine.drafts.find("enrollment").etag == before


def test_the_package_goes_out_and_comes_in_as_the_same(ana, engine):
    out = ana.get("/processes/enrollment/draft/package.zip").data
    assert from_zip(out).hash == engine.versions.package("enrollment").hash
    ana.get("/processes/enrollment/files")
    ana.post("/processes/enrollment/draft/discard", {"etag": engine.drafts.find("enrollment").etag})
    folder = io.BytesIO()
    with zipfile.ZipFile(folder, "w") as archive:  # as people zip a folder
        for path, content in from_zip(out).files.items():
            archive.writestr(f"enrollment/{path}", content)
        archive.writestr("__MACOSX/enrollment/._x", b"")
    ana.get("/processes/enrollment/edit")
    ana.post("/processes/enrollment/draft", upload("enrollment.zip", folder.getvalue()))
    assert engine.drafts.find("enrollment").etag == engine.versions.package("enrollment").hash


def test_a_new_process_begins_blank_or_from_a_file(ana, engine):
    ana.get("/drafts/new")
    assert ana.post("/drafts/new").status_code == 422
    assert ana.post("/drafts/new", {"key": "9 lives"}).status_code == 422
    page = ana.post("/drafts/new", {"key": "recall", "name": 'Recall "all" <now>'})
    assert page.status_code == 200
    assert [
        f.rule
        for f in engine.deployments.check_draft("recall", engine.drafts.package("recall"))
        if f.rule == "safe-xml"
    ] == []
    assert engine.drafts.package("recall").name == 'Recall "all" <now>'
    assert ana.post("/drafts/new", {"key": "recall"}).status_code == 409
    broken = ana.post("/drafts/new", {"key": "broken", **upload("x.bpmn", b"<broken")})
    assert broken.status_code == 200
    assert ana.post("/drafts/new", upload("x.exe", b"MZ")).status_code == 422
    assert ana.post("/drafts/new", upload("x.zip", b"no zip")).status_code == 422
    assert "recall" in ana.get("/processes").text


def test_files_are_added_renamed_and_removed(ana, engine):
    add = "/processes/enrollment/files"
    ana.get(add)
    assert ana.post(add, {"path": "call.form"}).status_code == 200
    assert ana.post(add, {"path": "call.form", **upload("call.form", b"{}")}).status_code == 422
    assert engine.drafts.set_aside("enrollment") == []
    assert ana.post(add, {"path": "../x"}).status_code == 422
    assert ana.post(add, {"path": ""}).status_code == 422
    assert ana.post(add, {"path": "", **upload("mine.txt", b"hi")}).status_code == 200
    package = engine.drafts.package("enrollment")
    assert (package.files["mine.txt"], json.loads(package.files["call.form"])["components"]) == (b"hi", [])
    for path in ("reminder.dmn", "other.bpmn"):
        assert ana.post(add, {"path": path}).status_code == 200
    etag = engine.drafts.find("enrollment").file("mine.txt").etag
    ana.get(add)
    same = {"path": "mine.txt", "new": "call.form", "etag": etag}
    assert ana.post(f"{add}/rename", same).status_code == 422
    assert ana.post(f"{add}/rename", {**same, "new": "notes/mine.txt"}).status_code == 200
    assert ana.post(f"{add}/remove", {"path": "notes/mine.txt", "etag": "old"}).status_code == 412
    assert ana.post(f"{add}/remove", {"path": "notes/mine.txt", "etag": etag}).status_code == 200
    assert "notes/mine.txt" not in engine.drafts.package("enrollment").files


def test_late_saves_wait_on_every_page_of_the_draft_until_an_analyst_chooses(ana, engine):
    seen = etag_of(engine, "mail/invitation.en.md")
    put(ana, "mail/invitation.en.md", "first\nmiddle\nlast\n", **{"If-Match": seen})
    put(ana, "mail/invitation.en.md", "FIRST\nmiddle\nLAST\n", **{"If-Match": seen})
    key = LATE.search(ana.get("/processes/enrollment/files").text).group(1)
    page = ana.get(f"/processes/enrollment/late/{key}")
    assert "2 places differ" in page.text
    choice = {
        "etag": engine.drafts.find("enrollment").file("mail/invitation.en.md").etag,
        "choice": "some",
        "h1": "theirs",
    }
    assert ana.post(f"/processes/enrollment/late/{key}", {**choice, "choice": "both"}).status_code == 400
    assert ana.post(f"/processes/enrollment/late/{key}", {**choice, "etag": "old"}).status_code == 412
    assert ana.post(f"/processes/enrollment/late/{key}", choice).status_code == 200
    assert engine.drafts.package("enrollment").files["mail/invitation.en.md"] == b"first\nmiddle\nLAST\n"
    [other] = engine.drafts.set_aside("enrollment")  # the choice that came too late itself
    ana.get("/processes/enrollment/files")
    assert ana.post(f"/processes/enrollment/late/{other.id}", {"choice": "theirs"}).status_code == 200
    assert engine.drafts.set_aside("enrollment") == []


def test_two_people_changed_one_element_and_each_choice_keeps_the_rest(house, ana, engine):
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    renamed = text.replace('name="Save patient"', 'name="Keep patient"')
    theirs = renamed.replace('name="Update Now"', 'name="Ask"')
    seen = {"If-Match": etag_of(engine, "enrollment.bpmn")}
    assert put(ana, "enrollment.bpmn", theirs, **seen).status_code == 200
    mine = text.replace('name="Update Now"', 'name="Write"').replace('name="Enroll Now"', 'name="Again"')
    for choice, name in (("theirs", "Ask"), ("mine", "Write")):
        late = put(ana, "enrollment.bpmn", mine, **seen)
        assert late.status_code == 412
        address = f"/processes/enrollment/late/{late.json['aside']}"
        page = ana.get(address)
        assert "1 element" in page.text and "changed by both; all else goes together" in page.text
        for word in ("User task “Update Now”", "<b>Ask</b>", "<b>Write</b>", "before: Update Now"):
            assert word in page.text, word
        assert "Difference 1" in ana.get(f"{address}?by=line").text
        there = engine.drafts.find("enrollment").file("enrollment.bpmn").etag
        sent = {"etag": there, "choice": "elements", "e.UpdateNow": choice}
        assert ana.post(address, {**sent, "e.UpdateNow": "nobody"}).status_code == 422
        assert ana.post(address, sent).status_code == 200
        saved = engine.drafts.package("enrollment").text("enrollment.bpmn")
        for kept in (name, "Keep patient", "Again"):
            assert f'name="{kept}"' in saved, kept
        put(ana, "enrollment.bpmn", theirs, **{"If-Match": etag_of(engine, "enrollment.bpmn")})
    assert engine.drafts.set_aside("enrollment") == []


def test_deploying_needs_a_note_and_what_was_seen(ana, engine):
    assert "nothing to deploy" in ana.get("/processes/enrollment/deploy").text
    mail = "---\nsubject: Hello\n---\n\n{{ link }}"
    put(ana, "mail/invitation.en.md", mail, **{"If-Match": etag_of(engine, "mail/invitation.en.md")})
    etag = engine.drafts.find("enrollment").etag
    ana.get("/processes/enrollment/deploy")
    assert ana.post("/processes/enrollment/deploy", {"etag": etag, "note": " "}).status_code == 422
    assert ana.post("/processes/enrollment/deploy", {"etag": "0" * 64, "note": "x"}).status_code == 409
    done = ana.post("/processes/enrollment/deploy", {"etag": etag, "note": "Shorter mail."})
    assert "v2 is in force" in done.text
    assert "Shorter mail." in done.text
    assert engine.versions.all("enrollment")[0].deployed_by == "ana"
    back = ana.post("/processes/enrollment/roll-back", {"number": 1, "seen": 2, "note": "Too short."})
    assert "v3 is in force" in back.text
    assert ana.post("/processes/enrollment/roll-back", {"number": 1, "seen": 2}).status_code == 409


def test_a_broken_draft_is_kept_and_not_deployed(ana, engine):
    put(ana, "update-now.form", "{", **{"If-Match": etag_of(engine, "update-now.form")})
    page = ana.get("/processes/enrollment/deploy")
    assert "One error stands in the way of v2." in page.text
    assert 'aria-disabled="true" aria-describedby="why"' in page.text
    answer = ana.post("/processes/enrollment/deploy", {"etag": engine.drafts.find("enrollment").etag, "note": "x"})
    assert answer.status_code == 422
    assert ana.get("/processes/enrollment/files/update-now.form").status_code == 200
    assert len(engine.versions.all("enrollment")) == 1


def test_with_four_eyes_the_api_takes_no_packages(house, ana, engine):
    engine.context.settings = replace(engine.settings, deploy_four_eyes=1)
    content = ana.get("/processes/enrollment/draft/package.zip").data
    headers = {**house.token(house.accounts.user("ana").role, "ci"), "Content-Type": "application/zip"}
    answer = house.app.test_client().post("/api/v1/definitions/enrollment/versions", data=content, headers=headers)
    assert answer.status_code == 403
    assert "second analyst" in answer.json["detail"]


def test_every_editor_opens_under_the_policy_it_needs(ana, engine):
    strict = ana.get("/processes").headers["Content-Security-Policy"]
    assert "unsafe" not in strict
    modeler = ana.get("/processes/enrollment/edit").headers["Content-Security-Policy"]
    assert "unsafe" not in modeler
    form = ana.get("/processes/enrollment/files/update-now.form").headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in form
    assert "unsafe-eval" not in form
    assert "script-src 'self';" in form


def test_a_hostile_mail_is_shown_where_it_can_do_nothing(ana):
    ana.get("/processes/enrollment/files/mail/invitation.en.md")
    sent = {"path": "mail/invitation.html", "text": "<script>alert(1)</script>{{ first_name }}"}
    answer = ana.post("/drafts/preview", sent)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.endswith("sandbox")
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.text == "<script>alert(1)</script>Sam"
    text = ana.post("/drafts/preview", {**sent, "path": "mail/invitation.txt"})
    assert "&lt;script&gt;" in text.text
    wrong = ana.post("/drafts/preview", {**sent, "text": "{{ nobody.knows }}"})
    assert "cannot be filled in" in wrong.text


def test_what_no_editor_can_show_is_offered_for_download(ana, engine):
    put(ana, "picture.bpmn", b"\xff\xfe\x00", **{"If-None-Match": "*"})
    page = ana.get("/processes/enrollment/files/picture.bpmn")
    assert page.status_code == 200
    assert "cannot be shown here" in page.text


TABS = re.compile(r'<nav class="tabs edge" aria-label="Workbench">(.*?)</nav>', re.DOTALL)


@pytest.mark.parametrize("page", ["try", "backtest", "compare", "migrate"])
def test_the_tabs_of_a_process_stay_on_every_page_about_it(house, page: str) -> None:
    ana = house.visitor("ana")
    ana.post("/processes/enrollment/draft")
    [tabs] = TABS.findall(ana.get(f"/processes/enrollment/{page}").text)
    assert tabs.count('aria-current="page"') == 1
    for label in ("Try", "Backtest", "Compare", "Move running cases"):
        assert f">{label}</a>" in tabs
    for address in re.findall(r'href="([^"]+)"', tabs):
        assert ana.get(html.unescape(address)).status_code == 200, address


def test_tabs_lead_nobody_to_a_refusal(house) -> None:
    for name in ("audrey", "adam"):
        visitor = house.visitor(name)
        for page in ("try", "backtest", "compare", "migrate"):
            answer = visitor.get(f"/processes/enrollment/{page}")
            tabs = "".join(TABS.findall(answer.text))
            for address in re.findall(r'href="([^"]+)"', tabs):
                assert visitor.get(html.unescape(address)).status_code == 200, (name, address)
