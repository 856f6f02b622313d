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
