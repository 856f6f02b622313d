"""Events of what people arrange at the desk about an open task: who does it, when it is due, when it comes back.

`core.events` exports them. None of them moves a token.
"""

from __future__ import annotations

from typing import TypeAlias

from .event_versions import event


@event(version=1)
class UserTaskAssigned:
    """Someone gave the task to *to*; the actor of the step is who did, *note* what they said about it."""

    element: str
    visit: int
    to: str
    note: str = ""


@event(version=1)
class UserTaskDueSet:
    """
    *day* is the day of the practice that someone set, *due* its last moment (ISO 8601, UTC); both empty: no due date.

    It replaces the due date the task was opened with.
    """

    element: str
    visit: int
    due: str = ""
    day: str = ""
    note: str = ""


@event(version=1)
class UserTaskPutOff:
    """The task leaves the inbox until *until*, a day of the practice (ISO 8601); empty: it is back at once."""

    element: str
    visit: int
    until: str = ""
    note: str = ""


OfDesk: TypeAlias = UserTaskAssigned | UserTaskDueSet | UserTaskPutOff
