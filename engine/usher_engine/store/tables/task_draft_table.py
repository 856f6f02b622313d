"""The table of what people typed into user tasks and have not sent; `store/task_draft_rows.py` reads and writes it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from .engine_tables import metadata

#: One row for each person and task; *revision* is the instance's when the form was rendered.
task_draft = Table(
    "task_draft",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("element", String(200), primary_key=True),
    Column("visit", Integer, primary_key=True, autoincrement=False),
    Column("person", String(200), primary_key=True),
    Column("typed", Text, nullable=False),
    Column("revision", Integer),
    Column("saved_at", String(27), nullable=False),
    Index("ix_task_draft_saved", "saved_at"),
)
