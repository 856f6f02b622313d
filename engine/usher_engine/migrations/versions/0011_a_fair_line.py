"""Due jobs form a line per operator, and no place in it precedes the job itself; versions can be paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_job_due", "job")
    op.create_index("ix_job_operator_due", "job", ["operator", "due_at"])
    job = sa.table("job", *map(sa.column, ("due_at", "created_at")))
    op.execute(job.update().where(job.c.due_at < job.c.created_at).values(due_at=job.c.created_at))
    op.create_table(
        "pause",
        sa.Column("process", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("process", "version", name=op.f("pk_pause")),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
