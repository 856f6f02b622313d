"""Removes tasks that no longer matter from the task tree, so step 1,000 of a loop costs the same as step 10.

The history keeps what happened; the state keeps what the case needs to go on: every unfinished task, the task before
it, whose data it may inherit, the tasks where branches split, and the sub-processes of unfinished activities. Tokens
that wait at a join are unfinished, so they stay until it fires.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.util.task import TaskState

from .catch_events import UsherBoundaryEvent
from .workflow import UsherTask, UsherWorkflow


def compact_tree(workflow: UsherWorkflow) -> None:
    """Compact *workflow* and its running sub-processes in place; it continues as it would have before."""
    workflow.subprocesses = _running(workflow)
    for scope in (workflow, *workflow.subprocesses.values()):
        if not scope.completed:
            _compact(scope)


def _running(workflow: UsherWorkflow) -> dict[int, Any]:
    """Return the sub-processes of unfinished activities by the task of the activity, outer ones first."""
    found: dict[int, Any] = {}
    scopes = [workflow]
    for scope in scopes:
        for task in scope.tasks.values():
            nested = workflow.subprocesses.get(task.id) if task._state < TaskState.COMPLETED else None
            if nested is not None:
                found[task.id] = nested
                scopes.append(nested)
    return found


def _compact(scope: Any) -> None:
    live = live_tasks(scope)
    for task in list(scope.tasks.values()):
        if task.id in scope.tasks:  # otherwise it went with an earlier branch
            _drop_ended(scope, task, live)
            if task._parent in scope.tasks and _is_passed(scope, task):
                _cut_out(scope, task)
    if scope.last_task is not None and scope.last_task.id not in scope.tasks:
        scope.last_task = None


def live_tasks(scope: Any) -> set[int]:
    """Return the ids of unfinished tasks and all their ancestors."""
    live: set[int] = set()
    tasks = scope.tasks
    for task in tasks.values():
        if task._state < TaskState.COMPLETED:
            ancestor = task
            while ancestor is not None and ancestor.id not in live:
                live.add(ancestor.id)
                ancestor = tasks.get(ancestor._parent)
    return live


def _drop_ended(scope: Any, task: UsherTask, live: set[int]) -> None:
    """Drop finished branches after *task*, or its finished items; keep all while an activity with events is open."""
    ended = [child for child in task._children if child not in live]
    if ended and not _is_open(task):
        for child in ended:
            task._children.remove(child)
            forget(scope, scope.tasks[child])


def _is_open(task: UsherTask) -> bool:
    """Whether *task* precedes an unfinished activity with boundary events."""
    has_boundary_events = isinstance(task.task_spec, BoundaryEventSplit)
    return has_boundary_events and any(
        child._state < TaskState.COMPLETED and not isinstance(child.task_spec, UsherBoundaryEvent)
        for child in task.children
    )


def _is_passed(scope: Any, task: UsherTask) -> bool:
    """Whether *task* has one branch, which led to a task that is finished too."""
    if task._state < TaskState.COMPLETED or len(task._children) != 1:
        return False
    following = scope.tasks[task._children[0]]
    return bool(following._state >= TaskState.COMPLETED) and not _is_open(task)


def _cut_out(scope: Any, task: UsherTask) -> None:
    [following] = task._children
    parent = task.parent
    parent._children[parent._children.index(task.id)] = following
    scope.tasks[following]._parent = parent.id
    del scope.tasks[task.id]


def forget(scope: Any, task: UsherTask) -> None:
    """Drop a finished branch."""
    pending = [task]
    while pending:
        gone = pending.pop()
        pending.extend(gone.children)
        del scope.tasks[gone.id]
