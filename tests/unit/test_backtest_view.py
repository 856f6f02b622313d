"""What people read of a backtest: the sentence, the bar, parts and questions; also of runs of an earlier version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from usher_engine.cases import Batch, BatchCase, BatchKind, BatchStatus
from usher_web.analyst.backtest_view import asked, case_words, focus, parts, segments, sentence, ways_of

NAMES = {"B": "Send reminder", "C": "Wait", "E": "Invitation sent", "E2": "Too late", "L": "Load patient"}


def run(**tally: Any) -> Batch:
    done = sum(tally.get("kinds", {}).values())
    assume = tally.pop("assume", [])
    return Batch(
        id="R", kind=BatchKind.BACKTEST, process="p", package="h", asked_at=datetime(2026, 5, 4, tzinfo=UTC),
        asked_by="ana", status=BatchStatus.DONE, total=done, done=done, tally=tally, details={"assume": assume},
    )  # fmt: skip


def part(kind: str = "different", cause: str = "B added", **ends: int) -> dict[str, Any]:
    about = {"kind": kind, "element": "B", "recorded_element": "C", "cause": cause}
    return {**about, "cases": sum(ends.values()), "assumed": 0, "ends": ends}


@pytest.mark.parametrize(
    ("kinds", "partings", "words"),
    [
        ({"same": 3}, {}, ("3 of 3", "recorded cases take the same way.")),
        ({}, {}, ("No case", "was looked at yet.")),
        ({"same": 1, "different": 1}, {"a": part(E=1)},
         ("1 of 2", "recorded cases takes the same way; 1 differs, because of one change.")),
        ({"same": 2000, "different": 3, "needs_answer": 1}, {"a": part(E=2), "b": part(cause="x", E=1)},
         ("2,000 of 2,004",
          "recorded cases take the same way; 3 differ, because of two changes; 1 needs an answer nobody gave.")),
        ({"same": 0, "different": 1, "failed": 1}, {"a": part(E=2), "b": part("failed", "", E=1)},
         ("0 of 2", "recorded cases take the same way; 2 differ.")),
    ],
)  # fmt: skip
def test_the_sentence(kinds: dict, partings: dict, words: tuple[str, str]) -> None:
    assert sentence(run(kinds=kinds, partings=partings)) == words


def test_the_bar_has_what_rests_on_an_assumption_hatched() -> None:
    bar = segments(run(kinds={"same": 5, "different": 5}, assumed={"different": 2}))
    assert [(one.tone, one.x, one.width, one.hatched) for one in bar] == [
        ("same", 0, 500, False), ("other", 500, 300, False), ("other", 800, 200, True),
    ]  # fmt: skip


def test_parts_say_what_becomes_of_their_cases() -> None:
    found = parts(
        run(
            kinds={"not_comparable": 2},
            partings={"k": part(**{"E|E2": 3, "E|E": 1}), "n": part("needs_answer", "", **{"E|": 2})},
        ),
        NAMES,
    )
    assert [(one.key, one.cases, one.change, one.was, one.goes, one.end) for one in found[:2]] == [
        ("k", 4, "B added", "Wait", "Send reminder", "Too late"),
        ("n", 2, "No single change", "Wait", "Send reminder: nobody was asked this", "stands there"),
    ]
    assert (found[2].kind, found[2].cases) == ("not_comparable", 2)


def test_runs_of_an_earlier_version_can_still_be_read() -> None:
    old = run(kinds={"same": 1, "different": 3}, groups={"different|B|C|E|E": 2, "different|B|C|E|E2": 1})
    assert sentence(old) == ("1 of 4", "recorded cases takes the same way; 3 differ.")
    assert [(one.key, one.cases, one.change, one.end) for one in parts(old, NAMES)] == [
        ("", 2, "–", "as recorded"), ("", 1, "–", "Too late"),
    ]  # fmt: skip


def test_questions_with_and_without_an_assumption() -> None:
    question = {"element": "L", "operator": "patient/load", "cases": 17}
    taken = {"element": "L", "operator": "patient/load", "answer": {"status": "Pending"}}
    (one,) = asked(run(questions={"L|patient/load|": question}, assume=[taken]), NAMES)
    assert (one.words, one.assumed) == ("17 cases reach Load patient, whose answer nobody recorded.", taken)
    (nobody,) = asked(run(questions={}, assume=[taken]), NAMES)
    assert nobody.words == "0 cases reach Load patient, whose answer nobody recorded."


def case(
    recorded: list[str], draft: list[str], at: int | None, was: str = "", end: str = "", stands: Any = ()
) -> BatchCase:
    ways = {
        name: {"path": path, "flows": [""] * len(path), "at": list(stands), "end": ending}
        for name, path, ending in (("recorded", recorded, "E"), ("draft", draft, end))
    }
    return BatchCase(instance="I", outcome="different", details={"differs_at": at, "recorded_element": was, **ways})


def test_an_end_is_not_said_twice() -> None:
    assert case_words(case(["L", "E"], ["L", "E2"], 1, "E", "E2"), NAMES) == ("Invitation sent", "Too late")
    assert case_words(case(["L", "C", "E"], ["L", "B"], 1, "C", "", ["B"]), NAMES) == (
        "Wait, then Invitation sent", "Send reminder",
    )  # fmt: skip


def test_both_diagrams_open_where_the_ways_part() -> None:
    one = case(["L", "C", "E"], ["L", "B"], 1)
    assert focus(one) == "L C B"
    assert focus(case(["L"], ["B"], 0)) == "L B"
    assert ways_of([one])["draft"] == {"shared": ["L"], "parted": {"B": {"cases": 1, "heat": 3}}}
