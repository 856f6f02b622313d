"""The Deploy page over HTTP: what it knows of a draft, what stands in the way, and the second pair of eyes."""

import json
import re
from dataclasses import replace

import pytest
from usher_engine import Actor
from usher_engine.accounts import Role
from usher_engine.definitions import Package

DEPLOY = "/processes/enrollment/deploy"
RESEND, COMPLETED = "examples/05-pending-resend.json", "examples/11-completed.json"
ACCEPTED = "examples/19-pending-patient-accepts-meanwhile.json"
ABE = Actor(name="abe", role="analyst")


@pytest.fixture
def ana(house):
    visitor = house.visitor("ana")
    visitor.get("/processes")
    visitor.post("/processes/enrollment/draft")
    return visitor


@pytest.fixture
def engine(house):
    return house.enrollment.engine


def save(engine, path, text):
    there = engine.drafts.find("enrollment").file(path)
    content = text if isinstance(text, bytes) else text.encode()
    engine.drafts.save_file("enrollment", path, content, etag=there.etag if there else "", actor=ABE)


def redraw(engine, old, new):
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    assert old in text
    save(engine, "enrollment.bpmn", text.replace(old, new))


def etag(engine):
    return engine.drafts.find("enrollment").etag


def plain(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_examples_that_fail_stand_in_the_way_and_are_accepted_one_by_one(ana, engine):
    save(engine, RESEND, json.dumps({**example(engine, RESEND), "path": ["TriggerSelected"]}))
    redraw(engine, 'patient.status == "Completed"', 'patient.status == "Completed" and patient.sends == 99')
    page = ana.get(DEPLOY)
    assert "stand in the way of v2." in plain(page)
    assert "3 of 23 fail" in plain(page)
    refused = ana.post(DEPLOY, {"etag": etag(engine), "note": "Half done"})
    assert refused.status_code == 422
    assert "accept the new way" in plain(refused) and "Half done" in refused.text
    for file in (RESEND, COMPLETED, ACCEPTED):
        ana.get(DEPLOY)
        assert ana.post(f"{DEPLOY}/accept", {"etag": etag(engine), "file": file}).status_code == 200
    page = ana.get(DEPLOY)
    assert "Nothing stands in the way of v2." in plain(page)
    assert "All of it was checked on exactly this content." in plain(page)
    assert "2 examples promise another way than in v1" in plain(page)
    assert "22 of 23" not in plain(page)
    assert 'name="next" value="deploy"' in page.text
    number = re.search(r"/history/(\d+)/back", page.text).group(1)
    ana.post(f"/processes/enrollment/history/{number}/back", {"etag": etag(engine), "next": "deploy"})
    assert "1 of 23 fail" in plain(ana.get(DEPLOY))


def example(engine, path):
    return json.loads(engine.drafts.package("enrollment").text(path))


def test_what_cannot_be_played_has_no_button(ana, engine):
    save(engine, RESEND, json.dumps({**example(engine, RESEND), "do": [{"complete": "UpdateNow"}]}))
    save(engine, COMPLETED, json.dumps({**example(engine, COMPLETED), "services": {}}))
    page = ana.get(DEPLOY)
    assert page.text.count("This is right now<") == 1
    assert "It does not come to its end" in plain(page)
    assert "It goes no further: “Update Now” is not open" in plain(page)
    refused = ana.post(f"{DEPLOY}/accept", {"etag": etag(engine), "file": COMPLETED})
    assert refused.status_code == 422
    assert "The example has no answer for the service" in plain(refused)
    assert ana.post(f"{DEPLOY}/accept", {"etag": etag(engine), "file": "enrollment.bpmn"}).status_code == 404


def test_a_change_meanwhile_is_told_and_nothing_is_done(ana, engine):
    save(engine, "notes.txt", "mine")
    seen = etag(engine)
    redraw(engine, 'name="Resend Invitation"', 'name="Send it again"')
    for act, sent in (("", {"note": "x"}), ("/accept", {"file": RESEND}), ("/send-back", {"reason": "no"})):
        ana.get(DEPLOY)
        late = ana.post(f"{DEPLOY}{act}", {"etag": seen, **sent})
        assert late.status_code == 409, act
        assert "The draft changed since you looked at it. Nothing was done." in plain(late)
        assert "1 element changed" in plain(late)
        assert "name: Resend Invitation → Send it again" in plain(late)
    assert len(engine.versions.all("enrollment")) == 1
    ana.get(DEPLOY)
    unknown = ana.post(DEPLOY, {"etag": "0" * 64, "note": "x"})
    assert unknown.status_code == 409


def test_a_note_is_kept_for_later(ana, engine):
    save(engine, "notes.txt", "mine")
    ana.get(DEPLOY)
    ana.post(DEPLOY, {"etag": etag(engine), "note": "Because <half> of them", "act": "note"})
    assert "Because &lt;half&gt; of them</textarea>" in ana.get(DEPLOY).text
    assert len(engine.versions.all("enrollment")) == 1


def test_the_second_analyst_sees_the_same_and_may_send_back(house, ana, engine):
    house.accounts.add_user("abe", "a password for tests", role=Role.ANALYST, by="test")
    engine.context.settings = replace(engine.settings, deploy_four_eyes=1)
    save(engine, RESEND, json.dumps({**example(engine, RESEND), "path": ["TriggerSelected"]}))
    ana.get(DEPLOY)
    ana.post(f"{DEPLOY}/accept", {"etag": etag(engine), "file": RESEND})
    save(engine, "notes.txt", "mine")
    seen = etag(engine)
    ana.get(DEPLOY)
    ana.post(DEPLOY, {"etag": seen, "note": "Notes.", "act": "ask"})
    assert "Another analyst has to sign this off." in plain(ana.get(DEPLOY))
    assert "Send back" not in ana.get(DEPLOY).text
    assert ana.post(f"{DEPLOY}/send-back", {"etag": seen, "reason": "no"}).status_code == 403
    abe = house.visitor("abe")
    page = abe.get(DEPLOY)
    assert "ana asks you to sign v2." in plain(page)
    assert "Notes." in page.text
    assert abe.post(f"{DEPLOY}/send-back", {"etag": seen, "reason": "  "}).status_code == 422
    abe.post(f"{DEPLOY}/send-back", {"etag": seen, "reason": "Not under 16."})
    page = ana.get(DEPLOY)
    assert "abe sent v2 back." in plain(page)
    assert "“Not under 16.”" in plain(page)
    assert "Notes.</textarea>" in page.text
    assert engine.versions.all("enrollment")[0].number == 1


def test_the_last_backtest_is_of_this_content_or_of_an_older_draft(house, ana, engine):
    house.select("sample-no-zip")
    save(engine, "notes.txt", "mine")
    assert "Nobody has run recorded cases on this draft." in plain(ana.get(DEPLOY))
    ana.get("/processes/enrollment/backtest")
    ana.post("/processes/enrollment/backtest", {"on": "draft"})
    house.worker.run_due()
    page = plain(ana.get(DEPLOY))
    assert "1 of 1 recorded cases takes the same way. " in page
    assert "Of exactly this content," in page
    assert "1 on v1" in page
    redraw(engine, 'name="Update Now"', 'name="Fill in"')
    page = plain(ana.get(DEPLOY))
    assert "of an older draft" in page
    assert "1 element changed" in page
    assert "can move as they are" in page


def test_a_case_whose_place_is_gone_needs_one(house, ana, engine):
    house.select("sample-no-zip")
    redraw(engine, '"UpdateNow"', '"FillForm"')
    redraw(engine, ">UpdateNow<", ">FillForm<")
    page = plain(ana.get(DEPLOY))
    assert "can move to Update Now" in page
    redraw(engine, 'name="Update Now"', 'name="Fill in"')
    assert "need a place" in plain(ana.get(DEPLOY))


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"path": 7}', b"\xff", b"[" * 50_000])
def test_a_broken_example_breaks_no_page(ana, engine, content):
    save(engine, RESEND, content)
    page = ana.get(DEPLOY)
    assert page.status_code == 200 and "1 of 23 fail" in plain(page)


