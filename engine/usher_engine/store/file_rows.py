"""The files attached to cases: each content once in a case, by its SHA-256. The names lie in the steps."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, insert, select, update

from .tables.comment_tables import case_file

_c = case_file.c


def put(connection: Connection, instance: str, sha256: str, kind: str, content: bytes) -> None:
    """Store a content, unless the case has it."""
    if connection.execute(select(_c.size).where(_c.instance == instance, _c.sha256 == sha256)).first() is None:
        row = {"instance": instance, "sha256": sha256, "kind": kind, "size": len(content), "content": content}
        connection.execute(insert(case_file).values(row))


def size_of(connection: Connection, instance: str) -> int:
    """How many bytes all files of a case have."""
    query = select(func.coalesce(func.sum(_c.size), 0)).where(_c.instance == instance)
    return int(connection.execute(query).scalar_one())


def content(connection: Connection, instance: str, sha256: str) -> bytes | None:
    """The content; None if the case has none with this hash."""
    query = select(_c.content).where(_c.instance == instance, _c.sha256 == sha256)
    found = connection.execute(query).scalar_one_or_none()
    return bytes(found) if isinstance(found, bytes | memoryview) else None


def of_case(connection: Connection, instance: str) -> Iterator[tuple[str, str, int, bytes | None]]:
    """(hash, kind, size, content) of each file, one after another, so that only one is held in memory."""
    query = select(_c.sha256, _c.kind, _c.size).where(_c.instance == instance).order_by(_c.sha256)
    for sha256, kind, size in list(connection.execute(query)):
        yield sha256, kind, size, content(connection, instance, sha256)


def empty(connection: Connection, instance: str) -> None:
    """Remove the contents of a purged case; their hashes stay."""
    connection.execute(update(case_file).where(_c.instance == instance).values(content=b""))


def left(connection: Connection, instance: str) -> int:
    """How many files of a case still have their content."""
    query = select(func.count()).select_from(case_file).where(_c.instance == instance, func.length(_c.content) > 0)
    return int(connection.execute(query).scalar_one())
