"""A stalled case gets an incident in the same step; a retry records it again, and everything verifies."""

from __future__ import annotations

import pytest
from conftest import alice
from playing import flow, node, process, row, tasks
from usher_engine import Conflict, Engine
from usher_engine.store import version_rows


@pytest.fixture
def stuck(engine: Engine) -> str:
    """A case of a diagram the gate refuses, as a database written behind another gate may hold one."""
    package = process(
        node("startEvent", "s"), node("exclusiveGateway", "x", default="x-a"), tasks("a", "b"),
        node("parallelGateway", "j"), node("endEvent", "end"), row("s", "x", "a", "j", "end"),
        flow("x", "b", "False"), row("b", "j"),
    )  # fmt: skip
    with engine.database.begin() as tx:
        version_rows.add(tx, package, note="", by="ana", at=engine.clock())
    case = engine.start("p", {}, actor=alice)
    engine.complete(case.tasks[0].id, {}, actor=alice)
    return case.id


def test_the_step_itself_raises_the_incident(engine: Engine, stuck: str) -> None:
    case = engine.instance(stuck)
    assert (case.status, case.revision) == ("incident", 2)
    last = engine.queries.history(stuck)[-1].body["events"][-1]
    assert (last["kind"], last["element"], last["code"]) == ("IncidentRaised", "j", "Stalled")
    assert "waits for one from “b”" in case.incident
    assert engine.verify(stuck) == []


def test_trying_again_looks_again(engine: Engine, stuck: str) -> None:
    again = engine.cases.retry(stuck, actor=alice)
    assert (again.status, again.revision) == ("incident", 3)
    assert engine.verify(stuck) == []


def test_it_can_be_cancelled(engine: Engine, stuck: str) -> None:
    assert engine.cases.cancel(stuck, "drawn wrongly", actor=alice).status == "cancelled"
    with pytest.raises(Conflict):
        engine.cases.retry(stuck, actor=alice)
    assert engine.verify(stuck) == []
