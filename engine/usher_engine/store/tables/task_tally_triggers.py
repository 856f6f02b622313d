"""The triggers that keep `task_tally`: every change of an open task is counted in the transaction that makes it.

They only add rows, so that two transactions never wait for each other to count.
"""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

#: The columns of a count, and how a task's row NEW or OLD fills them.
COLUMNS = "candidate_group, process, element, free, due_hour, until, tasks"
_VALUES = (
    "{row}.candidate_group, {row}.process, {row}.element, CASE WHEN {row}.assignee = '' THEN 1 ELSE 0 END, "
    "substr({row}.due_at, 1, 13), {row}.until"
)
#: The columns of a task whose change is counted.
COUNTED = ("candidate_group", "process", "element", "assignee", "due_at", "until")


def keep(table: Table) -> None:
    """Create *table* with its triggers."""
    for dialect, statements in triggers().items():
        for statement in statements:
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


def triggers() -> dict[str, list[str]]:
    """The triggers by database, one statement each."""
    changed = f"OF {', '.join(COUNTED)} ON user_task"
    return {
        "sqlite": [
            f"CREATE TRIGGER user_task_opened AFTER INSERT ON user_task BEGIN {_count('NEW', 1)}; END",
            f"CREATE TRIGGER user_task_closed AFTER DELETE ON user_task BEGIN {_count('OLD', -1)}; END",
            f"""CREATE TRIGGER user_task_arranged AFTER UPDATE {changed}
            BEGIN {_count("OLD", -1)}; {_count("NEW", 1)}; END""",
        ],
        "postgresql": [
            f"""CREATE OR REPLACE FUNCTION user_task_is_counted() RETURNS trigger AS
            $$ BEGIN
            IF TG_OP <> 'INSERT' THEN {_count("OLD", -1)}; END IF;
            IF TG_OP <> 'DELETE' THEN {_count("NEW", 1)}; END IF;
            RETURN NULL; END $$ LANGUAGE plpgsql""",
            """CREATE TRIGGER user_task_counted AFTER INSERT OR DELETE ON user_task
            FOR EACH ROW EXECUTE FUNCTION user_task_is_counted()""",
            f"""CREATE TRIGGER user_task_arranged AFTER UPDATE {changed}
            FOR EACH ROW EXECUTE FUNCTION user_task_is_counted()""",
        ],
    }


def recount() -> str:
    """The statement that counts all open tasks into an empty `task_tally`."""
    named = "candidate_group, process, element, CASE WHEN assignee = '' THEN 1 ELSE 0 END, substr(due_at, 1, 13), until"
    return f"INSERT INTO task_tally ({COLUMNS}) SELECT {named}, count(*) FROM user_task GROUP BY {named}"  # noqa: S608


def _count(row: str, tasks: int) -> str:
    return f"INSERT INTO task_tally ({COLUMNS}) VALUES ({_VALUES.format(row=row)}, {tasks})"  # noqa: S608 - ours