def test_a_new_process_without_examples_can_be_deployed(house, engine):
    ana = house.visitor("ana")
    ana.get("/drafts/new")
    ana.post("/drafts/new", {"key": "recall", "name": "Recall"})
    text = engine.drafts.package("recall").text("recall.bpmn")
    flow = '<bpmn:sequenceFlow id="f" sourceRef="Start" targetRef="End"/><bpmn:endEvent id="End"/>'
    text = text.replace('<bpmn:startEvent id="Start" />', f'<bpmn:startEvent id="Start"/>{flow}')
    there = engine.drafts.find("recall").file("recall.bpmn")
    engine.drafts.save_file("recall", "recall.bpmn", text.encode(), etag=there.etag, actor=ABE)
    page = plain(ana.get("/processes/recall/deploy"))
    assert "Nothing stands in the way of v1." in page
    assert "Nothing promises a way that a case takes." in page
    assert "Nothing walks" in page
    engine.drafts.save_file("recall", "x.txt", b"x", etag="", actor=ABE)
    etag = engine.drafts.find("recall").etag
    assert "v1 is in force" in ana.post("/processes/recall/deploy", {"etag": etag, "note": "New."}).text
    assert isinstance(engine.versions.package("recall"), Package)


def test_running_cases_are_tried_on_the_new_version_right_after_the_deployment(house, ana, engine):
    assert "Leave them on their version" not in ana.get(DEPLOY).text
    house.select("sample-no-zip")
    redraw(engine, 'id="UpdateNow" name="Update Now"', 'id="UpdateNow" name="Ask for the rest"')
    assert "Then try to move the 1 of v1" in plain(ana.get(DEPLOY))
    trial = ana.post(DEPLOY, {"etag": etag(engine), "note": "Another name", "move": "1"})
    assert "/migrate/" in trial.request.path
    house.worker.run_due()
    page = plain(ana.get(trial.request.path))
    assert "v2 is in force" in plain(trial) and "1 of 1" in page
    assert engine.migrations.live_versions("enrollment") == {1: 1}, "a trial moves nothing"


def test_a_version_without_running_cases_is_not_tried(house, ana, engine):
    save(engine, "notes.txt", "mine")
    ana.get(DEPLOY)
    page = ana.post(DEPLOY, {"etag": etag(engine), "note": "Notes.", "move": "7"})
    assert page.request.path == "/processes/enrollment" and "v2 is in force" in plain(page)
