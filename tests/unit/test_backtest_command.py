"""`usher backtest` from a shell: what it prints, and its exit codes."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from conftest import SECRET, Clock, alice, package
from databases import new_sqlite
from usher_engine import Actor, Database, Engine, Services, Settings
from usher_engine.definitions import Package, write_folder
from usher_web.cli import main


@pytest.fixture
def cases(tmp_path, monkeypatch):
    """Two finished cases and one that waits, in a database the command opens."""
    url = new_sqlite(tmp_path)
    monkeypatch.setenv("USHER_SECRET_KEY", SECRET)
    monkeypatch.setenv("USHER_DATABASE_URL", url)
    database = Database(url)
    settings = Settings(env="development", secret_key=SECRET, database_url=url)
    engine = Engine(settings, Services(), Clock(), database)
    engine.deploy(package("parallel"), actor=Actor(name="ana", role="analyst"))
    found = [engine.start("parallel", {"n": 1}, actor=alice).id for _ in range(3)]
    for case in found[:2]:
        for task in engine.instance(case).tasks:
            engine.complete(task.id, {}, actor=alice)
    database.close()
    return found


def draft(folder, before, after):
    text = package("parallel").files["parallel.bpmn"].decode()
    assert before in text
    write_folder(Package({"parallel.bpmn": text.replace(before, after).encode()}), folder)
    return str(folder)


def backtest(*words):
    return CliRunner().invoke(main, ["backtest", "parallel", "--jobs", "1", *words])


def test_the_same_way(cases):
    ran = backtest("--version", "1")
    assert (ran.exit_code, ran.stdout) == (0, "3 cases: 3 take the same way.\n")
    assert ran.stderr == "3 of 3 cases\n"


def test_another_way_is_named_and_exit_code_1(cases, tmp_path):
    folder = draft(tmp_path / "draft", "n &gt; 0", "n &gt; -1")
    ran = backtest("--draft", folder, "--json")
    found = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert (found["cases"], found["same"], found["needs_answer"], found["different"]) == (3, 1, 2, 0)
    assert [(one["instance"], one["element"]) for one in found["first"]] == [(case, "A") for case in sorted(cases[:2])]
    assert "A is asked once more than it was answered. (element A)" in backtest("--draft", folder).stdout
    assert json.loads(backtest("--draft", folder, "--json", "--status", "waiting").stdout)["cases"] == 1


def test_an_unfit_draft_is_refused(cases, tmp_path):
    ran = backtest("--draft", draft(tmp_path / "draft", "n &gt; 0", "n &gt;"))
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("Error: ")


def test_wrong_options_are_reported(cases, tmp_path):
    for words in ((), ("--version", "1", "--draft", str(tmp_path)), ("--version", "1", "--from", "yesterday")):
        assert backtest(*words).exit_code == 2
    unknown = CliRunner().invoke(main, ["backtest", "nothing", "--version", "1"])
    assert (unknown.exit_code, "No process “nothing” is deployed" in unknown.stderr) == (1, True)
    assert backtest("--version", "7").stderr == "Error: Process “parallel” has no version 7.\n"


def test_what_is_assumed_comes_from_a_file(cases, tmp_path):
    more = '<bpmn:userTask id="More" name="More"/><bpmn:sequenceFlow id="m" sourceRef="More" targetRef="End"/>'
    out = 'sourceRef="Done" targetRef="{}"/>'
    folder = draft(tmp_path / "draft", out.format("End"), out.format("More") + more)
    found = json.loads(backtest("--draft", folder, "--json").stdout)
    assert found["questions"] == [{"element": "More", "form": "", "cases": 2}]
    assert {one["change"] for one in found["first"]} == {"More added"}
    file = tmp_path / "assume.json"
    file.write_text('[{"element": "More", "form": "", "answer": {}}]')
    ran = backtest("--draft", folder, "--assume", str(file))
    assert "2 of them rest on an assumption." in ran.stdout
    assert "Moved by: More added. Rests on an assumption." in ran.stdout
    found = json.loads(backtest("--draft", folder, "--assume", str(file), "--json").stdout)
    assert (found["different"], found["assumed"], found["questions"]) == (2, 2, [])
    assert found["first"][0]["assumed"] == [{"element": "More", "form": ""}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"nothing", "is not JSON"),
        (b'{"a": 1, "a": 2}', "a"),
        (b"\xff", "is not UTF-8"),
        (b'[{"element": "Nobody", "answer": {}}]', "Assumption 1: The package has no element “Nobody”."),
    ],
)
def test_a_file_of_assumptions_that_cannot_be_read_is_refused(cases, tmp_path, content, words):
    file = tmp_path / "assume.json"
    file.write_bytes(content)
    ran = backtest("--version", "1", "--assume", str(file))
    assert ran.exit_code in (1, 2)
    assert words in ran.stderr and "Traceback" not in ran.stderr
