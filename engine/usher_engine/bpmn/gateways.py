"""Parallel and inclusive gateways that count tokens according to BPMN 2.0.2, 13.4.2 and 13.4.3.

A token that arrives at a join waits there until the join fires, which takes one token from each way in that has one.
SpiffWorkflow instead finds arrivals in the finished part of the task tree, from which compaction removes tasks and to
which a loop adds some; the first rules keep that behaviour (decisions/0017).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from SpiffWorkflow.bpmn.specs.defaults import InclusiveGateway, ParallelGateway
from SpiffWorkflow.util.deep_merge import DeepMerge
from SpiffWorkflow.util.task import TaskState

from ..core.errors import ElementFailed, EngineError
from ..definitions import InclusiveJoin, inclusive_join
from .catch_events import UsherBoundaryEvent
from .step_context import FIRST_RULES

HOLDS = TaskState.WAITING | TaskState.READY | TaskState.STARTED


class Join:
    """Mixin before the library's gateways: keeps every arrival waiting until the join takes it."""

    name: str
    bpmn_id: str
    _inputs: list[str]
    _outputs: list[str]

    def _update_hook(self: Any, my_task: Any) -> bool:
        if my_task.workflow.top_workflow.rules <= FIRST_RULES:
            return bool(super()._update_hook(my_task))  # type: ignore[misc]
        waiting = arrivals(my_task.workflow, self)
        if my_task._state != TaskState.WAITING:
            my_task._inherit_data()
        elif my_task is not waiting[-1]:
            return False  # the last to arrive decides for all
        first = {way_in(task): task for task in reversed(waiting)} | {way_in(my_task): my_task}
        if not self.goes_on(my_task, first.keys()):
            my_task._set_state(TaskState.WAITING)
            return False
        self._take(my_task, [task for task in waiting if task in first.values() and task is not my_task])
        return True

    def _take(self, my_task: Any, others: list[Any]) -> None:
        """Let *my_task* go on with the data of the *others* too, in their order of arrival."""
        known: dict[str, Any] = {}
        for other in others:
            DeepMerge.merge(known, other.data)
            other.cancel()
        my_task.data = DeepMerge.merge(known, my_task.data)

    def goes_on(self, my_task: Any, filled: Any) -> bool:
        """Whether the join fires, with a token on each of the ways in *filled*."""
        raise NotImplementedError


class UsherParallelGateway(Join, ParallelGateway):  # type: ignore[misc]
    """Fires when each way in has a token."""

    def goes_on(self, my_task: Any, filled: Any) -> bool:
        return len(filled) == len(set(self._inputs))

    def _run_hook(self, my_task: Any) -> Any:
        if my_task.workflow.top_workflow.rules <= FIRST_RULES:
            return super()._run_hook(my_task)
        return True


class UsherInclusiveGateway(Join, InclusiveGateway):  # type: ignore[misc]
    """
    Fires when every token that could still arrive could also reach a filled way in (table 13.3).

    Evaluated last, when nothing else moves automatically: a token may still be on its way, as in the gate's token game.
    """

    #: The flow before it; set when the diagram is compiled.
    join: InclusiveJoin

    def goes_on(self, my_task: Any, filled: Any) -> bool:
        if len(filled) == len(set(self._inputs)):
            return True
        last = my_task.workflow.top_workflow.settled
        return last and self.join.goes_on([flow(way, self.name) for way in filled], _occupied(my_task.workflow))

    def _run_hook(self, my_task: Any) -> Any:
        if my_task.workflow.top_workflow.rules <= FIRST_RULES:
            return super()._run_hook(my_task)
        chosen, default = self._get_matching_outputs(my_task)
        if not chosen and not default:
            raise ElementFailed(self.bpmn_id, EngineError("No condition holds and there is no default flow."))
        my_task._sync_children(chosen or default, TaskState.FUTURE)
        for child in my_task.children:
            child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        return True


def join_inclusively(workflow: Any) -> bool:
    """Let one inclusive join fire, if any can, once nothing else moves automatically; return whether one did."""
    workflow.settled = True
    try:
        for scope in (workflow, *workflow.subprocesses.values()):
            for task in [task for task in scope.tasks.values() if isinstance(task.task_spec, UsherInclusiveGateway)]:
                if task._state == TaskState.WAITING:
                    task.task_spec._update(task)
                if task._state == TaskState.READY:
                    return True
    finally:
        workflow.settled = False
    return False


def arrivals(workflow: Any, spec: Any) -> list[Any]:
    """Return the tokens that wait at the join *spec*, in order of arrival."""
    found = [task for task in workflow.tasks.values() if task.task_spec is spec and task._state == TaskState.WAITING]
    return sorted(found, key=lambda task: task.last_state_change)


def way_in(task: Any) -> str:
    """Return the name of the spec from which the token *task* reached its join."""
    return str(task.parent.task_spec.name)


def flow(source: str, target: str) -> str:
    """Return the name of the flow between two specs."""
    return f"{source}\n{target}"


def know_the_flow(owner: Any) -> None:
    """Give each inclusive join of the scope *owner* the flow before it; call once for each compiled diagram."""
    specs = owner.task_specs.values()
    flows = [(flow(spec.name, following), spec.name, following) for spec in specs for following in spec._outputs]
    hosts = {spec.name: _host(spec) for spec in specs if isinstance(spec, UsherBoundaryEvent)}
    for spec in specs:
        if isinstance(spec, UsherInclusiveGateway):
            spec.join = inclusive_join(spec.name, flows, hosts)


def _host(boundary: Any) -> str:
    return str(boundary._inputs[0]).removesuffix(".BoundaryEventSplit")


def _occupied(workflow: Any) -> Iterator[str]:
    """Yield where tokens rest in the scope *workflow*, in which nothing moves; armed boundary events have none."""
    for task in workflow.tasks.values():
        if task._state & HOLDS and not isinstance(task.task_spec, UsherBoundaryEvent):
            yield task.task_spec.name


def adopt_arrivals(workflow: Any) -> None:
    """
    Convert tokens that arrived at joins under the first rules to the present form.

    SpiffWorkflow cancels all arrivals at a join but the last. A state stored that way has one waiting arrival and,
    before it, cancelled ones that arrived after the join last fired.
    """
    for scope in (workflow, *workflow.subprocesses.values()):
        waiting = {task.task_spec for task in scope.tasks.values() if task._state == TaskState.WAITING}
        for spec in [spec for spec in waiting if isinstance(spec, Join)]:
            alike = [task for task in scope.tasks.values() if task.task_spec is spec]
            fired = max((t.last_state_change for t in alike if t._state == TaskState.COMPLETED), default=0)
            for task in alike:
                if task.arrived and task.last_state_change > fired:
                    task._state = TaskState.WAITING
                if task._state == TaskState.WAITING and not task.data:
                    task._inherit_data()
