"""SpiffWorkflow's specs of catching events, changed to rest until the run fires them.

The library polls waiting events after every element, by the machine's clock. The run fires these exactly once. A
boundary event, an event sub-process and the events after an event-based gateway are armed before a token enters them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.control import _EndJoin
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, EventBasedGateway, IntermediateCatchEvent
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.spiff.specs.defaults import EventSubprocess, ReceiveTask
from SpiffWorkflow.util.deep_merge import DeepMerge
from SpiffWorkflow.util.task import TaskIterator, TaskState

from .event_definitions import Trigger
from .service_task import is_end
from .step_context import FIRST_RULES

#: Key of internal data at the end of a scope: the end event reached before the last one.
_REACHED = "reached"


class _Resting:
    """Mixin before the library's catching event: decides when it waits and when it goes on."""

    event_definition: Any

    def _update_hook(self: Any, my_task: Any) -> bool:
        if self.event_definition.has_fired(my_task):
            return True
        resting = my_task._state == TaskState.WAITING
        if not resting or (isinstance(self, BoundaryEvent) and "armed" not in my_task.internal_data):
            super(CatchingEvent, self)._update_hook(my_task)  # type: ignore[misc]  # inherits the data, runs the script before
        if isinstance(self.event_definition, NoneEventDefinition):
            return True
        if not resting:
            my_task._set_state(TaskState.WAITING)
        return False

    def _run_hook(self: Any, my_task: Any) -> bool:
        self.event_definition.reset(my_task)
        my_task.internal_data.pop("armed", None)
        return True


class UsherCatchEvent(_Resting, IntermediateCatchEvent):  # type: ignore[misc]
    """An intermediate catch event."""


class UsherReceiveTask(_Resting, ReceiveTask):  # type: ignore[misc]
    """A task that a message completes."""


class UsherBoundaryEvent(_Resting, BoundaryEvent):  # type: ignore[misc]
    """A boundary event, interrupting (*cancel_activity*) or not."""


class UsherEventGateway(_Resting, EventBasedGateway):  # type: ignore[misc]
    """Waits for the triggers of the events after it; the first to happen decides the way."""

    def __init__(self, wf_spec: Any, bpmn_id: str, event_definition: Any, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, Trigger("choice"), **kwargs)
        self.choices: dict[str, Trigger] = {}

    def connect(self, child: Any) -> None:
        TaskSpec.connect(self, child)
        self.choices[child.name] = child.event_definition
        child.event_definition = NoneEventDefinition()

    def _run_hook(self, my_task: Any) -> bool:
        chosen = self._wf_spec.task_specs[my_task.internal_data.pop("chosen")]
        my_task._sync_children([chosen], TaskState.FUTURE)
        for child in my_task.children:
            child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        return super()._run_hook(my_task)


class UsherEventSubprocess(EventSubprocess):  # type: ignore[misc]
    """Armed with its scope; begins when the trigger of its start event happens."""

    start: Any
    trigger: Trigger
    interrupts = True

    def _update_hook(self, my_task: Any) -> bool:
        subprocess = my_task.workflow.top_workflow.subprocesses.get(my_task.id)
        if subprocess is not None:
            return bool(subprocess.completed)
        if my_task.internal_data.pop("event_fired", False):
            my_task.internal_data.pop("armed", None)
            self.start_workflow(my_task)
            my_task._set_state(TaskState.STARTED)
        elif my_task._state != TaskState.WAITING:
            my_task._inherit_data()
            my_task._set_state(TaskState.WAITING)
        return False


class ScopeEnd(_EndJoin):  # type: ignore[misc]
    """Waits for every branch of its scope, but not for event sub-processes that were never triggered."""

    shares = False

    def _update_hook(self, my_task: Any) -> bool:
        if my_task.workflow.top_workflow.rules <= FIRST_RULES:
            return bool(super()._update_hook(my_task))
        if my_task._state != TaskState.WAITING:
            my_task._inherit_data()
        others = [t for t in my_task.workflow.tasks.values() if t.task_spec is self and t._state == TaskState.WAITING]
        for other in others:
            if other is not my_task:  # the last to arrive waits for all and already has their data
                my_task.data = DeepMerge.merge(dict(other.data), my_task.data)
                my_task.internal_data[_REACHED] = reached_end(other)
                other.cancel()
        if self._check_threshold_unstructured(my_task):
            return True
        my_task._set_state(TaskState.WAITING)
        return False

    def _check_threshold_unstructured(self, my_task: Any) -> bool:
        asleep = {task.id for task in my_task.workflow.task_tree.children if is_asleep(task)}
        if not asleep:
            return bool(super()._check_threshold_unstructured(my_task))
        pending = TaskIterator(my_task.workflow.task_tree, state=TaskState.NOT_FINISHED_MASK, end_at_spec=self.name)
        return all(task is my_task or task.id in asleep or task._parent in asleep for task in pending)

    def _run_hook(self, my_task: Any) -> Any:
        for task in my_task.workflow.task_tree.children:
            if is_asleep(task):
                task.cancel()
        if my_task.workflow.top_workflow.rules > FIRST_RULES:
            my_task.workflow.data.update(my_task.data)
            return True
        if not self.shares:
            return super()._run_hook(my_task)
        my_task.data = dict(my_task.parent.data)  # branches share changes; nothing is left to merge
        my_task.workflow.data.update(my_task.data)
        return True


def hold_end(scope: Any) -> None:
    """Make a pending end of *scope* wait for branches that began there since."""
    for task in scope.tasks.values():
        ending = isinstance(task.task_spec, ScopeEnd) and task._state == TaskState.READY
        if ending and not task.task_spec._check_threshold_unstructured(task):
            task._set_state(TaskState.WAITING)


def reached_end(task: Any) -> str:
    """Return the end event by which a token reached the `ScopeEnd` *task*, else the one before, or ""."""
    if is_end(task.parent.task_spec):
        return str(task.parent.task_spec.bpmn_id)
    return str(task.internal_data.get(_REACHED, ""))


class UsherProcessSpec(BpmnProcessSpec):  # type: ignore[misc]
    """A process or sub-process that may contain event sub-processes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        library = self.task_specs.pop(f"{self.name}.EndJoin")
        self.end: Any = ScopeEnd(self, library.name)
        self.end._outputs = library._outputs


def is_asleep(task: Any) -> bool:
    """Whether *task* is an event sub-process that waits for its trigger."""
    return isinstance(task.task_spec, UsherEventSubprocess) and bool(task._state == TaskState.WAITING)


def awaited_triggers(task: Any) -> Iterator[tuple[str, Trigger]]:
    """Yield the timers and messages that can trigger the waiting *task*, with their elements."""
    spec = task.task_spec
    found: list[tuple[str, Any]] = []
    if isinstance(spec, UsherEventGateway):
        specs = spec._wf_spec.task_specs
        found = [(specs[name].bpmn_id, trigger) for name, trigger in spec.choices.items()]
    elif isinstance(spec, UsherEventSubprocess):
        found = [(spec.start.bpmn_id, spec.trigger)]
    elif isinstance(spec, CatchingEvent):
        found = [(spec.bpmn_id, spec.event_definition)]
    return (pair for pair in found if isinstance(pair[1], Trigger) and pair[1].waits)
