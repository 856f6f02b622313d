"""The triggers that keep a table append-only, in both databases."""

from __future__ import annotations

from sqlalchemy import DDL, Table, event


def keep(table: Table, *unique: str) -> None:
    """Let *table* be made with its triggers; *unique* as in `append_only`."""
    for dialect, statements in append_only(table.name, *unique).items():
        for statement in statements:
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


def append_only(table: str, *unique: str) -> dict[str, list[str]]:
    """
    Triggers that refuse every change of *table*, by database, one statement each.

    *unique* are the columns by which SQLite's REPLACE finds a row to delete; that fires no trigger for DELETE.
    """
    refusal = f"{table} is append-only"
    same = " AND ".join(f"{name} = NEW.{name}" for name in unique)
    return {
        "sqlite": [
            f"""CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, '{refusal}'); END"""
            for verb in ("UPDATE", "DELETE")
        ]
        + [
            f"""CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE rowid = NEW.rowid OR ({same}))
            BEGIN SELECT RAISE(ABORT, '{refusal}'); END"""  # noqa: S608 - names of ours
        ],
        "postgresql": [
            f"""CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger AS
            $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$ LANGUAGE plpgsql""",
            f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()""",
            f"""CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()""",
        ],
    }
