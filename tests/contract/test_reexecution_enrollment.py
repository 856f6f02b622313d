"""Verify the real enrolment: every patient's path, failing mails; on any day, with any hash seed, offline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from conftest import ROOT, SECRET, Clock, alice
from databases import new_sqlite
from usher_engine import Actor, Engine, Instance, Services, Worker
from usher_engine.core.errors import BusinessError, ServiceError
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

ADMIN = Actor(name="adam", role="admin")
PATIENTS = [
    "complete", "complete-2", "no-email", "no-zip", "no-birth-date", "no-birth-sex", "no-name", "bare", "pending",
    "declined", "deferred", "completed", "locked", "deactivated", "deleted", "unavailable", "deceased", "inactive",
    "merged", "opted-out", "minor",
]  # fmt: skip
FILLED = {
    "first_name": "Gus", "last_name": "Sample", "zip_code": "10009", "email": "gus@example.org", "birth_sex": "M",
    "birth_date": "1990-02-03", "mobile": "",
}  # fmt: skip


def mail(_message: EmailMessage) -> None:
    """Taken in."""


def opened(settings: Settings, database: Database, clock: Clock, send: Any = mail) -> Enrollment:
    return open_enrollment(
        replace(settings, mail_from="portal@example.org"), clock=clock, send_mail=send, database=database
    )


def answer(instance: Instance) -> dict[str, Any]:
    match instance.tasks[0].element:
        case "UpdateNow":
            return FILLED
        case "EnrollNow":
            return {"reason": "asked at the desk"}
        case _:
            return {}


def run_case(enrollment: Enrollment, patient: str, clock: Clock, *, cancel: bool) -> None:
    """Take one patient from the trigger to the end."""
    engine = enrollment.engine
    case = enrollment.trigger(f"sample-{patient}", "Office Visit", "Patient Portal", "Enrollment", actor=alice)
    for _ in range(3):
        now = engine.instance(case.id)
        if now.tasks and cancel:
            engine.cases.cancel_task(now.tasks[0].id, "not today", actor=alice)
        elif now.tasks:
            engine.complete(now.tasks[0].id, answer(now), actor=alice)
        while Worker(engine).run_due():
            clock.forward(hours=1)
        if engine.instance(case.id).status == "incident":
            engine.cases.retry(case.id, actor=alice)


def failing(*failures: Exception) -> Any:
    left = list(failures)

    def send(_message: EmailMessage) -> None:
        if left:
            raise left.pop(0)

    return send


def filled(settings: Settings, database: Database, clock: Clock) -> Enrollment:
    """A case for every sample patient, with every result that sending mail can have."""
    enrollment = opened(settings, database, clock)
    enrollment.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=ADMIN)
    add_samples(database, enrollment.registry, clock())
    for number, patient in enumerate(PATIENTS):
        run_case(enrollment, patient, clock, cancel=number % 3 == 2)
    again = failing(
        BusinessError("rejected", "The mail server refused the address."),
        ServiceError("The mail server did not answer.", retry=True),
        ServiceError("The mail server refused the sender.", retry=False),
    )
    troubled = opened(settings, database, clock, again)
    for patient in PATIENTS:
        run_case(troubled, patient, clock, cancel=False)
    return enrollment


class Silent:
    """Fails on any call of a service."""

    def __call__(self, *_anything: Any) -> Any:
        raise AssertionError("a service was asked")


def unplugged(settings: Settings, services: Services, database: Database, clock: Clock) -> Engine:
    off = Services(tuple(replace(operator, call=Silent()) for operator in services))
    return Engine(settings, off, clock, database)


def test_every_patients_case_verifies_on_another_day(settings: Settings, database: Database, clock: Clock) -> None:
    enrollment = filled(settings, database, clock)
    clock.forward(days=1_000)
    engine = unplugged(settings, enrollment.engine.services, database, clock)
    result = engine.verification.verify_all()
    steps = [step for case in engine.queries.instances(limit=200) for step in engine.queries.history(case.id)]
    kinds = {event["kind"] for step in steps for event in step.events}
    assert result.findings == [] and result.checked == result.equal >= 40
    assert {"UserTaskCancelled", "ServiceFailed", "IncidentRaised", "IncidentResolved", "InstanceFinished"} <= kinds


#: Hash seeds of the processes that verify; a full run takes all of 0 to 7.
SEEDS = range(8) if os.environ.get("USHER_FULL") else (0, 7)


@pytest.fixture
def file_url(tmp_path: Any) -> str:
    return new_sqlite(tmp_path)


def test_other_hash_seeds_other_processes_and_no_network(file_url: str, clock: Clock) -> None:
    database = Database(file_url)
    settings = Settings(env="development", mail_hold=0, secret_key=SECRET, database_url=file_url)
    cases = len(filled(settings, database, clock).engine.queries.instances(limit=1_000))
    database.close()
    for seed in SEEDS:
        environment = {
            **os.environ, "PYTHONHASHSEED": str(seed), "USHER_SECRET_KEY": SECRET, "USHER_DATABASE_URL": file_url,
            "USHER_SMTP_HOST": "192.0.2.1",
        }  # fmt: skip
        usher = [sys.executable, "-c", "from usher_web.cli import main; main()"]
        command = [*usher, "verify", "--all", "--without-checkpoints", "--json", "--jobs", str(1 + seed % 2)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"checked": cases, "equal": cases, "findings": []}
