"""Timers and messages: what a case waits for at the end of a step, and how it goes on when that happens.

A wait has the id (element, number). The number is the visit if a token rests on the element. For boundary events, event
sub-processes and the events after a gateway, which are only armed, it counts how often they were armed.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from ..core.canonical import as_stored_json
from ..core.errors import Conflict, Corrupt, ElementFailed, ExpressionError
from ..core.events import Event, MessageAwaited, MessageReceived, TimerFired, TimerStarted, WaitEnded
from ..core.state import InstanceState, place
from ..definitions import MISSED, MISSED_SKIP
from . import timer_due
from .catch_events import UsherEventGateway, awaited_triggers
from .error_propagation import Throwing, stays
from .event_definitions import MESSAGE, Trigger
from .serializer import WAY_OUT
from .step_context import FIRST_RULES
from .workflow import UsherTask


class Waiting(Throwing):
    """Starts and ends waits, and fires the events that end them."""

    def _fire_timer(self, element: str, visit: int) -> None:
        wait = self._wait(element, visit, "TimerStarted")
        self.events.append(TimerFired(element, visit))
        skips = self.diagram.elements[element].properties.get(MISSED) == MISSED_SKIP and self.step.rules > FIRST_RULES
        missed_until = self.step.now if skips else None
        following = timer_due.following(wait["due"], wait.get("every", ""), wait.get("left"), missed_until)
        again = {"due": following.iso, "every": following.every, "left": following.left} if following else None
        self._end_wait(element, visit, {}, {"next": {element: again}} if again else None)

    def _receive_message(self, element: str, visit: int, payload: dict[str, Any]) -> None:
        wait = self._wait(element, visit, "MessageAwaited")
        payload = as_stored_json(payload)
        self.events.append(MessageReceived(element, visit, wait["name"], wait["variable"], payload))
        self._end_wait(element, visit, {wait["variable"]: payload}, {})

    def _wait(self, element: str, visit: int, kind: str) -> dict[str, Any]:
        wait = self.state.waits.get(place(element, visit))
        if wait is None or wait["kind"] != kind:
            raise Conflict(f"The case does not wait at {element} any more.")
        return wait

    def _end_wait(self, element: str, visit: int, data: dict[str, Any], again: dict[str, Any] | None) -> None:
        task = self._armed_task(element, visit)
        spec = task.task_spec
        if isinstance(spec, UsherEventGateway):
            names = (name for name in spec.choices if spec._wf_spec.task_specs[name].bpmn_id == element)
            task.internal_data["chosen"] = next(names)
        self._fire(task, data, again if stays(spec) else None)

    def _armed_task(self, element: str, visit: int) -> UsherTask:
        for task in self.workflow.all_tasks():
            if task._state == TaskState.WAITING and task.internal_data.get("armed", {}).get(element) == visit:
                return task
        reason = f"The case waits at {element}, but not in the state it was stored in. {WAY_OUT}"
        raise Corrupt(reason, element=element)

    def wait_changes(self, folded: InstanceState) -> list[Event]:
        """Return the events of waits that ended and began since *folded*."""
        if not self.diagram.waits:
            return []
        open_now: set[str] = set()
        begun: list[Event] = []
        for task in self.workflow.all_tasks():
            if task._state != TaskState.WAITING:
                continue
            armed = task.internal_data.setdefault("armed", {})
            following = task.internal_data.pop("next", {})
            for element, trigger in awaited_triggers(task):
                if element not in armed:
                    armed[element] = task.visit or self._next_number(folded, element, begun)
                    begun.append(self._wait_event(task, element, armed[element], trigger, following))
                open_now.add(place(element, armed[element]))
            if not armed:
                del task.internal_data["armed"]
        ended = [WaitEnded(wait["element"], wait["visit"]) for key, wait in folded.waits.items() if key not in open_now]
        return [*ended, *begun]

    def _next_number(self, folded: InstanceState, element: str, begun: list[Event]) -> int:
        same = sum(isinstance(e, TimerStarted | MessageAwaited) and e.element == element for e in begun)
        return folded.armed.get(element, 0) + same + 1

    def _wait_event(
        self, task: UsherTask, element: str, visit: int, trigger: Trigger, following: dict[str, dict[str, Any]]
    ) -> Event:
        if trigger.kind == MESSAGE:
            return MessageAwaited(element, visit, trigger.name, self.diagram.elements[element].variable)
        if element in following:
            return TimerStarted(element, visit, **following[element])
        try:
            text = timer_due.literal(trigger.expression, self.step.rules)
            if text is None:
                text = task.workflow.script_engine.evaluate(task, trigger.expression)
            due = timer_due.due(trigger.form, text, self.step.now, self.step.calendar)
        except ExpressionError as error:
            raise ElementFailed(element, error) from error
        first = self.step.rules <= FIRST_RULES or not self._has_waited(element)
        due = due if first else timer_due.not_before(due, self.step.now + timer_due.SHORTEST)
        return TimerStarted(element, visit, due.iso, due.every, due.left)

    def _has_waited(self, element: str) -> bool:
        """Whether an earlier step entered or armed *element*: it is in a loop or repeated sequentially."""
        return bool(self.state.visits.get(element) or self.state.armed.get(element))
