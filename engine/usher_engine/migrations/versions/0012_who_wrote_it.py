"""The database records which versions of Usher have upgraded it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("version", sa.String(length=60), nullable=False),
        sa.Column("schema", sa.String(length=10), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_release")),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
