"""Whether a command that ran nothing, as it was recorded, could be carried out in the state before it."""

from __future__ import annotations

from ..core import events as e
from ..core.state import InstanceState, place
from .recorded_inputs import SAID

#: Commands that become an incident where the diagram fails or the stored state cannot be taken up.
MAY_FAIL = {*SAID, "migrate"}


def possible(state: InstanceState, kind: str, happened: list[e.Event], *, actor: str, begun: bool) -> bool:
    """Whether *actor* could make *happened* of the command *kind*; *begun* tells whether the case had begun to run."""
    match kind, happened:
        case "claim", [e.UserTaskClaimed(element, visit, by)]:
            return place(element, visit) in state.tasks and by == actor
        case "release", [e.UserTaskReleased(element, visit)]:
            task = state.tasks.get(place(element, visit))
            return task is not None and task.assignee != ""
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
