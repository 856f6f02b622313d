"""Display names of accounts, and the e-mail addresses of people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("display_name", sa.String(length=80), nullable=False, server_default=""))
    op.create_table(
        "staff_address",
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("confirmed_at", sa.String(length=27), nullable=True),
        sa.Column("wanted", sa.String(length=320), nullable=False),
        sa.Column("wanted_hash", sa.String(length=64), nullable=True),
        sa.Column("wanted_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name=op.f("fk_staff_address_account_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_staff_address")),
        sa.UniqueConstraint("wanted_hash", name=op.f("uq_staff_address_wanted_hash")),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
