"""One instance in memory for the length of one step: hands commands to SpiffWorkflow and listens to what happens.

Gives events; stores nothing, sends nothing. After an exception the object must be thrown away.
"""

from __future__ import annotations

import time
from typing import Any

from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.util.task import TaskState

from ..canonical import Json, settled
from ..errors import BusinessError, Corrupt, ElementFailed, EngineError, LimitExceeded
from ..events import (
    DataChanged,
    ElementCancelled,
    ElementCompleted,
    ElementEntered,
    ElementPassed,
    Event,
    FlowTaken,
    InstanceFinished,
    ServiceCalled,
    ServiceCompleted,
    ServiceRefused,
    ServiceRequested,
    UserTaskCancelled,
    UserTaskCompleted,
)
from ..services import Call, Mode, checked
from ..state import InstanceState, fold
from . import storage
from .compaction import compact_tree
from .diagram import Diagram, Element, boundary_code
from .language import ScriptEngine
from .step import MAX_SECONDS, Step
from .user_tasks import opened
from .workflow import UsherTask, UsherWorkflow

MAX_ENGINE_STEPS = 300

#: How the library fails on diagrams it did not expect; never the database's errors, which are nobody's incident.
LIBRARY_FAILURES = (
    SpiffWorkflowException, KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError,
)  # fmt: skip

