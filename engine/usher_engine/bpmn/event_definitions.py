"""What makes an event happen, as a value of ours in the place of SpiffWorkflow's event definitions.

A trigger never looks at a clock and never searches the tree: `timers_and_messages` and
`error_propagation` decide which task it reaches.
"""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition

TIMER, MESSAGE, ERROR, ESCALATION = "timer", "message", "error", "escalation"


class Trigger(EventDefinition):  # type: ignore[misc]
    """
    One event definition of the diagram.

    *kind* is one of the four above; *name* the message's name, *code* the error's or escalation's, empty for any. A
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
        """Whether something outside the diagram's own flow makes it happen: the time, or a message."""
        return self.kind in (TIMER, MESSAGE)

    def catches(self, my_task: Any, event: Any) -> bool:
        """Never: the library's own way of finding who catches what is not used."""
        return False

    def throw(self, my_task: Any) -> None:
        """Tell the run, which finds whoever catches it."""
        my_task.workflow.top_workflow.observer.thrown(my_task, self)

    def reset(self, my_task: Any) -> None:
        my_task.internal_data.pop("event_fired", None)
