"""Backtests and migrations over HTTP: asked for, worked on, read; by analysts without a patient in sight."""

import re

import pytest
from conftest import ROOT, package
from usher_engine import SYSTEM
from usher_engine.definitions import Package, read_folder


def drawn(*changes):
    files = dict(read_folder(ROOT / "processes" / "enrollment").files)
    text = files["enrollment.bpmn"].decode()
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return Package({**files, "enrollment.bpmn": text.encode()})


def waiting(process, words):
    """A process of the engine's tests that asks no service; its versions differ in a comment."""
    files = dict(package(process).files)
    text = files[f"{process}.bpmn"].decode().replace("<bpmn:process ", f"<!-- {words} --><bpmn:process ", 1)
    text = re.sub(r"(?s)<bpmn:serviceTask (id=.*?)>.*?</bpmn:serviceTask>", r"<bpmn:manualTask \1/>", text)
    return Package({**files, f"{process}.bpmn": text.encode()})


@pytest.fixture
def lived(house):
    """Six patients with a case each, five of them waiting; version 2 calls one task otherwise."""
    for patient in ("pending", "declined", "deferred", "no-email", "completed", "locked"):
        house.select(f"sample-{patient}")
    house.enrollment.engine.deploy(drawn(('name="Enroll Now"', 'name="Enroll again"')), actor=SYSTEM, note="clearer")
    return house


def run_id(answer):
    return answer.request.path.rsplit("/", 1)[-1]


def test_a_backtest_from_the_form_to_both_ways(lived):
    ana, engine = lived.visitor("ana"), lived.enrollment.engine
    changed = drawn(('in ["Declined", "Deferred"]', 'in ["Declined"]'))
    engine.drafts.start("enrollment", package=changed, actor=SYSTEM)
    form = ana.get("/processes/enrollment/backtest")
    assert "The draft" in form.text and "No backtest was run yet" in form.text
    asked = ana.post("/processes/enrollment/backtest", {"on": "draft", "limit": ""})
    assert asked.status_code == 200 and "Running the recorded cases" in asked.text
    run = run_id(asked)
    assert ana.get(f"/processes/enrollment/backtest/{run}/progress").json == {"done": 0, "total": 6, "open": True}
    lived.worker.run_due()
    page = ana.get(f"/processes/enrollment/backtest/{run}")
    assert "recorded cases take the same way" in page.text
    assert "Hana" not in page.text and "Stand" not in page.text
    (other,) = engine.batches.cases(run)
    assert "Declined or Deferred: condition" in page.text and "because of one change" in page.text
    selected = ana.get(f"/processes/enrollment/backtest/{run}?part={other.part}")
    assert "The 1 case" in selected.text and "moved by" in selected.text
    assert ana.get(f"/processes/enrollment/backtest/{run}?part=nothing").status_code == 200
    both = ana.get(f"/processes/enrollment/backtest/{run}/cases/{other.instance}")
    assert both.status_code == 200 and "As recorded" in both.text
    for side in ("recorded", "draft"):
        assert "bpmn:definitions" in ana.get(f"/processes/enrollment/backtest/{run}/{side}.bpmn").text
    listed = ana.get(f"/processes/enrollment/backtest/{run}/cases.csv").text.splitlines()
    assert listed[1].startswith(f"{other.instance},different,")
    assert ana.get(f"/processes/enrollment/backtest/{run}?outcome=failed").status_code == 200
    assert ana.get("/processes/enrollment/backtest/NOSUCHRUN000").status_code == 404
    assert lived.visitor("audrey").get(f"/processes/enrollment/backtest/{run}").status_code == 200


def test_what_nobody_answered_is_assumed_and_taken_back(lived):
    """A renamed task asks whom nobody asked; one answer of its own form is taken for all, and the run says so."""
    ana, engine = lived.visitor("ana"), lived.enrollment.engine
    renamed = drawn(('"UpdateNow"', '"AskAgain"'), (">UpdateNow<", ">AskAgain<"))
    engine.drafts.start("enrollment", package=renamed, actor=SYSTEM)
    pages = "/processes/enrollment/backtest"
    run = run_id(ana.post(pages, {"on": "draft", "limit": ""}))
    lived.worker.run_due()
    asks = ana.get(f"{pages}/{run}")
    assert "1 case reaches Update Now, which nobody answered." in asks.text
    assert "1 needs an answer nobody gave" in asks.text
    form = ana.get(f"{pages}/{run}/assume/AskAgain")
    assert "Assume an answer at Update Now" in form.text and "Zip" not in form.text and "ZIP code" in form.text
    wrong = ana.post(f"{pages}/{run}/assume/AskAgain", {"birth_date": "yesterday"})
    assert wrong.status_code == 422 and "birth_date" in wrong.text
    answer = {"first_name": "Ada", "last_name": "Sample", "birth_date": "1980-02-03", "zip_code": "10001",
              "email": "a@example.org", "birth_sex": "F"}  # fmt: skip
    again = run_id(ana.post(f"{pages}/{run}/assume/AskAgain", answer))
    lived.worker.run_due()
    page = ana.get(f"{pages}/{again}")
    assert "Assumed for all of them" in page.text and "ZIP code: 10001" in page.text
    assert "</span> rest on an assumption" in page.text
    listed = ana.get(f"{pages}/{again}/cases.csv").text.splitlines()
    assert listed[0].endswith("change,known_from_the_record_of,assumed_at") and listed[1].endswith(",AskAgain")
    back = run_id(ana.post(f"{pages}/{again}/assume/AskAgain", {"act.back": "1"}))
    assert engine.batches.find(back).details.get("assume") is None
    assert ana.get(f"{pages}/{run}/assume/EnrollNow").status_code == 404
    assert lived.visitor("audrey").get(f"{pages}/{run}/assume/AskAgain").status_code == 403


