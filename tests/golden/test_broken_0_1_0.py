"""Cases that version 0.1.0 left broken go on, or say what is wrong and how to put it right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import alice
from golden.recorded import Opened


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Opened]:
    there = Opened("0.1.0", database_url, tmp_path)
    yield there
    there.database.close()


def test_a_state_with_sub_processes_nothing_holds_goes_on(opened: Opened) -> None:
    opened.answer("orphans: nested", "b", "c")
    opened.answer("orphans: nested, not tried yet", "b", "c")
    opened.answer("orphans: calls", "b")
    opened.answer("orphans: event sub-process", "b", "c")
    for key in ("orphans: service", "orphans: timer"):
        opened.engine.retry(opened.cases[key], actor=alice)
    opened.work()
    opened.answer("orphans: service", "b")
    keys = opened.keys("orphans")
    assert len(keys) == 6
    assert {opened.case(key).status for key in keys} == {"finished"}
    assert [finding for key in keys for finding in opened.engine.verify(opened.cases[key])] == []


def test_an_answer_the_stored_state_cannot_take_is_an_incident_with_a_way_out(opened: Opened) -> None:
    key = "twice: tried"
    before = opened.case(key).revision
    opened.engine.save_draft(opened.case(key).tasks[0].id, {"typed": "before"}, actor=alice)
    case = opened.answer(key, "z")
    assert case.status == "incident" and case.revision == before + 1
    state = opened.engine.rebuild(case.id)
    assert list(state.incidents) == ["z:0"]
    assert state.incidents["z:0"].endswith("Ask an administrator to repair this case, or to cancel it.")
    step = opened.engine.history(case.id)[-1]
    assert [event["code"] for event in step.events] == ["Corrupt"] and step.body["state"]
    assert opened.engine.retry(case.id, actor=alice).status == "incident"
    assert opened.answer("orphans: nested", "b", "c").status == "finished"


def test_verify_says_which_cases_cannot_go_on(opened: Opened) -> None:
    wrong = {finding.instance: finding for finding in opened.engine.verify_all().findings}
    keys = {"stuck: nothing open", "stuck: service", "twice: not tried yet", "twice: tried"}
    assert {key for key, case in opened.cases.items() if case in wrong} == keys
    assert {wrong[opened.cases[key]].kind for key in keys} == {"state"}
    assert wrong[opened.cases["twice: tried"]].element == "z"
    assert "stands still" in wrong[opened.cases["stuck: service"]].message
