"""A clinic for tests of the enrolment: the real process, the sample patients, and a mail server in memory."""

from __future__ import annotations

import re
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

from conftest import ROOT, Clock, alice
from usher_engine import Actor, Instance, Worker
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

ADMIN = Actor(name="adam", role="admin")


class Outbox:
    """A mail server in memory; *failures* are raised first, one for each try."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.failures: list[Exception] = []

    def __call__(self, message: EmailMessage) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.mails.append(message)

    def token(self, index: int = -1) -> str:
        body = self.mails[index].get_body(("plain",))
        assert body is not None
        found = re.search(r"/i/([\w-]{43})\b(?!/)", body.get_content())
        assert found is not None
        return found[1]


def open_clinic(settings: Settings, database: Database, clock: Clock, outbox: Outbox, **changed: Any) -> Enrollment:
    """The clinic on *database*, with the settings *changed*."""
    wanted = replace(settings, mail_from="portal@example.org", **changed)
    opened = open_enrollment(wanted, clock=clock, send_mail=outbox, database=database)
    opened.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=ADMIN)
    add_samples(database, opened.registry, clock())
    return opened


def trigger(enrollment: Enrollment, patient: str, *, actor: Actor = alice, **more: Any) -> Instance:
    return enrollment.trigger(patient, "Office Visit", "Patient Portal", "Enrollment", actor=actor, **more)


def run_jobs(enrollment: Enrollment) -> None:
    while Worker(enrollment.engine).run_due():
        pass


def invited(enrollment: Enrollment, patient: str = "sample-complete") -> Instance:
    """The case of a patient whose invitation has left."""
    started = trigger(enrollment, patient)
    run_jobs(enrollment)
    return enrollment.engine.instance(started.id)


def who(enrollment: Enrollment, patient: str = "sample-complete") -> tuple[str, str]:
    """ZIP code and date of birth of a patient."""
    record = enrollment.patient(patient)
    fields = record.fields(enrollment.engine.clock(), enrollment.settings)
    return fields["zip_code"], fields["birth_date"]


def facts(enrollment: Enrollment, instance: str) -> list[tuple[str, Any]]:
    events = [event for step in enrollment.engine.queries.history(instance) for event in step.events]
    return [(e["name"], e["details"]) for e in events if e["kind"] == "FactRecorded"]
