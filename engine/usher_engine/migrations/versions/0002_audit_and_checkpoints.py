"""Audit events, the leaves of the Merkle tree, and signed tree heads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def append_only(table: str, *unique: str) -> dict[str, list[str]]:
    refusal = f"{table} is append-only"
    same = " AND ".join(f"{name} = NEW.{name}" for name in unique)
    return {
        "sqlite": [
            f"""CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, '{refusal}'); END"""
            for verb in ("UPDATE", "DELETE")
        ]
        + [
            f"""CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE rowid = NEW.rowid OR ({same}))
            BEGIN SELECT RAISE(ABORT, '{refusal}'); END"""  # noqa: S608 - names of ours
        ],
        "postgresql": [
            f"""CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger AS
            $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$ LANGUAGE plpgsql""",
            f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()""",
            f"""CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()""",
        ],
    }


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("business_key", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_actor", "audit_event", ["actor", "seq"])
    op.create_index("ix_audit_event_subject", "audit_event", ["subject", "seq"])
    op.create_index("ix_audit_event_business_key", "audit_event", ["business_key", "seq"])
    op.create_table(
        "leaf",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_leaf")),
        sa.UniqueConstraint("instance", "revision", name=op.f("uq_leaf_instance_revision")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("peaks", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_checkpoint")),
    )
    for table, *unique in (("audit_event", "seq"), ("leaf", "instance", "revision"), ("checkpoint", "number")):
        for statement in append_only(table, *unique)[op.get_bind().dialect.name]:
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The proof is not thrown away; restore a backup instead.")
