"""Events of what a case waits for, and of what it does several times. `core.events` exports them."""

from __future__ import annotations

from typing import Any, TypeAlias

from .event_versions import event


@event(version=1)
class TimerStarted:
    """
    The case waits until *due* (ISO 8601, UTC); a cycle comes *left* times more, each *every* later, null without end.

    *visit* is the element's; for what is armed before it is entered (boundary events, starts of event sub-processes,
    the events behind an event-based gateway) it counts how often it was armed. So it is for every wait below.
    """

    element: str
    visit: int
    due: str
    every: str = ""
    left: int | None = None


@event(version=1)
class TimerFired:
    element: str
    visit: int


@event(version=1)
class MessageAwaited:
    """The case waits for the message *name*; its contents will be stored under *variable*."""

    element: str
    visit: int
    name: str
    variable: str


@event(version=1)
class MessageReceived:
    element: str
    visit: int
    name: str
    variable: str
    payload: dict[str, Any]


@event(version=1)
class WaitEnded:
    """The timer or message is not wanted any more: what it belonged to was completed or cancelled."""

    element: str
    visit: int


@event(version=1)
class RepetitionStarted:
    """A repeated activity began, with *total* items (null for a loop); each item is a visit of its own."""

    element: str
    total: int | None = None
    flow: str = ""


@event(version=1)
class ItemGiven:
    """What only this visit knows: the item of a repeated activity it works for, and its number."""

    element: str
    visit: int
    data: dict[str, Any]


#: Those that tell of one visit.
OfWaits: TypeAlias = TimerStarted | TimerFired | MessageAwaited | MessageReceived | WaitEnded | ItemGiven
