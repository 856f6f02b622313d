"""Tables beside the comments of cases, whose texts lie in the steps: who is mentioned, and which files are attached."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from . import append_only
from .column_types import Bytes
from .engine_tables import metadata

_UNSEEN = text("seen_at = ''")

#: One row for each person and comment that mentions them; *seen_at* is empty until they have opened the case.
case_mention = Table(
    "case_mention",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("comment", Integer, primary_key=True, autoincrement=False),
    Column("person", String(60), primary_key=True),
    Column("by", String(200), nullable=False),
    Column("at", String(27), nullable=False),
    Column("seen_at", String(27), nullable=False),
    Index("ix_case_mention_unseen", "person", "at", sqlite_where=_UNSEEN, postgresql_where=_UNSEEN),
)

#: One row for each content attached to a case; a purge empties *content* and leaves the hash.
case_file = Table(
    "case_file",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", Bytes, nullable=False),
)

#: The permitted change of a file, whose case must have a tombstone.
EMPTIED = """NEW.instance = OLD.instance AND NEW.sha256 = OLD.sha256 AND NEW.kind = OLD.kind AND NEW.size = OLD.size
            AND length(NEW.content) = 0
            AND EXISTS (SELECT 1 FROM tombstone WHERE tombstone.instance = OLD.instance)"""

append_only.keep(case_file, "instance", "sha256", unless=EMPTIED)
