"""What a person did last and still follows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("followed", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
