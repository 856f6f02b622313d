"""What people typed into a task is kept for each of them; a draft belongs to the person who had claimed the task."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task_draft",
        sa.Column("instance", sa.String(length=12), nullable=False),
        sa.Column("element", sa.String(length=200), nullable=False),
        sa.Column("visit", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("saved_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["instance"], ["instance.id"], name=op.f("fk_task_draft_instance")),
        sa.PrimaryKeyConstraint("instance", "element", "visit", "person", name=op.f("pk_task_draft")),
    )
    op.create_index("ix_task_draft_saved", "task_draft", ["saved_at"])
    # A draft of a task that nobody had claimed may be anybody's: it is shown to nobody.
    op.execute(
        "INSERT INTO task_draft (instance, element, visit, person, typed, saved_at) "
        "SELECT instance, element, visit, assignee, draft, draft_at FROM user_task "
        "WHERE draft IS NOT NULL AND draft_at IS NOT NULL AND assignee <> ''"
    )
    with op.batch_alter_table("user_task") as batch_op:
        batch_op.drop_column("draft")
        batch_op.drop_column("draft_at")


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
