"""Carries out one leased job outside transactions and reports its result as a command: at least once, same key.

Both queues use it: `worker` on SQLite and `procrastinate_worker` on PostgreSQL decide which job is next, and when.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from ..core import faults
from ..core.canonical import Json
from ..core.deadlines import Deadlines, OutOfTime
from ..core.errors import BusinessError, EngineError, Fault, ServiceError, Unavailable
from ..engine import Engine
from ..services import SEND, Call, checked_answer
from ..store import Job, job_rows
from .following_processes import FollowingProcesses
from .turns import Turns

log = logging.getLogger("usher.worker")

TRIED = "The worker stopped in the middle of every try."
#: A job that takes this long is stopped and tried again after its lease; until then the worker renews the lease.
MOST_S = 600.0


class JobWork:
    """The jobs that one process has in hand: it performs them, keeps their leases, and survives any failure."""

    def __init__(self, engine: Engine, deadlines: Deadlines | None = None, threads: int = 1) -> None:
        """With *deadlines*, which the caller enforces, a job is stopped after `MOST_S`."""
        self.engine = engine
        self.turns = Turns(threads)
        self._deadlines = deadlines or Deadlines()
        self._following = FollowingProcesses(engine)

    def lease(self) -> timedelta:
        return timedelta(seconds=self.engine.settings.job_lease_s)

    def guarded(self, work: Callable[[], bool]) -> bool:
        """The result of *work*, within the time limit; False after a failure, which is logged."""
        try:
            return self._deadlines.within(MOST_S, work)
        except Unavailable as error:
            log.warning("database unavailable: %s", error.message)
        except OutOfTime as stopped:
            faults.report(stopped, where="time limit", at="a job")
        except Exception as error:  # noqa: BLE001 - one broken case must not stop the others; its lease ends and its tries are counted
            faults.report(error, where="worker")
        return False

    def keep_leases(self, stopping: threading.Event) -> None:
        """Until *stopping*, renew the leases of long jobs, so that no other worker does them a second time."""
        while not stopping.wait(self.lease().total_seconds() / 3):
            held = self.turns.in_hand()
            if not held:
                continue
            try:
                with self.engine.database.begin() as tx:
                    job_rows.renew(tx, held, self.engine.clock() + self.lease())
            except Unavailable as error:
                log.warning("leases could not be renewed: %s", error.message)
            except Exception as error:  # noqa: BLE001 - without this thread, jobs would be done twice
                faults.report(error, where="worker", at="leases")

    def perform_job(self, job: Job) -> None:
        """Do *job*, which was taken by `Turns.begin`, and report its result."""
        try:
            fault_point("job taken")
            self._perform(job)
        finally:
            self.turns.end(job)

    def _perform(self, job: Job) -> None:
        if job.kind != "effect":
            self._fire(job)
            return
        engine = self.engine
        if job.attempts > engine.settings.job_attempts:
            engine.job_results.fail(job, TRIED, retry=False)
            return
        try:
            result = job.result if job.done else self.call(job)
            self._following.start(job, result)
        except BusinessError as refusal:
            engine.job_results.refuse(job, refusal)
        except (ServiceError, Unavailable) as error:
            engine.job_results.fail(job, error.message, retry=error.retry)
        except EngineError as error:
            engine.job_results.fail(job, error.message, retry=False)
        except Exception as error:  # noqa: BLE001 - an operator may fail in any way; its text could hold patient data
            reference = faults.report(error, where="operator", at=job.operator)
            engine.job_results.fail(job, Fault(f"“{job.operator}” failed", reference=reference).message, retry=False)
        else:
            fault_point("effect done")
            engine.job_results.finish(job, result)
            fault_point("effect recorded")

    def _fire(self, job: Job) -> None:
        """Fire a timer or deliver a message again: no outside call, only a step."""
        if job.attempts > self.engine.settings.job_attempts:
            self.engine.incoming.give_up(job, TRIED)
        elif job.kind == job_rows.TIMER:
            self.engine.incoming.fire_timer(job)
        else:
            self.engine.incoming.deliver_again(job)
        fault_point("effect recorded")

    def call(self, job: Job) -> Json:
        """Call the operator of *job*, outside any transaction, and pass on its errors."""
        if job.operator == SEND.name:
            return self.engine.incoming.send_message(job)
        operator = self.engine.services.get(job.operator)
        call = Call(
            instance=job.instance,
            element=job.element,
            visit=job.visit,
            now=self.engine.clock(),
            actor=job.actor,
            package=self.engine.queries.package_of(job.instance),
            calendar=self.engine.settings.calendar,
            attempt=job.attempts,
        )
        return checked_answer(operator, job.parameters, call)


def fault_point(name: str) -> None:
    """A place where the fault tests kill the process; does nothing in production."""


__all__ = ["JobWork", "fault_point"]
