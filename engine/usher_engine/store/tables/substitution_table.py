"""The table of who stands in for whom (`store.substitution_rows`)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from .engine_tables import metadata

#: Both days are days of the practice, as ISO 8601, and belong to it. *groups* is a JSON list, empty for all tasks.
substitution = Table(
    "substitution",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", String(60), nullable=False),
    Column("substitute", String(60), nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("groups", Text, nullable=False),
    Column("named_by", String(200), nullable=False),
    Column("named_at", String(27), nullable=False),
    Index("ix_substitution_person", "person"),
    Index("ix_substitution_substitute", "substitute"),
)
