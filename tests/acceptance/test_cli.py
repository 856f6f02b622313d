"""The command line as people use it: every command in a fresh folder, its JSON, its exit codes, plain complaints.

The story runs the real `usher` executable, which imports all that is ours; what must be refused runs the same `main`
with that imported already, so that there can be many of them (`shell.py`). A server is started as the shell starts it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from acceptance.shell import PATIENCE_S, Shell
from conftest import ROOT, SECRET
from databases import new_sqlite
from golden.recorded import restore
from own_packages import lay_out
from usher_engine import Misconfigured
from usher_web.commands import COMMANDS
from usher_web.commands.listening import bind_socket
from usher_web.demo.mail_catcher import MailCatcher

pytestmark = pytest.mark.xdist_group("cli")  # one clinic for all that is refused

ENROLLMENT = ROOT / "processes" / "enrollment"
FILLED = {
    "first_name": "Ada", "last_name": "Sample", "birth_date": "1980-01-02", "zip_code": "12345",
    "email": "ada@example.org", "birth_sex": "F", "mobile": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def catcher() -> Iterator[MailCatcher]:
    opened = MailCatcher(lambda: datetime.now(UTC))
    opened.start()
    yield opened
    opened.stop()


def new_shell(folder: Path, catcher: MailCatcher) -> Shell:
    return Shell(
        folder,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "USHER_SECRET_KEY": SECRET,
            "USHER_SMTP_PORT": str(catcher.port),
            "USHER_SMTP_SECURITY": "none",
            "USHER_MAIL_FROM": "portal@clinic.example.org",
        },
    )


def patient(name: str, **more: Any) -> str:
    """One line of the file of patients: all there but the ZIP code."""
    resource = {
        "resourceType": "Patient", "id": name, "active": True, "birthDate": "1980-01-02",
        "name": [{"family": "Sample", "given": ["Ada"]}],
        "telecom": [{"system": "email", "value": "ada@example.org"}],
    }  # fmt: skip
    return json.dumps({**resource, **more})


# what each command does


@pytest.fixture
def shell(tmp_path: Path, catcher: MailCatcher) -> Shell:
    """A fresh folder with tables and patients, and nothing deployed."""
    fresh = new_shell(tmp_path, catcher)
    (tmp_path / "patients.ndjson").write_text(f"{patient('p1')}\n{patient('p2')}\n")
    new_sqlite(tmp_path)
    return fresh


def test_every_command_is_run_here() -> None:
    ran = set(re.findall(r'(?:shell\.usher\(|serving\(shell, )"([a-z-]+)"', Path(__file__).read_text()))
    assert ran == set(COMMANDS)


def test_packages(shell: Shell) -> None:
    (shell.folder / "usher.db").unlink()
    assert shell.usher("db", "upgrade").out.startswith("The schema is at revision ")
    (release,) = shell.usher("db", "releases", "--json").json
    assert shell.quick("--version").out == f"usher, version {release['version']}\n"
    assert shell.usher("check", ENROLLMENT, "--json").json == {"files": 1, "findings": []}
    deployed = shell.usher("deploy", ENROLLMENT, "--json").json
    assert (deployed["process"], deployed["version"], len(deployed["hash"])) == ("enrollment", 1, 64)
    tested = shell.usher("test", ENROLLMENT, "--json").json
    assert tested["examples"] >= 5 and tested["failed"] == 0
    assert tested["coverage"] == {"elements": 1.0, "flows": 1.0}
    assert shell.usher("export", "enrollment", "out").code == 0
    assert (shell.folder / "out/enrollment.bpmn").read_bytes() == (ENROLLMENT / "enrollment.bpmn").read_bytes()
    _accept_an_example(shell, shell.folder / "out")


def test_operators_are_listed_with_the_packages_they_come_from(shell: Shell, tmp_path: Path) -> None:
    """A package that cannot be used is named by the command, by a check and at the start; all else works."""
    own = shell.usher("operators", "--json").json
    assert own["refused"] == []
    (http,) = (one for one in own["operators"] if one["name"] == "http/request")
    assert (http["mode"], http["package"], "timeout" in http["errors"]) == ("effect", None, True)
    assert http["parameters"]["required"] == ["method", "url", "response"]

    lay_out(tmp_path, "clinic-lab", """return (Operator(name="lab/x", title="Ask", mode=Mode.READ, call=print),)""")
    lay_out(tmp_path, "broken-lab", "return ()", head="import not_installed_here\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    beside = replace(shell, environment={**shell.environment, "PYTHONPATH": path})
    listed, _ = (process := beside.started("operators")).communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert re.search(r"^lab/x +read +clinic-lab 1\.2\.0  Ask$", listed, re.MULTILINE)
    assert "The package broken-lab 1.2.0 is not in use: broken_lab:operators cannot be imported: " in listed
    _, warned = (process := beside.started("worker", "--once")).communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "Warning: The package broken-lab 1.2.0 is not in use" in warned
    assert "Traceback" not in warned


def _accept_an_example(shell: Shell, folder: Path) -> None:
    """An example that takes another way fails until it is accepted; one that cannot be played is left as it is."""
    example, other = (folder / "examples" / name for name in ("05-pending-resend.json", "11-completed.json"))
    kept, promised = other.read_text(), json.loads(example.read_text())
    example.write_text(json.dumps({**promised, "path": ["TriggerSelected"]}))
    assert shell.usher("test", folder).code == 1
    other.write_text("{")
    refused = shell.usher("test", folder, "--accept")
    assert refused.code == 1 and "examples/11-completed.json" in refused.err
    assert json.loads(example.read_text())["path"] == ["TriggerSelected"]
    other.write_text(kept)
    assert shell.usher("test", folder, "--accept").out.startswith("Rewritten: examples/05-pending-resend.json\n")
    assert json.loads(example.read_text()) == promised
    assert shell.usher("test", folder, "--json").json["failed"] == 0


def test_people(shell: Shell) -> None:
    added = shell.usher("user", "add", "alice", "--role", "staff", "--json").json
    assert (added["name"], added["role"], added["disabled"]) == ("alice", "staff", False)
    assert shell.usher("token", "add", "ehr", "--role", "staff", "--json").json["token"].startswith("usher_")
    changed = shell.quick("user", "change", "alice", "--display-name", "Alice Adams")
    assert changed.out == "alice (Alice Adams) is staff, groups: Front desk.\n"
    (alice,) = shell.quick("user", "list", "--json").json
    assert (alice["display_name"], alice["email"]) == ("Alice Adams", "")
    bob = {**alice, "name": "bob", "display_name": "Bob Brown", "email": "bob@clinic.example.org"}
    (shell.folder / "people.json").write_text(json.dumps([alice, bob]))
    brought = shell.quick("user", "import", "people.json")
    assert brought.out.startswith("Added bob. Password, shown once: ")
    assert brought.out.endswith("1 of 2 people were added; the others were there already.\n")
    assert [one["email"] for one in shell.quick("user", "list", "--json").json] == ["", "bob@clinic.example.org"]
    (shell.folder / "people.json").write_text(json.dumps([{**bob, "name": "eve", "role": "boss"}]))
    refused = shell.quick("user", "import", "people.json")
    assert refused.code == 1 and "Nobody was imported. person 1: role: No role is called that" in refused.err


def test_a_case_from_the_import_to_the_invitation(shell: Shell, catcher: MailCatcher) -> None:
    imported = shell.usher("import-patients", "patients.ndjson", "--json").json
    assert imported == {"lines": 2, "new": 2, "changed": 0, "same": 0, "kept": 0, "conflicts": 0, "bad": []}
    assert shell.quick("deploy", ENROLLMENT).code == shell.quick("user", "add", "alice", "--role", "staff").code == 0

    begin = ("enrollment", "--data", '{"patient_id": "p1"}', "--key", "visit-1", "--json")
    started = shell.usher("start", *begin).json
    assert {"instance", "revision", "status", "at", "tasks"} <= set(started)
    assert (started["revision"], started["status"], started["at"]) == (1, "waiting", ["UpdateNow"])
    assert [set(task) for task in started["tasks"]] == [{"id", "element", "title"}]
    assert shell.quick("start", *begin).json == started
    (task,) = shell.usher("tasks", "--user", "alice", "--json").json
    shape = {"id", "instance", "element", "title", "message", "group", "assignee", "created", "due", "priority"}
    assert shape <= set(task)
    assert task["id"] == started["tasks"][0]["id"] and "ZIP code" in task["message"]

    mails = len(catcher.mails())
    completed = shell.usher("complete", task["id"], "--data", json.dumps(FILLED), "--as", "alice", "--json").json
    assert (completed["instance"], completed["status"]) == (started["instance"], "waiting")
    assert completed["at"] == ["SendInvitation"] and completed["tasks"] == []
    assert shell.usher("worker", "--once").out == "1 jobs done.\n"
    assert [mail.to for mail in catcher.mails()[mails:]] == ["ada@example.org"]

    ran = shell.usher("history", started["instance"], "--json").json
    assert [step["revision"] for step in ran] == [1, 2, 3]
    assert [step["command"]["kind"] for step in ran] == ["start", "complete", "finish_job"]
    last = ran[-1]["events"][-1]
    assert (last["kind"], last["outcome"]) == ("InstanceFinished", "InvitationSent")
    verified = shell.usher("verify", started["instance"], "--json").json
    assert verified == {"checked": 1, "equal": 1, "findings": []}
    assert shell.usher("checkpoint", "--json").json["checkpoints"]
    written = shell.usher("export-history", "--format", "jsonl", "-o", "history.jsonl", "--with-audit", "--json").json
    assert (written["cases"], written["steps"]) == (1, 3)
    key = shell.usher("checkpoint", "--public-key").out.strip()
    alone = {name: value for name, value in shell.environment.items() if not name.startswith("USHER_")}
    offline = ("verify", "--export", "history.jsonl", "--key", key, "--checkpoint", "usher-checkpoints.jsonl", "--json")
    assert replace(shell, environment=alone).usher(*offline).json == {"checked": 1, "equal": 1, "findings": []}
    bundle = shell.usher("evidence", started["instance"], "-o", "evidence.html", "--json").json
    assert (bundle["instance"], bundle["steps"]) == (started["instance"], 3)
    offline = ("verify", "--export", "evidence.html", "--key", key)
    ran = replace(shell, environment=alone).usher(*offline)  # an export has no state to go on from
    assert (ran.code, ran.out) == (0, "1 cases checked, 1 of them agree with their record.\n")


def test_a_change_is_tried_and_cases_move_to_it(shell: Shell) -> None:
    shell.quick("import-patients", "patients.ndjson")
    shell.quick("deploy", ENROLLMENT)
    case = shell.quick("start", "enrollment", "--data", '{"patient_id": "p1"}', "--json").json["instance"]
    tried = shell.usher("backtest", "enrollment", "--draft", ENROLLMENT, "--json").json
    assert tried == tried | {"cases": 1, "same": 1, "different": 0, "needs_answer": 0, "first": []}
    assert shell.quick("export", "enrollment", "changed").code == 0
    diagram = shell.folder / "changed" / "enrollment.bpmn"
    diagram.write_text(diagram.read_text().replace('value="P3D"', 'value="P1D"'))
    assert shell.quick("deploy", "changed").code == 0
    stays = shell.quick("migrate", "enrollment", "--to", "2", "--map", "UpdateNow=", "--dry-run")
    assert (stays.code, "Nothing takes the place of Update Now, as was asked." in stays.out) == (1, True), stays
    moved = shell.usher("migrate", "enrollment", "--to", "2", "--reason", "due sooner", "--json")
    assert moved.code == 0, moved
    history = shell.quick("history", case, "--json").json
    assert history[-1]["events"][0]["kind"] == "InstanceMigrated"
    assert shell.quick("verify", case, "--json").json["equal"] == 1


def test_a_check_at_the_shell_is_recorded_if_the_database_can_be_written(shell: Shell) -> None:
    assert shell.quick("verify", "--all", "--without-checkpoints", "--json").code == 0
    file = shell.folder / "usher.db"
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        query = "SELECT actor, subject, body FROM audit_event WHERE kind = 'Verified'"
        ((actor, subject, body),) = database.execute(query).fetchall()
    database.close()
    assert actor.endswith("shell)") or actor == "shell"
    assert subject == "the whole record"
    assert json.loads(body)["details"] == {"cases": 0, "equal": 0, "findings": 0}
    there = f"sqlite:///file:{file}?mode=ro&uri=true"
    ran = shell.quick("verify", "--all", "--without-checkpoints", USHER_DATABASE_URL=there)
    assert ran.code == 0
    assert "This check stands in no audit event: The database is read-only" in ran.err


def test_messages_reach_the_case_that_waits(shell: Shell) -> None:
    assert shell.quick("deploy", ROOT / "tests" / "processes" / "message_catch").code == 0
    begin = ("message_catch", "--data", "{}", "--key", "k1", "--json")
    case = shell.quick("start", *begin).json["instance"]
    nobody = shell.quick("message", "Unheard of", "--case", case)
    assert nobody.code == 1 and nobody.err.startswith("Error: ")
    ran = shell.usher("message", "Paid", "--data", '{"amount": 3}', "--case", case, "--json")
    assert ran.json["at"] == ["Papers"]


def test_a_case_is_ended_by_its_number(shell: Shell) -> None:
    shell.quick("deploy", ROOT / "tests" / "processes" / "message_catch")
    case = shell.quick("start", "message_catch", "--data", "{}", "--json").json["instance"]
    assert shell.usher("case", "cancel", case, "--reason", "drawn wrong", "--json").json["status"] == "cancelled"
    again = shell.quick("case", "cancel", case, "--reason", "drawn wrong")
    assert (again.code, again.err) == (1, "Error: This case has ended.\n")
    history = shell.quick("history", case, "--json").json
    assert history[-1]["events"] == [{"kind": "InstanceCancelled", "reason": "drawn wrong"}]


def test_the_working_days_are_kept_at_the_shell(shell: Shell) -> None:
    assert shell.usher("calendar", "week", "monday", "Friday").out == "The practice works on Monday, Friday.\n"
    assert shell.quick("calendar", "add", "2026-05-01", "May Day").out == "2026-05-01 is a holiday.\n"
    assert shell.quick("calendar", "add", "2026-05-01", "Again").code == 1
    assert shell.quick("calendar", "us-federal", "2026").out == "12 days were added.\n"
    shown = shell.quick("calendar", "show", "--json").json
    assert shown["week"] == ["Monday", "Friday"]
    assert shown["holidays"][4:6] == [
        {"day": "2026-05-25", "name": "Memorial Day"},
        {"day": "2026-06-19", "name": "Juneteenth National Independence Day"},
    ]
    assert shell.quick("calendar", "remove", "2026-05-01").code == 0
    assert "2026-05-01" not in shell.quick("calendar", "show").out


def test_a_process_is_paused_and_goes_on(shell: Shell) -> None:
    shell.quick("deploy", ROOT / "tests" / "processes" / "message_catch")
    begin = ("start", "message_catch", "--data", "{}", "--json")
    paused = shell.usher("process", "pause", "message_catch", "--reason", "drawn wrong", "--json").json
    assert (paused["process"], paused["version"], paused["by"]) == ("message_catch", None, "command line")
    refused = shell.quick(*begin)
    assert refused.code == 1 and "paused by command line since" in refused.err and "“drawn wrong”" in refused.err
    assert shell.quick("process", "list").out.endswith("“drawn wrong”.\n1 paused.\n")
    assert shell.quick("process", "list", "--json").json == [paused]
    resumed = shell.usher("process", "resume", "message_catch", "--reason", "repaired", "--json").json
    assert resumed == {"process": "message_catch", "version": None, "jobs": 0}
    assert shell.quick(*begin).json["status"] == "waiting"
    assert shell.quick("process", "pause", "message_catch", "--version", "1", "--reason", "x").code == 0
    assert shell.quick("process", "resume", "message_catch", "--version", "1", "--reason", "x").code == 0


def test_an_import_says_what_it_would_undo_and_a_person_decides(shell: Shell) -> None:
    shell.quick("import-patients", "patients.ndjson")
    with contextlib.closing(sqlite3.connect(shell.folder / "usher.db")) as database:  # as if staff had corrected it
        database.execute("UPDATE patient SET resource = replace(resource, 'ada@', 'right@'), version = 2")
        database.commit()
    theirs = {"telecom": [{"system": "email", "value": "theirs@example.org"}], "active": False}
    (shell.folder / "night.ndjson").write_text(f"{patient('p1', **theirs)}\n{patient('p2')}\n")
    tried = shell.quick("import-patients", "night.ndjson", "--dry-run", "--json").json
    assert (tried["changed"], tried["same"], tried["kept"], tried["conflicts"]) == (1, 1, 1, 1)
    assert tried["patients"] == [{"id": "p1", "changed": [], "kept": [], "conflicts": ["email"]}]
    assert "p1\tconflicts: E-mail\n" in shell.quick("import-patients", "night.ndjson", "--dry-run").out
    assert shell.quick("import-conflicts", "list", "--json").json == []
    assert "A person must decide" in shell.quick("import-patients", "night.ndjson").out
    (found,) = shell.usher("import-conflicts", "list", "--json").json
    assert (found["ours"], found["theirs"]) == ({"email": "right@example.org"}, {"email": "theirs@example.org"})
    assert "“right@example.org”, EHR “theirs@example.org”" in shell.quick("import-conflicts", "list").out
    assert shell.quick("import-conflicts", "decide", "p1", "email", "ehr").code == 0
    again = shell.quick("import-conflicts", "decide", "p1", "email", "ehr")
    assert (again.code, "has no conflict" in again.err) == (1, True)
    assert shell.quick("import-patients", "night.ndjson").out == "0 new, 0 changed, 2 unchanged, 0 refused.\n"


def test_a_patient_s_portal_status_and_opt_outs_are_set(shell: Shell) -> None:
    shell.quick("import-patients", "patients.ndjson")
    set_to = shell.usher("patient", "status", "p1", "Account Deleted", "--reason", "moved", "--json").json
    assert set_to == {
        "patient": "p1", "status": "Account Deleted", "opted_out": False, "address_opted_out": False, "version": 2,
    }  # fmt: skip
    for undo, words in (((), "patient"), (("--undo",), "nothing")):
        answer = shell.quick("patient", "opt-out", "p1", "--scope", "practice", *undo, "--reason", "asked")
        assert answer.out == f"p1: Account Deleted; opted out of e-mail: {words}.\n"
    standing, undone, out, status = shell.quick("patient", "show", "p1").out.splitlines()
    assert standing == answer.out.strip()
    assert undone.split("\t")[1:] == ["opted in (practice)", "command line", "command line", "asked"]
    assert out.split("\t")[1] == "opted out (practice)"
    assert status.split("\t")[1:] == ["Account Deleted", "command line", "command line", "moved"]
    assert shell.quick("patient", "show", "p1", "--json").json["version"] == 4


def test_a_case_that_stands_still_is_found_repaired_and_goes_on(tmp_path: Path, catcher: MailCatcher) -> None:
    shell = new_shell(tmp_path, catcher)
    restore("0.1.0", f"sqlite:///{tmp_path / 'usher.db'}")
    found = shell.quick("verify", "--all", "--json")
    silent = {one["instance"] for one in found.json["findings"] if "stands still" in one["message"]}
    upgraded = shell.usher("db", "upgrade").out
    assert silent <= set(re.findall("Case ([0-9A-Z]{12}) stood still: .*repair this case", upgraded))
    begun = {shell.quick("history", one, "--json").json[0]["events"][0]["business_key"]: one for one in silent}
    case = begun["stuck: nothing open"]
    tried = shell.usher("case", "repair", case, "--dry-run")
    assert (tried.code, tried.out.splitlines()[0]) == (0, "Nothing was written; this is what a repair would do.")
    done = shell.quick("case", "repair", case, "--json").json
    assert done["parted"] == 4 and done["opened"][0] == "join" and done["closed"] == []
    assert shell.quick("verify", case).out == "1 cases checked, 1 of them agree with their record and can go on.\n"
    again = shell.quick("case", "repair", case)
    assert again.code == 1 and "there is nothing to repair" in again.err


def test_nothing_young_is_purged(shell: Shell) -> None:
    assert shell.usher("purge", "--dry-run", "--json").json["purgeable"] == 0


def test_bench(shell: Shell) -> None:
    bench = shell.usher("bench", "--cases", "3", "--tasks", "2000", "--loops", "30", "--json")
    assert set(bench.json) == {"machine", "figures"}
    assert all(set(figure) == {"name", "value", "unit", "target", "holds"} for figure in bench.json["figures"])
    assert bench.code == (0 if all(figure["holds"] for figure in bench.json["figures"]) else 1)


def test_serve(shell: Shell) -> None:
    port = free_port()
    with serving(shell, "serve", "--port", port, until="Usher listens") as server:
        assert fetched(port, "/api/v1/health")
        busy = shell.quick("serve", "--port", port)
        assert (busy.code, busy.out) == (1, "")
        assert busy.err == f"Error: Port {port} is in use. Stop what runs there, or choose another: --port {port + 1}\n"
        server.send_signal(signal.SIGTERM)
    assert server.returncode == 0


@pytest.fixture
def in_background() -> Iterator[None]:
    """Commands begin with SIGINT ignored, as a shell starts its background jobs."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("in_background")
