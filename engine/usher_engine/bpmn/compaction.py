"""Cuts out of the task tree what can no longer matter, so that step 1,000 of a loop costs what step 10 did.

The history keeps what happened; the state keeps what is needed to go on (DESIGN 3): every unfinished task, the task
before it, whose data it may inherit, the places where branches part, and the sub-processes whose activity goes on.
Tokens that wait at a join are unfinished, so they stay until it has fired.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.util.task import TaskState

from .catch_events import UsherBoundaryEvent
from .workflow import UsherTask, UsherWorkflow


def compact_tree(workflow: UsherWorkflow) -> None:
    """Compact *workflow* and its running sub-processes in place; resuming it goes the same way as before."""
    workflow.subprocesses = _running(workflow)
    for scope in (workflow, *workflow.subprocesses.values()):
        if not scope.completed:
            _compact(scope)


def _running(workflow: UsherWorkflow) -> dict[int, Any]:
    """The sub-processes of activities that have not ended, by that activity's task, the outer ones first."""
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
        if task.id in scope.tasks:  # else it went with the branch before it
            _drop_ended(scope, task, live)
            if task._parent in scope.tasks and _is_passed(scope, task):
                _cut_out(scope, task)
    if scope.last_task is not None and scope.last_task.id not in scope.tasks:
        scope.last_task = None


def live_tasks(scope: Any) -> set[int]:
    """Ids of unfinished tasks and of all their ancestors."""
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
    """Forget branches behind *task*, or items of it, that have ended; beside an open activity all stay."""
    ended = [child for child in task._children if child not in live]
    if ended and not _is_open(task):
        for child in ended:
            task._children.remove(child)
            forget(scope, scope.tasks[child])


def _is_open(task: UsherTask) -> bool:
    """Whether *task* comes before an activity with boundary events that goes on."""
    beside = isinstance(task.task_spec, BoundaryEventSplit)
    return beside and any(
        child._state < TaskState.COMPLETED and not isinstance(child.task_spec, UsherBoundaryEvent)
        for child in task.children
    )


def _is_passed(scope: Any, task: UsherTask) -> bool:
    """Whether the flow has gone on from *task* on one branch, to a task that is finished as well."""
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
    """Forget a branch that has ended."""
    pending = [task]
    while pending:
        gone = pending.pop()
        pending.extend(gone.children)
        del scope.tasks[gone.id]
