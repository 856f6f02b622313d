"""Enrolment cases of every sample patient, for third-party programs to read. `make interop` installs these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from conftest import ROOT, SECRET, Clock, alice
from databases import new_sqlite
from usher_engine import SYSTEM, Actor, Worker
from usher_engine.core.errors import ServiceError
from usher_engine.definitions import read_folder
from usher_engine.enrollment import TERMS_VERSION, Answer, Enrollment, open_enrollment
from usher_engine.exports import Export, Selection
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

auditor = Actor(name="audrey", role="auditor")
FILLED = {
    "first_name": "Gus", "last_name": "Sample", "zip_code": "10009", "email": "gus@example.org", "birth_sex": "M",
    "birth_date": "1990-02-03", "mobile": "",
}  # fmt: skip


class Mail:
    """A mail server that refuses every fifth mail at its first attempt and keeps the links."""

    def __init__(self) -> None:
        self.tries = 0
        self.tokens: list[str] = []

    def __call__(self, message: EmailMessage) -> None:
        self.tries += 1
        if self.tries % 5 == 0:
            raise ServiceError("The mail server refused the sender.", retry=False)
        text = message.get_body(("plain",))
        assert text is not None
        self.tokens += re.findall(r"/i/([\w-]{43})\b(?!/)", text.get_content())


@pytest.fixture(scope="session")
def enrollment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrollment]:
    """A case for every sample patient: some cancelled, some stopped, one accepted, the others waiting."""
    folder, mail, clock = tmp_path_factory.mktemp("lived"), Mail(), Clock()
    settings = Settings(
        mail_hold=0,
        env="development", secret_key=SECRET, database_url=new_sqlite(folder),
        signing_key_file=str(folder / "key.pem"), checkpoint_file=str(folder / "heads.jsonl"),
        mail_from="portal@example.org",
    )  # fmt: skip
    database = Database(settings.database_url)
    opened = open_enrollment(settings, clock=clock, send_mail=mail, database=database)
    opened.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=SYSTEM)
    for number, patient in enumerate(add_samples(database, opened.registry, clock())):
        _run_case(opened, patient, number, clock)
    _accept_invitation(opened, mail.tokens[0])
    yield opened
    database.close()


def _run_case(enrollment: Enrollment, patient: str, number: int, clock: Clock) -> None:
    engine = enrollment.engine
    case = enrollment.trigger(patient, "Office Visit", "Patient Portal", "Enrollment", actor=alice)
    engine.audit.record("CaseViewed", {"page": "cases.case"}, actor=auditor, subject=case.id, business_key=patient)
    clock.forward(minutes=7)
    for task in case.tasks:
        if number % 4 == 3:
            engine.cases.cancel_task(task.id, "not today", actor=alice)
        else:
            answer = {"UpdateNow": FILLED, "EnrollNow": {"reason": "asked at the desk"}}.get(task.element, {})
            engine.complete(task.id, answer, actor=alice)
    Worker(engine).run_due()
    clock.forward(hours=3)


def _accept_invitation(enrollment: Enrollment, token: str) -> None:
    patient = enrollment.patient("sample-complete")
    fields: dict[str, Any] = patient.fields(enrollment.engine.clock(), enrollment.settings)
    proof = enrollment.identify(token, fields["zip_code"], fields["birth_date"])
    enrollment.respond(token, proof, Answer.ACCEPT, terms=TERMS_VERSION)
    listed = {"page": "cases.show", "patients": ["sample-complete", "sample-bare"]}
    enrollment.engine.audit.record("PatientsListed", listed, actor=auditor)
    refused = {"page": "cases.case", "method": "GET", "status": 404}
    enrollment.engine.audit.record("Refused", refused, actor=alice, subject="sample-minor", business_key="sample-minor")
    enrollment.engine.audit.record("LoggedIn", {}, actor=alice)


def exported(enrollment: Enrollment, form: str, **more: bool) -> bytes:
    return b"".join(Export(enrollment.engine, form, Selection(), actor=auditor, **more).pieces())
