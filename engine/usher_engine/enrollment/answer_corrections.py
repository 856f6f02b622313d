"""Corrects the patient's record after a task was completed: somebody who was too late knew a field better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..cases import ClosedTask
from ..core.actor import Actor
from ..core.errors import Conflict, InvalidSubmission, NotAllowed
from ..engine import Engine
from ..forms import Form, deployed_form
from .address_corrections import RECORD_CORRECTED
from .patient_fields import FIELDS
from .patient_registry import Registry

#: The operator that writes an answer into the record.
UPDATE = "patient/update"


class AnswerCorrections:
    """`correct` for an answer that went into the record of the case's patient."""

    def __init__(self, engine: Engine, registry: Registry) -> None:
        self.engine, self.registry = engine, registry

    def correctable(self, closed: ClosedTask) -> frozenset[str]:
        """The fields of the answer that went into the record and can be corrected there; empty if none did."""
        if not closed.completed or not self.engine.instance(closed.instance).business_key:
            return frozenset()
        steps = [step for step in self.engine.queries.history(closed.instance) if step.at >= closed.at]
        if not any(event.get("operator") == UPDATE for step in steps for event in step.events):
            return frozenset()
        return frozenset(key for key in closed.answer if key in FIELDS and FIELDS[key].write)

    def correct(self, task: str, values: Mapping[str, str], *, actor: Actor) -> tuple[str, ...]:
        """
        Write *values*, fields of the closed *task*'s form, into the record; return the keys of those that changed it.

        The correction is a fact in the case's history. No mail is sent: one that has left went where it went.

        Raises:
            NotFound: There was no such task for *actor*.
            NotAllowed: *actor* is not staff.
            Conflict: The answer did not go into a patient's record.
            InvalidSubmission: One entry for each wrong field.
        """
        if actor.role != "staff":
            raise NotAllowed("Only staff correct a patient's record.")
        closed = self.engine.task_drafts.closed(task, actor)
        allowed = self.correctable(closed)
        if not allowed:
            raise Conflict("This answer did not go into a patient's record; there is nothing to correct.")
        if unknown := sorted(set(values) - allowed):
            raise InvalidSubmission(fields=dict.fromkeys(unknown, "This field cannot be corrected here."))
        wanted = self._checked(closed, values)
        now, patient = self.engine.clock(), self.engine.instance(closed.instance).business_key
        with self.engine.database.begin() as tx:
            found = self.registry.update(tx, patient, wanted, by=actor.name, now=now)
            if found.changed:
                fact = {"changed": list(found.changed)}
                self.engine.steps.record(closed.instance, RECORD_CORRECTED, fact, actor=actor, transaction=tx)
        return found.changed

    def _checked(self, closed: ClosedTask, values: Mapping[str, str]) -> dict[str, object]:
        """*values* as the form stores them; raises `InvalidSubmission`."""
        form: Form = deployed_form(self.engine.queries.package_of(closed.instance).text(closed.form))
        asked = replace(form, fields=tuple(field for field in form.fields if field.key in values))
        today = self.engine.settings.calendar.day_of(self.engine.clock())
        return dict(asked.validate(values, today=today))
