"""What an undo needs, kept with a job until a worker takes it; and the life of an invitation's link.

Links that were locked or had expired before are closed already: nobody is asked about them now.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from usher_engine.store import to_text

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("undo", sa.Text(), nullable=True))
    some = sa.text("undo IS NOT NULL")
    op.create_index("ix_job_undo", "job", ["actor"], sqlite_where=some, postgresql_where=some)
    for name in ("opened_at", "opened_again_at", "wrong_at", "withdrawn_at", "asked_at", "closed_at", "followed_at"):
        op.add_column("invitation", sa.Column(name, sa.String(length=27), nullable=True))
    for name in ("opens", "wrong_zip", "wrong_birth"):
        op.add_column("invitation", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("invitation", sa.Column("withdrawn_by", sa.String(length=200), nullable=True))
    op.add_column("invitation", sa.Column("withdrawn_reason", sa.Text(), nullable=True))
    now = to_text(datetime.now(UTC))
    ours = sa.table("invitation", *map(sa.column, ("closed_at", "followed_at", "locked_at", "expires_at")))
    over = sa.or_(ours.c.locked_at.is_not(None), ours.c.expires_at < now)
    op.execute(ours.update().where(over).values(closed_at=now, followed_at=now))
    live = sa.text("closed_at IS NULL")
    op.create_index("ix_invitation_open", "invitation", ["expires_at"], sqlite_where=live, postgresql_where=live)


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
