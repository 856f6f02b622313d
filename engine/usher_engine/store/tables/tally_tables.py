"""The table of counts of open tasks (`store.task_counts`), and the triggers on `user_task` that keep it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from . import task_tally_triggers
from .engine_tables import metadata, user_task

#: How many open tasks there are of each kind: a task that opens adds a row of 1, one that closes a row of -1, and the
#: worker adds rows up. Nobody waits for a row that another transaction counts.
task_tally = Table(
    "task_tally",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("candidate_group", String(200), nullable=False),
    Column("process", String(200), nullable=False),
    Column("element", String(200), nullable=False),
    #: 1 if nobody has claimed it.
    Column("free", Integer, nullable=False),
    #: The hour in which it is due, in UTC, "z" without a due date; empty in the row that counts all of the kind.
    Column("due_hour", String(13), nullable=False),
    Column("until", String(10), nullable=False),
    Column("tasks", Integer, nullable=False),
    Index(
        "ix_task_tally_hour",
        "due_hour",
        "candidate_group",
        "process",
        "element",
        "free",
        "until",
        "tasks",
    ),
)

task_tally_triggers.keep(user_task)
