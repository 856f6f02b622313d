"""Drafts of process packages, saves that came too late, and requests for sign-off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, desc, insert, select, update

from ..core.canonical import compact
from ..core.errors import Corrupt, NotFound
from ..definitions import Package, from_zip, to_zip
from .database import to_text
from .tables import engine_tables as t
from .tampered_rows import moment
from .told_rows import contradictions, last_told, row_after
from .upserts import put


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftFile:
    """One file of a draft; *etag* is the SHA-256 of its content."""

    path: str
    etag: str
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """
    The package that analysts edit next to the versions of a process.

    *etag* is the content hash of the whole package, *based_on* the version it began from, None for a new process.
    """

    process: str
    etag: str
    based_on: int | None
    changed_at: datetime
    changed_by: str
    files: tuple[DraftFile, ...]

    def file(self, path: str) -> DraftFile | None:
        return next((file for file in self.files if file.path == path), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAside:
    """A save that came too late: *seen* is the ETag it was based on; an empty *path* means the whole package."""

    id: str
    process: str
    path: str
    seen: str
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SignOff:
    """A request for sign-off by a second analyst: *etag* is that of the draft at the time of the request."""

    process: str
    etag: str
    note: str
    asked_at: datetime
    asked_by: str


def all_drafts(connection: Connection) -> list[Draft]:
    return [_draft(row) for row in connection.execute(select(t.draft).order_by(t.draft.c.process))]


def find(connection: Connection, process: str) -> Draft:
    """The draft of *process*; raises `NotFound`."""
    row = connection.execute(select(t.draft).where(t.draft.c.process == process)).one_or_none()
    if row is None:
        raise NotFound(f"There is no draft of “{process}”. Start one from a version.")
    return _draft(row)


def content(connection: Connection, process: str) -> Package:
    """The draft's files; raises `NotFound`."""
    stored = connection.execute(select(t.draft.c.content).where(t.draft.c.process == process)).scalar_one_or_none()
    if stored is None:
        raise NotFound(f"There is no draft of “{process}”. Start one from a version.")
    return from_zip(stored)


def add(connection: Connection, draft: Draft, package: Package) -> None:
    """Store a new draft."""
    connection.execute(insert(t.draft).values(process=draft.process, **_columns(draft, package)))


def replace(connection: Connection, draft: Draft, package: Package) -> None:
    """Replace the draft of a process with *draft*."""
    connection.execute(update(t.draft).where(t.draft.c.process == draft.process).values(**_columns(draft, package)))


def rebase(connection: Connection, process: str, number: int) -> None:
    """Record that the draft became version *number*."""
    connection.execute(update(t.draft).where(t.draft.c.process == process).values(based_on=number))


def remove(connection: Connection, process: str) -> None:
    connection.execute(delete(t.draft).where(t.draft.c.process == process))


def set_aside(connection: Connection, kept: SetAside, content: bytes) -> None:
    values = {name: getattr(kept, name) for name in ("id", "process", "path", "seen", "saved_by")}
    connection.execute(insert(t.set_aside).values(**values, saved_at=to_text(kept.saved_at), content=content))


def same_set_aside(connection: Connection, process: str, path: str, by: str, content: bytes) -> str:
    """The id under which the same save by the same person is stored already; empty if it is not."""
    c = t.set_aside.c
    query = select(c.id).where(c.process == process, c.path == path, c.saved_by == by, c.content == content)
    return connection.execute(query.limit(1)).scalar_one_or_none() or ""


def all_set_aside(connection: Connection, process: str) -> list[SetAside]:
    """The saves set aside for *process*, newest first."""
    c = t.set_aside.c
    columns = (c.id, c.process, c.path, c.seen, c.saved_at, c.saved_by)
    query = select(*columns).where(c.process == process).order_by(desc(c.saved_at), c.id)
    return [_aside(dict(row._mapping)) for row in connection.execute(query)]


def set_aside_content(connection: Connection, process: str, key: str) -> tuple[SetAside, bytes]:
    """One save set aside, with its content; raises `NotFound`."""
    c = t.set_aside.c
    row = connection.execute(select(t.set_aside).where(c.process == process, c.id == key)).one_or_none()
    if row is None:
        raise NotFound("This was decided already: nothing is kept here any more.")
    values = dict(row._mapping)
    held = bytes(values.pop("content"))
    return _aside(values), held


def remove_set_aside(connection: Connection, process: str, key: str | None = None) -> None:
    """Delete one save set aside, or all of *process*."""
    query = delete(t.set_aside).where(t.set_aside.c.process == process)
    connection.execute(query if key is None else query.where(t.set_aside.c.id == key))


def requested_sign_off(connection: Connection, process: str) -> SignOff | None:
    """The pending request for sign-off."""
    row = connection.execute(select(t.sign_off).where(t.sign_off.c.process == process)).one_or_none()
    if row is None:
        return None
    values: dict[str, Any] = dict(row._mapping)
    return SignOff(**{**values, "asked_at": moment(values["asked_at"])})


def require_told(connection: Connection, wanted: SignOff) -> None:
    """Raise `Corrupt` if the newest request in the audit events is not *wanted*: somebody altered the row."""
    told = last_told(connection, t.sign_off, (wanted.process,), wanted.process, kind="SignOffAsked")
    row = connection.execute(select(t.sign_off).where(t.sign_off.c.process == wanted.process)).mappings().one()
    wrong = contradictions(t.sign_off, row, told)
    if wrong:
        raise Corrupt(
            f"The request to sign off {wanted.process} was altered outside Usher ({wrong}). Ask for it again."
        )


def request_sign_off(connection: Connection, wanted: SignOff) -> dict[str, Any]:
    """Store *wanted*, replacing an earlier request; return the row for the audit event."""
    values = {name: getattr(wanted, name) for name in ("process", "etag", "note", "asked_by")}
    put(connection, t.sign_off, {**values, "asked_at": to_text(wanted.asked_at)})
    return row_after(connection, t.sign_off, wanted.process)


def withdraw_sign_off(connection: Connection, process: str) -> dict[str, Any]:
    """Delete the request, if there is one; return that it is gone, for the audit event."""
    connection.execute(delete(t.sign_off).where(t.sign_off.c.process == process))
    return row_after(connection, t.sign_off, process)


def _columns(draft: Draft, package: Package) -> dict[str, Any]:
    files = {f.path: [f.etag, to_text(f.changed_at), f.changed_by] for f in draft.files}
    return {
        "content": to_zip(package),
        "etag": draft.etag,
        "based_on": draft.based_on,
        "changed_at": to_text(draft.changed_at),
        "changed_by": draft.changed_by,
        "files": compact(files),
    }


def _draft(found: Row[Any]) -> Draft:
    row: dict[str, Any] = dict(found._mapping)
    named = {name: row[name] for name in ("process", "etag", "based_on", "changed_by")}
    return Draft(**named, changed_at=moment(row["changed_at"]), files=_files(row["files"]))


def _files(text: Any) -> tuple[DraftFile, ...]:
    """The files with their last change; empty if that cannot be read."""
    try:
        changes = json.loads(text).items()
        return tuple(
            DraftFile(path=path, etag=etag, changed_at=moment(at), changed_by=by) for path, (etag, at, by) in changes
        )
    except (TypeError, ValueError, AttributeError):
        return ()


def _aside(row: dict[str, Any]) -> SetAside:
    return SetAside(**{**row, "saved_at": moment(row["saved_at"])})
