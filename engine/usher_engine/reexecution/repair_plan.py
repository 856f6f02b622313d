"""Plans the repair of a case: the events that lead from the record to the state its diagram produces when re-executed.

The record remains unchanged. `state_restoration` re-executes the case; the repair then records the events on the
restored path that were never recorded, and closes what was opened off that path. If more than that differs, the case
cannot be repaired.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..bpmn import Diagram, require_standing
from ..bpmn import Step as StepContext
from ..core import events as e
from ..core.errors import Corrupt
from ..core.state import LIVE, InstanceState, fold, place
from . import difference_messages
from .hash_chain import ReadStep
from .migration_step import Versions
from .state_restoration import WAY_OUT, Restored, restore
from .undo_step import undone_revisions

#: Events that do not come from the diagram, or that the repair records itself.
NOT_ON_THE_PATH = (
    e.InstanceStarted, e.InstanceMigrated, e.InstanceRepaired, e.UserTaskClaimed, e.UserTaskReleased,
    e.UserTaskAssigned, e.UserTaskDueSet, e.UserTaskPutOff,
    e.UserTaskCompleted, e.UserTaskCancelled, e.ServiceCompleted, e.ServiceRefused, e.ServiceFailed,
    e.TimerFired, e.MessageReceived, e.IncidentRaised, e.IncidentResolved, e.DataChanged, e.FactRecorded,
    e.StepUndone, e.ServiceUndone,
)  # fmt: skip
PATH_EVENTS = (e.ElementEntered, e.ElementPassed, e.ElementCompleted, e.ElementCancelled)


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """The repair as *events*, the folded state *before* and *after* it, and the serialized workflow after it."""

    repaired: e.InstanceRepaired
    events: tuple[e.Event, ...]
    before: InstanceState
    after: InstanceState
    workflow: dict[str, Any] | None
    diagram: Diagram

    @property
    def changes_nothing(self) -> bool:
        """Whether the history already leads to the restored places and data."""
        return all(isinstance(event, e.InstanceRepaired | e.IncidentResolved) for event in self.events)


def plan_repair(
    steps: Sequence[ReadStep], began: Diagram, versions: Versions, step: StepContext, rules: int | None
) -> Repair:
    """
    Plan the repair of a case; the arguments are those of `restore`.

    A case that has not begun to run gets its empty state back, and keeps the incident with the reason.

    Raises:
        Corrupt: It cannot be repaired; history and diagram diverge at ``element``.
    """
    made = restore(steps, began, versions, step, rules)
    history = [e.from_json(record) for _, body, _ in steps for record in body["events"]]
    recorded = fold(InstanceState(), history)
    if made.workflow is None:
        only = e.InstanceRepaired(rules or 0)
        return Repair(
            repaired=only, events=(only,), before=recorded, after=recorded, workflow=None, diagram=made.diagram
        )
    if made.state.status in LIVE:
        require_standing(made.workflow, made.diagram, made.state)
        if not made.state.pending:
            raise Corrupt(f"Carried out again, the case stands still. {WAY_OUT}")
    undone = undone_revisions(steps)
    standing = [e.from_json(record) for number, body, _ in steps if number not in undone for record in body["events"]]
    bridge = _Bridge(standing, recorded, made)
    repaired = e.InstanceRepaired(rules or 0, _first_divergence(steps, made), bridge.closed, bridge.opened)
    events = (repaired, *recorded.resolving(), *bridge.events)
    after = fold(recorded, events)
    _require_same(after, made)
    return Repair(
        repaired=repaired, events=events, before=recorded, after=after, workflow=made.workflow, diagram=made.diagram
    )


class _Bridge:
    """The events that lead from the recorded state to the restored one."""

    def __init__(self, history: Iterable[e.Event], recorded: InstanceState, made: Restored) -> None:
        self._known = Counter(key for event in history for key in _keys(event))
        self._flows = {flow: made.state.flows[flow] - recorded.flows.get(flow, 0) for flow in made.state.flows}
        unrecorded = [event for one in made.happened for event in self._unrecorded(one)]
        ends = [event for event in unrecorded if isinstance(event, e.InstanceFinished)]
        way = [event for event in unrecorded if not isinstance(event, e.InstanceFinished)]
        entered = (event for event in way if isinstance(event, e.ElementEntered | e.ElementPassed))
        self.opened = [place(event.element, event.visit) for event in entered]
        between = fold(recorded, way)
        self.closed = _left_places((*between.at, *between.tasks, *between.requests), made.state.at)
        closing: list[e.Event] = [e.ElementCancelled(*_split(here)) for here in self.closed]
        closing += [e.WaitEnded(*_split(here)) for here in _left_places(between.waits, made.state.waits)]
        data = _data(fold(between, closing), made.state)
        self.events = [*way, *closing, *data, *ends]

    def _unrecorded(self, event: e.Event) -> list[e.Event]:
        """Return the part of *event* that was never recorded; each recorded event covers one event."""
        if isinstance(event, NOT_ON_THE_PATH):
            return []
        lacking = [key for key in _keys(event) if not self._take(key)]
        if not lacking:
            return []
        if isinstance(event, e.ElementPassed) and len(lacking) == 1:  # the record has its start only
            return [e.ElementCompleted(event.element, event.visit)]
        return [self._by_new_flow(event)]

    def _take(self, key: tuple[str, ...]) -> bool:
        there = self._known[key] > 0
        self._known[key] -= there
        return there

    def _by_new_flow(self, event: Any) -> e.Event:
        """Return *event*, without its flow if the record already counts that flow."""
        flow = getattr(event, "flow", "")
        if flow and not isinstance(event, e.FlowTaken):
            if self._flows.get(flow, 0) <= 0:
                return replace(event, flow="")  # type: ignore[no-any-return]
            self._flows[flow] -= 1
        return event  # type: ignore[no-any-return]


def _keys(event: e.Event) -> list[tuple[str, ...]]:
    """Return the keys by which two events are the same; passing an element enters and leaves it."""
    match event:
        case e.ElementPassed(element, visit):
            return [("Entered", place(element, visit)), ("Left", place(element, visit))]
        case e.ElementEntered(element, visit):
            return [("Entered", place(element, visit))]
        case e.ElementCompleted(element, visit) | e.ElementCancelled(element, visit):
            return [("Left", place(element, visit))]
        case e.ServiceCalled(element, visit, operator):
            return [("ServiceCalled", place(element, visit), operator)]
        case e.FlowTaken(flow):
            return [("FlowTaken", flow)]
        case _:
            record = e.to_json(event)
            return [(str(record["kind"]), str(record.get("element", "")), str(record.get("visit", "")))]


def _split(here: str) -> tuple[str, int]:
    element, _, visit = here.rpartition(":")
    return element, int(visit)


def _left_places(before: Iterable[str], after: Iterable[str]) -> list[str]:
    left = set(after)
    return [here for here in dict.fromkeys(before) if here not in left]


def _data(before: InstanceState, made: InstanceState) -> list[e.Event]:
    changed = {k: v for k, v in made.data.items() if k not in before.data or before.data[k] != v}
    unset = sorted(k for k in before.data if k not in made.data)
    return [e.DataChanged(changed, unset)] if changed or unset else []


def _first_divergence(steps: Sequence[ReadStep], made: Restored) -> int:
    """Return the first step that takes another path now; 0 if none does."""
    for revision, body, _ in steps:
        recorded = [key for event in body["events"] for key in _path_keys(e.from_json(event))]
        again = [key for event in made.by_step.get(revision, ()) for key in _path_keys(event)]
        if recorded != again:
            return revision
    return 0


def _path_keys(event: e.Event) -> list[tuple[str, ...]]:
    return _keys(event) if isinstance(event, PATH_EVENTS) else []


def _require_same(after: InstanceState, made: Restored) -> None:
    """Raise `Corrupt` unless the repaired case has the places, data and status of its workflow."""
    for here, _ in sorted(_open(after) ^ _open(made.state)):
        element = here.rpartition(":")[0]
        name = difference_messages.element_name(element, made.diagram)
        raise Corrupt(f"History and diagram have parted at {name}. {WAY_OUT}", element=element)
    if after.data != made.state.data or after.status != made.state.status:
        raise Corrupt(f"History and diagram lead to other data. {WAY_OUT}")


def _open(state: InstanceState) -> set[tuple[str, str]]:
    """Return every place where a token rests, with what it waits for."""
    waits = {(here, str(wait.get("due") or wait.get("name"))) for here, wait in state.waits.items()}
    return {*((here, "rests") for here in state.at), *((here, "task") for here in state.tasks), *waits,
            *state.requests.items()}  # fmt: skip
