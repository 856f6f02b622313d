"""The triggers that keep a table append-only in both databases, and their only exception: a purge.

A purge may empty the text of a step, and nothing else, if its case has a tombstone. The database accepts a tombstone
only for a case that ended early enough and is under no hold (decisions/0010).
"""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

#: The permitted change of a step whose case has a tombstone.
EMPTIED = """NEW.instance = OLD.instance AND NEW.revision = OLD.revision AND NEW.hash = OLD.hash
            AND length(NEW.body) = 0 AND NEW.actor = '' AND NEW.at = ''
            AND EXISTS (SELECT 1 FROM tombstone WHERE tombstone.instance = OLD.instance)"""

#: The condition for a tombstone.
PURGEABLE = """EXISTS (SELECT 1 FROM instance WHERE instance.id = NEW.instance AND instance.ended_at < NEW.before
            AND NOT EXISTS (SELECT 1 FROM legal_hold WHERE legal_hold.business_key = instance.business_key
            AND legal_hold.lifted_at = ''))"""


def keep(table: Table, *unique: str, unless: str = "") -> None:
    """Create *table* with its triggers; arguments as in `append_only`."""
    _with(table, append_only(table.name, *unique, unless=unless))


def guard_tombstones(table: Table) -> None:
    """Make *table* refuse tombstones of cases that must be kept."""
    _with(table, tombstone_guard())


def _with(table: Table, statements_of: dict[str, list[str]]) -> None:
    for dialect, statements in statements_of.items():
        table.info.setdefault("guards", {}).setdefault(dialect, []).extend(statements)
        for statement in statements:
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


def append_only(table: str, *unique: str, unless: str = "") -> dict[str, list[str]]:
    """
    Triggers that refuse every change of *table*, by database, one statement each.

    *unique* are the columns by which SQLite's REPLACE finds the row to delete; that fires no DELETE trigger.
    *unless* is the condition, on the rows NEW and OLD, under which an UPDATE is allowed.
    """
    refusal = f"{table} is append-only"
    same = " AND ".join(f"{name} = NEW.{name}" for name in unique)
    when = f"\n            WHEN NOT ({unless})" if unless else ""
    return {
        "sqlite": [
            f"""CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}{when}
            BEGIN SELECT RAISE(ABORT, '{refusal}'); END""",
            f"""CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
            BEGIN SELECT RAISE(ABORT, '{refusal}'); END""",
            f"""CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE rowid = NEW.rowid OR ({same}))
            BEGIN SELECT RAISE(ABORT, '{refusal}'); END""",  # noqa: S608 - names of ours
        ],
        "postgresql": [
            postgres_function(table, unless),
            f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()""",
            f"""CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()""",
        ],
    }


def postgres_function(table: str, unless: str = "") -> str:
    """The PostgreSQL function that refuses; only an UPDATE has both NEW and OLD."""
    way = f"IF TG_OP = 'UPDATE' THEN IF {unless} THEN RETURN NEW; END IF; END IF; " if unless else ""
    return f"""CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger AS
            $$ BEGIN {way}RAISE EXCEPTION '{table} is append-only'; END $$ LANGUAGE plpgsql"""


def tombstone_guard() -> dict[str, list[str]]:
    """The triggers of `guard_tombstones`, by database."""
    refusal = "tombstone refused: the case runs, ended too late or is under hold; history is append-only"
    return {
        "sqlite": [
            f"""CREATE TRIGGER tombstone_guard BEFORE INSERT ON tombstone WHEN NOT {PURGEABLE}
            BEGIN SELECT RAISE(ABORT, '{refusal}'); END"""
        ],
        "postgresql": [
            f"""CREATE OR REPLACE FUNCTION tombstone_is_guarded() RETURNS trigger AS
            $$ BEGIN IF {PURGEABLE} THEN RETURN NEW; END IF; RAISE EXCEPTION '{refusal}'; END $$ LANGUAGE plpgsql""",
            """CREATE TRIGGER tombstone_guard BEFORE INSERT ON tombstone
            FOR EACH ROW EXECUTE FUNCTION tombstone_is_guarded()""",
        ],
    }
