"""Who stands in for whom, from a day to a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "substitution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=60), nullable=False),
        sa.Column("substitute", sa.String(length=60), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("named_by", sa.String(length=200), nullable=False),
        sa.Column("named_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substitution")),
    )
    op.create_index("ix_substitution_person", "substitution", ["person"])
    op.create_index("ix_substitution_substitute", "substitution", ["substitute"])


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
