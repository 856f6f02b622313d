"""Gives each open task a unique place in the order of the inbox, even if one step opened several."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("user_task") as batch_op:
        batch_op.alter_column(
            "sort_key", existing_type=sa.String(length=70), type_=sa.String(length=280), existing_nullable=False
        )
    task = sa.table("user_task", *map(sa.column, ("instance", "element", "visit", "due_at", "created_at", "sort_key")))
    c = task.c
    padded = sa.literal("000000") + sa.cast(c.visit, sa.String)
    parts = (c.created_at, c.instance, c.element, sa.func.substr(padded, sa.func.length(padded) - 5))
    place: sa.ColumnElement[str] = sa.case((c.due_at == "", "z"), else_=c.due_at)
    for part in parts:
        place = place + "|" + part
    op.execute(task.update().values(sort_key=place))


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
