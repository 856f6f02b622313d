"""Patients shown in lists, checks that people start, and indexes for the audit page."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    named = op.create_table(
        "audit_patient",
        sa.Column("patient", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["audit_event.seq"], name=op.f("fk_audit_patient_seq")),
        sa.PrimaryKeyConstraint("patient", "seq", name=op.f("pk_audit_patient")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "check_run",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.String(length=27), nullable=False),
        sa.Column("seen_at", sa.String(length=27), nullable=False),
        sa.Column("finished_at", sa.String(length=27), nullable=True),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("equal", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_check_run")),
    )
    op.create_index("ix_audit_event_kind", "audit_event", ["kind", "seq"])
    op.create_index("ix_audit_event_at", "audit_event", ["at", "seq"])
    listed = sa.text("SELECT seq, body FROM audit_event WHERE kind = 'PatientsListed'")
    for seq, body in op.get_bind().execute(listed).all():
        patients = sorted({str(patient)[:200] for patient in json.loads(body)["details"].get("patients") or ()})
        if patients:
            op.bulk_insert(named, [{"patient": patient, "seq": seq} for patient in patients])


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
