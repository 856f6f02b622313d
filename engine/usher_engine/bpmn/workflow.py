"""SpiffWorkflow's workflow and task, made deterministic and observable by subclassing: ids are counted, not random,
time is a tick, and an observer gets every state change of a task. Nothing in the library is patched.
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
    """Gets every state change of a task, in order, and the reports of our specs."""

    def on_state(self, task: UsherTask, state: int) -> None: ...

    def on_completed(self, task: UsherTask) -> None: ...

    def on_repetition(self, task: UsherTask, total: int | None) -> None: ...

    def on_throw(self, task: UsherTask, trigger: Trigger) -> None: ...


class UsherTask(Task):  # type: ignore[misc]
    """A task with a counted id and, after a token has entered its element, the number of that visit (from 1)."""

    visit = 0
    arrived = False  # its token was counted when it reached a join, which then waited
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
            return  # already reported; a task created ready is reported once
        top.report_state(self, value)

    def _inherit_data(self) -> None:
        super()._inherit_data()
        if own := self.internal_data.get("own"):
            self.data.update(deepcopy(own))

    def cancel(self) -> None:
        """Cancel this task and the tasks below it: the library forgets the items of an unfinished task."""
        if not self.has_state(TaskState.FINISHED_MASK):
            for child in self.children:
                if child.has_state(BEGUN):
                    child.cancel()
        super().cancel()

    def _assign_new_thread_id(self, recursive: bool = True) -> int:
        """Return a constant: Usher reads no thread ids, and the library counts them across the whole process."""
        return int(self.thread_id)


class _Rooted:
    """Builds the root of the task tree from `UsherTask` and finds waiting tasks without walking the tree."""

    def plant(self: Any) -> None:
        """Do what the library's constructor does for a new workflow, with our task class."""
        self.task_tree = UsherTask(self, self.spec.start, state=TaskState.FUTURE, id=self.top_workflow.next_id())
        self.task_tree.last_state_change = 0
        self.task_tree.task_spec._predict(self.task_tree, mask=TaskState.NOT_FINISHED_MASK)
        self.task_tree._ready()

    def _task_completed_notify(self: Any, task: UsherTask) -> None:
        self.top_workflow.observer.on_completed(task)
        super()._task_completed_notify(task)  # type: ignore[misc]

    def update_waiting_tasks(self: Any) -> None:
        for task in [task for task in self.tasks.values() if task._state == TaskState.WAITING]:
            task.task_spec._update(task)

    def collect_log_extras(self: Any, dct: dict[str, Any] | None = None) -> dict[str, Any]:
        """Keep ids and data out of logs."""
        return dct or {}


class UsherSubWorkflow(_Rooted, BpmnSubWorkflow):  # type: ignore[misc]
    """A running sub-process or called process."""


class UsherWorkflow(_Rooted, BpmnWorkflow):  # type: ignore[misc]
    """A running process: counts ids and ticks, keeps the queue of tasks that can run, and reports to the observer."""

    def __init__(self, spec: Any, subprocess_specs: Any, *, script_engine: Any, observer: Observer) -> None:
        self.counter = 0
        self.tick = 0
        self.ready: deque[UsherTask] = deque()
        self.settled = False  # only inclusive joins can still move automatically
        self.observer = observer
        super().__init__(spec, subprocess_specs, script_engine=script_engine, deserializing=True)
        #: The version of the rules of the current step; the newest if the workflow is only read.
        self.rules = int(getattr(self.script_engine.environment, "rules", RULES))

    def next_id(self) -> int:
        self.counter += 1
        if self.counter % 256 == 0 and len(self.tasks) > MAX_TASKS:
            raise LimitExceeded(f"The case holds more than {MAX_TASKS} tasks; the diagram multiplies its tokens.")
        return self.counter

    def next_tick(self) -> int:
        self.tick += 1
        return self.tick

    def report_state(self, task: UsherTask, state: int) -> None:
        if state == TaskState.READY:
            self.ready.append(task)
        self.observer.on_state(task, state)

    def first(self, task: UsherTask) -> None:
        """Put *task* before other ready tasks."""
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
        """Return every task of the case, including those of sub-processes, oldest first."""
        found = list(self.tasks.values())
        for subprocess in self.subprocesses.values():
            found.extend(subprocess.tasks.values())
        return sorted(found, key=lambda task: task.id)
