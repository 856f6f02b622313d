"""An index for the newest change of an account; a repair may set the peaks of a checkpoint, and nothing else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

SAME = "NEW.number = OLD.number AND NEW.line = OLD.line"
STATEMENTS = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS checkpoint_no_update",
        f"""CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
            WHEN NOT ({SAME})
            BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END""",
    ],
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION checkpoint_is_append_only() RETURNS trigger AS
            $$ BEGIN IF TG_OP = 'UPDATE' THEN IF {SAME} THEN RETURN NEW; END IF; END IF;
            RAISE EXCEPTION 'checkpoint is append-only'; END $$ LANGUAGE plpgsql""",
    ],
}


def upgrade() -> None:
    settings = sa.text("kind = 'SettingChanged'")
    op.create_index(
        "ix_audit_event_setting",
        "audit_event",
        ["subject", "seq"],
        sqlite_where=settings,
        postgresql_where=settings,
    )
    for statement in STATEMENTS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
