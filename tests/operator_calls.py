"""Calls the enrolment's operators on a database with one patient, as a step or a worker does."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from typing import Any

from conftest import ROOT, Clock
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment import PatientRecord, Registry, patient_registry, portal_status
from usher_engine.enrollment.enrollment_operators import operators
from usher_engine.services import Call, Mode, Operator
from usher_engine.settings import Settings
from usher_engine.store import Database

PACKAGE = read_folder(ROOT / "processes" / "enrollment")
ADA: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"use": "official", "family": "Sample", "given": ["Ada"]}],
    "birthDate": "1980-02-29",
    "gender": "female",
    "address": [{"use": "home", "postalCode": "10001"}],
    "telecom": [{"system": "email", "value": "ada@example.org"}],
}
NOT_ENROLLED, PENDING = "Not Enrolled", "Pending"
NOON = "2026-05-04T09:02:00Z"


class House:
    """The operators on a database with one patient; asks them as a step does."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self.settings = replace(settings, mail_from="portal@example.org", practice_name="Our Practice")
        self.database, self.clock = database, clock
        self.mails: list[EmailMessage] = []
        self.registry = Registry(self.settings)
        self.save()

    def save(self, **changes: Any) -> None:
        with self.database.begin() as tx:
            self.registry.save(tx, {**ADA, **changes}, by="t", now=self.clock())

    def status(self, status: str | None) -> None:
        with self.database.begin() as tx:
            row = patient_registry.find(tx, "p1", lock=True)
            portal_status.set_status(tx, row, status, by="t", now=self.clock())

    @property
    def patient(self) -> PatientRecord:
        with self.database.read() as tx:
            return self.registry.load(tx, "p1", now=self.clock())

    def operator(self, name: str, **changes: Any) -> Operator:
        parts = {"settings": self.settings, "directory": self.registry, "database": self.database}
        found = operators(**{**parts, "send_mail": self.mails.append, **changes})
        return next(operator for operator in found if operator.name == name)

    def ask(self, name: str, *, element: str = "E", package: Package = PACKAGE, **given: Any) -> Any:
        operator = self.operator(name)
        call = Call(instance="I", element=element, visit=1, now=self.clock(), actor="alice", package=package)
        if operator.mode is Mode.EFFECT:
            return operator.call(given, call)
        with self.database.begin() as tx:
            return operator.call(given, replace(call, transaction=tx))

    def sent(self, element: str = "Send") -> dict[str, Any]:
        found: dict[str, Any] = self.ask("invitation/send", element=element, patient_id="p1")
        return found
