"""Retention over HTTP and at the shell: dry run, holds, purge, and what pages show of a purged case afterwards."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from conftest import SECRET
from usher_engine import Actor, Worker
from usher_engine.accounts import Role
from usher_engine.checkpoints import take
from usher_web.cli import main

ADAM = Actor(name="adam", role="admin")


@pytest.fixture
def settings(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return settings


@pytest.fixture
def engine(house):
    return house.enrollment.engine


@pytest.fixture
def old(house, engine, clock):
    """Two ended cases of seven years ago, signed: a cancelled one of Hana's, one of a patient without an e-mail."""
    alice = house.visitor("alice")
    found = {}
    for patient in ("sample-pending", "sample-no-email"):
        house.select(patient, alice)
        found[patient] = engine.queries.instances(limit=1)[0].id
        alice.post(f"/cases/{found[patient]}/cancel", {"reason": "The patient moved to Springfield."})
        clock.forward(seconds=1)
    Worker(engine).run_due()
    take(engine.database, engine.settings, clock())
    clock.time = clock.time.replace(year=clock.time.year + 7)
    return found


def test_a_dry_run_reports_and_changes_nothing(house, engine, old):
    page = house.visitor("audrey").get("/audit/retention?before=")
    assert "2 cases that ended before 2027-05-04 would be purged. Nothing was changed yet." in page.text
    assert "An administrator can purge them." in page.text
    assert engine.queries.history(old["sample-pending"])
    late = house.visitor("audrey").get("/audit/retention?before=2030-01-01")
    assert late.status_code == 422
    assert "the day must be 2027-05-04 or earlier" in late.text


def test_a_hold_is_seen_and_keeps(house, engine, old):
    audrey = house.visitor("audrey")
    assert audrey.post("/audit/retention/holds", {"patient": "nobody", "reason": "x"}).status_code == 422
    assert audrey.post("/audit/retention/holds", {"patient": "sample-pending", "reason": " "}).status_code == 422
    page = audrey.post("/audit/retention/holds", {"patient": "sample-pending", "reason": "A court asks for it."})
    assert "The legal hold was set." in page.text
    assert "A court asks for it." in page.text
    assert "Nothing of this patient is purged" in audrey.get(f"/cases/{old['sample-pending']}").text
    alice = house.visitor("alice").get("/patients/sample-pending").text
    assert "Legal hold: nothing of this patient is purged." in alice
    assert "court" not in alice
    plan = audrey.get("/audit/retention?before=").text
    assert "1 kept: under a legal hold" in plan
    assert "1 case that ended" in plan
    lifted = audrey.post("/audit/retention/holds/lift", {"patient": "sample-pending", "reason": "Settled."})
    assert "The legal hold was lifted." in lifted.text
    again = audrey.post("/audit/retention/holds/lift", {"patient": "sample-pending", "reason": "Settled."})
    assert again.status_code == 404


def test_an_administrator_purges_what_the_dry_run_listed(house, engine, old):
    adam = house.visitor("adam")
    adam.get("/audit/retention?before=")
    refused = adam.post("/audit/retention/purge", {"before": ""})
    assert refused.status_code == 422
    assert "Tick the box" in refused.text
    assert house.visitor("audrey").post("/audit/retention/purge", {"sure": "yes"}).status_code == 403
    page = adam.post("/audit/retention/purge", {"before": "", "sure": "yes"})
    assert "2 cases were purged, 0 were kept." in page.text
    assert [event.subject for event in engine.audit.events(kind="Purged")] == sorted(old.values(), reverse=True)
    assert engine.verification.verify_all().findings == []


def test_what_pages_show_of_a_purged_case(house, engine, old):
    house.enrollment.retention.purge(actor=ADAM)
    case, audrey = old["sample-pending"], house.visitor("audrey")
    for path in (f"/cases/{case}", f"/cases/{case}/replay", f"/cases/{case}/diagram.bpmn"):
        page = audrey.get(path)
        assert page.status_code == 410, path
        assert "This case was purged on 2033-05-04 by adam" in page.text
        assert "Springfield" not in page.text
    answer = house.app.test_client().get(f"/api/v1/instances/{case}/history", headers=house.token(Role.AUDITOR))
    assert answer.status_code == 410
    assert "the proof of its steps is kept" in answer.json["detail"]
    assert house.visitor("alice").get(f"/cases/{case}").status_code == 404
    assert case in audrey.get("/cases?status=cancelled").text
    assert "Purged case" in audrey.get("/audit/patients/sample-pending").text
    with engine.database.read() as tx:
        for table in ("invitation", "patient_response"):
            left = tx.exec_driver_sql(f"SELECT count(*) FROM {table} WHERE instance = '{case}'").scalar_one()
            assert left == 0, table


def test_at_the_shell(house, engine, old, monkeypatch):
    monkeypatch.setenv("USHER_SECRET_KEY", SECRET)
    monkeypatch.setenv("USHER_DATABASE_URL", engine.settings.database_url)
    run = lambda *words: CliRunner().invoke(main, words)  # noqa: E731 - a name for the test's own use
    dry = json.loads(run("purge", "--dry-run", "--json").stdout)
    assert (dry["purgeable"], dry["kept"]) == (0, {"under a legal hold": 0, "not signed yet": 0}), "the real clock"
    late = run("purge", "--before", "2031-01-01")
    assert late.exit_code == 1
    assert "Cases are kept for 6 years" in late.stderr
    done = run("purge", "--before", "2001-01-01")
    assert "0 cases that ended before 2001-01-01 were purged" in done.stdout
    house.enrollment.retention.purge(actor=ADAM)
    ran = run("verify", old["sample-pending"])
    assert ran.exit_code == 0, ran.output
    assert "was purged on 2033-05-04 by adam; its proof is intact." in ran.stdout
    assert "2 cases were purged" in run("verify", "--all", "--jobs", "1").stdout
    gone = run("history", old["sample-pending"])
    assert gone.exit_code == 1
    assert "purged" in gone.stderr
    export = run("export-history", "--format", "csv", "-o", "all.csv")
    assert export.exit_code == 1
    assert "nothing was exported" in export.output
