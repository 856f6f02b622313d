"""What a backtest predicts is what happens: recorded days are lived again on the draft, by the same people.

`make test` lives a few dozen cases through each kind of change, `make backtest-bench` two hundred.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from changed_package import CHANGES, FIRST
from lived_twice import Clinic, fates, live, live_again
from usher_engine.cases import CaseSelection
from usher_engine.reexecution import Compared, Kind
from usher_engine.reexecution.recorded_case import Recording

CASES, SEED = int(os.environ.get("BACKTEST_CASES", "24")), int(os.environ.get("BACKTEST_SEED", "2026"))
#: Kinds of change that change no way.
QUIET = {"message text", "due date and priority", "group", "longer timer of a task"}
#: The share of cases of which a backtest may say that nobody knows, although they would go on: a mail that was never
#: asked for may be refused. Steps that no longer write what they wrote leave a world of which there is no record.
FEW = 0.05
UNKNOWN = {"removed step": 0.5, "form": 0.5, "operator's parameter": 0.5}

pytestmark = pytest.mark.xdist_group("lived twice")  # the recorded days are lived once


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    clinic = live(tmp_path_factory.mktemp("recorded"), FIRST, fates(CASES, SEED))
    yield clinic
    clinic.database.close()


def test_on_its_own_version_every_case_goes_the_same_way(recorded: Clinic) -> None:
    result = recorded.engine.backtests.run(FIRST, CaseSelection(process="enrollment"))
    assert (result.cases, result.others) == (CASES, [])


def test_the_recorded_days_have_something_of_everything(recorded: Clinic) -> None:
    ways = {"".join(one.way.at) or one.way.end for one in recorded.recordings.values()}
    assert ways >= {"Done", "Nothing", "Cancelled", "TooLate", "NotEligible"}
    assert {deed.place.partition(":")[0] for deed in recorded.deeds} >= {"", "Update", "Enroll", "Resend", "Remind"}


@pytest.mark.parametrize("kind", CHANGES)
def test_the_verdict_is_what_happens(recorded: Clinic, tmp_path: Path, kind: str) -> None:
    """Same verdict, same way, same place; or an honest “nobody knows” where the way up to it is the right one."""
    again = live_again(tmp_path, CHANGES[kind], recorded)
    result = recorded.engine.backtests.run(CHANGES[kind], CaseSelection(process="enrollment"))
    told = {one.instance: one for one in result.others}
    before, after = recorded.recordings, again.recordings
    wrong, unknown = [], 0
    for number, case in recorded.cases.items():
        predicted = told.get(case) or Compared(instance=case, kind=Kind.SAME, draft=before[number].way)
        happened = verdict(before[number], after[number], again.refused.get(number, ""))
        if is_honest(predicted, after[number]):
            unknown += 1
        elif (predicted.kind, predicted.draft.path) != (happened, after[number].way.path):
            wrong.append((number, predicted.kind, predicted.message, happened, after[number].way))
    again.database.close()
    assert wrong == []
    assert unknown <= UNKNOWN.get(kind, FEW) * CASES
    assert (kind in QUIET) == (not told), "each kind of change moves some cases here, or none"


def verdict(before: Recording, after: Recording, refused: str) -> Kind:
    """What became of a case, as a backtest calls it."""
    if set(after.state.incidents) - set(before.state.incidents):
        return Kind.FAILED
    asked = {*after.state.tasks, *after.state.requests} - before.stands_at
    if refused or asked:
        return Kind.NEEDS_ANSWER
    return Kind.SAME if after.way.path == before.way.path else Kind.DIFFERENT


def is_honest(predicted: Compared, after: Recording) -> bool:
    """Whether the backtest stopped at a service that nobody can answer, on the way the case really went."""
    stopped = predicted.question is not None and bool(predicted.question.operator)
    path = predicted.draft.path
    return stopped and after.way.path[: len(path)] == path
