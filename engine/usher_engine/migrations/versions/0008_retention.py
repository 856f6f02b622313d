"""Legal holds, tombstones of purged cases, and the only exception to the trigger that protects steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

EMPTIED = """NEW.instance = OLD.instance AND NEW.revision = OLD.revision AND NEW.hash = OLD.hash
            AND length(NEW.body) = 0 AND NEW.actor = '' AND NEW.at = ''
            AND EXISTS (SELECT 1 FROM tombstone WHERE tombstone.instance = OLD.instance)"""
PURGEABLE = """EXISTS (SELECT 1 FROM instance WHERE instance.id = NEW.instance AND instance.ended_at < NEW.before
            AND NOT EXISTS (SELECT 1 FROM legal_hold WHERE legal_hold.business_key = instance.business_key
            AND legal_hold.lifted_at = ''))"""
REFUSAL = "tombstone refused: the case runs, ended too late or is under hold; history is append-only"

STATEMENTS = {
    "sqlite": [
        "DROP TRIGGER step_no_update",
        f"""CREATE TRIGGER step_no_update BEFORE UPDATE ON step
            WHEN NOT ({EMPTIED})
            BEGIN SELECT RAISE(ABORT, 'step is append-only'); END""",
        "CREATE TRIGGER tombstone_no_update BEFORE UPDATE ON tombstone BEGIN SELECT RAISE(ABORT, 'tombstone is append-only'); END",
        "CREATE TRIGGER tombstone_no_delete BEFORE DELETE ON tombstone BEGIN SELECT RAISE(ABORT, 'tombstone is append-only'); END",
        """CREATE TRIGGER tombstone_no_replace BEFORE INSERT ON tombstone
            WHEN EXISTS (SELECT 1 FROM tombstone WHERE rowid = NEW.rowid OR (instance = NEW.instance))
            BEGIN SELECT RAISE(ABORT, 'tombstone is append-only'); END""",
        f"""CREATE TRIGGER tombstone_guard BEFORE INSERT ON tombstone WHEN NOT {PURGEABLE}
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    ],
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION step_is_append_only() RETURNS trigger AS
            $$ BEGIN IF TG_OP = 'UPDATE' THEN IF {EMPTIED} THEN RETURN NEW; END IF; END IF;
            RAISE EXCEPTION 'step is append-only'; END $$ LANGUAGE plpgsql""",
        """CREATE OR REPLACE FUNCTION tombstone_is_append_only() RETURNS trigger AS
            $$ BEGIN RAISE EXCEPTION 'tombstone is append-only'; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER tombstone_append_only BEFORE UPDATE OR DELETE ON tombstone
            FOR EACH ROW EXECUTE FUNCTION tombstone_is_append_only()""",
        """CREATE TRIGGER tombstone_no_truncate BEFORE TRUNCATE ON tombstone
            FOR EACH STATEMENT EXECUTE FUNCTION tombstone_is_append_only()""",
        f"""CREATE OR REPLACE FUNCTION tombstone_is_guarded() RETURNS trigger AS
            $$ BEGIN IF {PURGEABLE} THEN RETURN NEW; END IF; RAISE EXCEPTION '{REFUSAL}'; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER tombstone_guard BEFORE INSERT ON tombstone
            FOR EACH ROW EXECUTE FUNCTION tombstone_is_guarded()""",
    ],
}


def upgrade() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("business_key", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", sa.String(length=27), nullable=False),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("lifted_at", sa.String(length=27), nullable=False),
        sa.Column("lifted_by", sa.String(length=200), nullable=False),
        sa.Column("lifted_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_legal_hold")),
    )
    op.create_index("ix_legal_hold_business_key", "legal_hold", ["business_key", "lifted_at"])
    op.create_table(
        "tombstone",
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("before", sa.String(length=27), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["instance"], ["instance.id"], name=op.f("fk_tombstone_instance")),
        sa.ForeignKeyConstraint(["seq"], ["audit_event.seq"], name=op.f("fk_tombstone_seq")),
        sa.PrimaryKeyConstraint("instance", name=op.f("pk_tombstone")),
    )
    for statement in STATEMENTS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("What was purged does not come back; restore a backup instead.")
