"""
The enrolment against its floor: from the trigger to the first user task, from its answer to the end, and verified.

The floor is bare SpiffWorkflow in memory on the same diagram, plus a bare commit of the same bytes with the same
durability. Ours and the floor are measured alternately, so that a busy machine slows both; medians are compared.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from usher_engine.bpmn import Bare
from usher_engine.cases.queries import Instance
from usher_engine.context import utc_now
from usher_engine.core.actor import Actor
from usher_engine.definitions import Package
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.jobs.job_work import JobWork
from usher_engine.settings import Settings
from usher_engine.store import Job, job_rows
from usher_engine.store.schema import upgrade

from .measurements import Figure, Times

STAFF = Actor(name="bench", role="staff", groups=frozenset({"Front desk"}))
FIELDS = {
    "first_name": "Ada", "last_name": "Bench", "birth_date": "1980-01-02", "zip_code": "12345",
    "email": "ada@example.org", "birth_sex": "F", "mobile": "", "language": "",
}  # fmt: skip


def enrolments(package: Package, folder: Path, cases: int) -> Iterator[Figure]:
    """Figures of *cases* enrolments on *package*, in a database in *folder*."""
    bench = _Enrolments(package, folder, cases)
    try:
        yield from bench.figures()
    finally:
        bench.close()


class _Enrolments:
    def __init__(self, package: Package, folder: Path, cases: int) -> None:
        self.cases = cases
        file = folder / "usher.db"
        settings = Settings(env="development", mail_hold=0, secret_key="b" * 32, database_url=f"sqlite:///{file}")
        self.enrollment: Enrollment = open_enrollment(settings, send_mail=_nowhere)
        self.engine = self.enrollment.engine
        upgrade(self.engine.database)
        self.engine.deploy(package, actor=STAFF)
        self.enrollment.set_trigger("Visit", "Portal", "Enrollment", actor=STAFF)
        self.enrollment.import_patients(json.dumps(_patient(number)) for number in range(cases + 1))
        self.bare = Bare(package, utc_now(), _Answers())
        self.floor = _BareCommits(folder / "floor.db")
        self.times = Times()

    def close(self) -> None:
        self.engine.database.close()
        self.floor.close()

    def figures(self) -> Iterator[Figure]:
        self._measure_case(self.cases)  # what all cases of one way share is written with the first
        self.times = Times()
        before = self._size()
        for number in range(self.cases):
            self._measure_case(number)
        rows, size = (after - first for after, first in zip(self._size(), before, strict=True))
        median = self.times.median
        start = median("start") / median("bare start", "commit start")
        end = median("complete", "end") / median("bare complete", "commit complete", "commit end")
        yield Figure(name="trigger to first user task : floor", value=start, unit="×", target=2)
        yield Figure(name="complete a user task to the end, mail between : floor", value=end, unit="×", target=2)
        yield Figure(name="rows of a finished enrolment", value=rows / self.cases, unit="rows", target=6)
        yield Figure(name="bytes of a finished enrolment", value=size / self.cases, unit="bytes", target=5_000)
        yield from self._verification_figures()

    def _verification_figures(self) -> Iterator[Figure]:
        """Verify all cases on one core; compare with bare SpiffWorkflow's time to run one."""
        verified = self.times.of("verify", lambda: self.engine.verification.verify_all(jobs=1))
        if verified.findings or verified.checked != self.cases + 1:
            raise RuntimeError("The bench's cases do not verify; its figures would mean nothing.")
        each = self.times.median("verify") / verified.checked
        bare = self.times.median("bare start", "bare complete")
        yield Figure(name="a finished enrolment verified", value=each * 1000, unit="ms", target=1)
        yield Figure(
            name="a finished enrolment verified : bare SpiffWorkflow's run", value=each / bare, unit="×", target=2
        )

    def _measure_case(self, number: int) -> None:
        """One enrolment: trigger, complete Update Now, mail accepted, end; each timed with its floor."""
        patient, timed = f"bench-{number}", self.times.of
        instance = timed("start", lambda: self._trigger(patient))
        workflow = timed("bare start", lambda: self.bare.start({"patient_id": patient}))
        timed("commit start", lambda: self.floor.commit(self._bytes_written(instance)))
        task = instance.tasks[0]
        submit = {key: FIELDS[key] for key in FIELDS if key != "language"}
        timed("complete", lambda: self.engine.complete(task.id, submit, actor=STAFF, revision=task.revision))
        timed("commit complete", lambda: self.floor.commit(self._bytes_written(instance)))
        job = self._take()
        sent = JobWork(self.engine).call(job)
        timed("end", lambda: self.engine.job_results.finish(job, sent))
        timed("bare complete", lambda: self.bare.complete(workflow, "update", submit))  # to the end
        timed("commit end", lambda: self.floor.commit(self._bytes_written(instance)))
        if self.engine.instance(instance.id).status != "finished" or not workflow.completed:
            raise RuntimeError("The bench's case did not come to its end; its figures would mean nothing.")

    def _trigger(self, patient: str) -> Instance:
        return self.enrollment.trigger(patient, "Visit", "Portal", "Enrollment", actor=STAFF)

    def _take(self) -> Job:
        with self.engine.database.begin() as tx:
            job = job_rows.take(tx, self.engine.clock(), self.engine.clock())
        if job is None:
            raise RuntimeError("The case queued no mail; the bench cannot go on.")
        return job

    def _bytes_written(self, instance: Instance) -> bytes:
        """As many bytes as the last step of *instance* wrote: the step, the state, the task."""
        with self.engine.database.read() as tx:
            row = tx.exec_driver_sql(
                "SELECT coalesce(i.content, ''), s.body FROM step s LEFT JOIN instance_state i USING (instance)"
                " WHERE s.instance = ? ORDER BY s.revision DESC LIMIT 1",
                (instance.id,),
            ).one()
        state, body = row
        content: bytes = state.encode() + bytes(body)
        return content

    def _size(self) -> tuple[int, int]:
        """Rows in all tables, and bytes of the tables and indexes that hold them."""
        with self.engine.database.read() as tx:
            names = [n for (n,) in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = sum(tx.exec_driver_sql(f'SELECT count(*) FROM "{n}"').scalar_one() for n in names)  # noqa: S608
            pages, page, free = (
                tx.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "page_size", "freelist_count")
            )
        return rows, (pages - free) * page


