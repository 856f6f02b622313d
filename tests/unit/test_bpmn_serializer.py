"""Loading a stored state either succeeds completely or raises Corrupt, whatever the record contains."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import Outside, operators, package
from golden.drawings import ENDS, beside, nested, one, people, service, ways
from usher_engine.bpmn import Diagram, Run, Step, compile_diagram
from usher_engine.core.errors import Corrupt, EngineError
from usher_engine.core.state import InstanceState

STEP = Step(
    instance="I",
    actor="a",
    now=datetime(2026, 5, 4, tzinfo=UTC),
    services=operators(Outside()),
    answer=lambda operator, values, call: operator.call(values, call),
)
SERVICE = one("sends", ENDS, service("send"), people("b"), ways("f", "begin send b end"))
ODD: tuple[Any, ...] = (None, 0, "x", {})


def begun(diagram: Diagram, data: dict[str, Any]) -> tuple[dict[str, Any], InstanceState]:
    run = Run.start(diagram, STEP, data)
    return run.dump(), run.after


def paths(record: Any) -> Iterator[list[Any]]:
    """Yield the path to every place in *record*."""
    for key in record if isinstance(record, dict) else range(len(record)):
        yield [key]
        if isinstance(record[key], dict | list):
            yield from ([key, *below] for below in paths(record[key]))


def altered(text: str, path: list[Any], value: Any) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(text)
    container: Any = record
    for key in path[:-1]:
        container = container[key]
    container[path[-1]] = value
    return record


@pytest.mark.parametrize("name", ["parallel", "nested", "beside", "service"])
def test_whatever_a_record_holds_it_is_read_and_carried_on_or_corrupt(name: str) -> None:
    drawn = {"nested": nested.package, "beside": beside.package, "service": SERVICE.package}.get(name)
    diagram = compile_diagram(drawn or package(name))
    stored, state = begun(diagram, {"n": 1})
    text = json.dumps(stored)
    refused = [_refuses(diagram, altered(text, path, odd), state) for path in paths(stored) for odd in ODD]
    assert sum(refused) > 60


def _refuses(diagram: Diagram, record: dict[str, Any], state: InstanceState) -> bool:
    """Whether the record cannot be loaded; if it can, the next command raises only our errors."""
    try:
        run = Run.resume(diagram, STEP, record, state)
    except Corrupt as corrupt:
        return corrupt.message.endswith("Ask an administrator to repair this case, or to cancel it.")
    with contextlib.suppress(EngineError):
        _answer_first(run, state)
        run.dump()
    return False


def _answer_first(run: Run, state: InstanceState) -> None:
    """Give the case the first input it waits for."""
    element, _, visit = [*state.requests, *state.waits, *state.tasks][0].rpartition(":")
    if state.requests:
        run.finish_service(element, int(visit), {"sent": True})
    elif state.waits:
        run.receive_message(element, int(visit), {})
    else:
        run.complete(element, int(visit), {})


def test_sub_processes_that_nothing_holds_are_left_out_with_all_that_is_inside_them() -> None:
    diagram = compile_diagram(nested.package)
    stored, state = begun(diagram, {})
    outer, inner = stored["subprocesses"]
    outer["parent"] = 10_000
    assert inner["parent"] in [task["id"] for task in outer["tasks"]]
    assert not Run.resume(diagram, STEP, stored, state).workflow.subprocesses
