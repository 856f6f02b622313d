"""Activity reports: everything one person saw or did, or that happened to one patient; steps and audit events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..context import Context
from ..core.errors import Corrupt, NotFound
from ..store import Step, activity_rows, to_text
from ..store import audit_rows as events
from ..store.activity_rows import Position
from ..store.audit_rows import AuditEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A step or an audit event; *about* is the business key of the step's case."""

    step: Step | None = None
    event: AuditEvent | None = None
    about: str = ""

    @property
    def at(self) -> datetime:
        found = self.step or self.event
        if found is None:
            raise Corrupt("A moment holds a step or an event.")
        return found.at


@dataclass(frozen=True, kw_only=True, slots=True)
class Trail:
    """A page of an activity report, newest first; *older* is the token of the next page, empty at the end."""

    moments: tuple[Moment, ...]
    older: str


@dataclass(frozen=True, slots=True)
class _Place:
    """How far both streams were read: the last event's number and the last step's position; None is the beginning."""

    seq: int | None = None
    step: Position | None = None

    @classmethod
    def of(cls, text: str) -> _Place:
        """Parse a page token; raises `NotFound` for one that no page ever issued."""
        if not text:
            return cls()
        try:
            seq, at, instance, revision = text.split("~")
            return cls(int(seq) if seq else None, (at, instance, int(revision)) if at else None)
        except ValueError:
            raise NotFound("This report has no such page.") from None

    @property
    def text(self) -> str:
        at, instance, revision = self.step or ("", "", "")
        return f"{'' if self.seq is None else self.seq}~{at}~{instance}~{revision}"


class Activity:
    """Reads activity reports from the database. The web records each view of one."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def of_person(self, name: str, *, after: str = "", limit: int = 50) -> Trail:
        """What *name* saw or did; *after* is ``older`` of the previous page. Raises `NotFound` for a bad token."""
        place = _Place.of(after)
        with self.context.database.read() as tx:
            made = activity_rows.steps_by(tx, name, before=place.step, limit=limit + 1)
            seen = events.select_events(tx, actor=name, before=place.seq, limit=limit + 1)
        return _merge([Moment(step=step, about=about) for about, step in made], seen, place, limit)

    def about(self, business_key: str, *, after: str = "", limit: int = 50) -> Trail:
        """What happened to the patient *business_key*: the steps of their cases, and views, attempts and exports."""
        place = _Place.of(after)
        with self.context.database.read() as tx:
            cases = activity_rows.cases_about(tx, business_key)
            steps = [step for case in cases for step in activity_rows.steps_of(tx, case)]
            seen = events.select_events(tx, about=business_key, before=place.seq, limit=limit + 1)
        earlier = [step for step in steps if place.step is None or _position(step) < place.step]
        newest = sorted(earlier, key=_position, reverse=True)[: limit + 1]
        return _merge([Moment(step=step, about=business_key) for step in newest], seen, place, limit)


def _position(step: Step) -> Position:
    return (to_text(step.at), step.instance, step.revision)


def _merge(steps: Sequence[Moment], seen: Sequence[AuditEvent], place: _Place, limit: int) -> Trail:
    every = [*steps, *(Moment(event=event) for event in seen)]
    ordered = sorted(every, key=lambda moment: moment.at, reverse=True)  # stable: each stream keeps its order
    shown = ordered[:limit]
    if len(ordered) <= limit:
        return Trail(moments=tuple(shown), older="")
    made = [moment.step for moment in shown if moment.step]
    events = [moment.event for moment in shown if moment.event]
    last = _Place(events[-1].seq if events else place.seq, _position(made[-1]) if made else place.step)
    return Trail(moments=tuple(shown), older=last.text)
