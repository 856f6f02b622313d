"""States that a draft was in: numbered for each process, their files stored once for each content (decisions/0029)."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, desc, insert, select, update

from ..core.canonical import compact
from ..core.errors import Corrupt, InvalidDefinition, NotFound
from ..definitions import MAX_FILE_BYTES, Package
from .database import to_text
from .draft_rows import Draft
from .tables import draft_tables as t
from .tampered_rows import moment


class PointKind(StrEnum):
    """Why a state is kept. All but `SAVED` are kept for good."""

    #: An ordinary save; the older they are, the fewer of them stay.
    SAVED = "saved"
    #: The draft began.
    STARTED = "started"
    #: A person kept it, with a name or without.
    NAMED = "named"
    #: It became a version.
    DEPLOYED = "deployed"
    #: It stood before a file was imported over a diagram.
    IMPORT = "import"
    #: It stood before a file was removed or renamed.
    REMOVAL = "removal"
    #: The state before Tidy up.
    TIDY = "tidy"
    #: It stood before another state was brought back.
    RESTORE = "restore"
    #: It stood before two people's changes were merged, or it is what the second of them sent.
    MERGE = "merge"
    #: It stood before a translation was written into it, or an imported diagram was put right.
    TRANSLATION = "translation"
    #: It stood before examples were rewritten to the way they take.
    ACCEPTANCE = "acceptance"
    #: It stood before the draft was discarded.
    DISCARD = "discard"


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftPoint:
    """
    One state of a draft, written by *by* at *at*; *etag* is the hash of its package.

    *files* maps each path to the SHA-256 of its content; *based_on* is the version the draft had begun from.
    """

    process: str
    number: int
    kind: PointKind
    name: str
    at: datetime
    by: str
    etag: str
    based_on: int | None
    files: dict[str, str]

    @property
    def for_good(self) -> bool:
        return self.kind is not PointKind.SAVED


_p, _c = t.draft_point.c, t.draft_content.c


def points(connection: Connection, process: str, limit: int | None = None) -> list[DraftPoint]:
    """The kept states of the draft of *process*, newest first; *limit* is how many at most."""
    query = select(t.draft_point).where(_p.process == process).order_by(desc(_p.number)).limit(limit)
    return [_point(row) for row in connection.execute(query)]


def newest(connection: Connection, process: str) -> DraftPoint | None:
    return next(iter(points(connection, process, limit=1)), None)


def find(connection: Connection, process: str, number: int) -> DraftPoint:
    """State *number*; raises `NotFound`."""
    query = select(t.draft_point).where(_p.process == process, _p.number == number)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("This state of the draft is not kept any more.")
    return _point(row)


def with_etag(connection: Connection, process: str, etag: str) -> DraftPoint | None:
    """The newest state whose package has the hash *etag*."""
    query = select(t.draft_point).where(_p.process == process, _p.etag == etag).order_by(desc(_p.number)).limit(1)
    row = connection.execute(query).one_or_none()
    return _point(row) if row else None


def add(
    connection: Connection, draft: Draft, package: Package, kind: PointKind, *, name: str = "", number: int
) -> None:
    """Keep *package* as state *number* of *draft*; contents that are there already are not stored again."""
    files = {path: hashlib.sha256(content).hexdigest() for path, content in package.files.items()}
    there = set(connection.execute(select(_c.hash).where(_c.process == draft.process)).scalars())
    new = {files[path]: content for path, content in package.files.items() if files[path] not in there}
    if new:
        rows = [{"process": draft.process, "hash": key, "content": zlib.compress(new[key])} for key in sorted(new)]
        connection.execute(insert(t.draft_content), rows)
    values = {"process": draft.process, "number": number, "kind": kind.value, "name": name, "etag": draft.etag}
    written = {"at": to_text(draft.changed_at), "by": draft.changed_by, "based_on": draft.based_on}
    connection.execute(insert(t.draft_point).values(**values, **written, files=compact(files)))


def keep_as(connection: Connection, point: DraftPoint, kind: PointKind, name: str = "") -> None:
    """Keep a state for another reason than before."""
    chosen = (_p.process == point.process, _p.number == point.number)
    connection.execute(update(t.draft_point).where(*chosen).values(kind=kind.value, name=name))


def forget(connection: Connection, process: str, numbers: Iterable[int]) -> None:
    """Delete these states, and the contents that no other state has."""
    gone = set(numbers)
    connection.execute(delete(t.draft_point).where(_p.process == process, _p.number.in_(gone)))
    used = {key for point in points(connection, process) for key in point.files.values()}
    there = set(connection.execute(select(_c.hash).where(_c.process == process)).scalars())
    if unused := there - used:
        connection.execute(delete(t.draft_content).where(_c.process == process, _c.hash.in_(unused)))


def content(connection: Connection, point: DraftPoint) -> Package:
    """The files of a state; raises `Corrupt` when they are not what they were."""
    wanted = set(point.files.values())
    query = select(_c.hash, _c.content).where(_c.process == point.process, _c.hash.in_(wanted))
    stored = {row.hash: _uncompressed(row.content, row.hash) for row in connection.execute(query)}
    try:
        package = Package({path: stored[key] for path, key in point.files.items()})
    except (KeyError, InvalidDefinition) as error:
        raise Corrupt(_ALTERED) from error
    if package.hash != point.etag:
        raise Corrupt(_ALTERED)
    return package


def file_with(connection: Connection, process: str, etag: str) -> bytes | None:
    """The content with this hash that a file of the draft had once; None when it is not kept."""
    query = select(_c.content).where(_c.process == process, _c.hash == etag)
    stored = connection.execute(query).scalar_one_or_none()
    return None if stored is None else _uncompressed(stored, etag)


_ALTERED = "A kept state of this draft was altered outside Usher. Keep the database as it is; choose another state."


def _uncompressed(stored: bytes, key: str) -> bytes:
    try:
        found = zlib.decompressobj().decompress(stored, MAX_FILE_BYTES + 1)
    except (zlib.error, TypeError) as error:
        raise Corrupt(_ALTERED) from error
    if hashlib.sha256(found).hexdigest() != key:
        raise Corrupt(_ALTERED)
    return found


def _point(row: Any) -> DraftPoint:
    values: dict[str, Any] = dict(row._mapping)
    kind = PointKind(values["kind"]) if values["kind"] in set(PointKind) else PointKind.NAMED
    return DraftPoint(**{**values, "kind": kind, "at": moment(values["at"]), "files": _files(values["files"])})


def _files(text: Any) -> dict[str, str]:
    """Path to hash; empty if that cannot be read: `content` refuses it then."""
    try:
        return {str(path): str(key) for path, key in json.loads(text).items()}
    except (TypeError, ValueError, AttributeError):
        return {}
