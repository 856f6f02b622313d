"""Propagates errors and escalations from their scope outwards to the first catcher.

An event sub-process in the scope comes first, then a boundary event of the activity around it, then the next scope
(BPMN 2.0.2, 10.5.6). The catcher begins with the data as they are at that moment.
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
    """Fires the events that catch errors and escalations."""

    def on_throw(self, task: UsherTask, trigger: Trigger) -> None:
        """Throw *trigger* once the throwing event at *task* has completed."""
        self._later.append(partial(self._throw, task, trigger))

    def _throw(self, task: UsherTask, trigger: Trigger) -> None:
        """Find the catcher of *trigger*; an uncaught error stops the step."""
        details = {"code": trigger.code, "message": trigger.name or trigger.code}
        catcher = self._catcher(task, trigger.kind, trigger.code, beyond=True)
        if catcher is not None:
            self._fire(catcher, {trigger.kind: details}, {} if stays(catcher.task_spec) else None)
            self.workflow.first(catcher)  # before the end of the scope that it interrupts
            if self.step.rules > FIRST_RULES:
                hold_end(catcher.workflow)  # a non-interrupting handler has begun: the scope is not over
        elif trigger.kind == ERROR:
            message = f"Nothing catches the error “{trigger.code or trigger.name}”."
            raise ElementFailed(task.task_spec.bpmn_id, EngineError(message))

    def refuse(self, task: UsherTask, refusal: BusinessError) -> None:
        """Throw the error with the code of a service's refusal."""
        catcher = self._catcher(task, ERROR, refusal.code)
        if catcher is None:
            raise ElementFailed(task.task_spec.bpmn_id, refusal)
        self._fire(catcher, {"error": {"code": refusal.code, "message": refusal.message}})

    def _cancelling(self, task: UsherTask) -> UsherTask | None:
        """Return the boundary event by which staff may leave *task*."""
        return self._on_boundary(task, ESCALATION, "cancel")

    def _catcher(self, task: UsherTask, kind: str, code: str, *, beyond: bool = False) -> UsherTask | None:
        """Return the catcher of *kind* with *code* thrown at *task*, or only *beyond* it: from its scope outwards."""
        if not beyond and (event := self._on_boundary(task, kind, code)) is not None:
            return event
        found = []
        handler: UsherTask
        for handler in task.workflow.task_tree.children:
            spec = handler.task_spec
            if spec is task.task_spec and self.step.rules > FIRST_RULES:
                continue  # an error thrown in a handler goes outwards, never back to it
            if isinstance(spec, UsherEventSubprocess) and _catches(handler, spec.trigger, kind, code):
                found.append((handler, spec.trigger))
        if found:
            return self._closest(found)
        host = self._host(task)
        return self._catcher(host, kind, code) if host is not None else None

    def _on_boundary(self, task: UsherTask, kind: str, code: str) -> UsherTask | None:
        activity = task.parent if is_item(task) else task
        if activity.parent is None:
            return None
        found = []
        boundary: UsherTask
        for boundary in activity.parent.children:
            spec = boundary.task_spec
            if isinstance(spec, UsherBoundaryEvent) and _catches(boundary, spec.event_definition, kind, code):
                found.append((boundary, spec.event_definition))
        return self._closest(found) if found else None

    def _closest(self, found: list[tuple[UsherTask, Trigger]]) -> UsherTask:
        """Return the catcher that names the code, else the first; under the first rules, always the first."""
        named = [task for task, trigger in found if trigger.code and self.step.rules > FIRST_RULES]
        return named[0] if named else found[0][0]

    def _fire(self, task: UsherTask, data: dict[str, Any], again: dict[str, Any] | None = None) -> None:
        """Fire the armed or waiting *task*; *again* are the notes of another one, left armed in its place."""
        spec = task.task_spec
        if isinstance(spec, UsherEventSubprocess):
            scope = [leaf for leaf in self._leaves() if leaf.workflow is task.workflow and leaf is not task]
            task.data = deepcopy({**self._merge(scope), **data})
            if spec.interrupts:
                _cancel(scope)
        else:
            if isinstance(spec, UsherBoundaryEvent):
                task.data.update(deepcopy(self._merge(self._within(task))))
            task.data.update(data)
        self.share_input(task, data)
        if again is not None:
            _leave_armed(task, again)
        task.internal_data["event_fired"] = True
        spec._update(task)

    def _within(self, boundary: UsherTask) -> list[UsherTask]:
        """Return the leaves of the activity of *boundary*, including those in its sub-processes."""
        activity = [t for t in boundary.parent.children if not isinstance(t.task_spec, UsherBoundaryEvent)]
        found = [leaf for leaf in self._leaves() if any(leaf is t or self._is_inside(leaf, t) for t in activity)]
        return [leaf for leaf in found if not is_item(leaf)]

    def _is_inside(self, task: UsherTask, activity: UsherTask) -> bool:
        host = self._host(task)
        while host is not None:
            if host is activity:
                return True
            host = self._host(host)
        return False


def _catches(task: UsherTask, trigger: Any, kind: str, code: str) -> bool:
    """Whether the armed *task* catches this; a trigger without a code catches any."""
    fits = isinstance(trigger, Trigger) and trigger.kind == kind and trigger.code in (code, "")
    return fits and task._state == TaskState.WAITING and "event_fired" not in task.internal_data


def stays(spec: Any) -> bool:
    """Whether the event stays armed after it happened, as one that does not interrupt does."""
    if isinstance(spec, UsherBoundaryEvent):
        return not spec.cancel_activity
    return isinstance(spec, UsherEventSubprocess) and not spec.interrupts


def _cancel(scope: list[UsherTask]) -> None:
    for task in scope:
        if task.id in task.workflow.tasks:  # otherwise it was removed with another
            task.cancel()


def _leave_armed(task: UsherTask, notes: dict[str, Any]) -> None:
    """Leave another armed task in the place of *task*, since an event that does not interrupt can happen again."""
    other = task.parent._add_child(task.task_spec, TaskState.WAITING)
    other.triggered = True
    other.internal_data = notes
    other.data = deepcopy(task.parent.data)
    other._sync_children(task.task_spec.outputs, TaskState.MAYBE)
