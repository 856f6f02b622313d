"""What an undo needs, kept with a job until a worker takes it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("undo", sa.Text(), nullable=True))
    some = sa.text("undo IS NOT NULL")
    op.create_index("ix_job_undo", "job", ["actor"], sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
