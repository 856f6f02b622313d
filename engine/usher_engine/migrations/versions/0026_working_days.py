"""The practice's working days and holidays, and who wants a mail each morning of them.

Until somebody sets them, working days are Monday to Friday; nobody gets the mail who has not asked for it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
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
    op.create_table(
        "mail_digest",
        sa.Column("account", sa.String(60), sa.ForeignKey("account.name"), primary_key=True),
        sa.Column("set_at", sa.String(27), nullable=False),
        sa.Column("off_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("lease", sa.String(27)),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
