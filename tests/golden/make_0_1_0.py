"""Writes tests/golden/0.1.0/usher.sql: a database as version 0.1.0 (commit 6a6e1d5) left it, broken cases included.

Run in a checkout of that commit, with this folder beside its tests:

    PYTHONPATH=engine:web:tests:THIS_FOLDER python THIS_FOLDER/make_0_1_0.py usher.sql

The business key of a case says what it is: ``sound: …`` was worked on as it should be, ``orphans: …`` has a state that
cannot be read, ``stuck: …`` stands at a join that does not go on, ``twice: …`` has a task too many, ``round: …`` goes
round in a handler. Cases of the enrolment have the patient's id.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import drawings
from conftest import ROOT, SECRET, Clock, Outside, alice, bob, operators, package
from databases import new_sqlite
from usher_engine import SYSTEM, Actor, Database, Engine, Instance, Settings, Worker
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment import open_enrollment
from usher_engine.enrollment.samples import add_samples
from usher_engine.errors import ServiceError

ADMIN = Actor(name="adam", role="admin")
FILLED = {
    "first_name": "Gus", "last_name": "Sample", "zip_code": "10009", "email": "gus@example.org", "birth_sex": "M",
    "birth_date": "1990-02-03", "mobile": "",
}  # fmt: skip


class Office:
    """People at work on one engine."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.clock, self.outside = Clock(), Outside()
        self.engine = Engine(settings, operators(self.outside), self.clock, database)
        self.worker = Worker(self.engine)

    def start(self, process: str, key: str, data: dict[str, Any] | None = None) -> Instance:
        self.clock.forward(minutes=1)
        return self.engine.start(process, data or {}, actor=alice, business_key=key)

    def answer(self, case: Instance, *elements: str, given: dict[str, Any] | None = None) -> None:
        """Answer the open tasks at *elements*, one after the other."""
        for element in elements:
            self.clock.forward(minutes=1)
            task = next(one for one in self.engine.instance(case.id).tasks if one.element == element)
            self.engine.complete(task.id, given or {}, actor=alice)

    def works(self, process: str, key: str, *elements: str) -> Instance:
        case = self.start(process, key)
        self.answer(case, *elements)
        return case

    def breaks(self, case: Instance, element: str) -> None:
        """An answer that this version cannot take; nothing of it is stored."""
        try:
            self.answer(case, element)
        except Exception as error:  # noqa: BLE001 - what it raised was the fault
            sys.stderr.write(f"{case.business_key}: {element}: {type(error).__name__}\n")
        else:
            raise AssertionError(f"{case.business_key} was not broken")

    def worker_breaks(self, **later: float) -> None:
        """The worker tries until it gives up, as its loop did: an error is logged and the lease runs out."""
        self.clock.forward(**later)
        for _ in range(8):
            try:
                self.worker.run_due()
            except Exception as error:  # noqa: BLE001 - what it raised was the fault
                sys.stderr.write(f"worker: {type(error).__name__}\n")
            self.clock.forward(minutes=10)


def sound(office: Office) -> None:
    """One case or more of every element, as this version ran them well."""
    for name in ("small", "parallel", "timer_catch", "message_catch", "loop", "items_in_turn", "event_subprocess"):
        office.engine.deploy(package(name), actor=ADMIN)
    office.outside.answers.append({"n": 2})
    held = office.start("small", "sound: claimed", {"q": 1})
    office.engine.claim(held.tasks[0].id, actor=bob)
    office.outside.answers.append({"n": 3})
    looped = office.start("small", "sound: looped", {"q": 2})
    office.answer(looped, "U", given={"word": "again"})
    office.worker.run_due()
    office.outside.answers += [{"n": 2}, ServiceError("The service did not answer.", retry=False)]
    failed = office.start("small", "sound: service failed", {"q": 3})
    office.answer(failed, "U", given={"word": "yes"})
    office.worker.run_due()
    office.outside.answers.append({"n": 9})
    ended = office.start("small", "sound: cancelled", {"q": 4})
    office.engine.cancel(ended.id, "not wanted", actor=alice)
    office.outside.answers.append({"n": 0})
    office.engine.record(office.start("small", "sound: finished", {"q": 5}).id, "Called", {"by": "phone"}, actor=alice)
    for name, key in (("parallel", "in parallel"), ("timer_catch", "timer"), ("message_catch", "message")):
        office.start(name, f"sound: {key}")
    office.start("event_subprocess", "sound: event sub-process", {"count": 0})
    _moved(office)


