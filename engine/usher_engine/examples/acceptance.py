"""“This is right now”: rewrites what examples promise to what they do on the diagram as it is.

The promise changes, ``path`` and ``end``. Where an action no longer fits, the example ends there, and what it did after
that is dropped. The answer of an effect that it lacks is written into it as it was made up; one that lacks what a
service reads is refused: nobody can say what it would do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from usher_engine.core.errors import InvalidSubmission, NotFound
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar
from usher_engine.definitions import Package
from usher_engine.services import Services

from .example_runner import Outcome, Report, run_examples
from .made_up_answers import with_answers


def accept_examples(
    package: Package, services: Services, files: Iterable[str] | None = None, calendar: Calendar = UTC_CALENDAR
) -> dict[str, bytes]:
    """Run the examples of *package* and accept; raises like `accepted_examples`, or `InvalidDefinition`."""
    return accepted_examples(package, run_examples(package, services, calendar), files)


def accepted_examples(package: Package, report: Report, files: Iterable[str] | None = None) -> dict[str, bytes]:
    """
    The new content of the examples among *files* (None: all) that take another way than they promise.

    Raises:
        InvalidSubmission: ``fields`` names each example that cannot be played to its end, and why; none is rewritten.
        NotFound: One of *files* is no example of the package.
    """
    outcomes = {outcome.file: outcome for outcome in report.outcomes}
    wanted = list(outcomes) if files is None else list(files)
    missing = [file for file in wanted if file not in outcomes]
    if missing:
        raise NotFound(f"There is no example {missing[0][:200]}.")
    failed = [outcomes[file] for file in wanted if outcomes[file].problem]
    unplayed = {outcome.file: outcome.problem for outcome in failed if not outcome.acceptable}
    if unplayed:
        first = next(iter(unplayed))
        reason = unplayed[first].rstrip(".")
        message = f"{first} does not come to its end: {reason}. Give it what it lacks, or remove it."
        raise InvalidSubmission(message, fields=unplayed)
    return {outcome.file: accepted(package.text(outcome.file), outcome) for outcome in failed}


def accepted(text: str, outcome: Outcome) -> bytes:
    """The example *text* with the way of *outcome* as its promise; all else stays but the actions that do not fit."""
    example: dict[str, Any] = json.loads(text)
    if outcome.made_up:
        example = with_answers(example, outcome.made_up)
    if outcome.stopped:
        example["do"] = example["do"][: outcome.performed]
    example |= {"path": list(outcome.path), "end": outcome.end}
    return (json.dumps(example, ensure_ascii=False, indent=2) + "\n").encode()
