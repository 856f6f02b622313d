"""Repeated activities: multi-instance, parallel or sequential, and the standard loop.

The library represents such an activity as a task around its items. No event reports that outer task; each item is a
visit of the element. An item works on a copy of the data with its own names and returns its results as below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from SpiffWorkflow.spiff.specs.spiff_task import SpiffBpmnTask
from SpiffWorkflow.util.task import TaskState

from ..core.canonical import as_stored_json, changes
from ..core.errors import ElementFailed, ExpressionError, LimitExceeded
from ..core.limits import MAX_ITEMS, MAX_ROUNDS
from .step_context import FIRST_RULES

#: The number of an item, from 1 (BPMN 2.0.2, table 10.31).
COUNTER = "loopCounter"
_ITEM_STATES = TaskState.WAITING | TaskState.READY | TaskState.STARTED


class Repeated(SpiffBpmnTask):  # type: ignore[misc]
    """The task around the items. Its internal data counts items *begun* and *done*."""

    def __init__(self, wf_spec: Any, bpmn_id: str, task_spec: str, condition: str | None = None, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, description=kwargs.get("description"))
        self.task_spec = task_spec
        self.condition = condition
        #: Names that each item has; they are not in the data of the case.
        self.own = {COUNTER}

    @property
    def item_spec(self) -> Any:
        return self._wf_spec.task_specs[self.task_spec]

    def listen(self) -> None:
        """Register for every finished item; call once for each compiled diagram."""
        self.item_spec.completed_event.connect(self.item_done)

    def item_done(self, _workflow: Any, item: Any) -> None:
        raise NotImplementedError

    def begin(self, my_task: Any, own: dict[str, Any]) -> None:
        """Enter one more item, whose *own* names shadow those of the case."""
        notes = my_task.internal_data
        item = my_task._add_child(self.item_spec, TaskState.WAITING)
        item.triggered = True
        item.internal_data["own"] = {**own, COUNTER: notes["begun"] + 1}
        notes["begun"] += 1
        self.item_spec._update(item)

    def changes(self, my_task: Any, item: Any) -> dict[str, Any]:
        """Return what *item* changed in the data it began with, without its own names."""
        given = {key: value for key, value in item.data.items() if key not in self.own}
        return changes(my_task.data, given, exact=my_task.workflow.top_workflow.observer.step.rules > FIRST_RULES)

    def finish(self, my_task: Any) -> None:
        for item in my_task.children:
            if item.triggered and item.has_state(_ITEM_STATES):
                item.cancel()
        my_task.internal_data.clear()
        my_task._set_state(TaskState.READY)


class Loop(Repeated):
    """The standard loop: again while its condition holds, *maximum* times at most (BPMN 2.0.2, 10.3.8)."""

    def __init__(
        self, wf_spec: Any, bpmn_id: str, task_spec: str, maximum: int | None, condition: str | None,
        test_before: bool, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(wf_spec, bpmn_id, task_spec, condition, **kwargs)
        self.maximum = maximum
        self.test_before = test_before

    def _update_hook(self, my_task: Any) -> bool:
        super()._update_hook(my_task)
        my_task.internal_data["begun"] = 0
        my_task.workflow.top_workflow.observer.on_repetition(my_task, None)
        if self.test_before and self._is_over(my_task):
            my_task.internal_data.clear()
            return True
        my_task._set_state(TaskState.STARTED)
        self.begin(my_task, {})
        return False

    def item_done(self, _workflow: Any, item: Any) -> None:
        my_task = item.parent
        my_task.data.update(self.changes(my_task, item))
        if self._is_over(my_task):
            self.finish(my_task)
        else:
            self.begin(my_task, {})

    def _is_over(self, my_task: Any) -> bool:
        begun = my_task.internal_data["begun"]
        if self.maximum is not None and begun >= self.maximum:
            return True
        if self.condition and not my_task.workflow.script_engine.evaluate(my_task, self.condition):
            return True
        if begun >= MAX_ROUNDS:
            raise LimitExceeded(f"{self.bpmn_id} has gone round {MAX_ROUNDS} times. Give it a loopMaximum.")
        return False


class Items(Repeated):
    """
    Multi-instance over a list, or a number of times.

    With an output collection, each item returns one value, and the collection has them in the order of the items,
    whichever finished first. Without one, the changes of items enter the data of the case, later ones on top.
    """

    def __init__(
        self, wf_spec: Any, bpmn_id: str, task_spec: str, cardinality: str | None = None, data_input: Any = None,
        data_output: Any = None, input_item: Any = None, output_item: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(wf_spec, bpmn_id, task_spec, **kwargs)
        self.cardinality = cardinality
        self.collection = _name(data_input)
        self.output = _name(data_output)
        self.item = _name(input_item)
        self.result = _name(output_item)
        self.own |= {name for name in (self.item, self.output) if name}

    at_once = True

    def _update_hook(self, my_task: Any) -> bool:
        super()._update_hook(my_task)
        items = self._items(my_task)
        my_task.internal_data.update(items=items, begun=0, done=[], changes={})
        if self.output:
            my_task.data[self.output] = []
        my_task.workflow.top_workflow.observer.on_repetition(my_task, len(items))
        if not items:
            my_task.internal_data.clear()
            return True
        my_task._set_state(TaskState.STARTED)
        for _ in items if self.at_once else items[:1]:
            self._next(my_task)
        return False

    def _next(self, my_task: Any) -> None:
        notes = my_task.internal_data
        item = notes["items"][notes["begun"]]
        self.begin(my_task, {self.item: item} if self.item else {})

    def item_done(self, _workflow: Any, item: Any) -> None:
        my_task = item.parent
        notes = my_task.internal_data
        self._give_back(my_task, item)
        if len(notes["done"]) == len(notes["items"]) or self._is_enough(my_task, item):
            my_task.data.update(notes["changes"])
            self.finish(my_task)
        elif not self.at_once:
            self._next(my_task)

    def _give_back(self, my_task: Any, item: Any) -> None:
        notes = my_task.internal_data
        number = item.internal_data["own"][COUNTER]
        notes["done"].append([number, item.data.get(self.result or _result(self.item_spec)) if self.output else None])
        if self.output:
            my_task.data[self.output] = [value for _, value in sorted(notes["done"], key=lambda pair: pair[0])]
        elif self.at_once:
            notes["changes"].update(self.changes(my_task, item))  # the other items began with the data before
        else:
            my_task.data.update(self.changes(my_task, item))

    def _is_enough(self, my_task: Any, item: Any) -> bool:
        """Evaluate the completion condition after *item* on the data of case and item (BPMN 2.0.2, 10.3.8)."""
        if not self.condition:
            return False
        notes = my_task.internal_data
        counts = {"numberOfInstances": len(notes["items"]), "numberOfCompletedInstances": len(notes["done"])}
        known = {**item.data, **my_task.data, **item.internal_data["own"], **counts}
        try:
            return bool(my_task.workflow.script_engine.environment.evaluate(self.condition, known))
        except ExpressionError as error:
            raise ElementFailed(self.bpmn_id, error) from error

    def _items(self, my_task: Any) -> list[Any]:
        source = self.collection or self.cardinality or ""
        found = my_task.workflow.script_engine.evaluate(my_task, source)
        if self.collection and not isinstance(found, list):
            raise self._wrong(f"“{source}” must be a list to go through; it is {type(found).__name__}.")
        if not self.collection:
            if isinstance(found, bool) or not isinstance(found, int) or found < 0:
                raise self._wrong(f"“{source}” must be a whole number: how many times.")
            found = list(range(1, min(found, MAX_ITEMS + 1) + 1))
        if len(found) > MAX_ITEMS:
            raise self._wrong(f"It may have {MAX_ITEMS} items at most; there are more.")
        items: list[Any] = as_stored_json(found)
        return items

    def _wrong(self, message: str) -> ElementFailed:
        return ElementFailed(self.bpmn_id, ExpressionError(message))


class ItemsInTurn(Items):
    """Sequential multi-instance; each item sees the changes of the previous ones."""

    at_once = False


def _name(reference: Any) -> str:
    """Return the variable of a data item: its name, or its id if it has no name."""
    return str(reference.bpmn_name or reference.bpmn_id or "") if reference is not None else ""


def _result(spec: Any) -> str:
    """Return the variable of an item's answer if there is no output item."""
    properties = (getattr(spec, "extensions", None) or {}).get("properties") or {}
    return str(properties.get("resultVariable") or getattr(spec, "result_variable", "") or spec.bpmn_id)


