"""What the worker reports of the effects a step asked for; each report is a command and a step of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from ..bpmn import Run
from ..context import Context
from ..core import events as e
from ..core.actor import SYSTEM
from ..core.canonical import Json
from ..core.errors import BusinessError, Corrupt, ElementFailed, EngineError, LimitExceeded
from ..core.state import place
from ..store import Job, Transaction, case_pace, instance_rows, job_rows
from .queries import Instance
from .step_writer import FAILURES, Case, StepWriter

#: How long the job of a case waits whose state cannot be read: somebody has to repair it first.
UNREADABLE = timedelta(hours=1)
HOUR = timedelta(hours=1)
#: Waits between tries double up to this: four tries a day are enough for whatever comes back by itself.
LONGEST_WAIT_S = 6 * 3600


class JobResults:
    """The commands of the worker; each gives None when the job's lease has passed on to another worker."""

    def __init__(self, context: Context, steps: StepWriter) -> None:
        self.database, self.clock, self.settings = context.database, context.clock, context.settings
        self.steps = steps

    def finish(self, job: Job, result: Json) -> Instance | None:
        """An effect was done: its result enters the case and the process goes on. None when the lease had passed on."""
        done = replace(job, done=True, result=result)
        return self._report(done, lambda run: run.finish_service(job.element, job.visit, result))

    def refuse(self, job: Job, refusal: BusinessError) -> Instance | None:
        """The service said no: the error boundary event takes over, or an incident is raised."""
        return self._report(job, lambda run: run.refuse_service(job.element, job.visit, refusal))

    def _report(self, job: Job, act: Callable[[Run], None]) -> Instance | None:
        command: dict[str, Json] = {"kind": "finish_job", "element": job.element, "attempt": job.attempts}
        try:
            with self.database.begin() as tx:
                if self._record_late_result(tx, job, {"result": job.result}):
                    return None
                case = self.steps.open(tx, job.instance, None)
                if not job_rows.finish(tx, job):
                    return None
                self.refuse_haste(tx, case, job)
                here = place(job.element, job.visit)
                first = case.state.resolving([here] if here in case.state.incidents else [])
                run = self.steps.resume(tx, case, first, SYSTEM)
                act(run)
                return self.steps.write(tx, case, command, SYSTEM, run, first=first)
        except FAILURES as failure:
            return self.put_back(job, command, failure, reason=failure.message)

    def refuse_haste(self, tx: Transaction, case: Case, job: Job) -> None:
        """Raise `ElementFailed` where the case goes round by itself; what *job* brings waits for a person."""
        most = self.settings.case_steps_per_hour
        if most and case_pace.goes_round(tx, case.row, most, since=case.now - HOUR):
            fast = f"This case goes round by itself: {most} steps within an hour, and nobody had a hand in them."
            raise ElementFailed(job.element, LimitExceeded(f"{fast} Trying again lets it go on."))

    def put_back(
        self,
        job: Job,
        command: dict[str, Json],
        happened: list[e.Event] | EngineError,
        *,
        reason: str,
        due_at: datetime | None = None,
    ) -> Instance | None:
        """Write the step that says why *job* must wait until *due_at*, or for a person."""
        try:
            with self.database.begin() as tx:
                if self._record_late_result(tx, job, {"reason": reason}):
                    return None
                case = self.steps.open(tx, job.instance, None)
                if not job_rows.put_back(tx, job, due_at=due_at, reason=reason):
                    return None
                return self.steps.write(tx, case, command, SYSTEM, happened)
        except Corrupt as fault:  # no step can be written: others go on, and this case is looked at again later
            with self.database.begin() as tx:
                job_rows.put_back(tx, job, due_at=self.clock() + UNREADABLE, reason=fault.message)
            return None

    def _record_late_result(self, tx: Transaction, job: Job, report: dict[str, Json]) -> bool:
        """Note a report on a case that has ended meanwhile: what the service did is a fact all the same."""
        if instance_rows.lock(tx, job.instance).ended_at is None:
            return False
        details = {"element": job.element, "visit": job.visit, "operator": job.operator, **report}
        self.steps.record(job.instance, "Service reported after the end", details, actor=SYSTEM, transaction=tx)
        return True

    def fail(self, job: Job, reason: str, *, retry: bool) -> Instance | None:
        """An effect was not done: try again later with back-off, or raise an incident when tries or hope are spent."""
        now = self.clock()
        again = retry and job.attempts < self.settings.job_attempts
        first = self.settings.job_backoff_s
        wait = timedelta(seconds=min(first * 2 ** (job.attempts - 1), max(first, LONGEST_WAIT_S)))
        due_at = now + wait if again else None
        failed = e.ServiceFailed(job.element, job.visit, job.attempts, reason, _iso(due_at))
        happened: list[e.Event] = [failed]
        if not again:
            happened.append(e.IncidentRaised(job.element, job.visit, "service", reason))
        command: dict[str, Json] = {"kind": "fail_job", "element": job.element, "attempt": job.attempts}
        return self.put_back(job, command, happened, reason=reason, due_at=due_at)


def _iso(moment: datetime | None) -> str:
    return moment.isoformat().replace("+00:00", "Z") if moment else ""
