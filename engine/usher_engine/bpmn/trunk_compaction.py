"""The compaction of the first rules, unchanged: re-executed steps must produce exactly the state they were stored with.

It has two bugs that `compaction` lacks (decisions/0017): it keeps sub-processes that belong only to one it drops in the
same pass, and it loses arrivals at a join if the fork before them has one branch left.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from .catch_events import is_asleep
from .compaction import forget, live_tasks
from .multi_instance import Repeated
from .workflow import UsherTask, UsherWorkflow


def compact_trunk(workflow: UsherWorkflow) -> None:
    """Compact *workflow* and its running sub-processes in place."""
    for scope in (workflow, *workflow.subprocesses.values()):
        if not scope.completed:
            _compact(scope)
    for task_id in [task_id for task_id in workflow.subprocesses if not _holds(workflow, task_id)]:
        del workflow.subprocesses[task_id]


def _holds(workflow: UsherWorkflow, task_id: int) -> bool:
    """Whether the task that opened a sub-process is still in the tree, or in the tree of a sub-process that is."""
    return any(task_id in scope.tasks for scope in (workflow, *workflow.subprocesses.values()))


def _compact(scope: Any) -> None:
    live = live_tasks(scope)
    _drop_items(scope, live)
    asleep = [task.id for task in scope.task_tree.children if is_asleep(task)]
    trunk = _trunk(scope.task_tree, live.difference(asleep))
    if len(trunk) < 3:
        return
    root, last = trunk[0], trunk[-1]
    kept = {root.id, last.id}
    for task in trunk:
        for child in task.children:
            if child.id not in live and child.id not in kept:
                forget(scope, child)
    for task in trunk[1:-1]:
        del scope.tasks[task.id]
    last._children = [child for child in last._children if child in scope.tasks]
    root._children, last._parent = [*asleep, last.id], root.id
    if scope.last_task is not None and scope.last_task.id not in scope.tasks:
        scope.last_task = last


def _trunk(root: UsherTask, live: set[int]) -> list[UsherTask]:
    """Return the finished tasks from *root* that have exactly one live branch below them."""
    trunk: list[UsherTask] = []
    task = root
    while task._state >= TaskState.COMPLETED:
        trunk.append(task)
        branches = [child for child in task.children if child.id in live]
        if len(branches) != 1:
            return trunk
        task = branches[0]
    return trunk


def _drop_items(scope: Any, live: set[int]) -> None:
    for task in [task for task in scope.tasks.values() if isinstance(task.task_spec, Repeated) and task.id in live]:
        done = [child for child in task.children if child.triggered and child.id not in live]
        for item in done:
            task._children.remove(item.id)
            forget(scope, item)
