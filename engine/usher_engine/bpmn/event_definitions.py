"""Triggers of events, which replace SpiffWorkflow's event definitions.

A trigger never reads a clock and never searches the tree: `timers_and_messages` and `error_propagation` decide which
task it reaches.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition

TIMER, MESSAGE, ERROR, ESCALATION = "timer", "message", "error", "escalation"


class Trigger(EventDefinition):  # type: ignore[misc]
    """
    One event definition of the diagram.

    *kind* is one of the four above, *name* the message's name, *code* the error's or escalation's, empty for any. A
    timer has a *form* (``timeDate``, ``timeDuration``, ``timeCycle``) and its *expression* as written.
    """

    def __init__(self, kind: str, name: str = "", *, code: str = "", form: str = "", expression: str = "") -> None:
        super().__init__(name)
        self.kind = kind
        self.code = code
        self.form = form
        self.expression = expression

    @property
    def waits(self) -> bool:
        """Whether something outside the diagram triggers it: the time, or a message."""
        return self.kind in (TIMER, MESSAGE)

    def catches(self, my_task: Any, event: Any) -> bool:
        """Return False: Usher does not use the library's way to find catchers."""
        return False

    def throw(self, my_task: Any) -> None:
        """Report to the run, which finds the catcher."""
        my_task.workflow.top_workflow.observer.on_throw(my_task, self)

    def reset(self, my_task: Any) -> None:
        my_task.internal_data.pop("event_fired", None)
