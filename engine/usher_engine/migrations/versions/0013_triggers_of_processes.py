"""A trigger starts the process it is bound to; those there are start the enrolment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("process", sa.String(length=200), nullable=False, server_default="enrollment")
    op.add_column("portal_trigger", column)


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
