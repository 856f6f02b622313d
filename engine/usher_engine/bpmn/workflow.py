"""SpiffWorkflow's workflow and task, made deterministic and observable by subclassing: ids are counted, not drawn,
time is a tick, and every change of a task's state is told to an observer. Nothing of the library is patched.
"""

from __future__ import annotations

from collections import deque
from copy import deepcopy
from typing import Any, Protocol

from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from ..core.errors import LimitExceeded
from .event_definitions import Trigger
from .step_context import RULES

BEGUN = TaskState.WAITING | TaskState.READY | TaskState.STARTED
MAX_TASKS = 5_000
MAX_SUBPROCESSES = 200


class Observer(Protocol):
    """Hears of every change of state of a task, in the order they happen, and of what specs of ours have to tell."""

    def changed(self, task: UsherTask, state: int) -> None: ...

    def completed(self, task: UsherTask) -> None: ...

    def repeats(self, task: UsherTask, total: int | None) -> None: ...

    def thrown(self, task: UsherTask, trigger: Trigger) -> None: ...


class UsherTask(Task):  # type: ignore[misc]
    """A task with a counted id and, once a token has entered its element, the number of that visit (from 1)."""

    visit = 0
    arrived = False  # its token was counted on the way into a join that then waited
    _state: int

    def _add_child(self, task_spec: Any, state: int = TaskState.MAYBE) -> UsherTask:
        if self.has_state(TaskState.PREDICTED_MASK) and state & TaskState.PREDICTED_MASK == 0:
            raise WorkflowException("Attempt to add non-predicted child to predicted task", task_spec=self.task_spec)
        task = UsherTask(self.workflow, task_spec, self, state=state, id=self.workflow.top_workflow.next_id())
        task.last_state_change = 0
        task.thread_id = self.thread_id
        if state == TaskState.READY:
            task._ready()
        return task

    def _set_state(self, value: int) -> None:
        top = self.workflow.top_workflow
        if value != self._state:
            self.last_state_change = top.next_tick()
            self._state = value
        elif self.visit or value != TaskState.READY:
            return  # told before; a task created ready is told once
        top.changed(self, value)

    def _inherit_data(self) -> None:
        super()._inherit_data()
        if own := self.internal_data.get("own"):
            self.data.update(deepcopy(own))

    def cancel(self) -> None:
        """Cancel this task and what it has begun below it: the library forgets the items of an unfinished task."""
        if not self.has_state(TaskState.FINISHED_MASK):
            for child in self.children:
                if child.has_state(BEGUN):
                    child.cancel()
        super().cancel()

    def _assign_new_thread_id(self, recursive: bool = True) -> int:
        """Nothing here reads thread ids; the library counts them over the whole process."""
        return int(self.thread_id)


class _Rooted:
    """Builds the root of the task tree from `UsherTask` and finds waiting tasks without walking the tree."""

    def plant(self: Any) -> None:
        """What the library's constructor does for a new workflow, with our own task class."""
        self.task_tree = UsherTask(self, self.spec.start, state=TaskState.FUTURE, id=self.top_workflow.next_id())
        self.task_tree.last_state_change = 0
        self.task_tree.task_spec._predict(self.task_tree, mask=TaskState.NOT_FINISHED_MASK)
        self.task_tree._ready()

    def _task_completed_notify(self: Any, task: UsherTask) -> None:
        self.top_workflow.observer.completed(task)
        super()._task_completed_notify(task)  # type: ignore[misc]

    def update_waiting_tasks(self: Any) -> None:
        for task in [task for task in self.tasks.values() if task._state == TaskState.WAITING]:
            task.task_spec._update(task)

    def collect_log_extras(self: Any, dct: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ids and data stay out of logs."""
        return dct or {}


class UsherSubWorkflow(_Rooted, BpmnSubWorkflow):  # type: ignore[misc]
    """A running sub-process or called process."""


class UsherWorkflow(_Rooted, BpmnWorkflow):  # type: ignore[misc]
    """A running process: counts ids and ticks, keeps the queue of tasks that can run, tells the observer."""

    def __init__(self, spec: Any, subprocess_specs: Any, *, script_engine: Any, observer: Observer) -> None:
        self.counter = 0
        self.tick = 0
        self.ready: deque[UsherTask] = deque()
        self.settled = False  # nothing moves by itself any more, but for inclusive joins
        self.observer = observer
        super().__init__(spec, subprocess_specs, script_engine=script_engine, deserializing=True)
        #: The rules the step at hand is decided by; the present ones for what is only read.
        self.rules = int(getattr(self.script_engine.environment, "rules", RULES))

    def next_id(self) -> int:
        self.counter += 1
        if self.counter % 256 == 0 and len(self.tasks) > MAX_TASKS:
            raise LimitExceeded(f"The case holds more than {MAX_TASKS} tasks; the diagram multiplies its tokens.")
        return self.counter

    def next_tick(self) -> int:
        self.tick += 1
        return self.tick

    def changed(self, task: UsherTask, state: int) -> None:
        if state == TaskState.READY:
            self.ready.append(task)
        self.observer.changed(task, state)

    def first(self, task: UsherTask) -> None:
        """Let *task* run before others that are ready."""
        if task in self.ready:
            self.ready.remove(task)
            self.ready.appendleft(task)

    def create_subprocess(self, my_task: UsherTask, spec_name: str) -> UsherSubWorkflow:
        if len(self.subprocesses) >= MAX_SUBPROCESSES:
            raise LimitExceeded(f"The case has entered more than {MAX_SUBPROCESSES} sub-processes.")
        spec = self.subprocess_specs[spec_name]
        subprocess = UsherSubWorkflow(spec, parent_task_id=my_task.id, top_workflow=self, deserializing=True)
        self.subprocesses[my_task.id] = subprocess
        subprocess.plant()
        return subprocess

    def all_tasks(self) -> list[UsherTask]:
        """Every task of the case, those of sub-processes included, oldest first."""
        found = list(self.tasks.values())
        for subprocess in self.subprocesses.values():
            found.extend(subprocess.tasks.values())
        return sorted(found, key=lambda task: task.id)
