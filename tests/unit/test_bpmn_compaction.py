"""The state of a long case stays as small as that of a short one, and the case can still go on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from conftest import package
from usher_engine.bpmn import Run, Step, compile_diagram
from usher_engine.core.state import InstanceState
from usher_engine.services import Services

DIAGRAM = compile_diagram(package("parallel"))
STEP = Step(
    instance="I",
    actor="a",
    now=datetime(2026, 5, 4, tzinfo=UTC),
    services=Services(),
    answer=lambda operator, values, call: operator.call(values, call),
)


def rounds(number: int) -> tuple[dict[str, Any], InstanceState, list[int]]:
    """Return the state after *number* rounds of the loop, and the number of tasks in it after each."""
    run = Run.start(DIAGRAM, STEP, {"n": number + 1})
    stored, state = run.dump(), run.after
    sizes = []
    for visit in range(1, number + 1):
        for element in ("A", "B"):
            run = Run.resume(DIAGRAM, STEP, stored, state)
            run.complete(element, visit, {"in": visit})
            stored, state = run.dump(), run.after
        sizes.append(len(stored["tasks"]))
    return stored, state, sizes


def test_a_loop_does_not_grow_the_state() -> None:
    _, state, sizes = rounds(400)
    assert sizes[9] == sizes[-1] < 25
    assert state.visits["A"] == 401 and state.data["n"] == 1


def test_a_compacted_case_ends_as_it_should() -> None:
    stored, state, _ = rounds(5)
    for element in ("B", "A"):
        run = Run.resume(DIAGRAM, STEP, stored, state)
        run.complete(element, 6, {})
        stored, state = run.dump(), run.after
    assert state.status == "finished" and state.outcome == "End"