class Run:
    """A running instance; create it with `Run.start` or `Run.resume`."""

    def __init__(self, diagram: Diagram, step: Step, state: InstanceState) -> None:
        self.diagram = diagram
        self.step = step
        self.state = state
        self.after = state
        self.events: list[Event] = [] if step.events is None else step.events
        self._visits = dict(state.visits)
        self._entered: dict[tuple[str, int], int] = {}
        self._entered_tasks: list[UsherTask] = []
        self._outcome = ""
        self._steps_left = MAX_ENGINE_STEPS
        self._deadline = time.monotonic() + step.limit_s
        self.workflow: UsherWorkflow

    @classmethod
    def start(cls, diagram: Diagram, step: Step, data: dict[str, Any]) -> Run:
        """A new instance at its start event, with *data*."""
        data = settled(data)
        run = cls(diagram, step, InstanceState(data=data))
        run.workflow = UsherWorkflow(
            diagram.spec, diagram.subprocess_specs, script_engine=ScriptEngine(step.now), observer=run
        )
        run.workflow.plant()
        run.workflow.task_tree.data = dict(data)
        run._advance()
        return run

    @classmethod
    def resume(cls, diagram: Diagram, step: Step, stored: dict[str, Any], state: InstanceState) -> Run:
        """The instance as *stored* by `dump`, with the folded *state* of the same revision."""
        run = cls(diagram, step, state)
        run.workflow = storage.load(stored, diagram, ScriptEngine(step.now), run)
        run.workflow.ready.extend(
            task for task in run.workflow.all_tasks() if task._state == TaskState.READY and not task.task_spec.manual
        )
        return run

    def dump(self) -> dict[str, Any]:
        """The serialized workflow without its spec and without what can no longer matter."""
        compact_tree(self.workflow)
        return storage.dump(self.workflow)

    # commands

    def complete(self, element: str, visit: int, answer: dict[str, Any]) -> None:
        """A person's answer to an open user task."""
        task = self._find(element, visit, TaskState.READY)
        if not task.task_spec.manual:
            raise Corrupt(f"{element} is not a user task.")
        variable, answer = self.diagram.elements[element].properties.get("resultVariable") or element, settled(answer)
        task.data[variable] = answer
        self.events.append(UserTaskCompleted(element, visit, variable, answer))
        self._run(task)
        self._advance()

    def cancel_task(self, element: str, visit: int, reason: str) -> None:
        """A person takes the way of the task's escalation boundary event ``cancel``."""
        task = self._find(element, visit, TaskState.READY)
        self.events.append(UserTaskCancelled(element, visit, reason))
        cancelled = {"by": self.step.actor, "reason": reason, "element": element}
        if not self._divert(task, "EscalationEventDefinition", "cancel", {"cancelled": cancelled}):
            raise EngineError(f"“{element}” cannot be cancelled: its diagram draws no way for that.")
        self._advance()

    def finish_service(self, element: str, visit: int, result: Json) -> None:
        """An effect was done; *result* goes into the data."""
        task = self._find(element, visit, TaskState.STARTED)
        variable, result = task.task_spec.result_variable, settled(result)
        task.data[variable] = result
        self.events.append(ServiceCompleted(element, visit, variable, result))
        task.complete()
        self._advance()

    def refuse_service(self, element: str, visit: int, refusal: BusinessError) -> None:
        """An effect was refused; the diagram's error boundary event takes over, else `ElementFailed` is raised."""
        task = self._find(element, visit, TaskState.STARTED)
        self.events.append(ServiceRefused(element, visit, refusal.code, refusal.message))
        self._divert_refusal(task, refusal)
        self._advance()

    # what SpiffWorkflow tells

    def changed(self, task: UsherTask, state: int) -> None:
        element = self.diagram.elements.get(task.task_spec.bpmn_id)
        if element is None:
            return
        if state in (TaskState.READY, TaskState.WAITING, TaskState.STARTED):
            if not task.visit:
                self._enter(task, element, state)
        elif task.visit and state == TaskState.COMPLETED:
            self._leave(element, task)
        elif task.visit and state == TaskState.CANCELLED:
            self.events.append(ElementCancelled(element.id, task.visit))

    def call_service(self, task: UsherTask, name: str, parameters: dict[str, Any]) -> bool:
        """Ask operator *name*; False when the answer will come from a job."""
        element, visit, variable = task.task_spec.bpmn_id, task.visit, task.task_spec.result_variable
        try:
            operator = self.step.services.get(name)
            values = settled(checked(operator, parameters))
            if operator.mode is Mode.EFFECT:
                self.events.append(ServiceRequested(element, visit, name, variable, values))
                return False
            result = settled(self.step.answer(operator, values, self._call(element, visit)))
        except BusinessError as refusal:
            self.events.append(ServiceCalled(element, visit, name, variable, refusal.message, refusal.code))
            self._divert_refusal(task, refusal)
            return False
        except EngineError as error:
            raise ElementFailed(element, error) from error
        task.data[variable] = result
        self.events.append(ServiceCalled(element, visit, name, variable, result))
        return True

    # inside

    def _call(self, element: str, visit: int) -> Call:
        return Call(
            instance=self.step.instance,
            element=element,
            visit=visit,
            now=self.step.now,
            actor=self.step.actor,
            package=self.diagram.package,
            transaction=self.step.transaction,
        )

    def _find(self, element: str, visit: int, state: int) -> UsherTask:
        for task in self.workflow.all_tasks():
            if task.visit == visit and task.task_spec.bpmn_id == element and task._state == state:
                return task
        raise Corrupt(f"The stored state has no open {element}, visit {visit}, though the history has.")

    def _advance(self) -> None:
        """Run every task that needs nobody, one at a time, up to the next waiting points; then look around."""
        ready = self.workflow.ready
        while ready:
            task = ready.popleft()
            if task._state == TaskState.READY and not task.task_spec.manual and task.id in task.workflow.tasks:
                self._run(task)
        self._close()

    def _run(self, task: UsherTask) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise LimitExceeded(f"One command may run {MAX_ENGINE_STEPS} elements; this one runs more. Is it a loop?")
        if time.monotonic() > self._deadline:
            raise LimitExceeded(f"The command took longer than {MAX_SECONDS:.0f} seconds.")
        try:
            task.run()
        except LIBRARY_FAILURES as error:
            message = f"The engine could not run this element ({type(error).__name__})."
            raise ElementFailed(task.task_spec.bpmn_id or self.diagram.package.key, EngineError(message)) from error

    def _enter(self, task: UsherTask, element: Element, state: int) -> None:
        scope = self.workflow.get_task_from_id(task.workflow.parent_task_id) if task.workflow.parent_task_id else None
        if scope is not None and not scope.visit:  # the library starts a sub-process before it says it entered it
            self.changed(scope, TaskState.STARTED)
        if state == TaskState.WAITING and element.boundary:
            return  # armed, not entered
        flow = "" if task.arrived else self._flow_into(task)
        if state == TaskState.WAITING and element.joins:
            task.arrived = True
            self.events.append(FlowTaken(flow))
            return
        visit = task.visit = self._visits[element.id] = self._visits.get(element.id, 0) + 1
        self._entered[element.id, visit] = len(self.events)
        self._entered_tasks.append(task)
        self.events.append(ElementEntered(element.id, visit, flow))

    def _leave(self, element: Element, task: UsherTask) -> None:
        where = self._entered.pop((element.id, task.visit), None)
        entered = self.events[where] if where is not None else None
        if where is not None and isinstance(entered, ElementEntered):
            self.events[where] = ElementPassed(element.id, task.visit, entered.flow)
        else:
            self.events.append(ElementCompleted(element.id, task.visit))
        if element.tag == "endEvent" and task.workflow is self.workflow:
            self._outcome = element.id

    def _flow_into(self, task: UsherTask) -> str:
        """The sequence flow that led to *task*: from the nearest ancestor that is drawn."""
        ancestor = task.parent
        while ancestor is not None and ancestor.task_spec.bpmn_id not in self.diagram.elements:
            ancestor = ancestor.parent
        if ancestor is None:
            return ""
        return self.diagram.flows.get((ancestor.task_spec.bpmn_id, task.task_spec.bpmn_id), "")

    def _divert_refusal(self, task: UsherTask, refusal: BusinessError) -> None:
        error = {"code": refusal.code, "message": refusal.message}
        if not self._divert(task, "ErrorEventDefinition", refusal.code, {"error": error}):
            raise ElementFailed(task.task_spec.bpmn_id, refusal)

    def _divert(self, task: UsherTask, definition: str, code: str, data: dict[str, Any]) -> bool:
        """Fire the boundary event of *task* that catches *code*; False when none is drawn."""
        siblings = [t for t in task.parent.children if t._state == TaskState.WAITING and t is not task]
        for sibling in siblings:
            kind = type(getattr(sibling.task_spec, "event_definition", None)).__name__
            if kind == definition and boundary_code(sibling.task_spec) in (code, ""):
                event = BpmnEvent(sibling.task_spec.event_definition)
                sibling.task_spec.catch(sibling, event)
                sibling.task_spec._update(sibling)
                sibling.data.update(data)
                return True
        return False

    def _close(self) -> None:
        """Open the user tasks just reached, note what the data became, and finish or make sure something waits."""
        for task in self._entered_tasks:
            if task._state == TaskState.READY and task.task_spec.manual:
                self.events.append(opened(self.diagram, task, self.step.now))
        self._entered_tasks.clear()
        data = self._data()
        folded = fold(self.state, self.events)
        changed = {k: v for k, v in data.items() if k not in folded.data or folded.data[k] != v}
        unset = sorted(k for k in folded.data if k not in data)
        rest: list[Event] = [DataChanged(changed, unset)] if changed or unset else []
        if self.workflow.completed:
            rest.append(InstanceFinished(self._outcome, self._explanation(data)))
        self.events += rest
        self.after = fold(folded, rest) if rest else folded
        if self.workflow.completed:
            return
        if not self._leaves():
            raise LimitExceeded("The diagram has come to a standstill: no element can go on and no end was reached.")

    def _leaves(self) -> list[UsherTask]:
        """The tasks that hold a token: waiting, ready or started."""
        holds = TaskState.WAITING | TaskState.READY | TaskState.STARTED
        return [task for task in self.workflow.all_tasks() if task._state & holds]

    def _data(self) -> dict[str, Any]:
        """The data of the case: of every waiting branch, the later entered on top; at the end, the workflow's."""
        if self.workflow.completed:
            return {k: v for k, v in self.workflow.data.items() if k != "data_objects"}
        data: dict[str, Any] = {}
        for task in self._leaves():
            data.update(task.data)
        return data

    def _explanation(self, data: dict[str, Any]) -> str:
        said = data.get("explanation")
        end = self.diagram.elements.get(self._outcome)
        return said if isinstance(said, str) and said else (end.documentation if end else "")
