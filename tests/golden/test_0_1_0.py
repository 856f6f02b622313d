"""What version 0.1.0 wrote is opened, read, proven and carried on by this one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import alice
from golden.recorded import Opened
from usher_engine.core.events import from_json
from usher_engine.core.state import InstanceState, fold
from usher_engine.store import folded_tables

OPEN = ("sound", "sample")


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Opened]:
    there = Opened("0.1.0", database_url, tmp_path)
    yield there
    there.database.close()


def test_every_case_is_there_and_its_history_folds_into_its_state(opened: Opened) -> None:
    assert len(opened.cases) == 37
    for key, case in opened.cases.items():
        events = [from_json(event) for step in opened.engine.queries.history(case) for event in step.events]
        folded = fold(InstanceState(), events)
        assert folded.to_json() == opened.engine.queries.rebuild(case).to_json(), key
        assert folded.status == opened.case(key).status, key


def test_the_sound_ones_agree_with_their_record(opened: Opened) -> None:
    assert [finding for key in opened.keys(*OPEN) for finding in opened.engine.verify(opened.cases[key])] == []


def test_the_sound_ones_go_on(opened: Opened) -> None:
    engine = opened.engine
    engine.cases.retry(opened.cases["sound: service failed"], actor=alice)
    engine.incoming.deliver_message("Paid", {"sum": 1}, actor=alice, instance=opened.cases["sound: message"])
    opened.answer("sound: moved", "ask", "a", "b", "c")
    opened.answer("sound: in parallel", "A", "B")
    opened.answer("sound: timer", "First")
    opened.work()
    assert opened.case("sound: moved").status == "finished"
    assert not opened.case("sound: service failed").tasks
    assert opened.case("sample-declined").status == "finished"
    assert [finding for key in opened.keys(*OPEN) for finding in engine.verify(opened.cases[key])] == []


def test_its_tables_are_compared_as_far_as_its_events_say(opened: Opened) -> None:
    with opened.database.read() as tx:
        assert list(folded_tables.check(tx)) == []
        assert any(folded_tables.state_of(tx, *folded_tables.folded()).values())
