"""The command line: failures are one line, usage is exit code 2, a port in use leaves nothing behind."""

import json
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner
from conftest import ROOT
from usher_engine import Misconfigured, Settings
from usher_web.cli import main
from usher_web.commands import COMMANDS, load, people
from usher_web.commands.demonstration import demo_settings
from usher_web.commands.listening import bind_socket
from usher_web.demo.mail_catcher import MailCatcher


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("USHER_SECRET_KEY", "a secret for tests only, longer than thirty-two")
    monkeypatch.setenv("USHER_DATABASE_URL", f"sqlite:///{tmp_path / 'usher.db'}")
    return lambda *words, **options: CliRunner().invoke(main, words, **options)


def test_each_wrong_field_of_a_form_is_a_line_below_the_failure(run):
    assert run("db", "upgrade").exit_code == 0
    assert run("deploy", str(ROOT / "tests" / "processes" / "room_booking")).exit_code == 0
    failed = run("start", "room_booking", "--data", '{"room": "4", "people": "many", "colour": "red"}')
    assert failed.exit_code == 1
    assert failed.stderr.splitlines() == [
        "Error: 3 fields need another look: Day, People, colour.",
        "  day: Please fill this in.",
        "  people: This must be a number, like 12 or 12.5.",
        "  colour: This form has no such field.",
    ]
    assert run("start", "room_booking", "--data", '{"room": "4", "day": "2026-06-01"}').exit_code == 0


def test_a_failure_is_one_clear_line(run):
    failed = run("user", "list")
    assert failed.exit_code == 1
    assert failed.stdout == ""
    assert failed.stderr.count("\n") == 1
    assert "usher db upgrade" in failed.stderr


def test_a_mistake_of_ours_is_one_line_without_data(run, monkeypatch):
    run("db", "upgrade")
    monkeypatch.setattr(people, "open_usher", lambda: {}["Ada typed this"])
    failed = run("user", "list")
    assert (failed.exit_code, failed.stdout, failed.stderr.count("\n")) == (1, "", 1)
    assert "mistake in the software (KeyError in test_web_commands.py, line " in failed.stderr
    assert "usher --debug" in failed.stderr
    shown = run("--debug", "user", "list")
    assert shown.exit_code == 1
    assert "Traceback" in shown.stderr and "in list_users" in shown.stderr
    assert "KeyError (text withheld)" in shown.stderr
    assert "'Ada typed this'" not in failed.stderr + shown.stderr


def test_a_file_that_cannot_be_written_is_named(run, tmp_path):
    run("db", "upgrade")
    (tmp_path / "file").write_text("")
    assert run("deploy", str(ROOT / "processes" / "enrollment")).exit_code == 0
    failed = run("export", "enrollment", str(tmp_path / "file" / "folder"))
    assert failed.exit_code == 1
    assert str(tmp_path / "file") in failed.stderr and failed.stderr.count("\n") == 1
    assert "mistake in the software" not in failed.stderr


def test_wrong_usage_is_exit_code_2(run):
    assert run("user", "add", "alice", "--role", "king").exit_code == 2
    assert run("nonsense").exit_code == 2


def test_an_unknown_setting_is_named(run, monkeypatch):
    monkeypatch.setenv("USHER_SMPT_HOST", "typo")
    assert "USHER_SMPT_HOST is not a setting" in run("user", "list").stderr


def test_people_and_tokens(run):
    assert run("db", "upgrade").exit_code == 0
    added = run("user", "add", "alice", "--role", "staff", "--json")
    shown = json.loads(added.stdout)
    assert shown["groups"] == ["Front desk"]
    assert len(shown["password"]) >= 12
    weak = run("user", "add", "bob", "--role", "staff", "--password-stdin", input="short\n")
    assert weak.exit_code == 1
    assert "at least 12 characters" in weak.stderr
    assert "already an account" in run("user", "add", "alice", "--role", "admin").stderr
    assert [user["name"] for user in json.loads(run("user", "list", "--json").stdout)] == ["alice"]
    token = run("token", "add", "ehr", "--role", "staff").stdout.strip()
    assert token.startswith("usher_")
    assert run("token", "revoke", "ehr").exit_code == 0
    assert run("token", "revoke", "ehr").exit_code == 1


