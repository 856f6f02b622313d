"""Versions of process packages: numbered for each process, content stored once for each hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, desc, insert, select

from ..core.errors import Corrupt, InvalidDefinition, NotFound
from ..definitions import Package, from_zip, to_zip
from . import upserts
from .database import to_text
from .snapshot import answers
from .tables import engine_tables as t
from .tampered_rows import moment, plausible_values, tampering_message
from .told_rows import rows_after


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One deployment of a process; *hash* is the content hash of its package."""

    process: str
    number: int
    hash: str
    name: str
    note: str
    deployed_at: datetime
    deployed_by: str
    signed_off_by: str = ""

    @property
    def audit_details(self) -> dict[str, Any]:
        """The details of the audit event of the deployment."""
        signed = {"deployed_by": self.deployed_by, "signed_off_by": self.signed_off_by} if self.signed_off_by else {}
        return {"version": self.number, "hash": self.hash, "note": self.note, **signed}


_LATEST = (
    select(t.version).where(t.version.c.process == bindparam("process")).order_by(desc(t.version.c.number)).limit(1)
)


def latest(connection: Connection, process: str) -> Version:
    """The version in force; raises `NotFound`."""
    row = connection.execute(_LATEST, {"process": process}).one_or_none()
    if row is None:
        raise NotFound(f"No process “{process}” is deployed. Deploy one with: usher deploy FOLDER")
    return as_version(row._mapping)


def versions(connection: Connection, process: str | None = None) -> list[Version]:
    """All versions, of one process or of all, newest first."""
    query = select(t.version).order_by(t.version.c.process, desc(t.version.c.number))
    if process is not None:
        query = query.where(t.version.c.process == process)
    return [as_version(row._mapping) for row in connection.execute(query)]


def find(connection: Connection, process: str, number: int) -> Version:
    """Version *number*; raises `NotFound`."""
    known, key = answers(connection), ("version", process, number)
    if key not in known:
        query = select(t.version).where(t.version.c.process == process, t.version.c.number == number)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"Process “{process}” has no version {number}.")
        known[key] = as_version(row._mapping)
    found: Version = known[key]
    return found


def store_package(connection: Connection, package: Package) -> None:
    """Store the content of *package*, if it is new, without making it a version."""
    upserts.add(connection, t.package, {"hash": package.hash, "content": to_zip(package)})


def add(
    connection: Connection, package: Package, *, at: datetime, by: str, note: str, signed_off_by: str = ""
) -> Version:
    """Store *package* as the next version of its process; the content only if it is new."""
    store_package(connection, package)
    row = connection.execute(_LATEST, {"process": package.key}).one_or_none()
    version = Version(
        process=package.key,
        number=row.number + 1 if row else 1,
        hash=package.hash,
        name=package.name,
        note=note,
        deployed_at=at,
        deployed_by=by,
        signed_off_by=signed_off_by,
    )
    named = ("process", "number", "hash", "name", "note", "deployed_by", "signed_off_by")
    values = {name: getattr(version, name) for name in named}
    connection.execute(insert(t.version).values(**values, deployed_at=to_text(at)))
    return version


def told(connection: Connection, version: Version) -> dict[str, Any]:
    """The row of *version*, and the request for a sign-off of its process or that there is none, for the event."""
    return rows_after(connection, (t.version, (version.process, version.number)), (t.sign_off, (version.process,)))


def content(connection: Connection, definition: str) -> Package:
    """The package with this content hash; raises `NotFound`, or `Corrupt` when it does not match its hash."""
    row = connection.execute(select(t.package.c.content).where(t.package.c.hash == definition)).one_or_none()
    if row is None:
        raise NotFound(f"No package with the hash {definition[:12]}… is stored.")
    altered = f"The stored package {definition[:12]}… was altered after it was deployed."
    try:
        package = from_zip(row.content)
    except InvalidDefinition as error:
        raise Corrupt(altered) from error
    if package.hash != definition:
        raise Corrupt(altered)
    return package


def fingerprint(connection: Connection, process: str, number: int, definition: str) -> bytes:
    """A digest over version *number* and the package with this hash as stored; it changes when either does."""
    named = connection.execute(select(t.version).where(t.version.c.process == process, t.version.c.number == number))
    stored = connection.execute(select(t.package.c.content).where(t.package.c.hash == definition))
    return hashlib.sha256(repr((named.all(), stored.all())).encode()).digest()


def as_version(row: Mapping[Any, Any]) -> Version:
    values, altered = plausible_values(t.version, row)
    note = tampering_message(altered) or values["note"]
    return Version(**{**values, "deployed_at": moment(values["deployed_at"]), "note": note})
