"""Restores the state of a case from its history: runs its diagram again on what the history says the case received.

`rerun` compares every step with its record. Here the record gives only the start, answers, results, times and messages,
and the diagram decides by today's rules. An answer waits here where the element it is for is entered later than it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from ..bpmn import FIRST_RULES, LIBRARY_FAILURES, Diagram, Run
from ..bpmn import Step as StepContext
from ..core import events as e
from ..core.canonical import Json, compact
from ..core.errors import BusinessError, Corrupt, ElementFailed, EngineError
from ..core.state import LIVE, InstanceState, fold, place
from ..services import Call, Operator
from . import difference_messages
from .hash_chain import ReadStep
from .migration_step import Versions, moved_again
from .recorded_case import Said, has_failed
from .recorded_inputs import SAID, rules_of, tell
from .recorded_services import NO_LIMIT_S

#: What services said inside the steps, by element, visit and operator: asked earlier now, they say the same.
Answers = dict[tuple[str, int, str], list[e.ServiceCalled]]

WAY_OUT = "The case cannot be repaired; cancel it, and start it again."


@dataclass(slots=True)
class Restored:
    """
    A case as its diagram has it now, and all that happened on the way there, *by_step*.

    *revision* is the step that is being carried out, the last one at the end; *waiting* is what was said and has no
    place yet.
    """

    diagram: Diagram
    state: InstanceState = field(default_factory=InstanceState)
    workflow: dict[str, Any] | None = None
    by_step: dict[int, list[e.Event]] = field(default_factory=dict)
    revision: int = 0
    waiting: list[tuple[int, Said]] = field(default_factory=list)

    @property
    def happened(self) -> list[e.Event]:
        return [event for events in self.by_step.values() for event in events]

    def follow(self, events: Iterable[e.Event], after: InstanceState) -> None:
        """*events* happened in this step and led to the state *after*."""
        self.by_step.setdefault(self.revision, []).extend(events)
        self.state = after


def restore(
    steps: Sequence[ReadStep], began: Diagram, versions: Versions, step: StepContext, rules: int | None
) -> Restored:
    """
    Carry out *steps* again.

    Args:
        steps: The recorded history, from the start of the case.
        began: The diagram the case began on.
        versions: Gives the diagrams it was moved to.
        step: The step this is done in; what the record does not answer is asked of its services.
        rules: Those to decide by; None takes those each step was decided by.

    Raises:
        Corrupt: The history and the diagram have parted; ``element`` says where.
    """
    answers: Answers = {}
    for event in (e.from_json(record) for _, body, _ in steps for record in body["events"]):
        if isinstance(event, e.ServiceCalled):
            answers.setdefault((event.element, event.visit, event.operator), []).append(event)
    restoring = _Restoring(began, versions, step, rules, answers)
    for revision, body, _ in steps:
        restoring.carry_out(revision, body)
    return restoring.finished()


class _Restoring:
    def __init__(
        self, began: Diagram, versions: Versions, step: StepContext, rules: int | None, answers: Answers
    ) -> None:
        self.made = Restored(began)
        self._versions = versions
        self._step = step
        self._rules = rules
        self._answers = answers

    def carry_out(self, revision: int, body: dict[str, Any]) -> None:
        made, kind = self.made, str(body["command"]["kind"])
        made.revision = revision
        events = [e.from_json(record) for record in body["events"]]
        failed = has_failed(body["events"])
        if kind == "start" or (kind == "retry" and made.workflow is None):
            self._start(events, body, failed=failed)
        elif kind == "migrate" and not failed:
            self._migrate(events[0], body)
        elif kind in SAID and not failed:
            said = next(event for event in events if type(event).__name__ in SAID[kind])
            made.waiting.append((revision, Said(body["at"], body["actor"]["name"], said)))
            self._hear(rules_of(body))
        elif kind == "retry" and not failed and rules_of(body) > FIRST_RULES:
            self._resume(Run.go_on, body["at"], body["actor"]["name"], rules_of(body))
        else:
            self._note(events)

    def finished(self) -> Restored:
        """What came of it; raises `Corrupt` where something that was said found no place."""
        for revision, said in self.made.waiting:
            name = difference_messages.named(said.event.element, self.made.diagram)
            reason = f"Step {revision} answered {name}, which the diagram does not ask there any more."
            raise Corrupt(f"{reason} {WAY_OUT}", element=said.event.element)
        return self.made

    # steps

    def _start(self, events: list[e.Event], body: dict[str, Any], *, failed: bool) -> None:
        made = self.made
        first = [event for event in events if isinstance(event, e.InstanceStarted)]
        made.follow(first, fold(made.state, first))
        if not failed:
            data = dict(made.state.data)
            step = self._context(body["at"], body["actor"]["name"], rules_of(body))
            self._keep(lambda: Run.start(made.diagram, step, data))

    def _migrate(self, recorded: e.Event, body: dict[str, Any]) -> None:
        made = self.made
        if not isinstance(recorded, e.InstanceMigrated):
            raise Corrupt(f"Step {made.revision} does not tell where the case was moved to. {WAY_OUT}")
        target = self._versions(recorded.to_version, recorded.definition)
        if isinstance(target, str):
            raise Corrupt(f"Step {made.revision} moved the case to version {recorded.to_version}: {target} {WAY_OUT}")
        step = self._context(body["at"], body["actor"]["name"], rules_of(body))
        moved = moved_again(made.diagram, target, step, made.workflow, made.state, recorded)
        if isinstance(moved, str):
            raise Corrupt(f"Step {made.revision} moved the case to another version. {moved} {WAY_OUT}")
        made.diagram, made.workflow = target, moved.workflow
        made.follow(moved.events, moved.after)

    def _hear(self, rules: int) -> None:
        """Say everything that has a place now, in the order it was said first."""
        made = self.made
        while made.state.status in LIVE:
            found = next((one for one in made.waiting if self._is_open(one[1])), None)
            if found is None:
                return
            made.waiting.remove(found)
            said = found[1]
            self._resume(partial(tell, said=said.event), said.at, said.actor, rules)

    def _is_open(self, said: Said) -> bool:
        state = self.made.state
        if isinstance(said.event, e.TimerFired | e.MessageReceived):
            return said.place in state.waits
        if isinstance(said.event, e.ServiceCompleted | e.ServiceRefused):
            return said.place in state.requests
        return said.place in state.tasks

    def _note(self, events: list[e.Event]) -> None:
        """Who has which task, as far as the task is there; incidents are of the record, not of the diagram."""
        about_tasks = (event for event in events if isinstance(event, e.UserTaskClaimed | e.UserTaskReleased))
        for event in about_tasks:
            if place(event.element, event.visit) in self.made.state.tasks:
                self.made.state = fold(self.made.state, [event])

    # running

    def _resume(self, act: Callable[[Run], None], at: str, actor: str, rules: int) -> None:
        made = self.made

        def resumed() -> Run:
            run = Run.resume(made.diagram, self._context(at, actor, rules), made.workflow or {}, made.state)
            act(run)
            return run

        self._keep(resumed)

    def _keep(self, act: Callable[[], Run]) -> None:
        made = self.made
        try:
            run = act()
        except (EngineError, *LIBRARY_FAILURES) as failure:
            element = failure.element if isinstance(failure, ElementFailed | Corrupt) else ""
            name = difference_messages.named(element, made.diagram)
            why = failure.message if isinstance(failure, EngineError) else type(failure).__name__
            message = f"Carried out again, step {made.revision} fails at {name}: {why} {WAY_OUT}"
            raise Corrupt(message, element=element) from failure
        made.follow(run.events, fold(run.after, run.after.resolving()))  # where it ends, not where it stood meanwhile
        made.workflow = json.loads(compact(run.dump()))  # as it is read live: nothing shared with what has run

    def _context(self, at: str, actor: str, rules: int) -> StepContext:
        return replace(
            self._step,
            actor=actor,
            now=datetime.fromisoformat(at),
            answer=self._answer,
            limit_s=NO_LIMIT_S,
            rules=self._rules or rules,
        )

    def _answer(self, operator: Operator, values: dict[str, Any], call: Call) -> Json:
        """As recorded; what was never asked is asked now."""
        known = self._answers.get((call.element, call.visit, operator.name))
        if not known:
            return self._step.answer(operator, values, call)
        recorded = known.pop(0)
        if recorded.error:
            raise BusinessError(recorded.error, str(recorded.result or ""))
        return recorded.result
