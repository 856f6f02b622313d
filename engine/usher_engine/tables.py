"""Every table of the engine, and nothing else. Who reads and writes them: store/.

Times are ISO 8601 text in UTC with microseconds, so that both databases sort them alike; JSON is text for the same
reason. `step` is append-only: a trigger refuses UPDATE and DELETE in both databases.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

package = Table(
    "package",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

version = Table(
    "version",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), ForeignKey("package.hash"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("deployed_at", String(27), nullable=False),
    Column("deployed_by", String(200), nullable=False),
)

instance = Table(
    "instance",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("process", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("definition", String(64), nullable=False),
    Column("business_key", String(200), nullable=False),
    Column("status", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("started_at", String(27), nullable=False),
    Column("ended_at", String(27)),
    Column("outcome", String(200), nullable=False),
    Column("explanation", Text, nullable=False),
    Index("ix_instance_started", "started_at", "id"),
    Index("ix_instance_business_key", "business_key", "process"),
    Index(
        "ix_instance_live",
        "status",
        "started_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

#: The serialized state of an instance that has not ended, sealed; a row of its own, so that its pages are used again.
instance_state = Table(
    "instance_state",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("content", Text, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

step = Table(
    "step",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    #: The canonical JSON that was hashed, deflated (RFC 1950).
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

user_task = Table(
    "user_task",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("element", String(200), primary_key=True),
    Column("visit", Integer, primary_key=True, autoincrement=False),
    Column("process", String(200), nullable=False),
    Column("business_key", String(200), nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("form", String(200), nullable=False),
    Column("candidate_group", String(200), nullable=False),
    Column("assignee", String(200), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("due_at", String(27), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("cancellable", Integer, nullable=False),
    Column("draft", Text),
    Column("draft_at", String(27)),
    Column("sort_key", String(70), nullable=False),
    Index("ix_user_task_group_sort", "candidate_group", "sort_key"),
    Index("ix_user_task_assignee_sort", "assignee", "sort_key"),
    Index("ix_user_task_sort", "sort_key"),
)

job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("instance", String(12), ForeignKey("instance.id"), nullable=False),
    Column("element", String(200), nullable=False),
    Column("visit", Integer, nullable=False),
    Column("operator", String(200), nullable=False),
    Column("parameters", Text, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("result", Text),
    Column("attempts", Integer, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("due_at", String(27)),
    Column("lease", String(32)),
    Column("reason", Text, nullable=False),
    UniqueConstraint("instance", "element", "visit"),
    Index("ix_job_due", "due_at"),
)

request = Table(
    "request",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("instance", String(12), ForeignKey("instance.id"), nullable=False),
)

#: One statement for each database, so that a migration can run them as they are.
APPEND_ONLY = {
    "sqlite": [
        f"""CREATE TRIGGER step_no_{verb.lower()} BEFORE {verb} ON step
        BEGIN SELECT RAISE(ABORT, 'step is append-only'); END"""
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION step_is_append_only() RETURNS trigger AS
        $$ BEGIN RAISE EXCEPTION 'step is append-only'; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER step_append_only BEFORE UPDATE OR DELETE ON step
        FOR EACH ROW EXECUTE FUNCTION step_is_append_only()""",
        """CREATE TRIGGER step_no_truncate BEFORE TRUNCATE ON step
        FOR EACH STATEMENT EXECUTE FUNCTION step_is_append_only()""",
    ],
}

for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        event.listen(step, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
