"""Checks whether a recorded command that ran nothing was possible in the state before it."""

from __future__ import annotations

from ..core import events as e
from ..core.state import InstanceState, place
from .recorded_inputs import INPUTS

#: Commands that become an incident if the diagram fails or Usher cannot resume the stored state.
MAY_FAIL = {*INPUTS, "migrate"}


def is_possible(state: InstanceState, kind: str, happened: list[e.Event], *, actor: str, begun: bool) -> bool:
    """Whether the command *kind* by *actor* can cause *happened*; *begun*: the case had begun to run."""
    match kind, happened:
        case "claim", [e.UserTaskClaimed(element, visit, by)]:
            return place(element, visit) in state.tasks and by == actor
        case "release", [e.UserTaskReleased(element, visit)]:
            task = state.tasks.get(place(element, visit))
            return task is not None and task.assignee != ""
        case ("assign", [e.UserTaskAssigned() as event]) | ("set_due", [e.UserTaskDueSet() as event]):
            return place(event.element, event.visit) in state.tasks
        case "put_off", [e.UserTaskPutOff(element, visit)]:
            return place(element, visit) in state.tasks
        case "fail_job", [e.ServiceFailed(element, visit, reason=reason), *rest]:
            incident = [e.IncidentRaised(element, visit, "service", reason)]
            return place(element, visit) in state.requests and rest in ([], incident)
        case "cancel", [e.InstanceCancelled()]:
            return True
        case "retry", [*resolved, e.IncidentRaised()]:
            return resolved == state.resolving()
        case "retry", _:
            return bool(happened) and happened == state.resolving()
        case _, [e.IncidentRaised()] if kind in MAY_FAIL:
            return begun  # the answer that failed is not in the record
        case _:
            return False
