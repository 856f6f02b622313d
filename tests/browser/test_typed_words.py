"""What analysts type is understood: times in words, expressions pasted with curly quotes."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from browser.analyst import drawn, opened, saved, select
from conftest import ROOT
from playwright.sync_api import Page, expect
from usher_engine import Engine
from usher_engine.expressions import parse_due, parse_duration

NODE = shutil.which("node")
WORKBENCH = ROOT / "web/ui/src/workbench"
DURATIONS = {
    "7 days": "P7D",
    "1 week": "P1W",
    "2 hours": "PT2H",
    "2 hours and 30 minutes": "PT2H30M",
    "1 day, 12 hours": "P1DT12H",
    "an hour": "PT1H",
    "2h": "PT2H",
    "1 week 2 days": "P9D",
    "P2D": "P2D",
    "": "",
    "days + 1": "days + 1",
    '"P" + str(n) + "D"': '"P" + str(n) + "D"',
    "2 months": "2 months",
    "2 days 3 days": "2 days 3 days",
    "soon": "soon",
}
WORKING = {
    "3 working days": "3 working days",
    "1 Business Day": "1 working day",
    "a working day": "1 working day",
    "5 workdays": "5 working days",
    "working days": "working days",
}
QUOTES = {
    "patient.status == “Pending”": 'patient.status == "Pending"',
    "‘a’ in x": "'a' in x",
    '"say “hi”"': '"say “hi”"',
    "„a“ + ”b”": '"a" + "b"',
    "“it’s”": '"it’s"',
    "a == 1": "a == 1",
}


def _called(module: str, name: str, texts: list[str]) -> list[Any]:
    if NODE is None:
        pytest.skip("no Node on this machine")
    source = json.dumps(str(WORKBENCH / module))
    script = f"import * as m from {source}; console.log(JSON.stringify({json.dumps(texts)}.map(one => m.{name}(one))))"
    done = subprocess.run([NODE, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_words_become_durations_that_the_engine_reads() -> None:
    assert _called("durations.js", "isoDuration", list(DURATIONS)) == list(DURATIONS.values())
    made = [iso for words, iso in DURATIONS.items() if iso != words]
    words = _called("durations.js", "durationWords", made)
    again = _called("durations.js", "isoDuration", words)
    assert [parse_duration(iso) for iso in again] == [parse_duration(iso) for iso in made]


def test_working_days_are_stored_in_the_one_spelling_that_the_engine_reads() -> None:
    assert _called("durations.js", "isoDuration", list(WORKING)) == list(WORKING.values())
    assert [parse_due(text) for text in list(WORKING.values())[:4]] == [3, 1, 1, 5]
    assert _called("durations.js", "durationProblem", ["3 working days", "0 working days", "251 working days"]) == [
        "", *["Working days are counted from 1 to 250."] * 2,
    ]  # fmt: skip


def test_what_is_no_duration_is_told_with_a_way_out() -> None:
    months, number, fine = _called("durations.js", "durationProblem", ["2 months", "7", "7 days"])
    assert "in days" in months
    assert "7 days" in number
    assert fine == ""


def test_curly_quotes_are_put_right_outside_texts() -> None:
    assert _called("quotes.js", "straightened", list(QUOTES)) == list(QUOTES.values())


def test_a_due_time_is_typed_in_words(engine: Engine, ana: Page) -> None:
    opened(ana)
    due = select(ana, "UpdateNow").get_by_label("Due in")
    due.fill("3 weeks")
    saved(ana)
    assert 'name="dueIn" value="P3W"' in drawn(engine)
    expect(ana.locator("[data-field=dueIn] .iso")).to_have_text("P3W")
    due.fill("2 months")
    expect(ana.locator("[data-field=dueIn] .msg")).to_contain_text("no fixed length")
    expect(due).to_have_attribute("aria-invalid", "")
    due.fill("1 day 12 hours")
    saved(ana)
    assert 'name="dueIn" value="P1DT12H"' in drawn(engine)
    due.fill("3 business days")
    saved(ana)
    assert 'name="dueIn" value="3 working days"' in drawn(engine)
    expect(ana.locator("[data-field=dueIn] .iso")).to_have_text("")
    due.fill("1 day 12 hours")
    saved(ana)
    select(ana, "EnrollNow")
    expect(select(ana, "UpdateNow").get_by_label("Due in")).to_have_value("1 day 12 hours")


def test_an_expression_pasted_with_curly_quotes_is_put_right(engine: Engine, ana: Page) -> None:
    opened(ana)
    condition = select(ana, "Flow_status_pending").locator("#p-condition")
    condition.fill("patient.status == “Pending”")
    expect(condition).to_have_value('patient.status == "Pending"')
    saved(ana)
    assert '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">patient.status == "Pending"' in drawn(engine)
