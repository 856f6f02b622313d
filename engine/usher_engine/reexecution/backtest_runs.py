"""Backtests every chosen case in a database on another package, on several processes, and sums up the results."""

from __future__ import annotations

import gc
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from multiprocessing import reduction

from ..bpmn import compile_diagram
from ..definitions import Package
from ..services import Services
from ..store import Database, Transaction, stored_cases
from ..store.case_selection import CaseSelection, pages
from .assumptions import Assumption, Question, by_question
from .case_backtest import Compared, Kind, Trial, compare
from .causes import Alternatives, Causes, Origins
from .recorded_services import disable_outside
from .verify_many import CASES_AT_ONCE, Progress

#: How multiprocessing refuses what it cannot send; the stubs hide the name.
NOT_SENT: type[Exception] = reduction.pickle.PicklingError  # type: ignore[attr-defined]


@dataclass(slots=True)
class Backtested:
    """The number of cases by result, and each case that did not take the same path."""

    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    other_data: int = 0
    #: How many rest on an assumption.
    assumed: int = 0
    others: list[Compared] = field(default_factory=list)

    @property
    def cases(self) -> int:
        return sum(self.counts.values())

    def questions(self) -> list[tuple[Question, int]]:
        """What nobody answered, and how many cases ask it, most first; without what was assumed."""
        asked = Counter(one.question for one in self.others if one.question is not None)
        return sorted(asked.items(), key=lambda one: (-one[1], one[0].key))

    def add(self, compared: Iterable[Compared]) -> None:
        for one in compared:
            self.counts[one.kind] += 1
            self.other_data += bool(one.data)
            self.assumed += bool(one.assumed)
            if one.kind is not Kind.SAME:
                self.others.append(one)


def compare_each(
    tx: Transaction, trial: Trial, instances: Sequence[str], causes: Causes | None = None
) -> Iterator[Compared]:
    """Yield the backtest of each case in *instances* as *trial* says, in order, with its cause."""
    for record in list(stored_cases.of_instances(tx, instances)):
        found = compare(record, trial, tx)
        yield found if causes is None else replace(found, cause=causes.of(record, found, tx) or found.cause)


def backtest_all(
    database: Database,
    services: Services,
    package: Package,
    chosen: CaseSelection,
    now: datetime,
    *,
    assumptions: Sequence[Assumption] = (),
    origins: Origins | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Backtested:
    """
    Re-execute every chosen case on *package*, without writing anything or calling a service.

    Args:
        database: The database with the cases; every process opens its own connection.
        services: The services that diagrams use; DERIVED ones compute, READ ones recall, the others are not called.
        package: The other package, which has passed the gate.
        chosen: The cases.
        now: The time at which re-execution ends: a timer that only *package* has fires if it is due by then.
        assumptions: What to assume where the record has no answer.
        origins: What the cases ran on, to find which change moved each; None finds none.
        jobs: Number of processes; one where an operator cannot be sent to another.
        progress: Called after each hundred cases.
    """
    result = Backtested()
    with database.read() as tx:
        found = pages(tx, chosen, CASES_AT_ONCE)
    total = sum(map(len, found))
    what = _Task(dict(package.files), disable_outside(services), now, tuple(assumptions), _sendable(origins))
    jobs = min(jobs, len(found)) if _can_be_sent(what.services) else 1
    with _map_pages(database, what, jobs, found) as chunks:
        for page, compared in zip(found, chunks, strict=True):
            result.add(compared)
            if progress is not None:
                progress(result.cases, total, page[-1])
    return result


@dataclass(frozen=True, slots=True)
class _Task:
    """The arguments of every process; packages as their files, which can be sent."""

    files: dict[str, bytes]
    services: Services
    now: datetime
    assumptions: tuple[Assumption, ...]
    origins: tuple[dict[str, dict[str, bytes]], Alternatives] | None


def _sendable(origins: Origins | None) -> tuple[dict[str, dict[str, bytes]], Alternatives] | None:
    if origins is None:
        return None
    return {key: dict(one.files) for key, one in origins.packages.items()}, origins.alternatives


def _can_be_sent(services: Services) -> bool:
    """Whether other processes can get the operators: one of a clinic's own may be a closure."""
    try:
        reduction.ForkingPickler.dumps(services)
    except (NOT_SENT, AttributeError, TypeError):
        return False
    return True


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
    with context.Pool(jobs, initializer=_begin, initargs=(url, what)) as pool:
        yield pool.imap(_compare, found)


class _Worker:
    def __init__(self, database: Database, what: _Task) -> None:
        self._database = database
        diagram, assumed = compile_diagram(Package(what.files)), by_question(what.assumptions)
        self._trial = Trial(diagram=diagram, services=what.services, now=what.now, assumptions=assumed)
        self._causes: Causes | None = None
        if what.origins is not None:
            packages, alternatives = what.origins
            origins = Origins({key: Package(files) for key, files in packages.items()}, alternatives)
            self._causes = Causes(origins, self._trial)

    def compare(self, instances: Sequence[str]) -> list[Compared]:
        with self._database.read() as tx:
            return list(compare_each(tx, self._trial, instances, self._causes))


_workers: list[_Worker] = []


def _begin(url: str, what: _Task) -> None:
    """Set up a process of the pool."""
    gc.freeze()
    gc.set_threshold(200_000)  # as in `verify_many`
    _workers.append(_Worker(Database(url), what))


def _compare(instances: Sequence[str]) -> list[Compared]:
    return _workers[0].compare(instances)
