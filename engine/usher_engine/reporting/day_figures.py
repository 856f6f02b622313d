"""Stores the figures of each day, and recounts a day when its cases have new steps.

A day covers the cases *started* on it, in the time zone of the practice. The number of these cases and of their steps
shows whether the stored figures are current, because steps are only ever added. So a step writes no figures.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from ..core.errors import Unavailable
from ..core.findings import Finding
from ..reexecution import unpack_step
from ..settings import Settings
from ..store import Database, Transaction, from_text, to_text
from ..store import figure_rows as rows
from ..store.tampered_rows import moment
from .tally import Tally, TimedEvent, total

#: Changes whenever the definition of the figures changes, so that stored days are recounted.
FORMAT = 2

#: How long a report waits for days to be counted; a background thread counts the rest.
PATIENCE_S = 3.0

#: The milestones of a case with their times, named by the domain. Start and end are added by the tally.
Milestones = Callable[[Sequence[TimedEvent]], Mapping[str, datetime]]
#: The group of each business key; missing ones are in the group "".
Groups = Callable[[Transaction, Collection[str]], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Figures of the cases started on some days; *uncounted* days are missing or show outdated figures."""

    days: Mapping[date, Tally]
    uncounted: int

    @property
    def total(self) -> Tally:
        return total(self.days.values())

    def by_month(self) -> dict[date, Tally]:
        """By the first day of each month that has cases."""
        months: dict[date, list[Tally]] = defaultdict(list)
        for day, tally in sorted(self.days.items()):
            months[day.replace(day=1)].append(tally)
        return {month: total(tallies) for month, tallies in months.items()}


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    version: int
    basis: str


