"""Backtests and migrations of many cases in the background."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("process", sa.String(length=200), nullable=False),
        sa.Column("package", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.String(length=12), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.String(length=27)),
        sa.Column("due_at", sa.String(length=27)),
        sa.Column("lease", sa.String(length=32)),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["package"], ["package.hash"], name=op.f("fk_batch_package")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_index("ix_batch_process", "batch", ["process", "asked_at"])
    op.create_index("ix_batch_due", "batch", ["due_at"])
    op.create_table(
        "batch_case",
        sa.Column("batch", sa.String(length=12), nullable=False),
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("element", sa.String(length=200), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batch.id"], name=op.f("fk_batch_case_batch")),
        sa.PrimaryKeyConstraint("batch", "instance", name=op.f("pk_batch_case")),
    )
    op.create_index("ix_batch_case_outcome", "batch_case", ["batch", "outcome", "instance"])


def downgrade() -> None:
    raise NotImplementedError("What runs found is not thrown away; restore a backup instead.")
