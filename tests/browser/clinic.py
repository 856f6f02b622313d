"""A clinic to test in: the real application, its worker, its database file and a real mail server in this process."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from argon2 import PasswordHasher
from conftest import ROOT, SECRET, Clock
from databases import new_sqlite
from flask import Flask
from usher_engine import SYSTEM, Actor, Instance, Settings, Worker
from usher_engine.accounts import Accounts, Role
from usher_engine.accounts.passwords import Passwords
from usher_engine.core import Deadlines
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Enrollment, open_enrollment, portal_status
from usher_engine.enrollment.birth_sex import BIRTH_SEX_EXTENSION
from usher_engine.enrollment.patient_registry import find
from usher_engine.store import Database, Job
from usher_web.app import create_app
from usher_web.demo.mail_catcher import MailCatcher
from usher_web.demo.sample_patients import add_samples
from usher_web.server import HttpServer
from usher_web.site import CaughtMail
from werkzeug.serving import BaseWSGIServer, make_server

PASSWORD = "a password for tests"
CAST = {
    "alice": Role.STAFF,
    "bob": Role.STAFF,
    "ana": Role.ANALYST,
    "audrey": Role.AUDITOR,
    "adam": Role.ADMIN,
}
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
#: Costs only a test that fails.
PATIENCE_S = 60.0
#: Until a fact is looked at again that nobody tells of.
LOOK_S = 0.1
#: Sessions outlive the months a test lets pass.
LONG = timedelta(days=1000)

#: What a patient record of the tests holds; `Clinic.add` takes changes, None leaves a field out.
COMPLETE = {
    "first_name": "Vera",
    "last_name": "Quill",
    "birth_date": "1981-05-04",
    "zip_code": "97201",
    "email": "{id}@example.org",
    "birth_sex": "F",
}


class Postbox(MailCatcher):
    """The demo's mail server, with ears: tests wait for a mail, see its bytes, and may make it refuse or close it."""

    def __init__(self, clock: Clock, changed: threading.Condition) -> None:
        super().__init__(clock)
        self.raw: list[bytes] = []
        self.refusal = ""
        #: Addresses nobody has: the server refuses them for good.
        self.unknown: set[str] = set()
        self._changed = changed

    def to(self, address: str) -> list[CaughtMail]:
        """The mails caught for *address*, the newest first."""
        return [mail for mail in self.mails() if mail.to == address]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 aiosmtpd's name
        if self.refusal:
            return self.refusal
        self.raw.append(envelope.content)
        answer = await super().handle_DATA(server, session, envelope)
        with self._changed:
            self._changed.notify_all()
        return answer

    async def handle_RCPT(  # noqa: N802 aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def open_again(self) -> None:
        """Listen on the same port as before, after `stop`."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.start()


class Hand(Worker):
    """The product's worker thread; signals when it has done a job, and waits while a test holds its `gate`."""

    def __init__(self, enrollment: Enrollment, changed: threading.Condition) -> None:
        super().__init__(enrollment.engine)
        self.gate = threading.Lock()
        self._changed = changed

    def _one(self) -> bool:
        with self.gate:
            return super()._one()

    def _perform_job(self, job: Job) -> None:
        super()._perform_job(job)
        with self._changed:
            self._changed.notify_all()


@dataclass
class Clinic:
    url: str
    app: Flask
    settings: Settings
    enrollment: Enrollment
    accounts: Accounts
    worker: Hand
    postbox: Postbox
    clock: Clock
    changed: threading.Condition
    patients: int = field(default=0)

    def until(self, fact: Callable[[], object]) -> None:
        """Wait for what the worker thread does, or for what a request does that is under way."""
        ends = time.monotonic() + PATIENCE_S
        with self.changed:
            while not fact():
                assert time.monotonic() < ends, "it did not come true"
                self.changed.wait(LOOK_S)

    def cookie(self, name: str) -> dict[str, str]:
        """The cookie of an account that has just signed in."""
        return {"name": "usher", "value": self.accounts.begin_session(name).secret, "url": self.url}

    def token(self, name: str, role: Role = Role.STAFF) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.accounts.add_token(name, role=role, by='test')}"}

    # patients

    def add(self, status: str | None = "Not Enrolled", *, resource: dict[str, Any] | None = None, **fields: Any) -> str:
        """
        A new patient (`COMPLETE`, with *fields* changed or None) with this portal status; answers the id.

        Each has a last name of their own: for patients who look alike, pages ask which is meant.
        """
        self.patients += 1
        patient = f"patient-{self.patients}"
        alone = {"last_name": f"Quill{_letters(self.patients)}", "email": f"{patient}@example.org"}
        values = {**COMPLETE, **alone, **fields}
        line = json.dumps({**fhir(patient, values), **(resource or {})})
        report = self.enrollment.import_patients([line])
        assert report.bad == []
        if status != "Not Enrolled":
            with self.enrollment.engine.database.begin() as tx:
                portal_status.set_status(tx, find(tx, patient, lock=True), status, by="test", now=self.clock())
        return patient

    def imports(self, resource: dict[str, Any]) -> None:
        """Import this Patient as the EHR sends it."""
        assert self.enrollment.import_patients([json.dumps(resource)]).bad == []

    def status(self, patient: str) -> str:
        return self.enrollment.patient(patient).status

    def fields(self, patient: str) -> dict[str, str]:
        return self.enrollment.patient(patient).fields(self.clock(), self.settings)

    def cases(self, patient: str) -> list[Instance]:
        """The patient's cases, the newest first."""
        return self.enrollment.engine.queries.instances(business_key=patient)

    def trigger(self, patient: str, by: str = "alice") -> Instance:
        """Select the trigger without a browser; for what only leads up to a test."""
        self.clock.forward(minutes=1)
        actor = Actor(name=by, role="staff", groups=frozenset({"Front desk"}))
        return self.enrollment.trigger(patient, "Office Visit", "Patient Portal", "Enrollment", actor=actor)

    def invited(self, patient: str) -> str:
        """Invite a patient whose fields are complete; answers the link in the mail."""
        self.trigger(patient)
        self.until(lambda: self.status(patient) == "Pending")
        return self.link(patient)

    # mail

    def mails(self, patient: str) -> list[CaughtMail]:
        """What was caught for the patient's address, the newest first."""
        address = self.fields(patient)["email"]
        return self.postbox.to(address) if address else []

    def link(self, patient: str) -> str:
        return self.mails(patient)[0].links[0]

    def settled(self, patient: str) -> Instance:
        """The patient's newest case, once the worker has nothing left to do for it."""
        self.until(lambda: self.cases(patient)[0].status != "waiting" or self.cases(patient)[0].tasks)
        return self.cases(patient)[0]


