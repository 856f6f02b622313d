"""Verifies every case in a database, on several processes, in an order that lets a stopped run resume."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..core.findings import Finding
from ..services import Services
from ..store import Database, stored_cases
from .case_verifier import Verifier
from .recorded_services import disable_calls

CASES_AT_ONCE = 100

#: Called with (cases checked, cases in all, number of the last case checked).
Progress = Callable[[int, int, str], None]

_Range = tuple[str, str, int]
_Checked = tuple[list[Finding], set[str]]


@dataclass(slots=True)
class Verified:
    """The numbers of cases checked and of those without findings, the findings, and `Verifier.notes`."""

    checked: int = 0
    equal: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)

    def add(self, cases: int, findings: list[Finding]) -> None:
        self.checked += cases
        self.equal += cases - len({finding.instance for finding in findings})
        self.findings += findings


def verify_all(
    database: Database,
    services: Services,
    seal_key: bytes | None = None,
    *,
    after: str = "",
    jobs: int = 1,
    progress: Progress | None = None,
) -> Verified:
    """
    Verify every case numbered after *after*, in the order of case numbers.

    Args:
        database: The database with the cases; every process opens its own connection.
        services: The services that diagrams use; only their declarations matter.
        seal_key: If given, check the seals of stored states too.
        after: The last case of a stopped run, as passed to *progress*; skip cases up to it.
        jobs: Number of processes.
        progress: Called after each hundred cases.
    """
    result = Verified()
    with database.read() as tx:
        ranges = stored_cases.ranges(tx, after, CASES_AT_ONCE)
        left = [] if after else stored_cases.without_row(tx)
    total = sum(cases for _, _, cases in ranges)
    with _map_ranges(database, disable_calls(services), seal_key, min(jobs, len(ranges)), ranges) as chunks:
        for (_, last, cases), (findings, notes) in zip(ranges, chunks, strict=True):
            result.add(cases, findings)
            result.notes |= notes
            if progress is not None:
                progress(result.checked, total, last)
    result.findings += [_removed(instance, steps) for instance, steps in left]
    return result


def _removed(instance: str, steps: int) -> Finding:
    message = f"The case was removed; {steps} of its steps remain."
    return Finding(instance=instance, revision=None, element="", kind="missing", message=message)


@contextmanager
def _map_ranges(
    database: Database, services: Services, seal_key: bytes | None, jobs: int, ranges: list[_Range]
) -> Iterator[Iterable[_Checked]]:
    """Yield the findings of each range, in order, with the notes so far."""
    if jobs <= 1:
        worker = _Worker(database, services, seal_key)
        yield map(worker.check, ranges)
        return
    url = database.db.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, initializer=_begin, initargs=(url, services, seal_key)) as pool:
        yield pool.imap(_check, ranges)


class _Worker:
    def __init__(self, database: Database, services: Services, seal_key: bytes | None) -> None:
        self._database = database
        self._verifier = Verifier(services, seal_key)

    def check(self, numbers: _Range) -> _Checked:
        first, last, _ = numbers
        with self._database.read() as tx:
            records = stored_cases.between(tx, first, last)
            return [f for record in records for f in self._verifier.check(tx, record)], self._verifier.notes


_workers: list[_Worker] = []


def _begin(url: str, services: Services, seal_key: bytes | None) -> None:
    """Set up a process of the pool."""
    gc.freeze()
    gc.set_threshold(200_000)  # every case leaves reference cycles; frequent collection costs a tenth of the time
    _workers.append(_Worker(Database(url), services, seal_key))


def _check(numbers: _Range) -> _Checked:
    return _workers[0].check(numbers)
