"""Plays one recorded case on another package, with its recorded inputs as far as they fit; writes nothing.

Start with `Player.play`. A recorded timer counts while it is due when it was; others fire when they are due.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..bpmn import Diagram, Run
from ..bpmn import Step as StepContext
from ..core import events as e
from ..core.canonical import compact
from ..core.errors import BusinessError, InvalidSubmission
from ..core.state import LIVE, InstanceState
from ..forms import Form, parse_form
from ..services import Services
from ..store import Transaction
from . import difference_messages
from .assumptions import Question
from .backtest_answers import Answers
from .recorded_case import RecordedInput, Recording
from .recorded_inputs import apply_input
from .recorded_services import NO_LIMIT_S

#: The actor that fires timers, and that of assumed answers.
SYSTEM, ASSUMED = "system", "assumed"


class Lacking(Exception):
    """The other package asks for an answer that the record lacks; *question* is None where none can be assumed."""

    def __init__(self, element: str, message: str, question: Question | None = None) -> None:
        super().__init__(message)
        self.element = element
        self.message = message
        self.question = question


class Player:
    """
    ``happened`` and ``state`` say how far the case came on *diagram*, ``unanswered`` which tasks asked in vain.

    ``interrupted``: it stopped within a step, whose events are in ``happened`` and whose state is not.
    """

    def __init__(
        self,
        instance: str,
        recording: Recording,
        diagram: Diagram,
        services: Services,
        answers: Answers,
        until: datetime,
        transaction: Transaction | None,
    ) -> None:
        self.instance = instance
        self.recording = recording
        self.diagram = diagram
        self.services = services
        self.answers = answers
        self.until = min(until, recording.cancelled_at or until)
        self.transaction = transaction
        self.now = datetime.fromisoformat(recording.at)
        self.state = InstanceState()
        self.happened: list[e.Event] = answers.happened
        self.workflow: dict[str, Any] = {}
        self._waiting = list(recording.inputs)
        self._requested: dict[str, datetime] = {}
        self.unanswered: list[Question] = []
        self.interrupted = False

    def play(self) -> None:
        """Play the case up to its end, or to where the record has no more inputs for it; raise `Lacking`."""
        begun = dict(self.recording.started.data)
        self._run(self.recording.actor, lambda step: Run.start(self.diagram, step, begun))
        while self.state.status in LIVE:
            assumed = self._next_assumed()
            if assumed is not None:
                self._apply(self.now, ASSUMED, assumed)
                continue
            fit = [(self._moment(one), one) for one in self._waiting if self._is_open(one)]
            at, given = min(fit, key=lambda one: one[0], default=(self.until, None))
            due = self._next_timer()
            if due is not None and due[0] < at:
                self._apply(due[0], SYSTEM, due[1])
            elif given is not None:
                self._waiting.remove(given)
                self._apply(at, given.actor, self._fit_to_form(given.event, at))
            else:
                return

    def open_questions(self) -> list[str]:
        """The places that wait for a person or a service although the recorded case does not wait there."""
        stands = self.recording.stands_at
        return [here for here in (*self.state.tasks, *self.state.requests) if here not in stands]

    def question_at(self, here: str) -> Question:
        """What the task or requested service at *here* asks."""
        element = here.rpartition(":")[0]
        if here in self.state.requests:
            return Question(element=element, operator=self.state.requests[here])
        return Question(element=element, form=self.diagram.elements[element].properties.get("form", ""))

    def _note_unanswered(self) -> None:
        """Keep the questions of tasks that nobody answers in the record, though a timer may end them."""
        answered = {one.place for one in self._waiting}
        for here in self.open_questions():
            if here in self.state.tasks and here not in answered:
                self.unanswered.append(self.question_at(here))

    # what comes next

    def _moment(self, given: RecordedInput) -> datetime:
        """When *given* comes: a person at the recorded time, a service as long after it was asked as when it ran."""
        at = datetime.fromisoformat(given.at)
        asked = self._requested.get(given.place)
        took = self.answers.report_took(given.place, given.operator, at) if given.operator and asked else None
        return max(self.now, at if took is None or asked is None else asked + took)

    def _next_timer(self) -> tuple[datetime, e.TimerFired] | None:
        """Return the earliest of the timers whose firing is not recorded."""
        new = [
            (datetime.fromisoformat(wait["due"]), e.TimerFired(wait["element"], wait["visit"]))
            for here, wait in self.state.waits.items()
            if "due" in wait and not self._is_recorded_timer(here, wait["due"])
        ]
        return min(new, key=lambda one: one[0], default=None)

    def _is_recorded_timer(self, here: str, due: str) -> bool:
        """Whether the recorded case had this timer and either still waits for it, or its firing is yet to come."""
        if self.recording.timers.get(here) != due:
            return False
        fires = any(isinstance(one.event, e.TimerFired) and one.place == here for one in self._waiting)
        return fires or here in self.recording.state.waits

    def _is_open(self, given: RecordedInput) -> bool:
        """Whether the other package awaits this input now."""
        if isinstance(given.event, e.TimerFired):
            wait = self.state.waits.get(given.place)
            return wait is not None and wait.get("due") == self.recording.timers.get(given.place)
        if isinstance(given.event, e.MessageReceived):
            return given.place in self.state.waits
        if given.operator:
            asks = self.state.requests.get(given.place) == given.operator
            return asks and self.answers.counts(given.place, given.operator)
        return given.place in self.state.tasks

    def _next_assumed(self) -> e.Event | None:
        """The assumed answer to an open question of which the record has no answer."""
        recorded = {one.place for one in self._waiting if self._is_open(one)}
        for here in self.open_questions():
            question = self.question_at(here)
            assumption = None if here in recorded else self.answers.assumption(question)
            if assumption is None:
                continue
            element, _, visit = here.rpartition(":")
            if question.operator:
                return self._assumed_report(question, element, int(visit), assumption)
            answer = dict(assumption.answer) if isinstance(assumption.answer, dict) else {}
            if answer:
                self.answers.alter()
            fitted: e.Event = self._fit_to_form(e.UserTaskCompleted(element, int(visit), "", answer), self.now)
            return fitted
        return None

    def _assumed_report(self, question: Question, element: str, visit: int, assumption: Any) -> e.Event:
        operator = self.services.get(question.operator)
        try:
            result = self.answers.assumed_result(operator, element, assumption, None)
        except BusinessError as refusal:
            return e.ServiceRefused(element, visit, refusal.code, refusal.message)
        return e.ServiceCompleted(element, visit, "", result)

    def _fit_to_form(self, event: Any, at: datetime) -> Any:
        """Return the answer as the other package's form accepts it; raise `Lacking` if the form asks for more."""
        if isinstance(event, e.UserTaskCancelled) and not self.diagram.elements[event.element].cancel:
            name = difference_messages.element_name(event.element, self.diagram)
            raise Lacking(event.element, f"{name} was cancelled; this package draws no way for that.")
        if isinstance(event, e.ServiceCompleted):
            self.answers.learn(self.state.requests[f"{event.element}:{event.visit}"], event.result)
        if not isinstance(event, e.UserTaskCompleted):
            return event
        name = self.diagram.elements[event.element].properties.get("form", "")
        if not name:
            return replace(event, answer={})
        return replace(event, answer=self._answer_for(event, name, at))

    def _answer_for(self, event: e.UserTaskCompleted, name: str, at: datetime) -> dict[str, Any]:
        form, today = parse_form(self.diagram.package.text(name)), self.recording.calendar(at).day_of(at)
        known = {field.key for field in form.fields}
        given = {key: value for key, value in event.answer.items() if key in known}
        if any(value not in (None, "", [], False) for key, value in event.answer.items() if key not in known):
            self.answers.alter()
        try:
            return form.validate(given, today=today)
        except InvalidSubmission as wrong:
            question = Question(element=event.element, form=name)
            assumption = self.answers.assumption(question)
            if assumption is not None and isinstance(assumption.answer, dict):
                more = {key: assumption.answer.get(key) for key in wrong.fields}
                try:
                    answer = form.validate({**given, **more}, today=today)
                except InvalidSubmission as still:
                    wrong = still
                else:
                    self.answers.alter()
                    return answer
            raise Lacking(event.element, self._asks_for_more(event.element, form, wrong), question) from wrong

    def _asks_for_more(self, element: str, form: Form, wrong: InvalidSubmission) -> str:
        labels = ", ".join(field.label for field in form.fields if field.key in wrong.fields)
        task = difference_messages.element_name(element, self.diagram)
        return f"{task} asks for more than was answered: {labels}."

    # running

    def _apply(self, at: datetime, actor: str, event: e.Event) -> None:
        self.now = max(self.now, at)
        stored, before = self.workflow, self.state

        def act(step: StepContext) -> Run:
            run = Run.resume(self.diagram, step, stored, before)
            apply_input(run, event)
            return run

        self._run(actor, act)

    def _run(self, actor: str, act: Callable[[StepContext], Run]) -> None:
        events: list[e.Event] = []
        self.answers.step = events
        step = StepContext(
            instance=self.instance,
            actor=actor,
            now=self.now,
            services=self.services,
            answer=self.answers.answer,
            transaction=self.transaction,
            limit_s=NO_LIMIT_S,
            events=events,
            calendar=self.recording.calendar(self.now),
        )
        self.interrupted = True
        try:
            run = act(step)
        finally:
            self.happened += events
            self.answers.step = []
        self.interrupted = False
        self.state, self.workflow = run.after, json.loads(compact(run.dump()))
        self._note_unanswered()
        self._requested = {here: self._requested.get(here, self.now) for here in self.state.requests}
