"""A small log whose numbers were worked out by hand; for the tests of what reports count and show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from usher_engine.enrollment.funnel import milestones
from usher_engine.reporting.tally import Tally

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def case(*events: tuple[float, str, dict[str, Any]]) -> list[tuple[datetime, dict[str, Any]]]:
    """(minutes after the start, kind of event, its fields)."""
    return [(START + timedelta(minutes=minutes), {"kind": kind, **fields}) for minutes, kind, fields in events]


def went(minutes: float, mail: float | None, end: float, answer: str = "", answered: float = 0) -> Any:
    """A case: asked (A) for *minutes*, mailed (S) for *mail* minutes or cancelled, ended at *end*, answered."""
    events: list[Any] = [
        (0, "InstanceStarted", {}),
        (0, "ElementPassed", {"element": "B", "visit": 1}),
        (0, "ElementEntered", {"element": "A", "visit": 1, "flow": "f1"}),
    ]
    if mail is None:
        left = (minutes, "ElementCancelled", {"element": "A", "visit": 1})
        return case(*events, left, (end, "InstanceCancelled", {}))
    here = {"element": "S", "visit": 1}
    events += [
        (minutes, "ElementCompleted", {"element": "A", "visit": 1}),
        (minutes, "ElementEntered", {**here, "flow": "f2"}),
        (minutes, "ServiceRequested", {**here, "operator": "invitation/send"}),
        (minutes + mail, "ServiceCompleted", here),
        (minutes + mail, "ElementCompleted", here),
        (minutes + mail, "ElementPassed", {"element": "E", "visit": 1}),
        (end, "InstanceFinished", {"outcome": "E"}),
    ]
    if answer:
        fact = {"name": "Patient Enrollment Response Added", "details": {"response": answer}}
        events.append((answered, "FactRecorded", fact))
    return case(*events)


#: Four cases: three ended the same way after 11, 22 and 62 minutes, one was cancelled after 5; one waits.
LOG = [
    ("A1", went(10, 1, 11, "Completed", 1_440), "en"),
    ("A2", went(20, 2, 22, "Declined", 60), "es"),
    ("A3", went(60, 2, 62), ""),
    ("A4", went(5, None, 5), "es"),
    ("A5", went(0, None, 0)[:3], "en"),
]


def counted(log: Any) -> Tally:
    tally = Tally()
    for name, events, group in log:
        tally.count(name, events, milestones(events), group)
    return tally
