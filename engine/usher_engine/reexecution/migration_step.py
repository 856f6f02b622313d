"""Migrations in the history of a case: the version it ran on at each step, and the re-execution of a migration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..bpmn import Diagram, Moved, move
from ..bpmn import Step as StepContext
from ..core import events as e
from ..core.errors import CannotMigrate
from ..core.state import InstanceState
from ..store import Row
from .hash_chain import ReadStep

#: Returns the diagram of a version (number, hash), or why it is invalid.
Versions = Callable[[int, str], Diagram | str]

MIGRATED = e.InstanceMigrated.__name__


def initial_version(row: Row, steps: Sequence[ReadStep]) -> tuple[int, str]:
    """Return number and hash of the version a case began on: those of its row, unless it migrated since."""
    if any(_moves(body) for _, body, _ in steps):
        started = steps[0][1]["events"][0]
        return _version(started.get("version")), str(started.get("definition"))
    return row.version, row.definition


def runs_on(steps: Sequence[ReadStep], revision: int | None = None) -> tuple[int, str]:
    """Return number and hash of the version a case runs on after *revision*, or now; raise `KeyError` if malformed."""
    started = steps[0][1]["events"][0]
    version, definition = started["version"], started["definition"]
    for number, body, _ in steps:
        for moved in _moves(body) if revision is None or number <= revision else ():
            version, definition = moved["to_version"], moved["definition"]
    return version, definition


def _moves(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [event for event in body["events"] if event.get("kind") == MIGRATED]


def _version(number: Any) -> int:
    return number if isinstance(number, int) else 0


def repeat_migration(
    source: Diagram,
    target: Diagram,
    step: StepContext,
    stored: dict[str, Any] | None,
    state: InstanceState,
    recorded: e.InstanceMigrated,
) -> Moved | str:
    """Re-execute the *recorded* migration, or return why that is impossible."""
    asked = e.InstanceMigrated(
        recorded.from_version, recorded.to_version, recorded.definition, recorded.mapping, recorded.reason
    )
    try:
        return move(source, target, step, stored, state, asked)
    except CannotMigrate as refusal:
        return refusal.message
