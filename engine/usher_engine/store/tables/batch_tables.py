"""The tables of work on many cases (`store.batch_rows`)."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from .engine_tables import metadata

#: Work on many cases, a portion at a time: a backtest, the trial of a migration, a migration.
batch = Table(
    "batch",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("process", String(200), nullable=False),
    Column("package", String(64), ForeignKey("package.hash"), nullable=False),
    Column("asked_at", String(27), nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("status", String(10), nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("total", "done")),
    Column("cursor", String(12), nullable=False),
    *(Column(name, Text, nullable=False) for name in ("details", "tally", "note")),
    *(Column(name, String(27)) for name in ("ended_at", "due_at")),
    Column("lease", String(32)),
    Column("tries", Integer, nullable=False),
    Index("ix_batch_process", "process", "asked_at"),
    Index("ix_batch_due", "due_at"),
)

#: The outcome of one case of a batch; a backtest stores only cases that take another path.
batch_case = Table(
    "batch_case",
    metadata,
    Column("batch", String(12), ForeignKey("batch.id"), primary_key=True),
    Column("instance", String(12), primary_key=True),
    Column("outcome", String(20), nullable=False),
    Column("element", String(200), nullable=False),
    Column("details", Text, nullable=False),
    #: Where the ways of a backtest part, and why; null in older runs and in migrations.
    Column("part", String(16)),
    Index("ix_batch_case_outcome", "batch", "outcome", "instance"),
    Index("ix_batch_case_part", "batch", "part", "instance"),
)

#: The tasks of a run over open tasks (`store.task_run_rows`).
batch_task = Table(
    "batch_task",
    metadata,
    Column("batch", String(12), ForeignKey("batch.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("instance", String(12), nullable=False),
    Column("element", String(200), nullable=False),
    Column("visit", Integer, nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(27), nullable=False),
    Index("ix_batch_task_outcome", "batch", "outcome", "number"),
)