def test_a_draft_that_cannot_run_says_why(lived):
    ana, engine = lived.visitor("ana"), lived.enrollment.engine
    broken = drawn(('in ["Declined", "Deferred"]', 'in ["Declined", "Deferred"'))
    engine.drafts.start("enrollment", package=broken, actor=SYSTEM)
    refused = ana.post("/processes/enrollment/backtest", {"on": "draft"})
    assert refused.status_code == 422
    assert "This cannot be run as it is." in refused.text and "Flow_status_declined" in refused.text
    assert ana.post("/processes/enrollment/backtest", {"on": "1", "since": "yesterday"}).status_code == 422


def test_a_run_is_stopped(lived):
    ana = lived.visitor("ana")
    run = run_id(ana.post("/processes/enrollment/backtest", {"on": "1"}))
    stopped = ana.post(f"/processes/enrollment/backtest/{run}/cancel")
    assert "The run was stopped" in stopped.text


def test_cases_are_tried_moved_and_moved_back(lived):
    ana, engine = lived.visitor("ana"), lived.enrollment.engine
    page = ana.get("/processes/enrollment/migrate")
    assert "What takes whose place" in page.text and "Enroll again" in page.text
    chosen = {"from": "1", "to": "2", "map.EnrollNow": "EnrollNow", "map.ResendInvitation": "ResendInvitation"}
    tried = ana.post("/processes/enrollment/migrate", chosen)
    assert "Trying each case" in tried.text
    run = run_id(tried)
    lived.worker.run_due()
    page = ana.get(f"/processes/enrollment/migrate/{run}")
    assert "would go over" in page.text and "Hana" not in page.text
    assert engine.migrations.live_versions("enrollment") == {1: 5}
    assert ana.post(f"/processes/enrollment/migrate/{run}/run", {"reason": " "}).status_code == 422
    moving = ana.post(f"/processes/enrollment/migrate/{run}/run", {"reason": "the clearer name"})
    lived.worker.run_due()
    moved = ana.get(moving.request.path)
    assert "cases were moved" in moved.text and "Move them back" in moved.text
    assert engine.migrations.live_versions("enrollment") == {2: 5}
    assert engine.verification.verify_all().findings == []
    instance = engine.queries.instances(status="waiting")[0].id
    assert "Moved the case from version 1 to version 2." in lived.visitor("audrey").get(f"/cases/{instance}").text
    back = ana.post("/processes/enrollment/migrate", {"from": "2", "to": "1", "of": run_id(moving)})
    lived.worker.run_due()
    assert "5 of 5" in ana.get(back.request.path).text


def test_obstacles_are_grouped_by_reason(lived):
    ana, engine = lived.visitor("ana"), lived.enrollment.engine
    engine.deploy(drawn(('"EnrollNow"', '"AskAgain"'), (">EnrollNow<", ">AskAgain<")), actor=SYSTEM)
    tried = ana.post("/processes/enrollment/migrate", {"from": "1", "to": "3"})
    lived.worker.run_due()
    page = ana.get(tried.request.path)
    assert "Enroll Now is not in this version; say which element takes its place." in page.text


def test_nothing_in_its_place_means_that_the_case_stays(lived):
    ana = lived.visitor("ana")
    chosen = {"from": "1", "to": "2", "map.EnrollNow": "", "map.ResendInvitation": "ResendInvitation"}
    tried = ana.post("/processes/enrollment/migrate", chosen)
    lived.worker.run_due()
    assert "Nothing takes the place of Enroll Now, as was asked." in ana.get(tried.request.path).text


def test_waits_at_the_edge_of_a_task_are_mapped_too(house):
    engine, ana = house.enrollment.engine, house.visitor("ana")
    for process in ("timer_boundary", "message_boundary"):
        engine.deploy(waiting(process, "first"), actor=SYSTEM)
        engine.start(process, {"reminded": 0, "days": 10, "heard": []}, actor=SYSTEM)
        engine.deploy(waiting(process, "second"), actor=SYSTEM)
    timers = ana.get("/processes/timer_boundary/migrate").text
    assert 'name="map.GiveUp"' in timers.partition("map-more")[0], "a case waits there"
    assert "nothing: what waits there ends" in timers
    assert 'name="map.Heard"' in ana.get("/processes/message_boundary/migrate").text.partition("map-more")[0]
    kept = {"from": "1", "to": "2", "map.Ask": "Ask", "map.GiveUp": "", "map.Remind": "Remind"}
    run = run_id(ana.post("/processes/timer_boundary/migrate", kept))
    house.worker.run_due()
    ana.post(f"/processes/timer_boundary/migrate/{run}/run", {"reason": "ten days more"})
    house.clock.forward(days=3)
    house.worker.run_due()
    (case,) = engine.queries.instances(process="timer_boundary")
    assert case.version == 2
    assert {wait.element: (wait.due - case.started_at).days for wait in case.waits}["GiveUp"] > 10, "it began again"
    assert engine.verify(case.id) == []
