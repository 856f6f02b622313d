"""A stored state is taken up whole, or it is Corrupt: nothing else gets out, whatever the record holds."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import package
from golden.drawings import beside, nested
from usher_engine.bpmn import Diagram, Run, Step, compile_diagram
from usher_engine.errors import Corrupt
from usher_engine.services import Services
from usher_engine.state import InstanceState

STEP = Step(
    instance="I",
    actor="a",
    now=datetime(2026, 5, 4, tzinfo=UTC),
    services=Services(),
    answer=lambda operator, values, call: operator.call(values, call),
)
ODD: tuple[Any, ...] = (None, 0, "x", [], {})


def begun(diagram: Diagram, data: dict[str, Any]) -> tuple[dict[str, Any], InstanceState]:
    run = Run.start(diagram, STEP, data)
    return run.dump(), run.after


def places(record: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in *record*, as (container, key)."""
    for key in list(record) if isinstance(record, dict) else range(len(record)):
        yield record, key
        if isinstance(record[key], dict | list):
            yield from places(record[key])


@pytest.mark.parametrize("name", ["parallel", "nested", "beside"])
def test_whatever_a_record_holds_it_is_read_or_corrupt(name: str) -> None:
    drawn = {"nested": nested.package, "beside": beside.package}.get(name) or package(name)
    diagram = compile_diagram(drawn)
    stored, state = begun(diagram, {"n": 1})
    refused = 0
    for number in range(len(list(places(stored)))):
        for odd in ODD:
            altered = copy.deepcopy(stored)
            container, key = list(places(altered))[number]
            container[key] = odd
            refused += _refuses(diagram, altered, state)
    assert refused > 60


def _refuses(diagram: Diagram, record: dict[str, Any], state: InstanceState) -> bool:
    try:
        Run.resume(diagram, STEP, record, state)
    except Corrupt as corrupt:
        return corrupt.message.endswith("Ask an administrator to repair this case, or to cancel it.")
    return False


def test_sub_processes_that_nothing_holds_are_left_out_with_all_that_is_inside_them() -> None:
    diagram = compile_diagram(nested.package)
    stored, state = begun(diagram, {})
    outer, inner = stored["subprocesses"]
    outer["parent"] = 10_000
    assert inner["parent"] in [task["id"] for task in outer["tasks"]]
    assert not Run.resume(diagram, STEP, stored, state).workflow.subprocesses
