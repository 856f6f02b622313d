"""Tables beside the comments of cases, whose texts lie in the steps: who is mentioned, and which files are attached."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

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
