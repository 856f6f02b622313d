"""Migrates a running case to another diagram: reads its tokens, and builds a workflow with the same tokens.

Start with `move`. Nothing on the old path runs again and nothing ahead runs yet. `move` puts each token with its data
on the element that replaces its own, and arms the boundary events there. A wait continues, a timer until its original
time; an event that has happened does not happen again. The same call produces the same state byte for byte, so verify
can repeat it. It refuses what is not provably safe (decisions/0014).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from SpiffWorkflow.util.task import TaskState

from ..core import faults
from ..core.canonical import changes
from ..core.errors import CannotMigrate, Corrupt, ElementFailed, EngineError
from ..core.events import (
    DataChanged,
    Event,
    InstanceMigrated,
    TimerStarted,
    UserTaskClaimed,
    UserTaskDueSet,
    UserTaskPutOff,
    WaitEnded,
)
from ..core.state import InstanceState, fold, place
from . import serializer
from .catch_events import UsherBoundaryEvent, awaited_triggers
from .compaction import compact_tree
from .compiled_diagram import Diagram
from .element_mapping import spec_of
from .event_definitions import MESSAGE, Trigger
from .join_compatibility import require_same_joins
from .run import LIBRARY_FAILURES, MISTAKES
from .script_engine import engine_of
from .step_context import FIRST_RULES, Step
from .task_properties import opening_event
from .timers_and_messages import Waiting
from .token_reader import PERSON, RESTS, SERVICE, SUBPROCESS, Scope, Silent, Token, kind_of, read_tokens
from .trunk_compaction import compact_trunk
from .workflow import UsherTask, UsherWorkflow

SPLIT = ".BoundaryEventSplit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """The events of the migration, and the case after it."""

    events: list[Event]
    after: InstanceState
    workflow: dict[str, Any] | None

    def place_of(self, element: str, visit: int) -> str:
        """Return the place of the token of this visit on the new diagram."""
        here = place(element, visit)
        migrated = self.events[0]
        return migrated.places.get(here, here) if isinstance(migrated, InstanceMigrated) else here


def move(
    source: Diagram,
    target: Diagram,
    step: Step,
    stored: dict[str, Any] | None,
    state: InstanceState,
    migrated: InstanceMigrated,
) -> Moved:
    """
    Move a case from *source* to *target*.

    Args:
        source: The diagram the case runs on.
        target: The diagram to migrate to.
        step: The step of the migration.
        stored: The serialized workflow; None for a case that has not begun to run.
        state: The state of the same revision.
        migrated: The event of the migration; `move` fills in its ``places``.

    Raises:
        CannotMigrate: ``problems`` names each element that prevents it.
    """
    if stored is None:
        return Moved(events=[migrated], after=fold(state, [migrated]), workflow=None)
    try:
        return _Move(source, target, step, stored, state, migrated).result()
    except Corrupt as error:
        raise CannotMigrate(problems=[(error.element or target.package.key, error.message)]) from error
    except LIBRARY_FAILURES as error:
        if isinstance(error, MISTAKES):
            faults.report(error, where="migration", at=f"{target.package.key} of case {step.instance}")
        message = f"The state of the case does not fit this version ({type(error).__name__})."
        raise CannotMigrate(problems=[(target.package.key, message)]) from error


class _Move:
    def __init__(
        self,
        source: Diagram,
        target: Diagram,
        step: Step,
        stored: dict[str, Any],
        state: InstanceState,
        migrated: InstanceMigrated,
    ) -> None:
        self.source, self.target = source, target
        self.step = step
        self.state = state
        self.migrated = migrated
        self.silent = Silent()
        self.old = serializer.load(stored, source, engine_of(step), self.silent)
        self.visits = dict(state.visits)
        self.places: dict[str, str] = {}
        self.problems: list[tuple[str, str]] = []
        self.people: list[UsherTask] = []
        self.kept: set[str] = set()

    def result(self) -> Moved:
        self._refuse_event_subprocesses()
        scope = read_tokens(self.old, self.source)
        mapped = {token.element: self._goal(token) for token in scope.all_tokens()}
        if not self.problems:
            self.problems += require_same_joins(scope, self.old.spec, self.target, mapped)
        if self.problems:
            raise CannotMigrate(problems=self.problems)
        self.new = UsherWorkflow(
            self.target.spec,
            self.target.subprocess_specs,
            script_engine=engine_of(self.step),
            observer=self.silent,
        )
        self.new.plant()
        self._fill(self.new, scope, mapped)
        compact = compact_tree if self.step.rules > FIRST_RULES else compact_trunk
        compact(self.new)
        return self._moved()

    # checks

    def _refuse_event_subprocesses(self) -> None:
        for diagram in (self.source, self.target):
            for element in diagram.elements.values():
                if element.armed and element.tag == "subProcess":
                    reason = f"{element.name or element.id} is an event sub-process; such cases cannot be moved."
                    self.problems.append((element.id, reason))
        if self.problems:
            raise CannotMigrate(problems=self.problems)

    def _goal(self, token: Token) -> str:
        """Return the element of the target that replaces the token's; note any problems."""
        goal = self._replacement(token.element)
        name = _name_of(self.source, token.element)
        element = self.target.elements.get(goal)
        if not goal:
            self.problems.append((token.element, f"Nothing takes the place of {name}, as was asked."))
        elif element is None:
            self.problems.append((token.element, f"{name} is not in this version; say which element takes its place."))
        elif (kind := kind_of(spec_of(self.target, goal))) != token.kind:
            what = f"a {kind}" if kind else "another kind of element"
            self.problems.append((token.element, f"{name} is a {token.kind}; {_name_of(self.target, goal)} is {what}."))
        elif token.kind == SERVICE and element.operator != self.source.elements[token.element].operator:
            before = self.source.elements[token.element].operator
            reason = f"{name} has asked {before}; in this version it asks {element.operator}."
            self.problems.append((token.element, reason))
        return goal

    # placing the tokens

    def _fill(self, workflow: Any, scope: Scope, mapped: Mapping[str, str]) -> None:
        """Give the new *workflow* the tokens of *scope*."""
        root = workflow.task_tree
        root._drop_children(force=True)
        root._state = TaskState.COMPLETED
        workflow.data = deepcopy(scope.data)
        workflow.correlations = deepcopy(scope.correlations)
        for token in scope.tokens:
            goal = mapped[token.element]
            spec = next(s for s in workflow.spec.task_specs.values() if s.bpmn_id == goal)
            self._place(root, spec, token, mapped)

    def _place(self, root: UsherTask, spec: Any, token: Token, mapped: Mapping[str, str]) -> None:
        """Add a finished task with the token's data, and below it the token with its boundary events armed."""
        carrier = UsherTask(root.workflow, root.task_spec, root, state=TaskState.COMPLETED, id=self.new.next_id())
        carrier.last_state_change = self.new.next_tick()
        carrier.data = deepcopy(token.data)
        split = root.workflow.spec.task_specs.get(f"{spec.name}{SPLIT}")
        first = carrier._add_child(split or spec, TaskState.FUTURE)
        first.task_spec._predict(first, mask=TaskState.NOT_FINISHED_MASK)
        if split is None:
            self._stand(first, token, mapped)
            return
        first._inherit_data()
        first._set_state(TaskState.COMPLETED)
        for child in first.children:
            if child.task_spec is spec:
                self._stand(child, token, mapped)
            elif isinstance(child.task_spec, UsherBoundaryEvent):
                self._arm(child, token)

    def _arm(self, event: UsherTask, token: Token) -> None:
        """Arm a boundary event, unless the event it replaces has already happened."""
        if event.task_spec.bpmn_id in map(self._replacement, token.spent):
            if self.step.rules > FIRST_RULES:
                event.workflow._remove_task(event.id)
            else:  # otherwise the tasks predicted after it stay in the state
                event.parent._children.remove(event.id)
                del event.workflow.tasks[event.id]
            return
        event._set_state(TaskState.WAITING)
        event.task_spec._update(event)
        self._carry(event, token)

    def _stand(self, task: UsherTask, token: Token, mapped: Mapping[str, str]) -> None:
        element = task.task_spec.bpmn_id
        task.data = deepcopy(token.data)
        task.visit = self._visit(element, token)
        self.places[place(token.element, token.visit)] = place(element, task.visit)
        task._set_state(RESTS.get(token.kind, TaskState.WAITING))
        if token.kind == PERSON:
            self.people.append(task)
        if token.kind == SUBPROCESS and token.inside is not None:
            nested = self.new.create_subprocess(task, task.task_spec.spec)
            self._fill(nested, token.inside, mapped)
        self._carry(task, token)

    def _carry(self, task: UsherTask, token: Token) -> None:
        """Continue the waits of *task* that are the same as before; the others begin now."""
        before = {self._replacement(old): (old, number) for old, number in token.armed.items()}
        for element, trigger in awaited_triggers(task):
            old, number = before.get(element, (element, 0))
            wait = self.state.waits.get(place(old, number))
            if wait is None or not self._goes_on(wait, element, trigger):
                continue
            if old == element:
                task.internal_data.setdefault("armed", {})[element] = number
                self.kept.add(place(old, number))
            elif trigger.kind != MESSAGE:
                timer = {name: wait[name] for name in ("due", "every", "left") if name in wait}
                task.internal_data.setdefault("next", {})[element] = timer

    def _goes_on(self, wait: dict[str, Any], element: str, trigger: Trigger) -> bool:
        if trigger.kind == MESSAGE:
            known = self.target.elements[element].variable
            return (wait.get("name"), wait.get("variable")) == (trigger.name, known)
        return bool(wait["kind"] == TimerStarted.__name__)

    def _replacement(self, element: str) -> str:
        return self.migrated.mapping.get(element, element)

    def _visit(self, element: str, token: Token) -> int:
        if element == token.element:
            return token.visit
        visit = self.visits[element] = self.visits.get(element, 0) + 1
        return visit

    # events

    def _moved(self) -> Moved:
        changed = {old: new for old, new in self.places.items() if old != new}
        migrated = replace(self.migrated, places=changed)
        events: list[Event] = [migrated]
        before = {self.places[old]: task for old, task in self.state.tasks.items()}
        for task in self.people:
            old = before[place(task.task_spec.bpmn_id, task.visit)]
            try:
                again = opening_event(self.target, task, self.step)
            except EngineError as error:
                raise CannotMigrate(problems=[(task.task_spec.bpmn_id, error.message)]) from error
            events.append(replace(again, due=old.opened.get("due", "")))
            if old.assignee:
                events.append(UserTaskClaimed(again.element, again.visit, old.assignee))
            if "due" in old.desk:
                events.append(UserTaskDueSet(again.element, again.visit, old.desk["due"]))
            if old.desk.get("until"):
                events.append(UserTaskPutOff(again.element, again.visit, old.desk["until"]))
        events += self._wait_events(events)
        after = fold(self.state, events)
        holds = TaskState.WAITING | TaskState.READY | TaskState.STARTED
        data: dict[str, Any] = {}
        for task in self.new.all_tasks():  # in the order of a run
            if task._state & holds:
                data.update(task.data)
        news = changes(after.data, data, exact=self.step.rules > FIRST_RULES)
        unset = sorted(k for k in after.data if k not in data)
        if news or unset:
            rest = DataChanged(news, unset)
            events, after = [*events, rest], fold(after, [rest])
        return Moved(events=events, after=after, workflow=serializer.dump(self.new))

    def _wait_events(self, events: list[Event]) -> list[Event]:
        """Return the events of the waits that end and begin with the migration."""
        waits = self.state.waits.items()
        ended: list[Event] = [WaitEnded(w["element"], w["visit"]) for here, w in waits if here not in self.kept]
        waiting = Waiting(self.target, self.step, self.state)
        waiting.workflow = self.new
        try:
            return [*ended, *waiting.wait_changes(fold(self.state, [*events, *ended]))]
        except ElementFailed as error:
            raise CannotMigrate(problems=[(error.element, error.message)]) from error


def _name_of(diagram: Diagram, element: str) -> str:
    known = diagram.elements.get(element)
    return (known.name if known else "") or element
