"""What the auditor can rely on: views, attempts and settings are recorded; a checkpoint reveals what is missing."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest
from click.testing import CliRunner
from usher_engine.accounts import Role
from usher_engine.checkpoints import check_audit
from usher_web.cli import main


@pytest.fixture
def engine(house):
    return house.enrollment.engine


def kinds(engine, **wanted):
    return [event.kind for event in engine.audit.events(limit=200, **wanted)]


def about(engine, patient):
    """What happened around a patient: events that name them alone, or among others."""
    return [
        event.kind
        for event in engine.audit.events(limit=200)
        if event.business_key == patient or patient in event.details.get("patients", ())
    ]


def test_signing_in_and_out(house, engine):
    visitor = house.visitor()
    visitor.post("/sign-in", {"name": "alice", "password": "wrong password here"})
    visitor.post("/sign-in", {"name": "a password typed by mistake", "password": "x"})
    alice = house.visitor("alice")
    alice.post("/sign-out")
    assert kinds(engine, subject="alice")[:3] == ["LoggedOut", "LoggedIn", "LogInFailed"]
    failed = engine.audit.events(kind="LogInFailed")
    assert [event.subject for event in failed] == ["", "alice"]
    assert "mistake" not in str([event.body for event in failed])
    assert failed[1].details == {"from": "127.0.0.1"}


def test_every_look_at_a_patient(house, engine):
    alice = house.visitor("alice")
    alice.get("/patients/sample-pending")
    assert about(engine, "sample-pending") == ["PatientViewed"]
    house.select("sample-pending", alice)
    task = house.newest_task()
    case = task.split(":")[0]
    alice.get(f"/inbox/{task}")
    house.visitor("audrey").get(f"/cases/{case}")
    assert set(about(engine, "sample-pending")) >= {"PatientViewed", "TaskViewed", "CaseViewed"}
    assert kinds(engine, actor="audrey")[0] == "CaseViewed"
    assert engine.audit.events(subject=case, actor="audrey")[0].business_key == "sample-pending"


def test_a_list_names_whom_it_showed(house, engine):
    house.visitor("alice").get("/patients?q=example")
    listed = engine.audit.events(kind="PatientsListed", actor="alice")[0]
    assert "sample-pending" in listed.details["patients"]
    assert listed.details["page"] == "triggers.show"


def test_a_repeated_look_is_written_once_a_minute_and_session(house, engine, clock):
    alice = house.visitor("alice")
    for _ in range(3):
        alice.get("/patients/sample-pending")
    assert kinds(engine, kind="PatientViewed") == ["PatientViewed"]
    clock.forward(seconds=61)
    alice.get("/patients/sample-pending")
    house.visitor("alice").get("/patients/sample-pending")
    assert len(kinds(engine, kind="PatientViewed")) == 3


def test_an_open_list_is_recorded_once(house, engine, clock):
    alice = house.visitor("alice")
    house.select("sample-pending", alice)
    for _ in range(5):
        clock.forward(seconds=30)
        alice.get("/inbox/rows", headers={"X-Usher-Poll": "1"})
    rows = [event for event in engine.audit.events(kind="PatientsListed") if event.details["page"] == "inbox.rows"]
    assert len(rows) == 1


def test_what_was_refused(house, engine):
    alice = house.visitor("alice")
    house.select("sample-pending", alice)
    task = house.newest_task()
    case = task.split(":")[0]
    house.visitor("charlie").get(f"/cases/{case}")
    house.visitor("ana").get("/patients/sample-pending")
    alice.post(f"/inbox/{task}/cancel", {"reason": " "})
    alice.post(f"/inbox/{task}/cancel", {"reason": "moved away"})
    alice.post(f"/inbox/{task}/complete")
    refused = {(event.actor, event.details["status"]): event for event in engine.audit.events(kind="Refused")}
    assert set(refused) == {("charlie", 404), ("ana", 403), ("alice", 422), ("alice", 409)}
    assert refused["charlie", 404].subject == case
    assert refused["charlie", 404].business_key == "sample-pending"
    assert refused["ana", 403].business_key == "sample-pending"
    assert refused["alice", 409].details["page"] == "inbox.complete"


def test_programs_are_recorded_too(house, engine):
    client = house.app.test_client()
    staff, analyst = house.token(), house.token(Role.ANALYST, "builder")
    house.select("sample-pending")
    case = house.newest_task().split(":")[0]
    assert client.get(f"/api/v1/instances/{case}", headers=staff).status_code == 200
    client.get("/api/v1/tasks", headers=staff)
    assert client.get(f"/api/v1/instances/{case}", headers=analyst).status_code == 403
    assert kinds(engine, actor="ehr")[:2] == ["PatientsListed", "CaseViewed"]
    assert kinds(engine, actor="builder") == ["Refused"]


def test_settings_and_packages(house, engine):
    adam = house.visitor("adam")
    adam.get("/admin/people")
    adam.post("/admin/people", {"name": "nina", "role": "staff"})
    adam.post("/admin/people/nina", {"role": "staff", "groups": "Billing"})
    adam.post("/admin/people/nina", {"role": "analyst", "groups": ""})
    adam.post("/admin/people/nina/disabled", {"disabled": "yes"})
    adam.post("/admin/triggers", {"template": "Recall", "field": "Portal", "action": "Enrollment"})
    adam.post("/admin/triggers", {"template": "Recall", "field": "Portal", "action": ""})
    changed = engine.audit.events(kind="SettingChanged", actor="adam")
    settings = ["trigger", "trigger", "account disabled", "role and groups", "role and groups", "account added"]
    assert [event.details["setting"] for event in changed] == settings
    said = adam.get("/audit").text
    assert "Put the trigger “Enrollment” on Portal of Recall; it starts enrollment." in said
    assert "Took the trigger off Portal of Recall." in said
    assert "Changed role and groups of nina to staff, Billing (before: Front desk)." in said
    assert "Changed role and groups of nina to analyst, no group (before: staff and Billing)." in said
    assert changed[0].body["actor"]["role"] == "admin"
    assert "Deployed" in kinds(engine)
    assert check_audit(engine.database) == []


def test_without_its_event_nothing_is_shown(house, engine):
    alice = house.visitor("alice")
    with engine.database.begin() as tx:
        tx.exec_driver_sql("ALTER TABLE audit_event RENAME TO away")
    for page in ("/patients/sample-pending", "/patients?q=a", "/cases/NOSUCHCASE00"):
        answer = alice.get(page)
        assert answer.status_code in (500, 503), page
        assert "Hana" not in answer.text


# the command line


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USHER_SECRET_KEY", "a secret for tests only, longer than thirty-two")
    monkeypatch.setenv("USHER_DATABASE_URL", f"sqlite:///{tmp_path / 'shell.db'}")
    runner = lambda *words: CliRunner().invoke(main, words)  # noqa: E731 - a name for the test's own use
    assert runner("db", "upgrade").exit_code == 0
    assert runner("user", "add", "alice", "--role", "staff").exit_code == 0
    return runner


def test_a_checkpoint_from_the_shell(run, tmp_path):
    signed = json.loads(run("checkpoint", "--json").stdout)
    assert [head["size"] for head in signed["checkpoints"]] == [1]
    assert "Nothing is new" in run("checkpoint").stdout
    assert run("checkpoint", "--public-key").stdout.startswith("ed25519:")
    assert (tmp_path / "usher-signing-key.pem").stat().st_mode & 0o777 == 0o600
    run("user", "add", "bob", "--role", "staff")
    other = run("checkpoint", "--file", str(tmp_path / "elsewhere.jsonl"))
    assert "Checkpoint 2 covers 3" in other.stdout  # bob, and that a file was begun anew
    assert len((tmp_path / "elsewhere.jsonl").read_text().splitlines()) == 2


def test_what_was_removed_is_reported_at_the_shell(run, tmp_path):
    run("checkpoint")
    key = run("checkpoint", "--public-key").stdout.strip()
    fine = run("verify", "--checkpoint", "usher-checkpoints.jsonl", "--key", key)
    assert fine.exit_code == 0, fine.output
    with contextlib.closing(sqlite3.connect(tmp_path / "shell.db")) as opened, opened:
        opened.execute("DROP TRIGGER audit_event_no_delete")
        opened.execute("DELETE FROM audit_event")
    opened.close()
    missing = run("verify", "--checkpoint", "usher-checkpoints.jsonl", "--key", key, "--json")
    assert missing.exit_code == 1
    assert "Audit event 1 was signed" in json.loads(missing.stdout)["findings"][0]["message"]
    wrong = run("verify", "--checkpoint", "usher-checkpoints.jsonl", "--key", "no key")
    assert wrong.exit_code == 1
    assert "not a public key" in wrong.stderr
