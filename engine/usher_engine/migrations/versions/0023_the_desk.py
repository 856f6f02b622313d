"""The desk: counts of open tasks, tasks put off, orders of the inbox, views of people, work on many tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_KIND = "{row}candidate_group, {row}process, {row}element, CASE WHEN {row}assignee = '' THEN 1 ELSE 0 END"
_HOUR = "CASE WHEN {row}due_at = '' THEN 'z' ELSE substr({row}due_at, 1, 13) END"
_COLUMNS = "candidate_group, process, element, free, due_hour, until, tasks"


def upgrade() -> None:
    op.add_column("user_task", sa.Column("until", sa.String(length=10), nullable=False, server_default=""))
    op.add_column("user_task", sa.Column("urgency", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE user_task SET urgency = 1000 - priority")
    op.drop_index("ix_user_task_group_sort", "user_task")
    kind = ["candidate_group", "process", "element"]
    op.create_index("ix_user_task_kind_due", "user_task", [*kind, "sort_key"])
    op.create_index("ix_user_task_kind_opened", "user_task", [*kind, "created_at", "sort_key"])
    op.create_index("ix_user_task_kind_urgent", "user_task", [*kind, "urgency", "sort_key"])
    op.drop_index("ix_user_task_assignee_sort", "user_task")
    for name, columns, condition in (
        ("ix_user_task_assignee_sort", ["assignee", "sort_key"], "assignee <> ''"),
        ("ix_user_task_business_key", ["business_key"], "business_key <> ''"),
        ("ix_user_task_until", ["until"], "until <> ''"),
    ):
        where = sa.text(condition)
        op.create_index(name, "user_task", columns, sqlite_where=where, postgresql_where=where)
    _count_tasks()
    op.create_table(
        "batch_task",
        sa.Column("batch", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        *(
            sa.Column(name, sa.String(length=size), nullable=False)
            for name, size in (("instance", 12), ("element", 200))
        ),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batch.id"], name=op.f("fk_batch_task_batch")),
        sa.PrimaryKeyConstraint("batch", "number", name=op.f("pk_batch_task")),
    )
    op.create_index("ix_batch_task_outcome", "batch_task", ["batch", "outcome", "number"])
    op.add_column("saved_search", sa.Column("place", sa.String(length=10), nullable=False, server_default="cases"))
    op.create_table(
        "saved_search_order",
        sa.Column("person", sa.String(length=60), nullable=False),
        sa.Column("search", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["search"],
            ["saved_search.id"],
            name=op.f("fk_saved_search_order_search"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person", "search", name=op.f("pk_saved_search_order")),
    )


def _count_tasks() -> None:
    op.create_table(
        "task_tally",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("candidate_group", sa.String(length=200), nullable=False),
        sa.Column("process", sa.String(length=200), nullable=False),
        sa.Column("element", sa.String(length=200), nullable=False),
        sa.Column("free", sa.Integer(), nullable=False),
        sa.Column("due_hour", sa.String(length=13), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_tally")),
    )
    counted = ["due_hour", "candidate_group", "process", "element", "free", "until", "tasks"]
    op.create_index("ix_task_tally_hour", "task_tally", counted)
    for statement in _triggers()[op.get_bind().dialect.name]:
        op.execute(statement)
    kind, hour = _KIND.format(row=""), _HOUR.format(row="")
    for due, group in (("''", ""), (hour, f"{hour}, ")):
        counts = f"SELECT {kind}, {due}, until, count(*) FROM user_task GROUP BY {kind}, {group}until"  # noqa: S608
        op.execute(f"INSERT INTO task_tally ({_COLUMNS}) {counts}")


def _counted(row: str, tasks: int) -> str:
    kind, hour = _KIND.format(row=f"{row}."), _HOUR.format(row=f"{row}.")
    values = (f"({kind}, {due}, {row}.until, {tasks})" for due in ("''", hour))
    return f"INSERT INTO task_tally ({_COLUMNS}) VALUES {', '.join(values)}"  # noqa: S608 - names of ours


def _triggers() -> dict[str, list[str]]:
    """The triggers of store/tables/task_tally_triggers.py at this revision."""
    changed = "OF candidate_group, process, element, assignee, due_at, until ON user_task"
    return {
        "sqlite": [
            f"CREATE TRIGGER user_task_opened AFTER INSERT ON user_task BEGIN {_counted('NEW', 1)}; END",
            f"CREATE TRIGGER user_task_closed AFTER DELETE ON user_task BEGIN {_counted('OLD', -1)}; END",
            f"""CREATE TRIGGER user_task_arranged AFTER UPDATE {changed}
            BEGIN {_counted("OLD", -1)}; {_counted("NEW", 1)}; END""",
        ],
        "postgresql": [
            f"""CREATE OR REPLACE FUNCTION user_task_is_counted() RETURNS trigger AS
            $$ BEGIN
            IF TG_OP <> 'INSERT' THEN {_counted("OLD", -1)}; END IF;
            IF TG_OP <> 'DELETE' THEN {_counted("NEW", 1)}; END IF;
            RETURN NULL; END $$ LANGUAGE plpgsql""",
            """CREATE TRIGGER user_task_counted AFTER INSERT OR DELETE ON user_task
            FOR EACH ROW EXECUTE FUNCTION user_task_is_counted()""",
            f"""CREATE TRIGGER user_task_arranged AFTER UPDATE {changed}
            FOR EACH ROW EXECUTE FUNCTION user_task_is_counted()""",
        ],
    }


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead.")
