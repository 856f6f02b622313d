"""Records what SpiffWorkflow does during a step as events: entries, exits, flows, services. The base of `Run`."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin
from SpiffWorkflow.util.task import TaskState

from ..core.canonical import as_stored_json, changes
from ..core.errors import BusinessError, ElementFailed, EngineError, LimitExceeded
from ..core.events import (
    ElementCancelled,
    ElementCompleted,
    ElementEntered,
    ElementPassed,
    Event,
    FlowTaken,
    ItemGiven,
    RepetitionStarted,
    ServiceCalled,
    ServiceRequested,
)
from ..core.limits import MAX_ELEMENTS
from ..core.state import InstanceState
from ..services import Call, Mode, declared_values
from .catch_events import UsherEventSubprocess
from .compiled_diagram import Diagram, Element
from .multi_instance import Repeated, hidden_names, item_of, own_below, own_names
from .step_context import FIRST_RULES, Step
from .workflow import UsherTask, UsherWorkflow


class Listener:
    """Collects the events of one step, in the order they happen."""

    def __init__(self, diagram: Diagram, step: Step, state: InstanceState) -> None:
        self.diagram = diagram
        self.step = step
        self.state = state
        self.events: list[Event] = [] if step.events is None else step.events
        self._shares = diagram.shares(step.rules)
        self._visits = dict(state.visits)
        self._entered: dict[tuple[str, int], int] = {}
        self._entered_tasks: list[UsherTask] = []
        self._entries = 0
        self._outcome = ""
        #: Actions to run after the current element: it may be interrupted by what it throws.
        self._later: list[Callable[[], None]] = []
        self.workflow: UsherWorkflow

    def on_state(self, task: UsherTask, state: int) -> None:
        """Record the entry or exit that the new *state* of *task* means."""
        element = self.diagram.elements.get(task.task_spec.bpmn_id)
        if element is None or isinstance(task.task_spec, Repeated):
            return
        if state in (TaskState.READY, TaskState.WAITING, TaskState.STARTED):
            if not task.visit:
                self._enter(task, element, state)
        elif task.visit and state == TaskState.COMPLETED:
            self._leave(element, task)
        elif task.visit and state == TaskState.CANCELLED:
            self.events.append(ElementCancelled(element.id, task.visit))

    def on_completed(self, task: UsherTask) -> None:
        """Share the changes of the completed *task* with parallel branches; items keep theirs until all are done."""
        if not self._shares or task.parent is None:
            return
        if self.step.rules > FIRST_RULES:
            self._share(task)
            return
        if own_names(task):
            return
        before = task.parent.data
        changed = {k: v for k, v in task.data.items() if k not in before or before[k] != v}
        for other in self._leaves() if changed else ():
            own = own_names(other)
            news = {k: v for k, v in changed.items() if k not in own}
            other.data.update(deepcopy(news))  # the library merges lists and records in place

    def _share(self, task: UsherTask) -> None:
        """Copy the changes of *task* to every branch of the case, or of the item that *task* belongs to."""
        before = task.parent.data
        changed = changes(before, task.data)
        gone = [k for k in before if k not in task.data]
        if changed or gone:
            self._spread(task, changed, gone)

    def share_input(self, task: UsherTask, news: dict[str, Any]) -> None:
        """Share the input *news* of *task* at once, even if it equals the data its branch began with."""
        if news and self.step.rules > FIRST_RULES and self._shares:
            self._spread(task, news, [])

    def _spread(self, task: UsherTask, changed: dict[str, Any], gone: list[str]) -> None:
        """Apply *changed* and *gone* to the branches parallel to *task*; the item around it gets them at its end."""
        item = item_of(task)
        for other, own in [(other, own_below(other, item)) for other in self._leaves() if other is not item]:
            if own is None:
                continue
            other.data.update(deepcopy({k: v for k, v in changed.items() if k not in own}))
            for name in gone:
                if name not in own:
                    other.data.pop(name, None)

    def on_repetition(self, task: UsherTask, total: int | None) -> None:
        """Record that a repeated activity begins, with *total* items if known."""
        self.events.append(RepetitionStarted(task.task_spec.bpmn_id, total, self._flow_into(task)))

    def call_service(self, task: UsherTask, name: str, parameters: dict[str, Any]) -> bool:
        """Call operator *name*; return False if a job will bring the answer."""
        element, visit, variable = task.task_spec.bpmn_id, task.visit, task.task_spec.result_variable
        try:
            operator = self.step.services.get(name)
            values = as_stored_json(declared_values(operator, parameters))
            if operator.mode is Mode.EFFECT:
                self.events.append(ServiceRequested(element, visit, name, variable, values))
                return False
            result = as_stored_json(self.step.answer(operator, values, self._call(element, visit)))
        except BusinessError as refusal:
            self.events.append(ServiceCalled(element, visit, name, variable, refusal.message, refusal.code))
            self._later.append(partial(self.refuse, task, refusal))
            return False
        except EngineError as error:
            raise ElementFailed(element, error) from error
        task.data[variable] = result
        self.events.append(ServiceCalled(element, visit, name, variable, result))
        return True

    def refuse(self, task: UsherTask, refusal: BusinessError) -> None:
        raise NotImplementedError

    def _call(self, element: str, visit: int) -> Call:
        return Call(
            instance=self.step.instance,
            element=element,
            visit=visit,
            now=self.step.now,
            actor=self.step.actor,
            package=self.diagram.package,
            calendar=self.step.calendar,
            transaction=self.step.transaction,
        )

    def _enter(self, task: UsherTask, element: Element, state: int) -> None:
        scope = self._host(task)
        if scope is not None and not scope.visit:  # the library starts a sub-process before it reports the entry
            self.on_state(scope, TaskState.STARTED)
        if state == TaskState.WAITING and element.armed:
            return  # armed, not entered
        flow = "" if task.arrived else self._flow_into(task)
        if state == TaskState.WAITING and element.joins:
            task.arrived = True
            self.events.append(FlowTaken(flow))
            return
        self._entries += 1
        if self._entries > MAX_ELEMENTS and self.step.rules > FIRST_RULES:
            many = f"One command may come to {MAX_ELEMENTS} elements; this one comes to more. Repeat fewer items."
            raise ElementFailed(element.id, LimitExceeded(many))
        visit = task.visit = self._visits[element.id] = self._visits.get(element.id, 0) + 1
        if own := task.internal_data.get("own"):
            self.events.append(ItemGiven(element.id, visit, own))
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
        if element.tag == "endEvent" and self._ends_case(task):
            self._outcome = element.id

    def _ends_case(self, task: UsherTask) -> bool:
        """Whether an end event in *task*'s scope ends the case: in the process or an interrupting event sub-process."""
        host = self._host(task)
        while host is not None and isinstance(host.task_spec, UsherEventSubprocess) and host.task_spec.interrupts:
            host = self._host(host)
        return host is None

    def _is_beside(self, spec: Any) -> bool:
        return isinstance(spec, BoundaryEventJoin) or self.diagram.is_armed(spec)

    def _host(self, task: UsherTask) -> UsherTask | None:
        """Return the sub-process or call that contains *task*, or None in the process itself."""
        parent = task.workflow.parent_task_id
        host: UsherTask | None = self.workflow.get_task_from_id(parent) if parent else None
        return host

    def _flow_into(self, task: UsherTask) -> str:
        """Return the sequence flow that led to *task* from its nearest drawn ancestor."""
        ancestor = task.parent
        while ancestor is not None and ancestor.task_spec.bpmn_id not in self.diagram.elements:
            ancestor = ancestor.parent
        if ancestor is None:
            return ""
        return self.diagram.flows.get((ancestor.task_spec.bpmn_id, task.task_spec.bpmn_id), "")

    def _leaves(self) -> list[UsherTask]:
        """Return the tasks with a token: waiting, ready or started."""
        holds = TaskState.WAITING | TaskState.READY | TaskState.STARTED
        return [task for task in self.workflow.all_tasks() if task._state & holds]

    def _data(self) -> dict[str, Any]:
        """Return the data of the case: those of all waiting branches, later ones on top; at the end, the workflow's."""
        if self.workflow.completed:
            return {k: v for k, v in self.workflow.data.items() if k != "data_objects"}
        return self._merge(self._leaves())

    def _merge(self, leaves: list[UsherTask]) -> dict[str, Any]:
        """Return the data of *leaves*, later ones on top, without names of single items."""
        data: dict[str, Any] = {}
        for task in leaves:
            if task._state == TaskState.WAITING and self._is_beside(task.task_spec):
                continue  # has no token, only the data from when it was armed
            hidden = hidden_names(task) if self.diagram.repeats else ()
            data.update({k: v for k, v in task.data.items() if k not in hidden} if hidden else task.data)
        return data
