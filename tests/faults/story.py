"""The scenario of every fault test: a patient without a ZIP code, from the trigger to the recorded invitation."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from usher_engine import SYSTEM, Actor, Conflict, Instance, Settings, Worker
from usher_engine.core.canonical import canonical
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Enrollment, open_enrollment, smtp_sender
from usher_engine.store import Database, instance_rows
from usher_engine.store.instance_rows import GENESIS, chain_hash
from usher_engine.store.tables.engine_tables import metadata

from .children import PATIENCE_S, Doom
from .postoffice import PostOffice, link_in

PROCESS = Path(__file__).parents[2] / "processes" / "enrollment"
STAFF = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
TEMPLATE, FIELD, ACTION = "Office Visit", "Patient Portal", "Enrollment"
START = datetime.fromisoformat("2026-05-04T09:02:00+00:00")
#: When everything is tried again: every lease has ended by then.
LATER = START + timedelta(hours=1)

#: The commands of the story, in order.
CHAPTERS = ("trigger", "complete", "work")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the story happens: all a process needs to take part."""

    settings: Settings
    now: datetime = START

    def open(self, *, send_mail: Any = None, clock: Callable[[], datetime] | None = None) -> Enrollment:
        return open_enrollment(self.settings, clock=clock or (lambda: self.now), send_mail=send_mail)

    def later(self, now: datetime = LATER) -> Place:
        return replace(self, now=now)


def settle(place: Place, patients: int) -> None:
    """Deploy the process, put the trigger in place and register *patients* who lack nothing but a ZIP code."""
    enrollment = place.open()
    enrollment.engine.deploy(read_folder(PROCESS), actor=SYSTEM)
    enrollment.set_trigger(TEMPLATE, FIELD, ACTION, actor=SYSTEM)
    report = enrollment.import_patients(json.dumps(resource(number)) for number in range(patients))
    assert report.new == patients, report.bad
    enrollment.engine.database.close()


def patient(number: int) -> str:
    return f"patient-{number}"


def address(number: int) -> str:
    return f"patient-{number}@example.org"


def resource(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": patient(number),
        "active": True,
        "name": [{"use": "official", "family": "Sample", "given": ["Ada"]}],
        "gender": "female",
        "birthDate": "1980-01-02",
        "telecom": [{"system": "email", "value": address(number)}],
    }


ANSWER = {
    "first_name": "Ada", "last_name": "Sample", "birth_date": "1980-01-02", "zip_code": "12345",
    "birth_sex": "F", "mobile": "",
}  # fmt: skip


def trigger(enrollment: Enrollment, number: int) -> Instance:
    """What the EHR sends, with its key; it may send it as often as it likes."""
    key = f"key-{number}"
    return enrollment.trigger(patient(number), TEMPLATE, FIELD, ACTION, actor=STAFF, key=key, source="ehr")


def complete(enrollment: Enrollment, number: int) -> None:
    """Alice completes Update Now; that she has done so before is no mistake."""
    (case,) = enrollment.engine.queries.instances(business_key=patient(number))
    try:
        task = enrollment.engine.inbox.task(f"{case.id}:UpdateNow:1", STAFF)
        answer = {**ANSWER, "email": address(number)}
        enrollment.engine.complete(task.id, answer, actor=STAFF, revision=task.revision)
    except Conflict as before:
        if before.winner != STAFF.name:
            raise


def work(enrollment: Enrollment, _number: int) -> None:
    Worker(enrollment.engine).run_due()


_TELL: dict[str, Callable[[Enrollment, int], object]] = {"trigger": trigger, "complete": complete, "work": work}


def tell(enrollment: Enrollment, number: int, *chapters: str) -> None:
    for chapter in chapters:
        _TELL[chapter](enrollment, number)


def doomed(mouth: Connection, place: Place, number: int, chapters: tuple[str, ...], at: int | None) -> None:
    """In a separate process: run *chapters* and die at fault point number *at*."""
    doom = Doom(at, mouth)
    over_smtp = smtp_sender(place.settings)

    def send(message: EmailMessage) -> None:
        doom.point("before SMTP")
        over_smtp(message)
        doom.point("after SMTP")

    enrollment = place.open(send_mail=send)
    doom.watch(enrollment.engine.database)
    tell(enrollment, number, *chapters)


def check(enrollment: Enrollment, number: int, office: PostOffice, *, mails: int = 1) -> None:
    """The story came to its end exactly once, whatever happened on the way."""
    (case,) = enrollment.engine.queries.instances(business_key=patient(number))
    assert (case.status, case.outcome) == ("finished", "InvitationSent"), case
    events = [event for step in enrollment.engine.queries.history(case.id) for event in step.events]
    kinds = [(event["kind"], event.get("element")) for event in events]
    for once in (("InstanceStarted", None), ("UserTaskOpened", "UpdateNow"), ("UserTaskCompleted", "UpdateNow"),
                 ("ServiceRequested", "SendInvitation"), ("ServiceCompleted", "SendInvitation"),
                 ("InstanceFinished", None)):  # fmt: skip
        assert kinds.count(once) == 1, (once, kinds)
    record = enrollment.patient(patient(number))
    assert (record.status, record.sends, record.version) == ("Pending", 1, 3)
    (invitation,) = enrollment.invitations(patient(number))
    sent = office.to(address(number))
    assert len(sent) == mails
    assert {mail["Message-ID"] for mail in sent} == {invitation.message_id}
    (token,) = {link_in(mail) for mail in sent}
    assert enrollment.invitation(token).expires_at == invitation.expires_at
    check_chain(enrollment, case.id)
    check_database(enrollment.engine.database)
    with enrollment.engine.database.read() as tx:
        for table in ("job", "user_task", "instance_state"):
            left = tx.exec_driver_sql(f"SELECT count(*) FROM {table} WHERE instance = '{case.id}'").scalar_one()
            assert left == 0, table


def check_chain(enrollment: Enrollment, case: str) -> None:
    """The hashes of all steps follow from their content, and the newest is the one the case knows."""
    previous = GENESIS
    for step in enrollment.engine.queries.history(case):
        assert step.previous == previous and step.hash == chain_hash(previous, canonical(step.body))
        previous = step.hash
    with enrollment.engine.database.read() as tx:
        assert instance_rows.find(tx, case).head == previous


def content(enrollment: Enrollment) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, to compare before and after."""
    with enrollment.engine.database.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(table.select().order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def bury(database: Database) -> None:
    """
    Wait until PostgreSQL has ended what killed processes had begun.

    It needs a moment to see that its client is gone; until then the rows are locked, and a worker that looks for a
    job passes over them, to look again a second later. The tests look once.
    """
    begun = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend' AND xact_start IS NOT NULL"
    )
    deadline = time.monotonic() + PATIENCE_S
    while not database.is_sqlite:
        with database.read() as tx:
            if tx.exec_driver_sql(begun).scalar_one() == 0:
                return
        assert time.monotonic() < deadline, "a killed process is still at work in the database"
        time.sleep(0.01)


def check_database(database: Database) -> None:
    """SQLite's own integrity check of the file."""
    if database.is_sqlite:
        with database.read() as tx:
            assert tx.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert tx.exec_driver_sql("PRAGMA foreign_key_check").all() == []
