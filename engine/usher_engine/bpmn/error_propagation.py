"""Where errors and escalations go: from the scope they happen in outwards, to the first that catches them.

An event sub-process of the scope comes first, then a boundary event of the activity around it, then the scope beyond
(BPMN 2.0.2, 10.5.6). What takes over begins with the data as it is at that moment.
"""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import Any

from SpiffWorkflow.util.task import TaskState

from ..core.errors import BusinessError, ElementFailed, EngineError
from .catch_events import UsherBoundaryEvent, UsherEventSubprocess, hold_end
from .event_definitions import ERROR, ESCALATION, Trigger
from .event_recorder import Listener
from .multi_instance import is_item
from .step_context import FIRST_RULES
from .workflow import UsherTask


class Throwing(Listener):
    """Fires what catches."""

    def thrown(self, task: UsherTask, trigger: Trigger) -> None:
        """An event of the diagram throws *trigger*, which takes effect when it has been passed."""
        self._later.append(partial(self._throw, task, trigger))

    def _throw(self, task: UsherTask, trigger: Trigger) -> None:
        """Find what catches *trigger*; an error that nobody catches stops the step."""
        details = {"code": trigger.code, "message": trigger.name or trigger.code}
        catcher = self._catcher(task, trigger.kind, trigger.code, beyond=True)
        if catcher is not None:
            self._fire(catcher, {trigger.kind: details}, {} if stays(catcher.task_spec) else None)
            self.workflow.first(catcher)  # before the end of the scope it interrupts
            if self.step.rules > FIRST_RULES:
                hold_end(catcher.workflow)  # a handler that interrupts nothing has begun: the scope is not over
        elif trigger.kind == ERROR:
            message = f"Nothing catches the error “{trigger.code or trigger.name}”."
            raise ElementFailed(task.task_spec.bpmn_id, EngineError(message))

    def refused(self, task: UsherTask, refusal: BusinessError) -> None:
        """A service said no: an error with the code of the refusal."""
        catcher = self._catcher(task, ERROR, refusal.code)
        if catcher is None:
            raise ElementFailed(task.task_spec.bpmn_id, refusal)
        self._fire(catcher, {"error": {"code": refusal.code, "message": refusal.message}})

    def _cancelling(self, task: UsherTask) -> UsherTask | None:
        """The boundary event by which staff may leave *task*."""
        return self._on_boundary(task, ESCALATION, "cancel")

    def _catcher(self, task: UsherTask, kind: str, code: str, *, beyond: bool = False) -> UsherTask | None:
        """What catches *kind* with *code* thrown at *task*, or only *beyond* it: in its scope and outwards."""
        if not beyond and (event := self._on_boundary(task, kind, code)) is not None:
            return event
        found = []
        beside: UsherTask
        for beside in task.workflow.task_tree.children:
            spec = beside.task_spec
            if spec is task.task_spec and self.step.rules > FIRST_RULES:
                continue  # what is thrown in a handler goes outwards, never back to it
            if isinstance(spec, UsherEventSubprocess) and _catches(beside, spec.trigger, kind, code):
                found.append((beside, spec.trigger))
        if found:
            return self._closest(found)
        host = self._host(task)
        return self._catcher(host, kind, code) if host is not None else None

    def _on_boundary(self, task: UsherTask, kind: str, code: str) -> UsherTask | None:
        activity = task.parent if is_item(task) else task
        if activity.parent is None:
            return None
        found = []
        beside: UsherTask
        for beside in activity.parent.children:
            spec = beside.task_spec
            if isinstance(spec, UsherBoundaryEvent) and _catches(beside, spec.event_definition, kind, code):
                found.append((beside, spec.event_definition))
        return self._closest(found) if found else None

    def _closest(self, found: list[tuple[UsherTask, Trigger]]) -> UsherTask:
        """The one that names the code, whatever the order in the file; under the first rules, the first."""
        named = [task for task, trigger in found if trigger.code and self.step.rules > FIRST_RULES]
        return named[0] if named else found[0][0]

    def _fire(self, task: UsherTask, data: dict[str, Any], again: dict[str, Any] | None = None) -> None:
        """Set off the armed or waiting *task*; *again* is what another one, left armed in its place, starts with."""
        spec = task.task_spec
        if isinstance(spec, UsherEventSubprocess):
            scope = [leaf for leaf in self._leaves() if leaf.workflow is task.workflow and leaf is not task]
            task.data = deepcopy({**self._merged(scope), **data})
            if spec.interrupts:
                _cancel(scope)
        else:
            if isinstance(spec, UsherBoundaryEvent):
                task.data.update(deepcopy(self._merged(self._within(task))))
            task.data.update(data)
        self.said(task, data)
        if again is not None:
            _leave_armed(task, again)
        task.internal_data["event_fired"] = True
        spec._update(task)

    def _within(self, boundary: UsherTask) -> list[UsherTask]:
        """The leaves of the activity *boundary* is attached to, those in its sub-processes included."""
        beside = [t for t in boundary.parent.children if not isinstance(t.task_spec, UsherBoundaryEvent)]
        found = [leaf for leaf in self._leaves() if any(leaf is t or self._is_inside(leaf, t) for t in beside)]
        return [leaf for leaf in found if not is_item(leaf)]

    def _is_inside(self, task: UsherTask, activity: UsherTask) -> bool:
        host = self._host(task)
        while host is not None:
            if host is activity:
                return True
            host = self._host(host)
        return False


def _catches(task: UsherTask, trigger: Any, kind: str, code: str) -> bool:
    """Whether the armed *task* waits for this; a trigger without code takes any."""
    fits = isinstance(trigger, Trigger) and trigger.kind == kind and trigger.code in (code, "")
    return fits and task._state == TaskState.WAITING and "event_fired" not in task.internal_data


def stays(spec: Any) -> bool:
    """Whether another is left armed when one has happened: what does not interrupt may happen again."""
    if isinstance(spec, UsherBoundaryEvent):
        return not spec.cancel_activity
    return isinstance(spec, UsherEventSubprocess) and not spec.interrupts


def _cancel(scope: list[UsherTask]) -> None:
    for task in scope:
        if task.id in task.workflow.tasks:  # else it went with another
            task.cancel()


def _leave_armed(task: UsherTask, notes: dict[str, Any]) -> None:
    """Another armed task like *task* in its place: what does not interrupt can happen again."""
    other = task.parent._add_child(task.task_spec, TaskState.WAITING)
    other.triggered = True
    other.internal_data = notes
    other.data = deepcopy(task.parent.data)
    other._sync_children(task.task_spec.outputs, TaskState.MAYBE)
