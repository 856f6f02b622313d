"""Corrects the address that stopped a mail, and sends the mail again: one act for staff."""

from __future__ import annotations

from ..cases.queries import Instance
from ..core.actor import Actor
from ..core.email_address import NotAnEmailAddress, parse_email_address
from ..core.errors import Conflict, InvalidSubmission
from ..core.visible_text import trimmed
from ..engine import Engine
from .patient_registry import Registry

#: The fact in a case's history that staff corrected the patient's record from outside a task.
RECORD_CORRECTED = "Patient Record Corrected"


class AddressCorrections:
    """`correct` for a case that has stopped at a mail."""

    def __init__(self, engine: Engine, registry: Registry) -> None:
        self.engine, self.registry = engine, registry

    def correct(self, instance: str, email: str, *, actor: Actor) -> Instance:
        """
        Correct the e-mail address in the record of the case's patient, and try again what stopped.

        The correction is a fact in the case's history; it stays if the second try fails too.

        Raises:
            InvalidSubmission: No mail can be sent to this (``email``).
            Conflict: The case has ended, or has not stopped any more.
            NotFound: There is no such case, or it is about no patient.
        """
        reason = _why_no_address(email)
        if reason:
            raise InvalidSubmission(reason, fields={"email": reason})
        now = self.engine.clock()
        with self.engine.database.begin() as tx:
            case = self.engine.steps.open(tx, instance, None)
            if not case.state.incidents:
                raise Conflict("This case has not stopped, or somebody has tried it again already.")
            fact = {"changed": ["email"]}
            self.engine.steps.record(instance, RECORD_CORRECTED, fact, actor=actor, transaction=tx)
            self.registry.update(tx, case.row.business_key, {"email": email}, by=actor.name, now=now)
        return self.engine.cases.retry(instance, actor=actor)


def _why_no_address(email: str) -> str:
    try:
        parse_email_address(trimmed(email))
    except NotAnEmailAddress as error:
        return str(error)
    return ""
