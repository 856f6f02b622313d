"""The cases of a backtest by where their ways part and which change moved them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch_case", sa.Column("part", sa.String(length=16), nullable=True))
    op.create_index("ix_batch_case_part", "batch_case", ["batch", "part", "instance"])


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
