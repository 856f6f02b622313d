"""Jobs whose steps can still be undone: no worker has taken them, and their note is still there (decisions/0042)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from .database import from_text
from .tables import engine_tables as t


@dataclass(frozen=True, kw_only=True, slots=True)
class Undoable:
    """A job whose step can still be undone: that step's *revision*, and when the job is due."""

    instance: str
    business_key: str
    element: str
    revision: int
    due_at: datetime


def undoable(connection: Connection, actor: str) -> list[Undoable]:
    """The jobs asked for by *actor* whose steps can still be undone, the next due first."""
    c = t.job.c
    columns = (c.instance, t.instance.c.business_key, c.element, c.due_at, c.undo)
    query = select(*columns).join(t.instance).where(c.actor == actor, c.undo.is_not(None))
    return [
        Undoable(
            instance=row.instance,
            business_key=row.business_key,
            element=row.element,
            revision=json.loads(row.undo)["revision"],
            due_at=from_text(row.due_at),
        )
        for row in connection.execute(query.where(c.due_at.is_not(None)).order_by(c.due_at, c.id))
    ]


def stop_held(connection: Connection, instance: str, element: str, visit: int) -> str | None:
    """Delete a job that can still be undone, and return its note; None if a worker was faster."""
    c = t.job.c
    here = (c.instance == instance, c.element == element, c.visit == visit)
    mine = (*here, c.undo.is_not(None), c.lease.is_(None))
    return connection.execute(delete(t.job).where(*mine).returning(c.undo)).scalar_one_or_none()
