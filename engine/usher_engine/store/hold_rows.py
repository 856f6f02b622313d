"""Legal holds: what must not be purged, who set and lifted each hold and why. Lifted holds stay on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from .database import to_text
from .tables import engine_tables as t
from .tables import record_tables as r
from .tampered_rows import moment
from .told_rows import row_after, rows_after


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """*business_key* names the protected cases; *lifted_at* is None while the hold is in force."""

    business_key: str
    reason: str
    set_at: datetime
    set_by: str
    lifted_at: datetime | None
    lifted_by: str
    lifted_reason: str


def in_force(connection: Connection, business_key: str) -> Hold | None:
    """The hold in force on *business_key*, if any."""
    c = r.legal_hold.c
    query = select(r.legal_hold).where(c.business_key == business_key, c.lifted_at == "")
    row = connection.execute(query.order_by(c.number).limit(1)).one_or_none()
    return _hold(row) if row else None


def told_in_force(connection: Connection, business_key: str) -> bool:
    """Whether the audit events say that a hold on *business_key* is in force, whatever the table says."""
    c = t.audit_event.c
    newest = select(c.kind).where(c.business_key == business_key, c.kind.in_(("HoldSet", "HoldLifted")))
    return connection.execute(newest.order_by(c.seq.desc()).limit(1)).scalar_one_or_none() == "HoldSet"


def all_holds(connection: Connection, limit: int = 500) -> list[Hold]:
    """All holds: those in force first, each group newest first."""
    c = r.legal_hold.c
    query = select(r.legal_hold).order_by(c.lifted_at != "", c.number.desc()).limit(limit)
    return [_hold(row) for row in connection.execute(query)]


def add(connection: Connection, business_key: str, reason: str, *, by: str, at: datetime) -> dict[str, Any]:
    """Store a hold; return the row for the audit event."""
    values = {"business_key": business_key, "reason": reason, "set_at": to_text(at), "set_by": by}
    row = insert(r.legal_hold).values(**values, lifted_at="", lifted_by="", lifted_reason="")
    return row_after(connection, r.legal_hold, connection.execute(row.returning(r.legal_hold.c.number)).scalar_one())


def lift(connection: Connection, business_key: str, reason: str, *, by: str, at: datetime) -> dict[str, Any]:
    """Lift the hold in force; return the row for the audit event."""
    c = r.legal_hold.c
    values = {"lifted_at": to_text(at), "lifted_by": by, "lifted_reason": reason}
    which = (c.business_key == business_key, c.lifted_at == "")
    lifted = update(r.legal_hold).where(*which).values(**values).returning(c.number)
    places = [(r.legal_hold, (number,)) for number in connection.execute(lifted).scalars()]
    return rows_after(connection, *places)


def _hold(row: Any) -> Hold:
    return Hold(
        business_key=row.business_key,
        reason=row.reason,
        set_at=moment(row.set_at),
        set_by=row.set_by,
        lifted_at=moment(row.lifted_at) if row.lifted_at else None,
        lifted_by=row.lifted_by,
        lifted_reason=row.lifted_reason,
    )