def test_production_needs_a_secret(run, monkeypatch):
    monkeypatch.delenv("USHER_SECRET_KEY")
    refused = run("serve")
    assert refused.exit_code == 1
    assert "USHER_SECRET_KEY" in refused.stderr


def test_only_queues_there_are_can_be_served(run, monkeypatch):
    monkeypatch.setenv("USHER_ENV", "development")
    refused = run("worker", "--queues", "mail,nails")
    assert refused.exit_code == 2
    assert "“nails” names no queue. There are mail, services, timers, batches, housekeeping." in refused.stderr
    assert run("db", "upgrade").exit_code == 0
    whole = run("worker", "--queues", "mail", "--once")
    assert (whole.exit_code, "PostgreSQL only" in whole.stderr) == (1, True)


def test_a_port_in_use_is_reported_and_nothing_is_left(run, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"Port {port} is in use"):
            bind_socket("127.0.0.1", port)
        refused = run("demo", "--port", str(port), "--folder", str(tmp_path / "demo"))
    assert refused.exit_code == 1
    assert "in use" in refused.stderr
    assert not (tmp_path / "demo").exists()


def test_the_catcher_keeps_what_it_takes_in(clock):
    import smtplib
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "portal@example.org", "ada@example.org", "Ünvitation"
    message["Message-ID"] = "<abc@example.org>"
    message.set_content("Open https://example.org/i/abc until June.")
    catcher = MailCatcher(clock)
    catcher.start()
    try:
        with smtplib.SMTP("127.0.0.1", catcher.port, timeout=60) as server:
            server.send_message(message)
    finally:
        catcher.stop()
    (mail,) = catcher.mails()
    assert (mail.to, mail.subject, mail.message_id) == ("ada@example.org", "Ünvitation", "<abc@example.org>")
    assert mail.links == ("https://example.org/i/abc",)
    assert mail.at == clock()


def test_a_server_loads_no_migrations_and_no_mail_catcher():
    asked = "import sys, usher_web.commands.serving; print([n for n in ('alembic', 'aiosmtpd') if n in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("words", [["demo"], ["--help"]], ids=["demo", "help"])
def test_without_its_extra_the_demo_says_in_one_line_what_to_install(tmp_path, words):
    lacking = "import sys; sys.modules['aiosmtpd'] = None; from usher_web.cli import main; main(sys.argv[1:])"
    asked = [sys.executable, "-c", lacking, *words]
    found = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=tmp_path)
    hint = "Error: The demo's mail catcher is not installed. Run: pip install 'usher-flow[demo]'\n"
    assert (found.returncode, found.stderr) == ((1, hint) if words[0] == "demo" else (0, ""))
    assert list(tmp_path.iterdir()) == []


def test_every_command_is_where_its_name_says():
    assert {name: load(name).name for name in COMMANDS} == {name: name for name in COMMANDS}


def test_a_demo_lives_by_the_settings_there_are_and_names_those_it_cannot_take(tmp_path):
    given = Settings(deploy_four_eyes=1, practice_name="Elm Street", invitation_days=3, smtp_host="mail.example.org")
    found, ignored = demo_settings(given, tmp_path, 8001, 2525)
    assert (found.deploy_four_eyes, found.practice_name, found.invitation_days) == (1, "Elm Street", 3)
    assert (found.smtp_host, found.smtp_port, found.base_url) == ("127.0.0.1", 2525, "http://127.0.0.1:8001")
    assert ignored == ["USHER_SMTP_HOST"]
    plain, none = demo_settings(Settings(), tmp_path, 8001, 2525)
    assert (plain.practice_name, plain.session_idle_minutes, none) == ("Sample Clinic", 240, [])