class Figures:
    """The queries of reports; *milestones* and *groups* add what the domain counts beyond the diagram."""

    def __init__(self, database: Database, settings: Settings, milestones: Milestones, groups: Groups) -> None:
        self._database = database
        self._calendar = settings.calendar
        self._seal_key = _seal_key(settings)
        self._milestones = milestones
        self._groups = groups
        self._catching_up = threading.Lock()
        self._thread: threading.Thread | None = None

    def span(self, process: str) -> tuple[date, date] | None:
        """The days on which the first and the last case of *process* started; None if there is no case."""
        with self._database.read() as tx:
            found = rows.span(tx, process)
        return (self._day(found[0]), self._day(found[1])) if found else None

    def period(
        self, process: str, first: date, last: date, *, version: int | None = None, patience_s: float = PATIENCE_S
    ) -> Period:
        """
        The figures of the cases of *process* (or of one *version*) started from *first* to *last*, both included.

        Days whose cases have new steps are recounted, newest first, for *patience_s*; a background thread counts the
        rest.
        """
        wanted = self._days_with_cases(process, first, last, version)
        with self._database.read() as tx:
            kept = {(one.day, one.version): one for one in rows.stored_figures(tx, process, f"{first}", f"{last}")}
        until, left, days = time.monotonic() + patience_s, [], defaultdict[date, list[Tally]](list)
        for one in sorted(wanted, key=lambda one: (one.day, one.version), reverse=True):
            there = kept.get((one.day.isoformat(), one.version))
            tally = _stored_tally(there) if there else None
            if there is None or tally is None or there.basis != self._sealed(process, one, there.content):
                if time.monotonic() < until:
                    tally = self._count(process, one)
                else:
                    left.append(one)
            if tally is not None:
                days[one.day].append(tally)
        if left:
            arguments = (process, left)
            self._thread = threading.Thread(target=self._catch_up, args=arguments, name="usher-figures", daemon=True)
            self._thread.start()
        return Period(days={day: total(tallies) for day, tallies in days.items()}, uncounted=len(left))

    def wait(self, timeout_s: float = 60.0) -> None:
        """Wait until the background thread has counted the days left over by the last `period`."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _days_with_cases(self, process: str, first: date, last: date, version: int | None) -> list[_Day]:
        """The days that have cases, each with the basis its figures must have."""
        found = []
        with self._database.read() as tx:
            edges = rows.span(tx, process)
            if edges is None:
                return []
            first, last = max(first, self._day(edges[0])), min(last, self._day(edges[1]))
            for day in _days(first, last):
                for basis in rows.bases(tx, process, *self._edges(day)):
                    if version in (None, basis.version):
                        rests_on = f"{FORMAT}:{basis.cases}:{basis.steps}:{self._calendar.zone}"
                        found.append(_Day(day, basis.version, rests_on))
        return found

    def _catch_up(self, process: str, left: Sequence[_Day]) -> None:
        if not self._catching_up.acquire(blocking=False):
            return  # the thread of an earlier request counts them
        try:
            for one in left:
                self._count(process, one)
        finally:
            self._catching_up.release()

    def _count(self, process: str, one: _Day) -> Tally:
        """Count a day and store the result, unless the database cannot be written."""
        tally = Tally()
        with self._database.read() as tx:
            cases = dict(rows.cases(tx, process, one.version, *self._edges(one.day)))
            groups = self._groups(tx, set(cases.values()))
            for case, events in _events_by_case(rows.steps(tx, list(cases))):
                tally.count(case, events, self._milestones(events), groups.get(cases[case], ""))
        content = zlib.compress(json.dumps(tally.to_json(), separators=(",", ":")).encode())
        try:
            with self._database.begin() as tx:
                basis = self._sealed(process, one, content)
                rows.store_figures(tx, process, rows.Kept(one.version, one.day.isoformat(), basis, content))
        except Unavailable:
            pass  # the database cannot be written; the tally is complete all the same
        return tally

    def _sealed(self, process: str, one: _Day, content: bytes) -> str:
        """The basis, and a seal over it and *content*: without the secret, an altered row is counted again."""
        return f"{one.basis}:{_seal(self._seal_key, process, one.version, one.day.isoformat(), one.basis, content)}"

    def _day(self, stored: str) -> date:
        return self._calendar.day_of(moment(stored))

    def _edges(self, day: date) -> tuple[str, str]:
        """The beginning and end of the day, in the stored format."""
        begins = (self._calendar.begin_of(one) for one in (day, day + timedelta(days=1)))
        first, end = map(to_text, begins)
        return first, end


def altered_figures(database: Database, settings: Settings) -> list[Finding]:
    """A finding for each stored day whose seal does not fit. Rows of older formats have none; no report uses them."""
    key = _seal_key(settings)
    with database.read() as tx:
        stored = list(rows.all_figures(tx))
    altered = [
        f"The report figures of {process}, version {one.version}, {one.day} were altered."
        for process, one in stored
        if str(one.basis).startswith(f"{FORMAT}:") and not _fits(key, process, one)
    ]
    return [Finding("", None, "", "table", words) for words in altered]


def _fits(key: bytes, process: str, one: rows.Kept) -> bool:
    basis, _, seal = str(one.basis).rpartition(":")
    content = one.content if type(one.content) is bytes else b""
    return hmac.compare_digest(seal.encode(), _seal(key, process, one.version, one.day, basis, content).encode())


def _seal_key(settings: Settings) -> bytes:
    return b"figures:" + settings.secret_key.encode()


def _seal(key: bytes, process: str, version: int, day: str, basis: str, content: bytes) -> str:
    sealed = "\n".join((process, str(version), day, basis)).encode() + b"\n" + content
    return hmac.new(key, sealed, hashlib.sha256).hexdigest()[:32]


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _stored_tally(kept: rows.Kept) -> Tally | None:
    """The stored tally of a day; None if it cannot be read and must be recounted."""
    try:
        return Tally.from_json(json.loads(zlib.decompress(kept.content)))
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _events_by_case(stored: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, list[TimedEvent]]]:
    """The events of each case, from the steps that can be read."""
    for case, steps in groupby(stored, key=itemgetter(0)):
        bodies = (unpack_step(body)[1] for _, body in steps)
        try:
            events = [(from_text(body["at"]), event) for body in bodies if body for event in body["events"]]
        except ValueError:  # a tampered time; verify reports it
            continue
        if events:  # a purged case has none left to count
            yield case, events
