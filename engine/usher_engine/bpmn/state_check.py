"""Checks that Usher can resume a stored state: it loads, and has a token wherever the history has one.

Changes nothing. `reexecution.state_restoration` restores a state that fails the check.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from ..core.errors import Corrupt
from ..core.state import InstanceState, place
from . import serializer
from .compiled_diagram import Diagram
from .gateways import adopt_arrivals
from .serializer import WAY_OUT
from .token_reader import Silent
from .workflow import UsherTask, UsherWorkflow

RESTING = TaskState.WAITING | TaskState.READY | TaskState.STARTED

#: A token to compare: element (or a helper of the library), visit, state, and whether it arrived at a join.
Token = tuple[str, int, int, bool]


def require_standing(stored: dict[str, Any], diagram: Diagram, state: InstanceState) -> None:
    """Raise `Corrupt` unless *stored* loads and has a token wherever *state*, folded from the history, has one."""
    workflow = serializer.load(stored, diagram, None, Silent())
    there = {place(task.task_spec.bpmn_id, task.visit) for task in _resting(workflow)}
    waits = {here for task in _resting(workflow) for here in _waits(task)}
    lost = [*(here for here in state.at if here not in there), *(here for here in state.waits if here not in waits)]
    lost += [here for here in (*state.tasks, *state.requests) if here not in there and here not in lost]
    if lost:
        element = lost[0].rpartition(":")[0]
        known = diagram.elements.get(element)
        name = (known.name if known else "") or element
        raise Corrupt(f"The case rests at {name}, but not in the state it was stored in. {WAY_OUT}", element=element)


def tokens(stored: dict[str, Any], diagram: Diagram) -> list[Token]:
    """Return the tokens of a stored state, including those that arrived at joins; raise `Corrupt`."""
    workflow = serializer.load(stored, diagram, None, Silent())
    adopt_arrivals(workflow)
    return sorted((task.task_spec.name, task.visit, int(task._state), task.arrived) for task in _resting(workflow))


def _resting(workflow: UsherWorkflow) -> list[UsherTask]:
    return [task for task in workflow.all_tasks() if task._state & RESTING]


def _waits(task: UsherTask) -> list[str]:
    armed: dict[str, int] = task.internal_data.get("armed", {})
    return [place(element, number) for element, number in armed.items()]
