"""The search index: case signatures, people by case, actors of steps. `store.schema` fills it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_kind",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("process", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=200), nullable=False),
        sa.Column("stopped", sa.Integer(), nullable=False),
        sa.Column("elements", sa.Text(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_kind")),
    )
    op.create_table(
        "case_actor",
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["instance"], ["instance.id"], name=op.f("fk_case_actor_instance")),
        sa.PrimaryKeyConstraint("instance", "actor", name=op.f("pk_case_actor")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_case_actor_started", "case_actor", ["actor", "started_at", "instance", "kind"])
    op.create_index("ix_case_actor_kind_started", "case_actor", ["actor", "kind", "started_at", "instance"])
    op.add_column("instance", sa.Column("kind", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_instance_kind_started", "instance", ["kind", "started_at", "id"])
    ended = sa.text("ended_at IS NOT NULL")
    for name, columns in (("ended", ["ended_at", "id"]), ("kind_ended", ["kind", "ended_at", "id"])):
        op.create_index(f"ix_instance_{name}", "instance", columns, sqlite_where=ended, postgresql_where=ended)
    op.add_column("step", sa.Column("actor", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("step", sa.Column("at", sa.String(length=27), nullable=False, server_default=""))
    person = sa.text("actor <> ''")
    columns = ["actor", "at", "instance", "revision"]
    op.create_index("ix_step_actor_at", "step", columns, sqlite_where=person, postgresql_where=person)


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