def fhir(patient: str, values: dict[str, str | None]) -> dict[str, Any]:
    """A FHIR Patient with these fields, a record number and a social security number."""
    name = {"use": "official", "family": values["last_name"], "given": [values["first_name"]]}
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "id": patient,
        "active": True,
        "name": [{key: value for key, value in name.items() if value not in (None, [None])}],
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-12-3456"}],
        "extension": [],
    }
    if values["birth_date"]:
        found["birthDate"] = values["birth_date"]
    if values["zip_code"]:
        found["address"] = [{"use": "home", "postalCode": values["zip_code"]}]
    if values["email"]:
        found["telecom"] = [{"system": "email", "value": values["email"]}]
    if values["birth_sex"]:
        found["extension"] = [{"url": BIRTH_SEX_EXTENSION, "valueCode": values["birth_sex"]}]
    return found


@contextmanager
def open_clinic(folder: Path, database_url: str | None = None) -> Iterator[Clinic]:
    """Everything running, with the sample patients, the cast and the enrolment deployed; closed at the end."""
    clock, changed = Clock(), threading.Condition(threading.RLock())
    postbox = Postbox(clock, changed)
    bound = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    settings = _settings(folder, url, postbox.port, database_url)
    enrollment, accounts = _filled(settings, clock)
    app = create_app(enrollment.engine, enrollment, accounts, settings, outbox=postbox)
    worker = Hand(enrollment, changed)
    postbox.start()
    worker.start()
    with served(app, bound, settings):
        yield Clinic(url, app, settings, enrollment, accounts, worker, postbox, clock, changed)
    worker.stop()
    postbox.stop()
    enrollment.engine.database.close()


@contextmanager
def served(app: Flask, bound: socket.socket, settings: Settings) -> Iterator[HttpServer]:
    """The product's own server, in a thread."""
    server = HttpServer(app, settings, Deadlines(lambda _thread: None))
    thread = threading.Thread(target=server.answer, args=(bound,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE_S)


def _settings(folder: Path, url: str, mail_port: int, database_url: str | None) -> Settings:
    ours = Settings(
        mail_hold=0,
        env="development",
        secret_key=SECRET,
        database_url=database_url or new_sqlite(folder),
        base_url=url,
        practice_name="Sample Clinic",
        practice_contact="Front desk, 555 0100",
        mail_from="portal@clinic.example.org",
        checkpoint_file=str(folder / "heads.jsonl"),
        signing_key_file=str(folder / "key.pem"),
    )
    return replace(ours, smtp_port=mail_port, smtp_security="none")


def _filled(settings: Settings, clock: Clock) -> tuple[Enrollment, Accounts]:
    database = Database(settings.database_url)
    enrollment = open_enrollment(settings, clock=clock, database=database)
    accounts = Accounts(database, clock, idle=LONG, absolute=LONG, passwords=CHEAP)
    for name, role in CAST.items():
        accounts.add_user(name, PASSWORD, role=role, by="test")
    add_samples(database, enrollment.registry, clock())
    enrollment.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=SYSTEM)
    return enrollment, accounts


@contextmanager
def listening() -> Iterator[BaseWSGIServer]:
    """A server on a free port; put the application into its `app`, which may need to know the port first."""
    server = make_server("127.0.0.1", 0, Flask("nobody is at home yet"), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _letters(number: int) -> str:
    """A number as letters: 1 is b, 27 is bb."""
    return (_letters(number // 26) if number >= 26 else "") + chr(ord("a") + number % 26)
