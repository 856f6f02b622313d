"""Moves a running case to another diagram: reads where its tokens stand, and builds a workflow that stands there.

`move` is the place to start. Nothing on the old way runs again and nothing ahead runs yet: a token is put on the
element that takes its place, with its data, and what lies beside it (boundary events) is armed: what waited there
waits on, a timer until the moment it was set to; what has happened does not happen again. The same call gives the same
state byte for byte, so verify repeats it. What is not provably safe is refused (decisions/0014).
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
from ..core.events import DataChanged, Event, InstanceMigrated, TimerStarted, UserTaskClaimed, WaitEnded
from ..core.state import InstanceState, fold, place
from . import serializer
from .catch_events import UsherBoundaryEvent, awaited
from .compaction import compact_tree
from .compiled_diagram import Diagram
from .element_mapping import spec_of
from .event_definitions import MESSAGE, Trigger
from .join_compatibility import require_same_joins
from .run import LIBRARY_FAILURES, MISTAKES
from .script_engine import ScriptEngine
from .step_context import FIRST_RULES, Step
from .task_properties import opened
from .timers_and_messages import Waiting
from .token_reader import PERSON, RESTS, SERVICE, SUBPROCESS, Scope, Silent, Token, kind_of, read_tokens
from .trunk_compaction import compact_trunk
from .workflow import UsherTask, UsherWorkflow

SPLIT = ".BoundaryEventSplit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """What the migration is as events, and the case after it."""

    events: list[Event]
    after: InstanceState
    workflow: dict[str, Any] | None

    def place_of(self, element: str, visit: int) -> str:
        """Where a token of this visit stands now."""
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
        target: The one it is to run on.
        step: The step the migration is.
        stored: The serialized workflow; None for a case that has not begun to run.
        state: The state of the same revision.
        migrated: The event of the migration; its ``places`` are filled in here.

    Raises:
        CannotMigrate: ``problems`` names each element that stands against it.
    """
    if stored is None:
        return Moved(events=[migrated], after=fold(state, [migrated]), workflow=None)
    try:
        return _Move(source, target, step, stored, state, migrated).moved()
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
        self.old = serializer.load(stored, source, ScriptEngine(step.now, step.rules), self.silent)
        self.visits = dict(state.visits)
        self.places: dict[str, str] = {}
        self.problems: list[tuple[str, str]] = []
        self.people: list[UsherTask] = []
        self.kept: set[str] = set()

    def moved(self) -> Moved:
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
            script_engine=ScriptEngine(self.step.now, self.step.rules),
            observer=self.silent,
        )
        self.new.plant()
        self._fill(self.new, scope, mapped)
        compact = compact_tree if self.step.rules > FIRST_RULES else compact_trunk
        compact(self.new)
        return self._told()

    # may it go there?

    def _refuse_event_subprocesses(self) -> None:
        for diagram in (self.source, self.target):
            for element in diagram.elements.values():
                if element.armed and element.tag == "subProcess":
                    reason = f"{element.name or element.id} is an event sub-process; such cases cannot be moved."
                    self.problems.append((element.id, reason))
        if self.problems:
            raise CannotMigrate(problems=self.problems)

    def _goal(self, token: Token) -> str:
        """The element of the target that takes the place of the token's; notes what stands against it."""
        goal = self._there(token.element)
        name = _named(self.source, token.element)
        element = self.target.elements.get(goal)
        if not goal:
            self.problems.append((token.element, f"Nothing takes the place of {name}, as was asked."))
        elif element is None:
            self.problems.append((token.element, f"{name} is not in this version; say which element takes its place."))
        elif (kind := kind_of(spec_of(self.target, goal))) != token.kind:
            what = f"a {kind}" if kind else "another kind of element"
            self.problems.append((token.element, f"{name} is a {token.kind}; {_named(self.target, goal)} is {what}."))
        elif token.kind == SERVICE and element.operator != self.source.elements[token.element].operator:
            before = self.source.elements[token.element].operator
            reason = f"{name} has asked {before}; in this version it asks {element.operator}."
            self.problems.append((token.element, reason))
        return goal

    # putting the tokens there

    def _fill(self, workflow: Any, scope: Scope, mapped: Mapping[str, str]) -> None:
        """Let *workflow*, just planted, stand where *scope* stood."""
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
        """A finished task that holds the token's data, and below it the token, with its boundary events armed."""
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
        """Let a boundary event wait beside its task, unless what it takes the place of has happened already."""
        if event.task_spec.bpmn_id in map(self._there, token.spent):
            if self.step.rules > FIRST_RULES:
                event.workflow._remove_task(event.id)
            else:  # what would have followed it stayed in the state
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
        """Let what *task* waits for be the wait that began before, where it is the same; the others begin now."""
        before = {self._there(old): (old, number) for old, number in token.armed.items()}
        for element, trigger in awaited(task):
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

    def _there(self, element: str) -> str:
        return self.migrated.mapping.get(element, element)

    def _visit(self, element: str, token: Token) -> int:
        if element == token.element:
            return token.visit
        visit = self.visits[element] = self.visits.get(element, 0) + 1
        return visit

    # telling it

    def _told(self) -> Moved:
        changed = {old: new for old, new in self.places.items() if old != new}
        migrated = replace(self.migrated, places=changed)
        events: list[Event] = [migrated]
        before = {self.places[old]: task for old, task in self.state.tasks.items()}
        for task in self.people:
            old = before[place(task.task_spec.bpmn_id, task.visit)]
            try:
                again = opened(self.target, task, self.step.now, self.step.rules)
            except EngineError as error:
                raise CannotMigrate(problems=[(task.task_spec.bpmn_id, error.message)]) from error
            events.append(replace(again, due=old.opened.get("due", "")))
            if old.assignee:
                events.append(UserTaskClaimed(again.element, again.visit, old.assignee))
        events += self._waits_told(events)
        after = fold(self.state, events)
        holds = TaskState.WAITING | TaskState.READY | TaskState.STARTED
        data: dict[str, Any] = {}
        for task in self.new.all_tasks():  # as a run sees them
            if task._state & holds:
                data.update(task.data)
        news = changes(after.data, data, exact=self.step.rules > FIRST_RULES)
        unset = sorted(k for k in after.data if k not in data)
        if news or unset:
            rest = DataChanged(news, unset)
            events, after = [*events, rest], fold(after, [rest])
        return Moved(events=events, after=after, workflow=serializer.dump(self.new))

    def _waits_told(self, events: list[Event]) -> list[Event]:
        """The waits that end here, and those that begin."""
        waits = self.state.waits.items()
        ended: list[Event] = [WaitEnded(w["element"], w["visit"]) for here, w in waits if here not in self.kept]
        waiting = Waiting(self.target, self.step, self.state)
        waiting.workflow = self.new
        try:
            return [*ended, *waiting.begun_and_ended(fold(self.state, [*events, *ended]))]
        except ElementFailed as error:
            raise CannotMigrate(problems=[(error.element, error.message)]) from error


def _named(diagram: Diagram, element: str) -> str:
    known = diagram.elements.get(element)
    return (known.name if known else "") or element
