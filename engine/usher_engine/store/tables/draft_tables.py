"""The tables of what a draft was, and of what its deployment waits for."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from .column_types import Bytes
from .engine_tables import metadata

#: States of a draft, numbered for each process. *etag* is the hash of the package, *files* is JSON:
#: the hash of each file.
draft_point = Table(
    "draft_point",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("name", String(200), nullable=False),
    Column("at", String(27), nullable=False),
    Column("by", String(200), nullable=False),
    Column("etag", String(64), nullable=False),
    Column("based_on", Integer),
    Column("files", Text, nullable=False),
)

#: The content of the files of these states, compressed; once for each process and hash.
draft_content = Table(
    "draft_content",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("content", Bytes, nullable=False),
)

#: The note of the next deployment of a process while it is being written, and why a sign-off was sent back.
deploy_note = Table(
    "deploy_note",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("note", Text, nullable=False),
    Column("changed_at", String(27), nullable=False),
    Column("changed_by", String(200), nullable=False),
    #: The hash of the draft that was sent back; null while none is.
    Column("returned", String(64)),
    Column("returned_at", String(27)),
    Column("returned_by", String(200)),
    Column("reason", Text),
)
