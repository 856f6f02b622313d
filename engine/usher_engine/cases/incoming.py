"""Timers that become due and messages from outside; each is a step of its own.

A timer fires once: the step that fires it also removes its job, under the job's lease. A message that no case waits
for is refused by name. If the step of a message fails, the message is stored with the incident and delivered again on
retry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..context import Context
from ..core import events as e
from ..core.actor import SYSTEM, Actor
from ..core.canonical import Json, as_stored_json, canonical, check_input
from ..core.errors import Conflict, Corrupt, EngineError, InvalidSubmission, NotAllowed, NotFound, ServiceError
from ..core.state import InstanceState, place
from ..services import SEND
from ..store import Job, Row, Transaction, from_text, instance_rows, job_rows, requests, task_rows
from .idempotency_keys import case_for_key
from .job_results import JobResults
from .queries import CaseQueries, Instance
from .step_writer import FAILURES, Case, StepWriter

MAX_NAME = 200
SENDERS = ("staff", "system")


@dataclass(frozen=True, slots=True)
class _Message:
    """A message to deliver; its digest distinguishes a repeated request from another one under the same key."""

    name: str
    payload: dict[str, Any]
    business_key: str | None
    instance: str | None

    @property
    def digest(self) -> bytes:
        content: dict[str, Json] = {"message": self.name, "data": self.payload}
        content |= {"business_key": self.business_key, "instance": self.instance}
        return hashlib.sha256(canonical(content)).digest()

    @property
    def command(self) -> dict[str, Json]:
        return {"kind": "deliver_message", "name": self.name}


class Incoming:
    """Commands that trigger what a case waits for."""

    def __init__(self, context: Context, queries: CaseQueries, steps: StepWriter, job_results: JobResults) -> None:
        self.context, self.database = context, context.database
        self.queries, self.steps, self.job_results = queries, steps, job_results

    def deliver_message(
        self,
        name: str,
        payload: Mapping[str, Any],
        *,
        actor: Actor,
        business_key: str | None = None,
        instance: str | None = None,
        key: str | None = None,
        source: str = "",
    ) -> Instance:
        """
        Deliver a message to the case that waits for it and run that case to its next waiting points.

        If a case waits for it at several places, the one that has waited longest receives it. If the diagram fails
        on the way, the case is returned with an incident and the message is stored: a retry delivers it.

        Args:
            name: The message's name in the diagram.
            payload: Its contents, JSON; stored in the data under the variable the diagram names.
            actor: The sender.
            business_key: What the case is about; one of this and *instance* is needed.
            instance: The case's number.
            key: Idempotency key: the same key from the same *source* delivers once.
            source: Issuer of the keys, for example the name of an API token.

        Raises:
            NotFound: No case waits for it; the error lists what each candidate waits for.
            Conflict: More than one case waits for it.
            InvalidSubmission: The contents break a limit, or *key* was used with other contents.
            NotAllowed: *actor* may not move cases.
        """
        if actor.role not in SENDERS:
            raise NotAllowed("Only staff may deliver messages.")
        if not (0 < len(name) <= MAX_NAME) or (business_key is None) == (instance is None):
            reason = "Name the message, and either the case's number or its business key."
            raise InvalidSubmission(reason, fields={"name": reason})
        values: dict[str, Any] = as_stored_json(check_input(dict(payload), where="data"))
        message = _Message(name, values, business_key, instance)
        try:
            return self._deliver(message, actor, key, source)
        except FAILURES as failure:
            return self._deliver(message, actor, key, source, failure)

    def _deliver(
        self, message: _Message, actor: Actor, key: str | None, source: str, failure: EngineError | None = None
    ) -> Instance:
        """Write the step of a message: what ran, or the incident for a *failure*, with the message stored for retry."""
        with self.database.begin() as tx:
            before = case_for_key(tx, source, key, message.digest)
            if before is not None:
                return self.queries.as_instance(before, task_rows.of_instances(tx, [before.id]).get(before.id, ()))
            case = self.steps.case(tx, self._receiver(tx, message), None)
            wait = _wait_for(case.state, message.name)
            if wait is None:
                raise NotFound(self._why_undelivered(tx, message))
            if key is not None:
                requests.remember(tx, source=source, key=key, body=message.digest, instance=case.row.id)
            if failure is not None:
                here = (case.row.id, wait["element"], wait["visit"])
                job_rows.park_message(tx, here, message.payload, actor.name, case.now, reason=failure.message)
                return self.steps.write(tx, case, message.command, actor, failure)
            run = self.steps.resume(tx, case, [], actor)
            run.receive_message(wait["element"], wait["visit"], message.payload)
            return self.steps.write(tx, case, message.command, actor, run)

    def _receiver(self, tx: Transaction, message: _Message) -> Row:
        """The case that waits for *message*, locked."""
        if message.instance is not None:
            return instance_rows.lock(tx, message.instance)
        waiting = [row for row, state in self._live(tx, message) if _wait_for(state, message.name) is not None]
        if not waiting:
            raise NotFound(self._why_undelivered(tx, message))
        if len(waiting) > 1:
            numbers = ", ".join(row.id for row in waiting)
            raise Conflict(f"{len(waiting)} cases wait for “{message.name}”: {numbers}. Name the case by its number.")
        return instance_rows.lock(tx, waiting[0].id)

    def _live(self, tx: Transaction, message: _Message) -> list[tuple[Row, InstanceState]]:
        if message.instance is not None:
            found = [instance_rows.find(tx, message.instance)]
        else:
            found = instance_rows.recent(tx, business_keys={message.business_key or ""}, live=True, limit=50)
        return [(row, self._known_state(tx, row)) for row in found if row.state is not None]

    def _known_state(self, tx: Transaction, row: Row) -> InstanceState:
        """The state of a case, from its history if the stored state was altered, which must not block other cases."""
        try:
            return instance_rows.unseal(self.context.seal_key, row)[0]
        except Corrupt:
            return self.steps.fold_history(tx, row.id)

    def _why_undelivered(self, tx: Transaction, message: _Message) -> str:
        """Why no case receives *message*, and what each candidate waits for instead."""
        of = f"number {message.instance}" if message.instance is not None else f"key “{message.business_key}”"
        live = self._live(tx, message)
        if not live:
            return f"No case with the {of} is under way; “{message.name}” was not delivered."
        waiting = []
        for row, state in live:
            names = sorted({wait["name"] for wait in state.waits.values() if wait["kind"] == "MessageAwaited"})
            waiting.append(f"{row.id} waits for {', '.join(f'“{name}”' for name in names) or 'no message'}")
        return f"No case with the {of} waits for “{message.name}”; it was not delivered. {'; '.join(waiting)}."

    # called by the worker

    def send_message(self, job: Job) -> Json:
        """
        Deliver the message that a case threw, exactly once over all attempts; return the result the case records.

        "No case waits for it" is a valid result. If several cases wait for it, raises `ServiceError`.
        """
        given, key = job.parameters, f"{job.instance}:{job.element}:{job.visit}"
        name, about = str(given["message"]), str(given["business_key"])
        try:
            case = self.deliver_message(
                name, given.get("data") or {}, actor=SYSTEM, business_key=about, key=key, source=SEND.name
            )
        except NotFound as nobody:
            return {"delivered": False, "case": None, "reason": nobody.message}
        except Conflict as several:
            raise ServiceError(several.message, retry=False) from several
        return {"delivered": True, "case": case.id, "reason": ""}

    def fire_timer(self, job: Job) -> Instance | None:
        """Fire a due timer and continue the process; None when the case no longer waits for it."""
        return self._fire(job, {"kind": "fire_timer", "element": job.element, "attempt": job.attempts})

    def deliver_again(self, job: Job) -> Instance | None:
        """Deliver a message stored when its step failed; None when the case no longer waits for it."""
        return self._fire(job, {"kind": "deliver_message", "element": job.element, "attempt": job.attempts})

    def give_up(self, job: Job, reason: str) -> Instance | None:
        """Raise an incident for a timer or message when no attempt succeeded."""
        kind = "fire_timer" if job.kind == job_rows.TIMER else "deliver_message"
        command: dict[str, Json] = {"kind": kind, "element": job.element, "attempt": job.attempts}
        incident = e.IncidentRaised(job.element, job.visit, job.kind, reason)
        return self.job_results.put_back(job, command, [incident], reason=reason)

    def _fire(self, job: Job, command: dict[str, Json]) -> Instance | None:
        try:
            with self.database.begin() as tx:
                row = instance_rows.lock(tx, job.instance)
                case = self.steps.case(tx, row, None) if row.ended_at is None else None
                wait = case.state.waits.get(place(job.element, job.visit)) if case is not None else None
                if case is not None and wait is not None and _is_early(wait, case):
                    job_rows.put_back(tx, job, due_at=from_text(wait["due"]), reason="")
                    return None
                if not job_rows.finish(tx, job) or case is None or wait is None:
                    return None
                self.job_results.refuse_haste(tx, case, job)
                run = self.steps.resume(tx, case, [], SYSTEM)
                if job.kind == job_rows.TIMER:
                    run.fire_timer(job.element, job.visit)
                else:
                    run.receive_message(job.element, job.visit, job.parameters)
                return self.steps.write(tx, case, command, SYSTEM, run)
        except FAILURES as failure:
            return self.job_results.put_back(job, command, failure, reason=failure.message)


def _wait_for(state: InstanceState, name: str) -> dict[str, Any] | None:
    """The oldest wait for the message *name*."""
    waits = (wait for wait in state.waits.values() if wait["kind"] == "MessageAwaited" and wait["name"] == name)
    return next(waits, None)


def _is_early(wait: dict[str, Any], case: Case) -> bool:
    """Whether a worker whose clock is ahead of this one took the timer before it was due."""
    return wait["kind"] == "TimerStarted" and from_text(wait["due"]) > case.now
