"""The practice's working days and holidays. Until somebody sets them they are Monday to Friday."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "working_calendar",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("weekdays", sa.String(7), nullable=False),
        sa.Column("holidays", sa.Text, nullable=False),
        sa.Column("set_at", sa.String(27), nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
