"""Results of the effects that steps requested, as the worker reports them; each report is a step of its own."""

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

#: How long a job waits if the state of its case cannot be read: an administrator must repair the case first.
UNREADABLE = timedelta(hours=1)
HOUR = timedelta(hours=1)
#: Waits between attempts double up to this: four attempts a day are enough for outages that end without help.
LONGEST_WAIT_S = 6 * 3600


class JobResults:
    """The commands of the worker; each returns None when another worker has taken over the job's lease."""

    def __init__(self, context: Context, steps: StepWriter) -> None:
        self.database, self.clock, self.settings = context.database, context.clock, context.settings
        self.steps = steps

    def finish(self, job: Job, result: Json) -> Instance | None:
        """Store the result of an effect and continue the process; None when another worker holds the lease."""
        done = replace(job, done=True, result=result)
        return self._report(done, lambda run: run.finish_service(job.element, job.visit, result))

    def refuse(self, job: Job, refusal: BusinessError) -> Instance | None:
        """The service refused: follow the error boundary event, or raise an incident."""
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
        """Raise `ElementFailed` if the case loops without a person; the report of *job* then waits for one."""
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
        """Write the step that records why *job* must wait until *due_at*, or for a person."""
        try:
            with self.database.begin() as tx:
                if self._record_late_result(tx, job, {"reason": reason}):
                    return None
                case = self.steps.open(tx, job.instance, None)
                if not job_rows.put_back(tx, job, due_at=due_at, reason=reason):
                    return None
                return self.steps.write(tx, case, command, SYSTEM, happened)
        except Corrupt as fault:  # no step can be written: other cases continue, and the worker tries this one later
            with self.database.begin() as tx:
                job_rows.put_back(tx, job, due_at=self.clock() + UNREADABLE, reason=fault.message)
            return None

    def _record_late_result(self, tx: Transaction, job: Job, report: dict[str, Json]) -> bool:
        """Record a report on a case that has ended meanwhile: the service did its work all the same."""
        if instance_rows.lock(tx, job.instance).ended_at is None:
            return False
        details = {"element": job.element, "visit": job.visit, "operator": job.operator, **report}
        self.steps.record(job.instance, "Service reported after the end", details, actor=SYSTEM, transaction=tx)
        return True

    def fail(self, job: Job, reason: str, *, retry: bool) -> Instance | None:
        """An effect failed: schedule a retry with back-off, or raise an incident if none is left or it is permanent."""
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
