"""What a backtest adds up to: kinds, partings with their cause, assumptions, questions; what is stored of a case."""

from __future__ import annotations

from dataclasses import replace

from usher_engine.cases import questions
from usher_engine.cases.backtest_tally import Tally, parting_of, stored_case
from usher_engine.reexecution import Compared, Kind, KnownAnswer, Question, Way

TASK = Question(element="Call", form="call.form")
READ = Question(element="Look", operator="patient/load")
ONE = Compared(
    instance="A", kind=Kind.DIFFERENT, element="B", recorded_element="C", differs_at=1, cause="B added",
    recorded=Way(path=("S", "C", "E"), flows=("", "f", "g"), end="E"),
    draft=Way(path=("S", "B", "E2"), flows=("", "h", "i"), end="E2"),
)  # fmt: skip
ASKS = replace(ONE, instance="D", kind=Kind.NEEDS_ANSWER, question=TASK)


def tally(*compared: Compared) -> dict:
    found = Tally({})
    for one in compared:
        found.add(one)
    return found.counted


def test_cases_that_part_at_one_place_for_one_cause_are_one_part() -> None:
    other = replace(ONE, draft=replace(ONE.draft, end="E3"), assumed=(READ,))
    found = tally(ONE, other, replace(ONE, cause="x"), ASKS)
    assert found["kinds"] == {"different": 3, "needs_answer": 1}
    part = found["partings"][parting_of(ONE)]
    assert part == {
        "kind": "different", "element": "B", "recorded_element": "C", "cause": "B added", "cases": 2, "assumed": 1,
        "ends": {"E|E2": 1, "E|E3": 1},
    }  # fmt: skip
    assert len(found["partings"]) == 3
    assert found["assumed"] == {"different": 1}
    assert (found["shared"], found["recorded"], found["draft"]["B"]) == ({"S": 4}, {"C": 4, "f": 4, "E": 4, "g": 4}, 4)


def test_a_question_counts_whether_it_is_assumed_or_not() -> None:
    same = Compared(instance="B", kind=Kind.SAME, assumed=(READ,))
    found = tally(ASKS, replace(ASKS, assumed=(READ,)), same)
    assert questions(found) == [(TASK, 2), (READ, 2)]
    assert found["assumed"] == {"needs_answer": 1, "same": 1}
    assert parting_of(same) == ""


def test_a_run_goes_on_where_it_was_interrupted() -> None:
    half = tally(ONE)
    again = Tally(half)
    again.add(ONE)
    assert again.counted == tally(ONE, ONE)


def test_what_is_stored_of_a_case() -> None:
    known = KnownAnswer(element="Look", operator="patient/load", since="2026-05-04T09:02:00+00:00")
    stored = stored_case(replace(ASKS, known=(known,), assumed=(READ,)))
    assert (stored.outcome, stored.element, stored.part) == ("needs_answer", "B", parting_of(ASKS))
    assert stored.details["question"] == {"element": "Call", "form": "call.form"}
    assert stored.details["assumed"] == [{"element": "Look", "operator": "patient/load"}]
    assert stored.details["known"] == [
        {"element": "Look", "operator": "patient/load", "since": "2026-05-04T09:02:00+00:00"}
    ]
    assert stored.details["cause"] == "B added"
