"""What the worker does without a person: timers that are due, and a migration of many cases."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from multiprocessing.connection import Connection

from conftest import package
from usher_engine import SYSTEM, Actor, Engine, Worker
from usher_engine.cases import Batch, CaseSelection
from usher_engine.definitions import Package
from usher_engine.store.batch_rows import BatchStatus

from .children import Doom
from .story import STAFF, START, Place

ANA = Actor(name="ana", role="analyst")
PROCESS = "timer_catch"
#: Cases of one migration.
HERD = 2


def pause(engine: Engine, number: int) -> None:
    """A case that waits for an hour, and then for a moment that has passed by then."""
    if not engine.versions.all(PROCESS):
        engine.deploy(package(PROCESS), actor=SYSTEM)
    case = engine.start(PROCESS, {"until": START.isoformat()}, actor=STAFF, business_key=f"timed-{number}")
    engine.complete(case.tasks[0].id, {}, actor=STAFF)


def ask_to_move(engine: Engine, number: int) -> Batch:
    """Cases on the version in force, a newer one, and the wish to move them there."""
    files = dict(package(PROCESS).files)
    files["timer_catch.bpmn"] = files["timer_catch.bpmn"].replace(b"A wait", f"Wait {number}".encode())
    engine.deploy(Package(files), actor=SYSTEM)
    cases = tuple(engine.start(PROCESS, {"until": ""}, actor=STAFF).id for _ in range(HERD))
    files["timer_catch.bpmn"] = files["timer_catch.bpmn"].replace(b"Wait", b"Pause")
    newer = engine.deploy(Package(files), actor=SYSTEM).number
    chosen = CaseSelection(process=PROCESS, cases=cases)
    return engine.batches.ask_migration(newer, chosen, {}, reason="The name was wrong.", actor=ANA)


def ring(engine: Engine) -> None:
    Worker(engine).run_due()


def move(engine: Engine) -> None:
    while engine.batches.work():
        pass


WORK: dict[str, Callable[[Engine], None]] = {"ring": ring, "move": move}


def doomed_worker(mouth: Connection, place: Place, what: str, at: int) -> None:
    """In a process of its own: do what is due and die at fault point number *at*."""
    doom = Doom(at, mouth)
    engine = place.open(send_mail=_nowhere).engine
    doom.watch(engine.database)
    WORK[what](engine)


def _nowhere(_message: EmailMessage) -> None:
    """No mail is sent here."""


def check_timers(engine: Engine, number: int) -> None:
    """Each timer fired once, and the case stands at what follows."""
    (case,) = engine.queries.instances(business_key=f"timed-{number}")
    assert case.at == ("Second",)
    events = [event for step in engine.queries.history(case.id) for event in step.events]
    assert [event["element"] for event in events if event["kind"] == "TimerFired"] == ["Pause", "Until"]
    assert engine.verify(case.id) == []


def check_moves(engine: Engine, batch: Batch) -> None:
    """Every case moved once, and the run counts each."""
    found = engine.batches.find(batch.id)
    assert (found.status, found.done, found.tally) == (BatchStatus.DONE, HERD, {"moved": HERD})
    for one in engine.batches.cases(batch.id):
        kinds = [event["kind"] for step in engine.queries.history(one.instance) for event in step.events]
        assert kinds.count("InstanceMigrated") == 1
        assert engine.instance(one.instance).version == batch.details["version"]
        assert engine.verify(one.instance) == []
