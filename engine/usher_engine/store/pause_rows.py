"""Pauses: versions whose cases cannot be started and whose jobs are held back until an administrator resumes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, desc, insert, or_, select, update

from ..core.practice_calendar import Calendar
from . import version_rows
from .database import to_text
from .instance_rows import one_at_a_time
from .job_rows import HELD, Job, release
from .tables import engine_tables as t
from .tables import record_tables as r
from .tampered_rows import moment
from .told_rows import row_after
from .version_rows import Version

#: Means every version of a process, including later ones.
EVERY = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """*version* is `EVERY` if the whole process is paused."""

    process: str
    version: int
    at: datetime
    by: str
    reason: str

    @property
    def what(self) -> str:
        return f"“{self.process}”" if self.version == EVERY else f"Version {self.version} of “{self.process}”"

    def words(self, calendar: Calendar) -> str:
        """A sentence: what is paused, since when, by whom and why."""
        since, reason = calendar.local(self.at), self.reason.removesuffix(".")
        return f"{self.what} has been paused by {self.by} since {since:%Y-%m-%d %H:%M %Z}: “{reason}”."


_P, _I, _J = r.pause.c, t.instance.c, t.job.c
_STANDING = (
    select(r.pause)
    .where(_P.process == bindparam("process"), or_(_P.version == EVERY, _P.version == bindparam("version")))
    .order_by(_P.version)
    .limit(1)
)
_HERE = and_(_P.process == t.version.c.process, or_(_P.version == EVERY, _P.version == t.version.c.number))
_LATEST = (
    select(t.version, *(column.label(f"pause_{column.name}") for column in _P))
    .outerjoin(r.pause, _HERE)
    .where(t.version.c.process == bindparam("process"))
    .order_by(desc(t.version.c.number), _P.version)
    .limit(1)
)
_ANY = select(_P.process).limit(1)


def all_pauses(connection: Connection) -> list[Pause]:
    """All pauses, by process and version."""
    return [_pause(row) for row in connection.execute(select(r.pause).order_by(_P.process, _P.version))]


def in_force(connection: Connection, process: str, version: int) -> Pause | None:
    """The pause in force for this version: that of the whole process, or its own."""
    row = connection.execute(_STANDING, {"process": process, "version": version}).one_or_none()
    return _pause(row) if row else None


def latest(connection: Connection, process: str) -> tuple[Version, Pause | None]:
    """The version in force and its pause; raises `NotFound` like `version_rows.latest`."""
    row = connection.execute(_LATEST, {"process": process}).one_or_none()
    if row is None:
        return version_rows.latest(connection, process), None
    version = version_rows.as_version({column.name: row._mapping[column] for column in t.version.c})
    paused = {column.name: row._mapping[f"pause_{column.name}"] for column in _P}
    pause = Pause(**{**paused, "at": moment(paused["at"])}) if paused["process"] is not None else None
    return version, pause


def exact(connection: Connection, process: str, version: int) -> Pause | None:
    """The pause set for exactly this *version*; waits until no other transaction is changing it."""
    _one_at_a_time(connection, process)
    row = connection.execute(select(r.pause).where(_P.process == process, _P.version == version)).one_or_none()
    return _pause(row) if row else None


def add(connection: Connection, pause: Pause) -> dict[str, Any]:
    """Store *pause*; return the row for the audit event."""
    values = {name: getattr(pause, name) for name in ("process", "version", "by", "reason")}
    connection.execute(insert(r.pause).values(**values, at=to_text(pause.at)))
    return told(connection, pause.process, pause.version)


def told(connection: Connection, process: str, version: int) -> dict[str, Any]:
    """The row of a pause for the audit event, or that there is none."""
    return row_after(connection, r.pause, process, version)


def lift(connection: Connection, pause: Pause, now: datetime) -> int:
    """End *pause*; the jobs it held back become due unless another pause holds them. Return how many."""
    connection.execute(delete(r.pause).where(_P.process == pause.process, _P.version == pause.version))
    still = select(_P.version).where(_P.process == pause.process)
    if connection.execute(still.where(_P.version == EVERY)).first() is not None:
        return 0
    cases = select(_I.id).where(_I.process == pause.process, _I.version.not_in(still))
    return release(connection, _J.instance.in_(cases), now)


def hold(connection: Connection, job: Job) -> bool:
    """
    Hold back *job*, just leased, if its version is paused; False if it may run.

    A simultaneous resume waits for this, so that no job stays held back after its pause has ended.
    """
    if connection.execute(_ANY).first() is None:
        return False
    process, version = connection.execute(select(_I.process, _I.version).where(_I.id == job.instance)).one()
    if in_force(connection, process, version) is None:
        return False
    _one_at_a_time(connection, process)
    if in_force(connection, process, version) is None:
        return False
    values = {"lease": None, "due_at": None, "attempts": _J.attempts - 1, "reason": HELD}
    connection.execute(update(t.job).where(_J.id == job.id).values(values))
    return True


def _one_at_a_time(connection: Connection, process: str) -> None:
    one_at_a_time(connection, f"pause {process}")


def _pause(row: Any) -> Pause:
    return Pause(process=row.process, version=row.version, at=moment(row.at), by=row.by, reason=row.reason)
