"""The triggers that keep `task_tally`: every change of an open task is counted in the transaction that makes it.

They only add rows, so that two transactions never wait for each other to count.
"""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

#: The columns of a count.
COLUMNS = "candidate_group, process, element, free, due_hour, until, tasks"
_KIND = "{row}candidate_group, {row}process, {row}element, CASE WHEN {row}assignee = '' THEN 1 ELSE 0 END"
#: The hour a task is due in; "z" without a due date, after every hour.
_HOUR = "CASE WHEN {row}due_at = '' THEN 'z' ELSE substr({row}due_at, 1, 13) END"
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
    kind, hour = _KIND.format(row=""), _HOUR.format(row="")
    counted = (
        f"SELECT {kind}, {due}, until, count(*) FROM user_task GROUP BY {kind}, {group}until"  # noqa: S608 - ours
        for due, group in (("''", ""), (hour, f"{hour}, "))
    )
    return f"INSERT INTO task_tally ({COLUMNS}) {' UNION ALL '.join(counted)}"


def _count(row: str, tasks: int) -> str:
    """Count a task twice: among all of its kind, under no hour, and under its hour."""
    kind, hour = _KIND.format(row=f"{row}."), _HOUR.format(row=f"{row}.")
    values = (f"({kind}, {due}, {row}.until, {tasks})" for due in ("''", hour))
    return f"INSERT INTO task_tally ({COLUMNS}) VALUES {', '.join(values)}"  # noqa: S608 - names of ours
