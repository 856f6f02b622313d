"""Patients are found by keys on an index; imports remember what was imported and what conflicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from usher_engine.enrollment import patient_keys

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patient", sa.Column("is_closed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("patient", sa.Column("imported", sa.Text(), nullable=True))
    op.create_index("ix_patient_listed", "patient", ["is_closed", "sort_name", "id"])
    key = sa.String(length=60).with_variant(sa.VARCHAR(length=60, collation="C"), "postgresql")
    op.create_table(
        "patient_key",
        sa.Column("patient", sa.String(length=64), sa.ForeignKey("patient.id"), primary_key=True),
        sa.Column("key", key, primary_key=True),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_patient_key_found", "patient_key", ["key", "is_closed", "patient"])
    op.create_table(
        "import_conflict",
        sa.Column("patient", sa.String(length=64), sa.ForeignKey("patient.id"), primary_key=True),
        sa.Column("field", sa.String(length=60), primary_key=True),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("found_at", sa.String(length=27), nullable=False),
    )
    op.create_index("ix_import_conflict_found", "import_conflict", ["found_at", "patient", "field"])
    # Which keys a patient has is the code's to know; it reads only the columns of this schema.
    patient_keys.rebuild(op.get_bind())


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
