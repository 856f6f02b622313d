"""What people, services, time and messages say to a case, as its history tells it, and how a run is told it again."""

from __future__ import annotations

from typing import Any

from ..bpmn import FIRST_RULES, Run
from ..core import events as e
from ..core.errors import BusinessError, Corrupt

#: Commands that run the diagram, and the events that tell what was said to it.
SAID = {
    "complete": ("UserTaskCompleted",),
    "cancel_task": ("UserTaskCancelled",),
    "finish_job": ("ServiceCompleted", "ServiceRefused"),
    "fire_timer": ("TimerFired",),
    "deliver_message": ("MessageReceived",),
}


def rules_of(body: dict[str, Any]) -> int:
    """The rules a recorded step was decided by; 0 where it names none that could be."""
    rules = body.get("rules", FIRST_RULES)
    return rules if type(rules) is int else 0


def tell(run: Run, said: e.Event) -> None:
    """Tell *run* what a person or a service said."""
    match said:
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
            raise Corrupt("This event answers nothing.")
