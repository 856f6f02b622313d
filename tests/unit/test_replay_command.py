"""`usher verify` from a shell: what it prints, and its exit codes."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest
from click.testing import CliRunner
from conftest import SECRET, Clock, alice, package
from databases import new_sqlite
from usher_engine import Actor, Database, Engine, Services, Settings
from usher_web.cli import main


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A database with three cases, one of them finished."""
    url = new_sqlite(tmp_path)
    monkeypatch.setenv("USHER_SECRET_KEY", SECRET)
    monkeypatch.setenv("USHER_DATABASE_URL", url)
    monkeypatch.setenv("USHER_SIGNING_KEY_FILE", str(tmp_path / "key.pem"))
    database = Database(url)
    settings = Settings(env="development", secret_key=SECRET, database_url=url)
    engine = Engine(settings, Services(), Clock(), database)
    engine.deploy(package("parallel"), actor=Actor(name="ana", role="analyst"))
    for _ in range(3):
        case = engine.start("parallel", {"n": 1}, actor=alice)
    for task in case.tasks:
        engine.complete(task.id, {}, actor=alice)
    database.close()
    return tmp_path / "usher.db"


def verify(*words):
    return CliRunner().invoke(main, ["verify", *words])


def cases(file):
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        return [case for (case,) in connection.execute("SELECT id FROM instance ORDER BY id")]


def test_an_unaltered_record(file):
    one = verify(cases(file)[0])
    assert (one.exit_code, one.stdout) == (0, "1 cases checked, 1 of them agree with their record and can go on.\n")
    every = verify("--all", "--without-checkpoints", "--jobs", "1", "--json")
    assert (every.exit_code, json.loads(every.stdout)) == (0, {"checked": 3, "equal": 3, "findings": []})
    assert f"3 of 3 cases checked; to go on from here: --after {cases(file)[-1]}" in every.stderr
    rest = verify("--all", "--without-checkpoints", "--jobs", "1", "--json", "--after", cases(file)[0])
    assert json.loads(rest.stdout)["checked"] == 2


def test_an_altered_record_is_named_and_exit_code_1(file):
    case = cases(file)[1]
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE instance SET explanation = 'all is well' WHERE id = ?", (case,))
    for words in (("--all", "--without-checkpoints", "--jobs", "1"), (case,)):
        result = verify(*words, "--json")
        assert result.exit_code == 1
        (finding,) = json.loads(result.stdout)["findings"]
        assert (finding["instance"], finding["kind"], finding["element"]) == (case, "row", "")
        assert f"Case {case}: The case's explanation does not match its history." in verify(*words).stdout
    assert json.loads(verify("--all", "--without-checkpoints", "--jobs", "1", "--json").stdout)["equal"] == 2


def test_wrong_arguments_are_refused(file):
    unknown = verify("NOSUCHCASE00")
    assert (unknown.exit_code, unknown.stderr) == (1, "Error: No case has the number NOSUCHCASE00.\n")
    for words in ((), ("--all", "X"), ("X", "--jobs", "2"), ("X", "--after", "Y"), ("--all", "--jobs", "0")):
        assert verify(*words).exit_code == 2
    assert verify("--all", "--checkpoint", "nowhere.jsonl").exit_code == 2
