"""Verifies every case of a database, on several processes, in an order that can be taken up again after a stop."""

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
from .recorded_services import switched_off

CASES_AT_ONCE = 100

#: Told (checked so far, of how many, number of the last case checked).
Progress = Callable[[int, int, str], None]

_Range = tuple[str, str, int]


@dataclass(slots=True)
class Verified:
    """How many cases were checked, how many agree with their record, and what is wrong with the others."""

    checked: int = 0
    equal: int = 0
    findings: list[Finding] = field(default_factory=list)

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
    Check every case numbered beyond *after*, in the order of their numbers.

    Args:
        database: Where the cases lie; every process opens its own connection to it.
        services: What diagrams may ask for; only their declarations are used.
        seal_key: Checks the seals of stored states too.
        after: The last case of a run that was stopped, as *progress* told it; all before it are left out.
        jobs: How many processes work.
        progress: Told after each hundred cases.
    """
    result = Verified()
    with database.read() as tx:
        ranges = stored_cases.ranges(tx, after, CASES_AT_ONCE)
        left = [] if after else stored_cases.without_row(tx)
    total = sum(cases for _, _, cases in ranges)
    with _checked(database, switched_off(services), seal_key, min(jobs, len(ranges)), ranges) as chunks:
        for (_, last, cases), findings in zip(ranges, chunks, strict=True):
            result.add(cases, findings)
            if progress is not None:
                progress(result.checked, total, last)
    result.findings += [_removed(instance, steps) for instance, steps in left]
    return result


def _removed(instance: str, steps: int) -> Finding:
    message = f"The case was removed; {steps} of its steps are still there."
    return Finding(instance=instance, revision=None, element="", kind="missing", message=message)


@contextmanager
def _checked(
    database: Database, services: Services, seal_key: bytes | None, jobs: int, ranges: list[_Range]
) -> Iterator[Iterable[list[Finding]]]:
    """The findings of each range, in order."""
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

    def check(self, numbers: _Range) -> list[Finding]:
        first, last, _ = numbers
        with self._database.read() as tx:
            return [f for record in stored_cases.between(tx, first, last) for f in self._verifier.check(tx, record)]


_workers: list[_Worker] = []


def _begin(url: str, services: Services, seal_key: bytes | None) -> None:
    """First thing in each process."""
    gc.freeze()
    gc.set_threshold(200_000)  # every case leaves cycles behind; looking for them often costs a tenth of the time
    _workers.append(_Worker(Database(url), services, seal_key))


def _check(numbers: _Range) -> list[Finding]:
    return _workers[0].check(numbers)