class _BareCommits:
    """A commit of given bytes into one table, with SQLite as Usher sets it up."""

    def __init__(self, file: Path) -> None:
        self.connection = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE written (id INTEGER PRIMARY KEY, content BLOB)")

    def commit(self, content: bytes) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT INTO written (content) VALUES (?)", (content,))
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()


SENT = {
    "message_id": "<bench@localhost>",
    "sent_at": "2026-05-04T09:00:00Z",
    "expires_at": "2026-06-03T09:00:00Z",
    "to": "ada@example.org",
}


def _nowhere(_message: EmailMessage) -> None:
    """Drop the mail; it is not measured."""


class _Answers:
    """The services of bare SpiffWorkflow; they answer as the registry answers Usher."""

    def __init__(self) -> None:
        self.checks = 0

    def __call__(self, operator: str) -> Any:
        match operator:
            case "patient/load":
                fields = {**FIELDS, "email": ""}
                return {"id": "p", "status": "Not Enrolled", "guard": None, "requested_at": None, "requested_by": None,
                        "sends": 0, "response": None, "fields": fields, "version": 1}  # fmt: skip
            case "patient/missing":
                self.checks += 1
                if self.checks % 2:
                    return {"keys": ["email"], "labels": ["e-mail"], "text": "e-mail"}
                return {"keys": [], "labels": [], "text": ""}
            case "invitation/send":
                return SENT
            case _:
                return {"status": "Pending", "requested_at": "2026-05-04T09:00:00Z", "changed": [], "version": 2}


def _patient(number: int) -> dict[str, Any]:
    """A patient whose record lacks only an e-mail address."""
    return {
        "resourceType": "Patient",
        "id": f"bench-{number}",
        "active": True,
        "name": [{"use": "official", "family": FIELDS["last_name"], "given": [FIELDS["first_name"]]}],
        "gender": "female",
        "birthDate": FIELDS["birth_date"],
        "address": [{"postalCode": FIELDS["zip_code"], "country": "US"}],
    }
