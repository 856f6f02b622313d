"""Backtests every chosen case in a database on another package, on several processes, and sums up the results."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from ..bpmn import Diagram, compile_diagram
from ..definitions import Package
from ..services import Services
from ..store import Database, Transaction, stored_cases
from ..store.case_selection import CaseSelection, pages
from .case_backtest import Compared, Kind, compare
from .recorded_services import disable_calls
from .verify_many import CASES_AT_ONCE, Progress


@dataclass(slots=True)
class Backtested:
    """The number of cases by result, and each case that did not take the same path."""

    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    other_data: int = 0
    others: list[Compared] = field(default_factory=list)

    @property
    def cases(self) -> int:
        return sum(self.counts.values())

    def add(self, compared: Iterable[Compared]) -> None:
        for one in compared:
            self.counts[one.kind] += 1
            self.other_data += bool(one.data)
            if one.kind is not Kind.SAME:
                self.others.append(one)


def compare_each(
    tx: Transaction, diagram: Diagram, services: Services, instances: Sequence[str], now: datetime
) -> Iterator[Compared]:
    """Yield the backtest of each case in *instances* on *diagram*, as if until *now*, in order."""
    off = disable_calls(services)
    for record in stored_cases.of_instances(tx, instances):
        yield compare(record, diagram, off, now)


def backtest_all(
    database: Database,
    services: Services,
    package: Package,
    chosen: CaseSelection,
    now: datetime,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Backtested:
    """
    Re-execute every chosen case on *package*, without writing anything or calling a service.

    Args:
        database: The database with the cases; every process opens its own connection.
        services: The services that diagrams use; only their declarations matter.
        package: The other package, which has passed the gate.
        chosen: The cases.
        now: The time at which re-execution ends: a timer that only *package* has fires if it is due by then.
        jobs: Number of processes.
        progress: Called after each hundred cases.
    """
    result = Backtested()
    with database.read() as tx:
        found = pages(tx, chosen, CASES_AT_ONCE)
    total = sum(map(len, found))
    what = _Task(package, services, now)
    with _map_pages(database, what, min(jobs, len(found)), found) as chunks:
        for page, compared in zip(found, chunks, strict=True):
            result.add(compared)
            if progress is not None:
                progress(result.cases, total, page[-1])
    return result


@dataclass(frozen=True, slots=True)
class _Task:
    """The arguments of every process."""

    package: Package
    services: Services
    now: datetime


@contextmanager
def _map_pages(
    database: Database, what: _Task, jobs: int, found: list[Sequence[str]]
) -> Iterator[Iterable[list[Compared]]]:
    """Yield the results of each page of cases, in order."""
    if jobs <= 1:
        yield map(_Worker(database, what).compare, found)
        return
    url = database.db.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    given = (url, dict(what.package.files), disable_calls(what.services), what.now)
    with context.Pool(jobs, initializer=_begin, initargs=given) as pool:
        yield pool.imap(_compare, found)


class _Worker:
    def __init__(self, database: Database, what: _Task) -> None:
        self._database = database
        self._what = what
        self._diagram = compile_diagram(what.package)

    def compare(self, instances: Sequence[str]) -> list[Compared]:
        with self._database.read() as tx:
            return list(compare_each(tx, self._diagram, self._what.services, instances, self._what.now))


_workers: list[_Worker] = []


def _begin(url: str, files: dict[str, bytes], services: Services, now: datetime) -> None:
    """Set up a process of the pool."""
    gc.freeze()
    gc.set_threshold(200_000)  # as in `verify_many`
    _workers.append(_Worker(Database(url), _Task(Package(files), services, now)))


def _compare(instances: Sequence[str]) -> list[Compared]:
    return _workers[0].compare(instances)
