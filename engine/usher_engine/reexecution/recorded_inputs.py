"""The external inputs in a history (answers, results, timers, messages) and how to feed them to a re-execution."""

from __future__ import annotations

from typing import Any

from ..bpmn import FIRST_RULES, Run
from ..core import events as e
from ..core.errors import BusinessError, Corrupt

#: Commands that give the diagram an input, with the events that record it.
INPUTS = {
    "complete": ("UserTaskCompleted",),
    "cancel_task": ("UserTaskCancelled",),
    "finish_job": ("ServiceCompleted", "ServiceRefused"),
    "fire_timer": ("TimerFired",),
    "deliver_message": ("MessageReceived",),
}


def rules_of(body: dict[str, Any]) -> int:
    """Return the version of the rules that a recorded step ran by; 0 if invalid."""
    rules = body.get("rules", FIRST_RULES)
    return rules if type(rules) is int else 0


def apply_input(run: Run, given: e.Event) -> None:
    """Apply the input *given* to *run*."""
    match given:
        case e.UserTaskCompleted(element, visit, _, answer):
            run.complete(element, visit, answer)
        case e.UserTaskCancelled(element, visit, reason):
            run.cancel_task(element, visit, reason)
        case e.ServiceCompleted(element, visit, _, result):
            run.finish_service(element, visit, result)
        case e.ServiceRefused(element, visit, code, message):
            run.refuse_service(element, visit, BusinessError(code, message))
        case e.TimerFired(element, visit):
            run.fire_timer(element, visit)
        case e.MessageReceived(element, visit, _, _, payload):
            run.receive_message(element, visit, payload)
        case _:
            raise Corrupt("This event is not an input.")
