"""Events of timers, messages and repeated activities. `core.events` exports them."""

from __future__ import annotations

from typing import Any, TypeAlias

from .event_versions import event


@event(version=1)
class TimerStarted:
    """
    The case waits until *due* (ISO 8601, UTC); a cycle repeats *left* times (null: forever), each *every* later.

    *visit* is the element's; for events armed before they are entered (boundary events, starts of event sub-processes,
    events behind an event-based gateway) it counts how often they were armed. The same holds for every wait below.
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
    """The case waits for the message *name* and will store its contents under *variable*."""

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
    """The wait for a timer or message ended because the element it belongs to was completed or cancelled."""

    element: str
    visit: int


@event(version=1)
class RepetitionStarted:
    """A repeated activity began with *total* items (null for a loop); each item is a visit of its own."""

    element: str
    total: int | None = None
    flow: str = ""


@event(version=1)
class ItemGiven:
    """The item of a repeated activity that this visit works on, and its number; only this visit sees them."""

    element: str
    visit: int
    data: dict[str, Any]


#: The events with an element and a visit.
OfWaits: TypeAlias = TimerStarted | TimerFired | MessageAwaited | MessageReceived | WaitEnded | ItemGiven
