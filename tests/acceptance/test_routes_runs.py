"""Backtests and migrations over HTTP: asked for, worked on, read; by analysts without a patient in sight."""

import pytest
from conftest import ROOT
from usher_engine import SYSTEM, Package
from usher_engine.definitions import read_folder


def drawn(*changes):
    files = dict(read_folder(ROOT / "processes" / "enrollment").files)
    text = files["enrollment.bpmn"].decode()
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return Package({**files, "enrollment.bpmn": text.encode()})


@pytest.fixture
def lived(house):
    """Six patients with a case each, three of them waiting; version 2 calls one task otherwise."""
    for patient in ("pending", "declined", "deferred", "no-email", "completed", "locked"):
        house.select(f"sample-{patient}")
    house.enrollment.engine.deploy(drawn(('name="Enroll Now"', 'name="Enroll again"')), actor=SYSTEM, note="clearer")
    return house


def run_id(answer):
    return answer.request.path.rsplit("/", 1)[-1]


def test_a_backtest_from_the_form_to_both_ways(lived):
    ana, engine = lived.visitor("ana"), lived.enrollment.engine
    engine.start_draft("enrollment", actor=SYSTEM)
    engine.save_draft_files(
        "enrollment",
        drawn(('in ["Declined", "Deferred"]', 'in ["Declined"]')).files,
        etag=engine.draft("enrollment").etag,
        actor=SYSTEM,
    )
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
    (other,) = engine.batch_cases(run)
    both = ana.get(f"/processes/enrollment/backtest/{run}/cases/{other.instance}")
    assert both.status_code == 200 and "As recorded" in both.text
    for side in ("recorded", "draft"):
        assert "bpmn:definitions" in ana.get(f"/processes/enrollment/backtest/{run}/{side}.bpmn").text
    listed = ana.get(f"/processes/enrollment/backtest/{run}/cases.csv").text.splitlines()
    assert listed[1].startswith(f"{other.instance},different,")
    assert ana.get(f"/processes/enrollment/backtest/{run}?outcome=failed").status_code == 200
    assert ana.get("/processes/enrollment/backtest/NOSUCHRUN000").status_code == 404
    assert lived.visitor("audrey").get(f"/processes/enrollment/backtest/{run}").status_code == 200


def test_a_draft_that_cannot_run_says_why(lived):
    ana, engine = lived.visitor("ana"), lived.enrollment.engine
    engine.start_draft("enrollment", actor=SYSTEM)
    broken = drawn(('in ["Declined", "Deferred"]', 'in ["Declined", "Deferred"'))
    engine.save_draft_files("enrollment", broken.files, etag=engine.draft("enrollment").etag, actor=SYSTEM)
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
    told = ana.get(f"/processes/enrollment/migrate/{run}")
    assert "would go over" in told.text and "Hana" not in told.text
    assert engine.live_versions("enrollment") == {1: 4}
    assert ana.post(f"/processes/enrollment/migrate/{run}/run", {"reason": " "}).status_code == 422
    moving = ana.post(f"/processes/enrollment/migrate/{run}/run", {"reason": "the clearer name"})
    lived.worker.run_due()
    moved = ana.get(moving.request.path)
    assert "cases were moved" in moved.text and "Move them back" in moved.text
    assert engine.live_versions("enrollment") == {2: 4}
    assert engine.verify_all().findings == []
    instance = engine.instances(status="waiting")[0].id
    assert "Moved the case from version 1 to version 2." in lived.visitor("audrey").get(f"/cases/{instance}").text
    back = ana.post("/processes/enrollment/migrate", {"from": "2", "to": "1", "of": run_id(moving)})
    lived.worker.run_due()
    assert "4 of 4" in ana.get(back.request.path).text


def test_what_stands_against_it_is_told_by_reason(lived):
    ana, engine = lived.visitor("ana"), lived.enrollment.engine
    engine.deploy(drawn(('"EnrollNow"', '"AskAgain"'), (">EnrollNow<", ">AskAgain<")), actor=SYSTEM)
    tried = ana.post("/processes/enrollment/migrate", {"from": "1", "to": "3"})
    lived.worker.run_due()
    told = ana.get(tried.request.path)
    assert "Enroll Now is not in this version; say which element takes its place." in told.text
