"""Mails of one's own: which mails without a link were sent, and the template and language of an invitation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invitation", sa.Column("template", sa.String(length=200), nullable=True))
    op.add_column("invitation", sa.Column("language", sa.String(length=40), nullable=True))
    op.create_table(
        "sent_mail",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("message_id", sa.String(length=300), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("patient", sa.String(length=64), nullable=True),
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("template", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("sent_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(["patient"], ["patient.id"], name=op.f("fk_sent_mail_patient_patient")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sent_mail")),
        sa.UniqueConstraint("message_id", name=op.f("uq_sent_mail_message_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sent_mail_token_hash")),
    )
    op.create_index(op.f("ix_sent_mail_instance"), "sent_mail", ["instance"])
    op.create_index(op.f("ix_sent_mail_patient"), "sent_mail", ["patient"])


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