def test_demo(shell: Shell) -> None:
    port = free_port()
    with serving(shell, "demo", "--port", port, "--folder", "demo", until="Stop with Ctrl+C") as server:
        assert "Usher" in fetched(port, "/sign-in")
        server.send_signal(signal.SIGINT)
    assert server.returncode == 0
    assert (shell.folder / "demo" / "secret").stat().st_mode & 0o077 == 0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(shell: Shell, *words: object, until: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is stopped; yields once it has printed *until*."""
    with shell.started(*words) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            printed = iter(process.stdout.readline, "")
            assert any(until in line for line in printed), process.stderr.read()
            yield process
            assert process.wait(PATIENCE_S) is not None
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


def fetched(port: int, path: str) -> str:
    """The page at *path*; the server may need a moment after its announcement."""
    for _ in range(10 * PATIENCE_S):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), PATIENCE_S):
            break
        time.sleep(0.1)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


# what is refused


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, catcher: MailCatcher) -> Shell:
    """A folder with the process, two people, one case with an open task ({open}) and one with a finished ({done})."""
    shell = new_shell(tmp_path_factory.mktemp("clinic"), catcher)
    (shell.folder / "patients.ndjson").write_text("\n".join(map(patient, ("p1", "p2", "p3"))))
    for words in (
        ("db", "upgrade"),
        ("deploy", ENROLLMENT),
        ("import-patients", "patients.ndjson"),
        ("user", "add", "alice", "--role", "staff"),
        ("user", "add", "audrey", "--role", "auditor"),
        ("user", "add", "gone", "--role", "staff"),
        ("user", "change", "gone", "--role", "analyst"),
        ("user", "change", "gone", "--role", "staff", "--group", "Billing"),
        ("user", "change", "gone", "--display-name", "Gone Girl"),
        ("user", "disable", "gone"),
        ("token", "add", "ehr", "--role", "staff"),
        ("start", "enrollment", "--data", '{"patient_id": "p1"}', "--key", "visit-1"),
        ("start", "enrollment", "--data", '{"patient_id": "p2"}'),
    ):
        assert shell.quick(*words).code == 0
    done, opened = sorted(shell.quick("tasks", "--json").json, key=lambda task: str(task["created"]))
    assert shell.quick("complete", done["id"], "--data", json.dumps(FILLED), "--as", "alice").code == 0
    shell.environment |= {"TEST_DONE": done["id"], "TEST_OPEN": opened["id"]}
    return shell


REFUSED: list[tuple[str, int, str]] = [
    ("start enrollment --data {'patient_id':'nobody'}", 1, "No patient is known under this id."),
    ("start nothing --data {}", 1, "No process “nothing” is deployed. Deploy one with: usher deploy FOLDER"),
    ("start enrollment --data {}", 1, "The enrolment needs as text: patient_id."),
    ("start enrollment --data {'patient_id':7}", 1, "The enrolment needs as text: patient_id."),
    ("start enrollment --data {'patient_id':'p1','colour':'red'}", 1, "The enrolment takes no “colour”."),
    ("start enrollment --data {'patient_id':'p1','action':'Delete'}", 1, "“Delete” is no action"),
    ("start enrollment --data {'patient_id':'p1','typename':'x'}", 1, "typename"),
    ("start enrollment --data {'patient_id':'p2'} --key visit-1", 1, "Send a new key with new content."),
    ("start enrollment --data {'patient_id':'p1'} --as nobody", 1, "nobody"),
    ("start enrollment --data {'patient_id':'p1'} --as gone", 2, "The account gone is disabled."),
    ("start enrollment --data {patient}", 2, "--data is not JSON"),
    ("start enrollment --data ['p1']", 2, "--data must be a JSON object"),
    ("start enrollment", 2, "Missing option '--data'"),
    ("tasks --user nobody", 1, "nobody"),
    ("tasks --colour", 2, "No such option"),
    ("complete nothing --as alice", 1, "There is no such task."),
    ("complete A:UpdateNow:1 --as alice", 1, "No case has the number A."),
    ("complete {open} --data {'first_name':''} --as alice", 1, "Last name"),
    ("complete {open} --data {'colour':'red'} --as alice", 1, "colour"),
    ("complete {open} --data {} --as nobody", 1, "nobody"),
    ("complete {open} --data {} --as audrey", 1, "Only staff may work on tasks."),
    ("complete {open} --data nonsense --as alice", 2, "--data is not JSON"),
    ("complete {open} --data {}", 2, "Missing option '--as'"),
    ("complete {done} --data {} --as alice", 1, "alice completed this task."),
    ("history nothing", 1, "No case has the number nothing."),
    ("case cancel nothing --reason wrong", 1, "No case has the number nothing."),
    ("case retry nothing", 1, "No case has the number nothing."),
    ("case repair nothing", 1, "No case has the number nothing."),
    ("case cancel nothing", 2, "Missing option '--reason'"),
    ("process pause nothing --reason wrong", 1, "No process “nothing” is deployed."),
    ("process pause enrollment --version 7 --reason wrong", 1, "Process “enrollment” has no version 7."),
    ("process pause enrollment --version 0 --reason wrong", 2, "Invalid value for '--version'"),
    ("process pause enrollment --reason wrong --as alice", 1, "Only administrators pause and resume a process."),
    ("process pause enrollment", 2, "Missing option '--reason'"),
    ("process resume enrollment --reason right", 1, "“enrollment” as a whole is not paused."),
    ("patient show nobody", 1, "No patient is known under this id."),
    ("patient status nobody Completed --reason right", 1, "No patient is known under this id."),
    ("patient status p1 Pending --reason right", 2, "'Pending' is not one of"),
    ("patient status p1 Completed --reason right --as alice", 1, "Only administrators set"),
    ("patient status p1 Completed", 2, "Missing option '--reason'"),
    ("patient opt-out p1 --reason right", 2, "Missing option '--scope'"),
    ("patient opt-out nobody --scope practice --reason right", 1, "No patient is known under this id."),
    ("verify nothing", 1, "No case has the number nothing."),
    ("verify --export nowhere --key k", 2, "does not exist"),
    ("verify --export patients.ndjson", 2, "--export needs --key"),
    ("verify --export patients.ndjson --all --key k", 2, "--export checks the file alone"),
    ("verify --export patients.ndjson --key k", 1, "This is not a public key."),
    ("export-history --format csv", 2, "Missing option '-o'"),
    ("export-history --format pdf -o out.pdf", 2, "'pdf' is not one of"),
    ("export-history --format csv -o nowhere/out.csv", 1, "nowhere/out.csv cannot be written: No such file"),
    ("export-history --format csv -o .", 1, "cannot be written"),
    ("export-history --format csv -o out.csv --case nothing", 1, "No case has the number nothing."),
    ("export-history --format csv -o out.csv --process nothing", 1, "No case was started in this selection"),
    ("export-history --format csv -o out.csv --from 2026-02-01 --to 2026-01-01", 2, "Exchange the two days."),
    ("export-history --format csv -o out.csv --from someday", 2, "“someday” is not a day."),
    ("export-history --format csv -o out.csv --with-audit", 1, "Only JSON Lines takes this option"),
    ("export-history --format csv -o out.csv --as nobody", 1, "nobody"),
    ("evidence nothing -o out.html", 1, "No case has the number nothing."),
    ("evidence nothing", 2, "Missing option '-o'"),
    ("export nothing out", 1, "No process “nothing” is deployed."),
    ("export enrollment out --version 7", 1, "Process “enrollment” has no version 7."),
    ("export enrollment .", 2, "is not empty; nothing was written."),
    ("deploy nowhere", 2, "does not exist"),
    ("check nowhere", 2, "does not exist"),
    ("test nowhere", 2, "does not exist"),
    ("import-patients nowhere.ndjson", 2, "does not exist"),
    ("import-patients .", 2, "is a directory"),
    ("user add alice --role staff", 1, "alice"),
    ("user add bob --role king", 2, "'king' is not one of"),
    ("user disable nobody", 1, "nobody"),
    ("user change nobody --role staff", 1, "nobody"),
    ("user change alice", 2, "Say what changes"),
    ("token add ehr --role staff", 1, "ehr"),
    ("token revoke nothing", 1, "nothing"),
    ("serve --host 203.0.113.1", 1, "203.0.113.1"),
    ("dance", 2, "No such command"),
]


@pytest.mark.parametrize(("words", "code", "message"), REFUSED, ids=[words for words, *_ in REFUSED])
def test_refused(words: str, code: int, message: str, clinic: Shell) -> None:
    places = {"{open}": clinic.environment["TEST_OPEN"], "{done}": clinic.environment["TEST_DONE"]}
    given = [places.get(word, word.replace("'", '"')) for word in words.split()]
    before = _cases(clinic.folder)
    ran = clinic.quick(*given)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert "12345" not in ran.err, "what was typed is repeated"
    assert _cases(clinic.folder) == before


def _cases(folder: Path) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "usher.db")) as database:
        return database.execute("SELECT id, revision, status FROM instance ORDER BY id").fetchall()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"USHER_SECRET_KEY": None}, "USHER_SECRET_KEY is missing or shorter than 32 characters."),
        ({"USHER_SECRET_KEY": "short"}, "USHER_SECRET_KEY is missing or shorter than 32 characters."),
        ({"USHER_ENV": "test"}, "USHER_ENV must be production or development."),
        ({"USHER_SMTP_SECURITY": "maybe"}, "USHER_SMTP_SECURITY must be none, starttls or tls."),
        ({"USHER_SMTP_PORT": "many"}, "USHER_SMTP_PORT must be a whole number"),
        ({"USHER_COLOUR": "red"}, "USHER_COLOUR is not a setting. The README lists them all."),
        ({"USHER_DATABASE_URL": "nonsense"}, "USHER_DATABASE_URL"),
        ({"USHER_DATABASE_URL": "mysql://x/y"}, "USHER_DATABASE_URL must begin with sqlite: or postgresql"),
        ({"USHER_DATABASE_URL": "sqlite:///other.db"}, "The database has no tables yet. Run: usher db upgrade"),
        ({"USHER_DATABASE_URL": "sqlite:////no/such/folder/usher.db"}, "The database file cannot be opened."),
        ({"USHER_DATABASE_URL": "sqlite:///patients.ndjson"}, "The file is not a database, or it is damaged."),
        ({"USHER_DATABASE_URL": "postgresql+psycopg://u@127.0.0.1:1/usher"}, "The database cannot be reached"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_serve_does_not_start(changed: dict[str, str | None], message: str, clinic: Shell) -> None:
    ran = clinic.quick("serve", "--port", free_port(), **changed)
    assert (ran.code, ran.out) == (1, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1, "one clear line"


def test_a_port_is_taken_as_soon_as_it_is_bound() -> None:
    port = free_port()
    with bind_socket("127.0.0.1", port), pytest.raises(Misconfigured, match="in use"), bind_socket("127.0.0.1", port):
        pass


def test_a_port_there_is_not(clinic: Shell) -> None:
    assert "65535" in clinic.quick("serve", "--port", "99999").err


def test_serve_in_production_needs_a_secret_key(tmp_path: Path, catcher: MailCatcher) -> None:
    shell = new_shell(tmp_path, catcher)
    del shell.environment["USHER_SECRET_KEY"]
    ran = shell.usher("serve")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: USHER_SECRET_KEY is missing")
    assert list(tmp_path.iterdir()) == []


BREAKS = [
    pytest.param("enrollment.bpmn", ' default="Flow_nothing_missing"', "", "FieldsMissing", id="gateway"),
    pytest.param("enrollment.bpmn", "invitation/send", "invitation/sing", "SendInvitation", id="operator"),
    pytest.param("enrollment.bpmn", 'value="update-now.form"', 'value="gone.form"', "UpdateNow", id="form"),
    pytest.param("enrollment.bpmn", 'value="enroll.reason"', 'value="open(1)"', "RemoveResponse", id="expression"),
    pytest.param("enrollment.bpmn", "</bpmn:definitions>", "", "enrollment.bpmn", id="XML"),
    pytest.param("update-now.form", '"textfield"', '"iframe"', "iframe", id="component"),
]


@pytest.mark.parametrize(("file", "old", "new", "named"), BREAKS)
def test_a_broken_package(file: str, old: str, new: str, named: str, clinic: Shell, tmp_path: Path) -> None:
    """Element and reason are named; the version in force stays."""
    broken = tmp_path / "broken"
    shutil.copytree(ENROLLMENT, broken)
    text = (broken / file).read_text()
    assert old in text
    (broken / file).write_text(text.replace(old, new))
    refused = clinic.quick("deploy", broken)
    assert (refused.code, refused.out) == (1, "")
    assert named in refused.err
    checked = clinic.quick("check", broken, "--json")
    assert checked.code == 1
    findings = checked.json["findings"]
    assert all(set(one) >= {"file", "element", "rule", "severity", "message"} for one in findings)
    assert any(one["severity"] == "error" and named in json.dumps(one) for one in findings)
    with contextlib.closing(sqlite3.connect(clinic.folder / "usher.db")) as database:
        assert database.execute("SELECT process, number FROM version").fetchall() == [("enrollment", 1)]


def test_bad_lines_are_reported_by_number_and_good_ones_kept(clinic: Shell) -> None:
    lines = [patient("good-1"), "{nonsense", "[]", patient("no spaces, please"), patient("good-2"), '{"id": "x"}', ""]
    (clinic.folder / "mixed.ndjson").write_text("\n".join(lines))
    ran = clinic.quick("import-patients", "mixed.ndjson", "--json")
    assert ran.code == 1
    assert (ran.json["lines"], ran.json["new"]) == (6, 2)
    assert [one["line"] for one in ran.json["bad"]] == [2, 3, 4, 6]
    again = clinic.quick("import-patients", "mixed.ndjson")
    assert again.out == "0 new, 0 changed, 2 unchanged, 4 refused.\n"
    assert re.findall(r"line (\d+): ", again.err) == ["2", "3", "4", "6"]


def test_a_database_that_may_not_be_written_to(clinic: Shell, tmp_path: Path) -> None:
    copy = tmp_path / "usher.db"
    shutil.copy(clinic.folder / "usher.db", copy)
    url = f"sqlite:///file:{copy}?mode=ro&uri=true"
    ran = clinic.quick("start", "enrollment", "--data", '{"patient_id": "p3"}', USHER_DATABASE_URL=url)
    assert (ran.code, ran.out) == (1, "")
    assert "read-only; nothing was changed" in ran.err


def test_a_locked_database(clinic: Shell) -> None:
    with contextlib.closing(sqlite3.connect(clinic.folder / "usher.db", isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        ran = clinic.quick("start", "enrollment", "--data", '{"patient_id": "p3"}')
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "Error: The database is busy; nothing was changed. Try again in a moment.\n"


def test_the_mail_server_is_down(clinic: Shell) -> None:
    """The case waits and reports it; the mail goes out when the server is back."""
    start = ("start", "enrollment", "--data", json.dumps({"patient_id": "complete"}), "--json")
    address = {"address": [{"postalCode": "12345"}], "gender": "female"}
    (clinic.folder / "complete.ndjson").write_text(patient("complete", **address))
    assert clinic.quick("import-patients", "complete.ndjson").code == 0
    case = clinic.quick(*start).json["instance"]
    down = {"USHER_SMTP_PORT": str(free_port()), "USHER_JOB_BACKOFF_S": "0"}
    assert clinic.quick("worker", "--once", **down).code == 0
    ran = clinic.quick("history", case)
    assert "ServiceFailed SendInvitation" in ran.out and "IncidentRaised SendInvitation" in ran.out
    assert clinic.quick(*start).json["incident"] == "The mail server cannot be reached."
