"""
A loop of user tasks: its thousandth round compared with its tenth.

Bare SpiffWorkflow keeps every task and slows down from round to round; after the five-hundredth it finds none any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from usher_engine import Engine
from usher_engine.context import utc_now
from usher_engine.core.actor import Actor
from usher_engine.definitions import Package
from usher_engine.services import Services
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_engine.store.schema import upgrade

from .measurements import Figure, Times

STAFF = Actor(name="bench", role="staff", groups=frozenset())
EARLY = 10
#: Rounds on either side of the one compared, so that one slow commit does not decide.
AROUND = 4
DIAGRAM = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="http://usher.example/rounds">
  <process id="rounds" isExecutable="true">
    <startEvent id="Begin"/><userTask id="Ask" name="Ask"/>
    <exclusiveGateway id="Enough" default="again"/><endEvent id="Over"/>
    <sequenceFlow id="first" sourceRef="Begin" targetRef="Ask"/>
    <sequenceFlow id="asked" sourceRef="Ask" targetRef="Enough"/>
    <sequenceFlow id="again" sourceRef="Enough" targetRef="Ask"/>
    <sequenceFlow id="over" sourceRef="Enough" targetRef="Over">
      <conditionExpression>limit == 0</conditionExpression>
    </sequenceFlow>
  </process>
</definitions>"""


def rounds(folder: Path, last: int) -> Iterator[Figure]:
    """The figure of a loop with *last* rounds, in a database in *folder*."""
    settings = Settings(env="development", secret_key="b" * 32, database_url=f"sqlite:///{folder / 'rounds.db'}")
    database = Database(settings.database_url)
    upgrade(database)
    engine = Engine(settings, Services(()), utc_now, database)
    engine.deploy(Package({"rounds.bpmn": DIAGRAM}), actor=STAFF)
    case, times = engine.start("rounds", {"limit": 1}, actor=STAFF), Times()
    for number in range(1, last + AROUND + 1):
        when = "early" if abs(number - EARLY) <= AROUND else "late" if abs(number - last) <= AROUND else "between"
        case = times.of(when, lambda task=case.tasks[0].id: engine.complete(task, {}, actor=STAFF))  # type: ignore[misc]
    database.close()
    ratio = times.median("late") / times.median("early")
    yield Figure(name=f"round {last:,} of a loop : round {EARLY}", value=ratio, unit="×", target=1.5)
