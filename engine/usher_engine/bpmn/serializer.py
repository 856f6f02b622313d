"""Serializes workflows without their spec: SpiffWorkflow's serializer with converters that leave out what the
definition's hash determines, defaults, and everything that differs from run to run.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.serializer.default.workflow import (
    BpmnSubWorkflowConverter,
    BpmnWorkflowConverter,
    TaskConverter,
)
from SpiffWorkflow.bpmn.serializer.workflow import VERSION, BpmnWorkflowSerializer
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.util.task import TaskState

from ..core import faults
from ..core.canonical import changes
from ..core.errors import Corrupt
from .compiled_diagram import Diagram
from .step_context import FIRST_RULES
from .workflow import Observer, UsherSubWorkflow, UsherTask, UsherWorkflow

#: Exceptions that a malformed record raises.
UNFIT = (AttributeError, LookupError, SpiffWorkflowException, TypeError, ValueError)

#: Advice for staff if Usher cannot resume a case.
ASK_ADMIN = "Ask an administrator to repair this case, or to cancel it."
WAY_OUT = f"Nothing was changed. {ASK_ADMIN}"


class _Tasks(TaskConverter):  # type: ignore[misc]
    def to_dict(self, task: UsherTask) -> dict[str, Any]:
        parent = task.parent
        record: dict[str, Any] = {
            "id": task.id,
            "spec": task.task_spec.name,
            "state": task._state,
            "tick": task.last_state_change,
        }
        if task.visit:
            record["visit"] = task.visit
        if task.arrived:
            record["arrived"] = True
        if parent is not None:
            record["parent"] = parent.id
        if task._children:
            record["children"] = list(task._children)
        if task.triggered:
            record["triggered"] = True
        if task.internal_data:
            record["internal"] = self.registry.convert(task.internal_data)
        _add_data(record, task, parent)
        return record

    def from_dict(self, record: dict[str, Any], workflow: Any) -> UsherTask:
        number, state, tick = record["id"], record["state"], record["tick"]
        if type(number) is not int or type(state) is not int or type(tick) is not int or number < 1:
            raise TypeError  # the library would choose a random id
        task_spec = workflow.spec.task_specs[record["spec"]]
        task = UsherTask(workflow, task_spec, state=state, id=number)
        task.visit = record.get("visit", 0) + 0  # raises unless it is a number
        task.arrived = record.get("arrived", False)
        task._parent = record.get("parent")
        task._children = list(record.get("children", ()))
        task.last_state_change = tick
        task.triggered = record.get("triggered", False)
        if "internal" in record:
            task.internal_data = self.registry.restore(record["internal"])
            if not isinstance(task.internal_data.get("armed", {}), dict):
                raise TypeError
        parent = workflow.tasks.get(task._parent)
        data = dict(parent.data) if parent is not None and "data" not in record else {}
        for key in record.get("unset", ()):
            data.pop(key, None)
        data.update(record.get("data", record.get("set", {})))
        task.data = data
        return task


def _add_data(record: dict[str, Any], task: UsherTask, parent: UsherTask | None) -> None:
    """Add a task's data as the difference to its parent's, or completely if it inherits nothing."""
    if parent is None or not task.data:
        if task.data or (parent is not None and parent.data):
            record["data"] = task.data
        return
    if changed := changes(parent.data, task.data, exact=task.workflow.top_workflow.rules > FIRST_RULES):
        record["set"] = changed
    if not parent.data.keys() <= task.data.keys():
        record["unset"] = [name for name in parent.data if name not in task.data]


def _common(converter: Any, workflow: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "root": workflow.task_tree.id,
        "tasks": [converter.registry.convert(task) for task in workflow.tasks.values()],
    }
    if workflow.last_task is not None:
        record["last_task"] = workflow.last_task.id
    for name in ("data", "correlations"):
        if value := getattr(workflow, name):
            record[name] = converter.registry.convert(value)
    for name, default in (("success", True), ("completed", False)):
        if getattr(workflow, name) is not default:
            record[name] = not default
    return record


def _restore_common(converter: Any, workflow: Any, record: dict[str, Any]) -> None:
    for task in record["tasks"]:
        converter.registry.restore(task, workflow=workflow)
    workflow.task_tree = workflow.tasks[record["root"]]
    if workflow.top_workflow.rules > FIRST_RULES:
        _leave_out_orphans(workflow)
    _require_tree(workflow)
    workflow.last_task = workflow.tasks.get(record["last_task"]) if "last_task" in record else None
    workflow.success = record.get("success", True)
    workflow.completed = record.get("completed", False)
    workflow.correlations = record.get("correlations", {})
    workflow.data = {**workflow.data, **converter.registry.restore(record.get("data", {}))}


def _leave_out_orphans(workflow: Any) -> None:
    """Drop predicted tasks that nothing leads to: a migration under the first rules left some behind."""
    for task in list(workflow.tasks.values()):  # parents come before their children
        loose = task is not workflow.task_tree and task._parent not in workflow.tasks
        if loose and task._state < TaskState.WAITING:
            del workflow.tasks[task.id]


def _require_tree(workflow: Any) -> None:
    """Raise unless parents and children refer to each other; only predicted tasks may lack a parent."""
    tasks = workflow.tasks
    for task in tasks.values():
        parent = tasks.get(task._parent)
        if parent is None:
            hangs = task is workflow.task_tree or task._state < TaskState.WAITING  # migrations once left such tasks
        else:
            hangs = task.id in parent._children
        for child in task._children:
            hangs = hangs and tasks[child]._parent == task.id
        if not hangs:
            raise ValueError


class _SubWorkflows(BpmnSubWorkflowConverter):  # type: ignore[misc]
    def to_dict(self, workflow: UsherSubWorkflow) -> dict[str, Any]:
        return {**_common(self, workflow), "parent": workflow.parent_task_id}

    def from_dict(self, record: dict[str, Any], task: UsherTask, top_workflow: UsherWorkflow) -> UsherSubWorkflow:
        spec = top_workflow.subprocess_specs[task.task_spec.spec]
        subprocess = UsherSubWorkflow(spec, task.id, top_workflow, deserializing=True)
        _restore_common(self, subprocess, record)
        return subprocess


class _Workflows(BpmnWorkflowConverter):  # type: ignore[misc]
    def to_dict(self, workflow: UsherWorkflow) -> dict[str, Any]:
        record = {**_common(self, workflow), "counter": workflow.counter, "ticks": workflow.tick}
        if workflow.subprocesses:
            record["subprocesses"] = [self.registry.convert(sub) for sub in workflow.subprocesses.values()]
        return record

    def from_dict(self, record: dict[str, Any], workflow: UsherWorkflow) -> UsherWorkflow:
        _restore_common(self, workflow, record)
        workflow.counter, workflow.tick = record["counter"] + 0, record["ticks"] + 0  # the same
        for nested in record.get("subprocesses", ()):
            task = _holder(workflow, nested["parent"])
            if task is None:
                continue  # versions up to 0.1.0 kept the contents of completed sub-processes they had dropped
            subprocess = self.registry.restore(nested, task=task, top_workflow=workflow)
            workflow.subprocesses[task.id] = subprocess
            subprocess.completed_event.connect(task.task_spec._on_subworkflow_completed, task)
        return workflow


def _holder(workflow: UsherWorkflow, task_id: int) -> UsherTask | None:
    """Return the task that opened a sub-process, or None if it is gone."""
    scopes = (workflow, *workflow.subprocesses.values())
    return next((scope.tasks[task_id] for scope in scopes if task_id in scope.tasks), None)


_CONVERTERS = {**SPIFF_CONFIG, UsherTask: _Tasks, UsherSubWorkflow: _SubWorkflows, UsherWorkflow: _Workflows}
_SERIALIZER = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(_CONVERTERS))


def dump(workflow: UsherWorkflow) -> dict[str, Any]:
    """Return *workflow* as JSON, without its spec; the same run yields the same record, byte for byte."""
    record: dict[str, Any] = _SERIALIZER.to_dict(workflow)
    record[_SERIALIZER.VERSION_KEY] = VERSION
    return record


def load(record: dict[str, Any], diagram: Diagram, script_engine: Any, observer: Observer) -> UsherWorkflow:
    """
    Return the workflow that `dump` wrote, on the specs of *diagram*; raise `Corrupt` for anything else.

    Leave out sub-processes that no task owns any more, with their contents.
    """
    if record.get(_SERIALIZER.VERSION_KEY) != VERSION:
        raise Corrupt(f"The state of this case was stored in another form than {VERSION}. {WAY_OUT}")
    workflow = UsherWorkflow(diagram.spec, diagram.subprocess_specs, script_engine=script_engine, observer=observer)
    try:
        _SERIALIZER.from_dict(record, workflow=workflow)
    except Exception as error:
        # A border: the library raises anything on an unexpected record. Other exceptions are bugs of ours.
        if not isinstance(error, UNFIT):
            faults.report(error, where="step", at=f"the stored state of a case of {diagram.package.key}")
        raise Corrupt(f"The state this case was stored in does not fit its diagram. {WAY_OUT}") from error
    return workflow
