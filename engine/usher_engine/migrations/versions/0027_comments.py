"""Comments on cases: who is mentioned in one, and which files are attached."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

EMPTIED = """NEW.instance = OLD.instance AND NEW.sha256 = OLD.sha256 AND NEW.kind = OLD.kind AND NEW.size = OLD.size
            AND length(NEW.content) = 0
            AND EXISTS (SELECT 1 FROM tombstone WHERE tombstone.instance = OLD.instance)"""

STATEMENTS = {
    "sqlite": [
        f"""CREATE TRIGGER case_file_no_update BEFORE UPDATE ON case_file
            WHEN NOT ({EMPTIED})
            BEGIN SELECT RAISE(ABORT, 'case_file is append-only'); END""",
        """CREATE TRIGGER case_file_no_delete BEFORE DELETE ON case_file
            BEGIN SELECT RAISE(ABORT, 'case_file is append-only'); END""",
        """CREATE TRIGGER case_file_no_replace BEFORE INSERT ON case_file
            WHEN EXISTS (SELECT 1 FROM case_file WHERE rowid = NEW.rowid
            OR (instance = NEW.instance AND sha256 = NEW.sha256))
            BEGIN SELECT RAISE(ABORT, 'case_file is append-only'); END""",
    ],
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION case_file_is_append_only() RETURNS trigger AS
            $$ BEGIN IF TG_OP = 'UPDATE' THEN IF {EMPTIED} THEN RETURN NEW; END IF; END IF;
            RAISE EXCEPTION 'case_file is append-only'; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER case_file_append_only BEFORE UPDATE OR DELETE ON case_file
            FOR EACH ROW EXECUTE FUNCTION case_file_is_append_only()""",
        """CREATE TRIGGER case_file_no_truncate BEFORE TRUNCATE ON case_file
            FOR EACH STATEMENT EXECUTE FUNCTION case_file_is_append_only()""",
    ],
}


def upgrade() -> None:
    op.create_table(
        "case_mention",
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("comment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(length=60), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("seen_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["instance"], ["instance.id"], name=op.f("fk_case_mention_instance")),
        sa.PrimaryKeyConstraint("instance", "comment", "person", name=op.f("pk_case_mention")),
    )
    unseen = sa.text("seen_at = ''")
    op.create_index(
        "ix_case_mention_unseen", "case_mention", ["person", "at"], sqlite_where=unseen, postgresql_where=unseen
    )
    op.create_table(
        "case_file",
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["instance"], ["instance.id"], name=op.f("fk_case_file_instance")),
        sa.PrimaryKeyConstraint("instance", "sha256", name=op.f("pk_case_file")),
    )
    for statement in STATEMENTS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
