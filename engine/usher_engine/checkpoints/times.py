"""When something was really written, by the checkpoints; and dates that cannot be true.

A step or event is in the first checkpoint after it was written. One that is dated before the checkpoint before that
was written later than it says. The clocks of several machines may differ by `TOLERANCE`.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..core.findings import Finding
from ..store import Transaction, from_text, version_rows
from ..store import audit_rows as events
from ..store import checkpoint_rows as rows
from ..store.step_codec import MAX_STEP
from .merkle import Head

#: How far the clocks of two machines may differ, and how late a transaction may commit.
TOLERANCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Between:
    """The moments between which something was written; None where no checkpoint limits it."""

    after: datetime | None
    before: datetime | None


class Bounds:
    """The moments that signed heads set to each leaf."""

    def __init__(self, heads: Iterable[Head]) -> None:
        ordered = sorted(heads, key=lambda head: (head.size, head.number))
        self._sizes = [head.size for head in ordered]
        self._times = [moment for head in ordered if (moment := _moment(head.at))]
        if len(self._times) != len(self._sizes):
            self._sizes, self._times = [], []  # a head without a time is a finding of its own
        #: For each head the newest moment before its own, and at the end that of the newest head: heads taken in one
        #: go have one moment.
        self._earlier: list[datetime | None] = []
        for place, at in enumerate(self._times):
            repeats = place > 0 and self._times[place - 1] >= at
            before = self._earlier[-1] if repeats else self._times[place - 1] if place else None
            self._earlier.append(before)
        self._earlier.append(self._times[-1] if self._times else None)

    def of(self, leaf: int | None) -> Between:
        """When the entry with this number was written; None: it has no leaf yet."""
        place = len(self._sizes) if leaf is None else bisect_right(self._sizes, leaf)
        return Between(self._earlier[place], self._times[place] if place < len(self._times) else None)


#: When each version was deployed, by process and number.
Deployed = Mapping[tuple[str, int], datetime]


def deployments(tx: Transaction) -> Deployed:
    return {(version.process, version.number): version.deployed_at for version in version_rows.versions(tx)}


def check_times(tx: Transaction, heads: Iterable[Head]) -> Iterator[Finding]:
    """Findings about the dates of every step and audit event."""
    bounds, deployed = Bounds(heads), deployments(tx)
    last: datetime | None = None
    instance = ""
    for case, revision, body, leaf in rows.dated_steps(tx):
        if case != instance:
            instance, last = case, None
        found, last = check_step(str(case), revision, body, bounds.of(leaf), last, deployed)
        yield from found
    yield from _events(tx, bounds)


def check_step(
    instance: str, revision: Any, body: Any, between: Between, last: datetime | None, deployed: Deployed
) -> tuple[list[Finding], datetime | None]:
    """The findings about the date of a step that follows one of *last*, and its own date."""
    record = _record(body)
    at = _moment(record.get("at")) if record else None
    if record is None or at is None:
        return [], last  # purged or unreadable
    problem = _problem("Step", revision, at, between, last)
    for process, version in _versions(record):
        since = deployed.get((process, version))
        if since is not None and at < since - TOLERANCE:
            problem = f"Step {revision} is dated {_day(at)}, but its version {version} was deployed {_day(since)}."
    number = revision if type(revision) is int else None
    return [Finding(instance, number, "", "time", problem)] if problem else [], at


def _events(tx: Transaction, bounds: Bounds) -> Iterator[Finding]:
    leaves = dict(rows.event_leaves(tx))
    last: datetime | None = None
    for event in events.raw(tx):
        at = _moment(event.columns[0])
        if at is None:
            continue
        problem = _problem("Audit event", event.seq, at, bounds.of(leaves.get(event.seq)), last)
        if problem:
            yield Finding(rows.AUDIT, None, "", "time", problem)
        last = at


def _problem(what: str, number: Any, at: datetime, between: Between, last: datetime | None) -> str:
    if last is not None and at < last - TOLERANCE:
        return f"{what} {number} is dated {_day(at)}, earlier than the one before it, {_day(last)}."
    if between.after is not None and at < between.after - TOLERANCE:
        words = f"{what} {number} is dated {_day(at)}, but was written later"
        return f"{words}: the checkpoint signed {_day(between.after)} did not have it yet."
    if between.before is not None and at > between.before + TOLERANCE:
        words = f"{what} {number} is dated {_day(at)}, but was written earlier"
        return f"{words}: the checkpoint signed {_day(between.before)} has it."
    return ""


def _versions(record: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The version that a step begins to run on."""
    found = record.get("events")
    for event in found if isinstance(found, list) else ():
        if isinstance(event, dict) and event.get("kind") == "InstanceStarted":
            yield str(event.get("process")), int(event.get("version") or 0)


def _record(body: Any) -> dict[str, Any] | None:
    if type(body) is not bytes or not body:
        return None
    try:
        found = json.loads(zlib.decompressobj().decompress(body, MAX_STEP))
    except (zlib.error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _moment(text: Any) -> datetime | None:
    try:
        found = from_text(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
