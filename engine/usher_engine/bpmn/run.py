"""One instance in memory during one step: passes commands to SpiffWorkflow and returns the events that follow.

Stores and sends nothing. Discard the object after an exception. `event_recorder` records the events,
`error_propagation` and `timers_and_messages` fire the elements that catch errors and waits.
"""

from __future__ import annotations

import time
from typing import Any

from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.util.task import TaskState

from ..core import faults
from ..core.canonical import Json, as_stored_json, changes
from ..core.errors import BusinessError, Corrupt, ElementFailed, EngineError, Fault, LimitExceeded
from ..core.events import (
    DataChanged,
    ElementCancelled,
    Event,
    InstanceFinished,
    ItemGiven,
    ServiceCompleted,
    ServiceRefused,
    UserTaskCancelled,
    UserTaskCompleted,
)
from ..core.limits import MAX_ELEMENTS, MAX_OPEN, MAX_SECONDS
from ..core.state import InstanceState, fold
from . import serializer
from .catch_events import reached_end
from .compaction import compact_tree
from .compiled_diagram import Diagram
from .gateways import HOLDS, adopt_arrivals, join_inclusively
from .multi_instance import own_names
from .script_engine import engine_of
from .serializer import WAY_OUT
from .service_task import is_end
from .stalled_scopes import stall_incident
from .step_context import FIRST_RULES, Step
from .task_properties import opening_event
from .timers_and_messages import Waiting
from .trunk_compaction import compact_trunk
from .workflow import UsherTask, UsherWorkflow

#: Exceptions that bugs raise, in the library, an operator or our code. Database errors are not among them, as they must
#: not become incidents; nor is OverflowError, which SQLite's driver raises.
MISTAKES = (
    AssertionError, AttributeError, LookupError, NameError, RuntimeError, StopIteration, TypeError, ValueError,
    ZeroDivisionError,
)  # fmt: skip

#: Exceptions of the library, including those on unexpected diagrams.
LIBRARY_FAILURES = (SpiffWorkflowException, *MISTAKES)


