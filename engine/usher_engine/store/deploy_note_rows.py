"""The note of the next deployment of a process while it is being written, and why its sign-off was sent back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from . import upserts
from .database import to_text
from .tables import draft_tables as t
from .tampered_rows import moment


@dataclass(frozen=True, kw_only=True, slots=True)
class SentBack:
    """A sign-off that the second analyst refused: *etag* is the hash of the draft then."""

    etag: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployNote:
    """The note as *changed_by* left it."""

    process: str
    note: str
    changed_at: datetime
    changed_by: str
    returned: SentBack | None = None


def find(connection: Connection, process: str) -> DeployNote | None:
    row = connection.execute(select(t.deploy_note).where(t.deploy_note.c.process == process)).one_or_none()
    if row is None:
        return None
    returned = None
    if row.returned:
        at, by, reason = moment(row.returned_at), str(row.returned_by or ""), str(row.reason or "")
        returned = SentBack(etag=str(row.returned), at=at, by=by, reason=reason)
    return DeployNote(
        process=row.process, note=str(row.note), changed_at=moment(row.changed_at), changed_by=str(row.changed_by),
        returned=returned,
    )  # fmt: skip


def put(connection: Connection, note: DeployNote) -> None:
    """Store *note*, replacing an earlier one of the process."""
    back = note.returned
    values: dict[str, Any] = {
        "process": note.process,
        "note": note.note,
        "changed_at": to_text(note.changed_at),
        "changed_by": note.changed_by,
        "returned": back.etag if back else None,
        "returned_at": to_text(back.at) if back else None,
        "returned_by": back.by if back else None,
        "reason": back.reason if back else None,
    }
    upserts.put(connection, t.deploy_note, values)


def remove(connection: Connection, process: str) -> None:
    connection.execute(delete(t.deploy_note).where(t.deploy_note.c.process == process))