def is_item(task: Any) -> bool:
    """Whether *task* is an item of a repeated activity; under the first rules, tasks after one count too."""
    if task.parent is None or not isinstance(task.parent.task_spec, Repeated):
        return False
    return task.workflow.top_workflow.rules <= FIRST_RULES or task.task_spec is task.parent.task_spec.item_spec


def own_names(task: Any) -> dict[str, Any]:
    """Return the data that *task* has in addition to the case: the names of its items, the innermost on top."""
    found: dict[str, Any] = {}
    for one in _outwards(task):
        found = {**one.internal_data.get("own", {}), **found}
    return found


def item_of(task: Any) -> Any:
    """Return the innermost item that *task* belongs to, or None if it belongs to the case itself."""
    return next((one for one in _outwards(task) if is_item(one)), None)


def own_below(task: Any, item: Any) -> set[str] | None:
    """
    Return the names that belong to items between *item* and *task*; None if *task* is outside *item*.

    The changes of an item also belong to it until it is done and returns them.
    """
    own: set[str] = set()
    for one in _outwards(task):
        if one is item:
            return own
        own |= set(one.internal_data.get("own", ()))
        if is_item(one):
            own |= changes(one.parent.data, task.data).keys()
    return own if item is None else None


def _outwards(task: Any) -> Iterator[Any]:
    """Yield *task* and the activities around it."""
    while task is not None:
        yield task
        host = task.workflow.parent_task_id
        task = task.workflow.top_workflow.get_task_from_id(host) if host else None


def hidden_names(task: Any) -> set[str]:
    """Return the names in the data of *task* that belong to items and not to the case."""
    hidden: set[str] = set()
    for one in _outwards(task):
        if is_item(one):
            hidden |= one.parent.task_spec.own
    return hidden