def _moved(office: Office) -> None:
    """A case that was moved to another version."""
    case = office.works("nested", "sound: moved")
    text = drawings.nested.files[0].decode().replace('name="ask"', 'name="Ask first"')
    office.engine.deploy(Package({"nested.bpmn": text.encode()}), actor=ADMIN)
    office.engine.migrate(case.id, 2, actor=ADMIN, reason="a better name")


def broken(office: Office) -> None:
    """Cases this version left so that they could not go on."""
    office.works("nested", "orphans: nested, not tried yet", "ask", "a")
    office.breaks(office.works("nested", "orphans: nested", "ask", "a"), "b")
    office.breaks(office.works("calls", "orphans: calls", "ask", "a"), "b")
    heard = office.works("beside_nested", "orphans: event sub-process")
    office.engine.deliver_message("News", {}, actor=alice, instance=heard.id)
    office.answer(heard, "read", "work", "a")
    office.breaks(heard, "b")
    office.works("nested_service", "orphans: service", "ask", "a")
    office.worker_breaks()
    office.works("nested_timer", "orphans: timer", "ask", "a")
    office.worker_breaks(hours=2)
    office.works("forks", "stuck: last way open", "a", "b")
    office.works("forks", "stuck: nothing open", "a", "b", "c")
    office.works("forks_service", "stuck: service", "a", "b")
    office.worker.run_due()
    office.works("forks_end", "stuck: before the end", "a", "b", "c")
    office.works("forks_read", "stuck: before a service", "a", "b", "c")
    office.works("forks_beside", "stuck: others go on", "a", "b", "c", "x")
    office.works("inclusive", "twice: not tried yet", "b", "a")
    office.breaks(office.works("inclusive", "twice: tried", "b", "a"), "z")
    office.works("inclusive", "twice: once so far", "b")
    office.works("inclusive_service", "twice: service done once", "b")
    office.worker.run_due()
    office.works("inclusive_service", "twice: service asked twice", "b", "a")
    office.worker.run_due()
    office.works("thrown_on", "round: handled once")
    office.works("thrown_on", "round: handled twice", "handle")


def enrolled(settings: Settings, database: Database) -> None:
    """Enrolments at several stages."""
    clock = Clock()

    def send(message: Any) -> None:
        if "locked" in str(message["To"]):
            raise ServiceError("The mail server refused the address.", retry=False)

    enrollment = open_enrollment(settings, clock=clock, send_mail=send, database=database)
    engine = enrollment.engine
    engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=ADMIN)
    add_samples(database, enrollment.registry, clock())
    patients = ("complete", "no-email", "no-zip", "pending", "deferred", "deactivated", "opted-out", "declined")
    steps: dict[str, Callable[[Instance], object]] = {
        "sample-no-zip": lambda case: engine.complete(case.tasks[0].id, FILLED, actor=alice),
        "sample-pending": lambda case: engine.cancel_task(case.tasks[0].id, "not today", actor=alice),
        "sample-deferred": lambda case: engine.claim(case.tasks[0].id, actor=bob),
        "sample-declined": lambda case: engine.complete(case.tasks[0].id, {"reason": "asked at the desk"}, actor=alice),
    }
    for name in patients:
        case = enrollment.trigger(f"sample-{name}", "Office Visit", "Patient Portal", "Enrollment", actor=alice)
        if case.tasks and case.business_key in steps:
            steps[case.business_key](engine.instance(case.id))
        if name != "declined":  # the mail of this one is still to be sent
            Worker(engine).run_due()


def main(target: Path) -> None:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        url = new_sqlite(Path(folder))
        settings = Settings(
            env="development", secret_key=SECRET, database_url=url, mail_from="portal@example.org",
            checkpoint_file=f"{folder}/heads.jsonl", signing_key_file=f"{folder}/key.pem",
        )  # fmt: skip
        database = Database(url)
        office = Office(settings, database)
        for drawing in drawings.ALL:
            office.engine.deploy(drawing.package, actor=SYSTEM)
        sound(office)
        broken(office)
        enrolled(settings, database)
        database.close()
        with contextlib.closing(sqlite3.connect(Path(folder) / "usher.db")) as opened:
            target.write_text("\n".join(opened.iterdump()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
