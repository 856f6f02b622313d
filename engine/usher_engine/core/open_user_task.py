"""The open user tasks in the state of an instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, assert_never

from .canonical import Json
from .desk_events import OfDesk, UserTaskAssigned, UserTaskDueSet, UserTaskPutOff


@dataclass(slots=True)
class OpenTask:
    """
    A user task that waits for a person; *opened* holds the fields of its `UserTaskOpened` event.

    *desk* is what people arranged: ``due`` (a moment, or empty) and ``until``, the day it comes back to the inbox.
    """

    opened: dict[str, Any]
    assignee: str = ""
    desk: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """Without *desk* when it is empty, so that states older than it read and hash the same."""
        written: dict[str, Json] = {"opened": self.opened, "assignee": self.assignee}
        return {**written, "desk": dict(self.desk)} if self.desk else written

    def arrange(self, event: OfDesk) -> None:
        match event:
            case UserTaskAssigned(to=to):
                self.assignee = to
            case UserTaskDueSet(due=due):
                self.desk["due"] = due
            case UserTaskPutOff(until=until):
                self.desk["until"] = until
            case _:
                assert_never(event)
