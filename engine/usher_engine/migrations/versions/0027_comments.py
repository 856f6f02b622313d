"""Comments on cases: who is mentioned in one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_mention",
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("comment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(length=60), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("seen_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["instance"], ["instance.id"], name=op.f("fk_case_mention_instance")),
        sa.PrimaryKeyConstraint("instance", "comment", "person", name=op.f("pk_case_mention")),
    )
    unseen = sa.text("seen_at = ''")
    op.create_index(
        "ix_case_mention_unseen", "case_mention", ["person", "at"], sqlite_where=unseen, postgresql_where=unseen
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
