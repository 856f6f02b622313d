"""Does what steps asked for, outside transactions, and reports back as commands. At least once, with the same key.

`Worker.run_due` does what is due now; `Worker.start` does so in a thread of its own until `stop`.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from .canonical import Json, check_input
from .errors import BusinessError, EngineError, ServiceError, Unavailable
from .runner import Engine
from .services import SEND, Call
from .store import Job, queue

log = logging.getLogger("usher.worker")

IDLE_SECONDS = 1.0
TRIED = "The worker stopped in the middle of every try."


class Worker:
    """The embedded worker: one thread, one job at a time, woken by `wake` or by its own look every second."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work in a thread of its own, woken by every commit of this process that queues a job."""
        self.engine.database.on_queued = self.wake
        self._thread = threading.Thread(target=self._loop, name="usher-worker", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look for work at once."""
        self._wake.set()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the job at hand and end the thread."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def run_due(self, at_most: int = 1_000) -> int:
        """Do jobs that are due, one after the other; returns how many were tried."""
        for done in range(at_most):
            if not self._one():
                return done
        return at_most

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self._one()
            except Unavailable as error:
                log.warning("database unavailable: %s", error.message)
                busy = False
            except Exception:  # one broken case must not stop the others; its lease ends and its tries are counted
                log.exception("a job could not be reported")
                busy = False
            if not busy:
                self._wake.wait(IDLE_SECONDS)
                self._wake.clear()

    def _one(self) -> bool:
        now = self.engine.clock()
        lease_until = now + timedelta(seconds=self.engine.settings.job_lease_s)
        with self.engine.database.begin() as tx:
            job = queue.take(tx, now, lease_until)
        if job is None:
            return self.engine.work_on_batch()
        fault_point("job taken")
        self._do(job)
        return True

    def _do(self, job: Job) -> None:
        if job.kind != "effect":
            self._bring(job)
            return
        engine = self.engine
        if job.attempts > engine.settings.job_attempts:
            engine.fail_job(job, TRIED, retry=False)
            return
        try:
            result = job.result if job.done else self.perform(job)
        except BusinessError as refusal:
            engine.refuse_job(job, refusal)
        except (ServiceError, Unavailable) as error:
            engine.fail_job(job, error.message, retry=error.retry)
        except EngineError as error:
            engine.fail_job(job, error.message, retry=False)
        except Exception as error:  # noqa: BLE001 - an operator may fail in any way; its text could hold patient data
            log.error("operator %s failed: %s", job.operator, type(error).__name__)  # noqa: TRY400 - the same
            engine.fail_job(job, f"{job.operator} failed unexpectedly ({type(error).__name__}).", retry=False)
        else:
            fault_point("effect done")
            engine.finish_job(job, result)
            fault_point("effect recorded")

    def _bring(self, job: Job) -> None:
        """A timer that is due, or a message to be delivered again: nothing to do outside, only the step."""
        if job.attempts > self.engine.settings.job_attempts:
            self.engine.give_up(job, TRIED)
        elif job.kind == queue.TIMER:
            self.engine.fire_timer(job)
        else:
            self.engine.deliver_again(job)
        fault_point("effect recorded")

    def perform(self, job: Job) -> Json:
        """Ask the operator of *job*, outside any transaction; raises what it raises."""
        if job.operator == SEND.name:
            return self.engine.send_message(job)
        operator = self.engine.services.get(job.operator)
        call = Call(
            instance=job.instance,
            element=job.element,
            visit=job.visit,
            now=self.engine.clock(),
            actor=job.actor,
            package=self.engine.package_of(job.instance),
            attempt=job.attempts,
        )
        return check_input(operator.call(job.parameters, call), where=job.operator)


def fault_point(name: str) -> None:
    """Where the fault tests kill the process; in the product it does nothing."""


__all__ = ["Worker", "fault_point"]