class Run(Waiting):
    """A running instance; create it with `Run.start` or `Run.resume`."""

    def __init__(self, diagram: Diagram, step: Step, state: InstanceState) -> None:
        super().__init__(diagram, step, state)
        self.after = state
        self._steps_left = MAX_ELEMENTS
        self._deadline = time.monotonic() + step.limit_s

    @classmethod
    def start(cls, diagram: Diagram, step: Step, data: dict[str, Any]) -> Run:
        """Start a new instance with *data*."""
        data = as_stored_json(data)
        run = cls(diagram, step, InstanceState(data=data))
        run.workflow = UsherWorkflow(
            diagram.spec, diagram.subprocess_specs, script_engine=engine_of(step), observer=run
        )
        run.workflow.plant()
        run.workflow.task_tree.data = dict(data)
        run._advance()
        return run

    @classmethod
    def resume(cls, diagram: Diagram, step: Step, stored: dict[str, Any], state: InstanceState) -> Run:
        """Resume the instance *stored* by `dump`, with the folded *state* of the same revision."""
        run = cls(diagram, step, state)
        run.workflow = serializer.load(stored, diagram, engine_of(step), run)
        if step.rules > FIRST_RULES:
            adopt_arrivals(run.workflow)
        run.workflow.ready.extend(
            task for task in run.workflow.all_tasks() if task._state == TaskState.READY and not task.task_spec.manual
        )
        return run

    def dump(self) -> dict[str, Any]:
        """Return the serialized workflow, compacted and without its spec."""
        compact = compact_tree if self.step.rules > FIRST_RULES else compact_trunk
        compact(self.workflow)
        return serializer.dump(self.workflow)

    # commands

    def complete(self, element: str, visit: int, answer: dict[str, Any]) -> None:
        """Complete an open user task with a person's *answer*."""
        task = self._find(element, visit, TaskState.READY)
        if not task.task_spec.manual:
            raise Corrupt(f"{element} is not a user task.")
        variable, answer = self.diagram.elements[element].variable, as_stored_json(answer)
        task.data[variable] = answer
        self.share_input(task, {variable: answer})
        self.events.append(UserTaskCompleted(element, visit, variable, answer))
        self._run(task)
        self._advance()

    def cancel_task(self, element: str, visit: int, reason: str) -> None:
        """Leave a user task by its escalation boundary event ``cancel``."""
        task = self._find(element, visit, TaskState.READY)
        self.events.append(UserTaskCancelled(element, visit, reason))
        cancelled = {"by": self.step.actor, "reason": reason, "element": element}
        way = self._cancelling(task)
        if way is None:
            raise EngineError(f"“{element}” cannot be cancelled: its diagram draws no way for that.")
        self._fire(way, {"cancelled": cancelled})
        self._advance()

    def finish_service(self, element: str, visit: int, result: Json) -> None:
        """Complete an effect; *result* goes into the data."""
        task = self._find(element, visit, TaskState.STARTED)
        variable, result = task.task_spec.result_variable, as_stored_json(result)
        task.data[variable] = result
        self.share_input(task, {variable: result})
        self.events.append(ServiceCompleted(element, visit, variable, result))
        task.complete()
        self._advance()

    def refuse_service(self, element: str, visit: int, refusal: BusinessError) -> None:
        """Refuse an effect: fire the diagram's error boundary event or, without one, raise `ElementFailed`."""
        task = self._find(element, visit, TaskState.STARTED)
        self.events.append(ServiceRefused(element, visit, refusal.code, refusal.message))
        self.refuse(task, refusal)
        self._advance()

    def fire_timer(self, element: str, visit: int) -> None:
        """Fire a timer that the case waits for."""
        self._fire_timer(element, visit)
        self._advance()

    def receive_message(self, element: str, visit: int, payload: dict[str, Any]) -> None:
        """Deliver a message that the case waits for; *payload* goes into the data."""
        self._receive_message(element, visit, payload)
        self._advance()

    def go_on(self) -> None:
        """Check everything that waits in the diagram again, and let go on what can by now."""
        for scope in (self.workflow, *self.workflow.subprocesses.values()):
            if not scope.completed:
                scope.update_waiting_tasks()
        self._advance()

    # inside

    def _find(self, element: str, visit: int, state: int) -> UsherTask:
        for task in self.workflow.all_tasks():
            if task.visit == visit and task.task_spec.bpmn_id == element and task._state == state:
                return task
        known = self.diagram.elements.get(element)
        name = (known.name if known else "") or element
        raise Corrupt(f"{name} is open, but not in the state this case was stored in. {WAY_OUT}", element=element)

    def _advance(self) -> None:
        """Run all automatic tasks, one at a time, up to the next waiting points; then close the step."""
        ready = self.workflow.ready
        joins = self.diagram.joins and self.step.rules > FIRST_RULES
        while ready or (joins and join_inclusively(self.workflow)):
            task = ready.popleft()
            if task._state == TaskState.READY and not task.task_spec.manual and task.id in task.workflow.tasks:
                self._run(task)
        key = self.diagram.package.key
        try:
            self._close()
        except MISTAKES as error:
            raise ElementFailed(key, self._failure(key, error)) from error

    def _run(self, task: UsherTask) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise LimitExceeded(f"One command may run {MAX_ELEMENTS} elements; this one runs more. Is it a loop?")
        if time.monotonic() > self._deadline:
            raise LimitExceeded(f"The command took longer than {MAX_SECONDS:.0f} seconds.")
        try:
            task.run()
            while self._later:
                self._later.pop(0)()
        except LIBRARY_FAILURES as error:
            element = task.task_spec.bpmn_id or self.diagram.package.key
            raise ElementFailed(element, self._failure(element, error)) from error

    def _failure(self, element: str, error: Exception) -> EngineError:
        """Return the failure for *error*: one of the diagram if the library refused it, else a `Fault` for a bug."""
        if isinstance(error, SpiffWorkflowException) or self.step.rules == FIRST_RULES:
            return EngineError(f"The engine could not run this element ({type(error).__name__}).")
        reference = faults.report(error, where="step", at=f"{element} in {self.diagram.package.key}")
        return Fault("This element could not be run", reference=reference)

    def _close(self) -> None:
        """Open the user tasks just reached, record data changes, and finish the case or ensure that something waits."""
        for task in self._entered_tasks:
            if task._state == TaskState.READY and task.task_spec.manual:
                self._open(task)
        self._entered_tasks.clear()
        data = self._data()
        folded = fold(self.state, self.events)
        changed = changes(folded.data, data, exact=self.step.rules > FIRST_RULES)
        unset = sorted(k for k in folded.data if k not in data)
        rest: list[Event] = self.wait_changes(folded)
        if changed or unset:
            rest.append(DataChanged(changed, unset))
        if self.workflow.completed:
            self._outcome = self._outcome or self._last_end()
            rest += self._left_open(folded)
            rest.append(InstanceFinished(self._outcome, self._explanation(data)))
        elif incident := self._standstill():
            rest.append(incident)
        self.events += rest
        self.after = fold(folded, rest) if rest else folded
        if self.after.pending > max(MAX_OPEN, self.state.pending) and self.step.rules > FIRST_RULES:
            raise LimitExceeded(f"A case may wait for {MAX_OPEN} tasks, services, times and messages at once.")
        if not self.workflow.completed and self.step.rules <= FIRST_RULES and not self._leaves():
            raise LimitExceeded("The diagram has come to a standstill: no element can go on and no end was reached.")

    def _left_open(self, folded: InstanceState) -> list[Event]:
        """Close tasks left open without a token at the end: under the first rules a join could open a task twice."""
        if self.step.rules <= FIRST_RULES:
            return []
        places = (here.rpartition(":") for here in (*folded.tasks, *folded.requests))
        return [ElementCancelled(element, int(visit)) for element, _, visit in places]

    def _standstill(self) -> Event | None:
        """Return the incident of a case in which nothing can happen any more (the post-condition of a command)."""
        if self.step.rules <= FIRST_RULES:
            return None
        waits = self.diagram.joins or self.diagram.has_handlers  # otherwise no resting token waits for another
        if not waits and any(task._state & HOLDS for task in self.workflow.tasks.values()):
            return None
        return stall_incident(self.workflow, self.diagram)

    def _open(self, task: UsherTask) -> None:
        """Put a user task into the inbox, with the data of the item if it is inside one."""
        own = own_names(task) if self.diagram.repeats and "own" not in task.internal_data else None
        if own:
            self.events.append(ItemGiven(task.task_spec.bpmn_id, task.visit, own))
        self.events.append(opening_event(self.diagram, task, self.step))

    def _last_end(self) -> str:
        """Return the end event of the process reached in an earlier step, if an event sub-process ended last."""
        if self.step.rules > FIRST_RULES:
            over = (t for t in self.workflow.tasks.values() if t.task_spec is self.workflow.spec.end)
            return next((reached_end(task) for task in over if task._state == TaskState.COMPLETED), "")
        ends = (t for t in self.workflow.tasks.values() if t.visit and is_end(t.task_spec))
        last = max(ends, key=lambda task: task.last_state_change, default=None)
        return str(last.task_spec.bpmn_id) if last else ""

    def _explanation(self, data: dict[str, Any]) -> str:
        text = data.get("explanation")
        end = self.diagram.elements.get(self._outcome)
        return text if isinstance(text, str) and text else (end.documentation if end else "")
