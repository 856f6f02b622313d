"""A database in which every table of the administration holds something, and alterations of any column of any table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from argon2 import PasswordHasher
from conftest import SECRET, Clock, Outside, alice, operators, package
from databases import new_sqlite
from sqlalchemy import Boolean, Integer, LargeBinary, text
from sqlalchemy.exc import IntegrityError
from usher_engine import SYSTEM, Actor, Database, Engine, Settings, Worker
from usher_engine.accounts import Accounts, Role, SavedSearches, StaffProfiles, Substitutes
from usher_engine.accounts.digest_choices import DigestChoices
from usher_engine.accounts.passwords import Passwords
from usher_engine.assurance import Checker, Retention, check_record
from usher_engine.checkpoints import gather, take
from usher_engine.enrollment import portal_status, trigger_fields
from usher_engine.store.tables.engine_tables import metadata
from usher_engine.store.tables.folds import fold_of

ADAM = Actor(name="adam", role="admin")
AUDREY = Actor(name="audrey", role="auditor")
ANA = Actor(name="ana", role="analyst")
PASSWORD = "correct horse battery staple"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

#: What is in a case is compared with its steps, whichever table it stands in.
OF_CASES = frozenset(
    {"step", "audit_event", "leaf", "checkpoint", "instance", "user_task", "audit_patient", "case_kind"}
)


def keep_everything(engine: Engine, accounts: Accounts, clock: Clock) -> Engine:
    """Something of everything that administrators keep."""
    engine.deploy(package("small"), actor=SYSTEM, note="First")
    clock.forward(minutes=1)
    engine.deploy(package("loop"), actor=SYSTEM)
    for name, role in (("adam", Role.ADMIN), ("ana", Role.ANALYST), ("audrey", Role.AUDITOR), ("bob", Role.STAFF)):
        accounts.add_user(name, PASSWORD, role=role, by="command line")
    accounts.change_rights("bob", role=Role.STAFF, groups=["Billing", "Front desk"], by="adam")
    accounts.disable("ana", by="adam")
    accounts.add_token("ehr", role=Role.STAFF, by="adam")
    accounts.add_token("old", role=Role.STAFF, by="adam")
    accounts.revoke_token("old", by="adam")
    profiles = StaffProfiles(engine.database, clock)
    profiles.set_display_name("bob", "Bob B.", actor=ADAM)
    _, secret = profiles.ask_address("bob", "bob@example.org", actor=ADAM)
    profiles.confirm_address("bob", secret, actor=ADAM)
    profiles.ask_address("audrey", "audrey@example.org", actor=AUDREY)
    searches = SavedSearches(engine.database, clock)
    searches.add("Late", "status=waiting", shared=Role.AUDITOR, actor=AUDREY)
    gone = searches.add("Gone", "status=finished", shared=None, actor=AUDREY)
    searches.delete(gone.id, actor=AUDREY)
    digests = DigestChoices(engine.database, clock, SECRET)
    digests.turn_on("bob", actor=ADAM)
    accounts.add_user("bea", PASSWORD, role=Role.STAFF, by="adam")
    substitutes, today = Substitutes(engine.database, clock, engine.settings.calendar), clock().date()
    days = {"first": today, "last": today + timedelta(days=9), "groups": ["Billing"]}
    substitutes.name("bob", "bea", actor=ADAM, **days)
    accounts.add_user("ben", PASSWORD, role=Role.STAFF, by="adam")
    substitutes.name("bob", "ben", actor=ADAM, **days)
    accounts.disable("ben", by="adam")
    engine.working_calendar.set_weekdays(range(6), actor=ADAM)
    engine.working_calendar.add_holiday(date(today.year, 12, 25), "Christmas Day", actor=ADAM)
    retention = Retention(engine.context, engine.audit)
    for patient in ("p1", "p2", "p3"):
        retention.hold(patient, f"a letter about {patient}", actor=AUDREY)
    clock.forward(minutes=1)
    retention.lift("p2", "settled", actor=AUDREY)
    engine.pauses.pause("loop", "a fault", actor=ADAM)
    with engine.database.begin() as tx:
        left = trigger_fields.set_trigger(tx, "Visit", "Portal", "Enrollment", by="adam", now=clock())
        engine.audit.record("SettingChanged", {"setting": "trigger", **left}, actor=ADAM, transaction=tx)
    with engine.database.begin() as tx:
        entry = portal_status.opt_out_address(tx, "p@example.org", by="adam", now=clock())
        engine.audit.record("OptOutSet", entry, actor=ADAM, subject="p9", transaction=tx)
    engine.drafts.start("small", actor=ANA)
    engine.deployments.ask_sign_off("small", etag=engine.drafts.find("small").etag, note="New words", actor=ANA)
    checker = Checker(engine.context, engine.audit)
    checker.run(checker.begin(actor=AUDREY), AUDREY)
    return engine


def living_practice(folder: Path) -> Engine:
    """The same with cases in all states, and checkpoints; nothing guards the tables any more."""
    settings = Settings(
        secret_key=SECRET, checkpoint_file=str(folder / "heads.jsonl"), signing_key_file=str(folder / "key.pem")
    )
    database, clock, outside = Database(new_sqlite(folder)), Clock(), Outside()
    engine = Engine(settings, operators(outside), clock, database)
    keep_everything(engine, Accounts(database, clock, passwords=CHEAP), clock)
    for number in range(6):
        outside.answers.append({"n": 2})
        case = engine.start("small", {"q": number}, actor=alice, business_key=f"p{number}")
        engine.audit.record("PatientsListed", {"patients": [f"p{number}", "p1"]}, actor=alice)
        if number % 2:
            engine.complete(case.tasks[0].id, {"word": "yes"}, actor=alice)
            Worker(engine).run_due()
        clock.forward(minutes=3)
        take(database, settings, clock())
    with database.begin() as tx:
        for (name,) in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            tx.exec_driver_sql(f"DROP TRIGGER {name}")
    return engine


def findings(engine: Engine) -> list[Any]:
    """What a check of the whole record finds, but for the triggers."""
    found = check_record(engine.context, gather(engine.database, engine.settings))
    return [*engine.verification.verify_all().findings, *(one for one in found if one.kind != "triggers")]


def tally(
    engine: Engine, count: int, seed: int = 0, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """
    Alter *count* random values, each undone after the check; how many were found of how many, by table and column.

    *missed* lists what was not found in tables that have a fold or are part of a case's record.
    """
    random, tried, found = Random(seed), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    with engine.database.read() as tx:
        rows = {table.name: list(tx.execute(table.select()).mappings()) for table in metadata.tables.values()}
    places = [(table, column) for table in metadata.tables.values() for column in table.columns if rows[table.name]]
    missed = []
    for number in range(count):
        table, column = places[number % len(places)] if number < len(places) else random.choice(places)
        row, fold = random.choice(rows[table.name]), fold_of(table)
        key = {f"key_{one.name}": row[one.name] for one in table.primary_key.columns}
        where = " AND ".join(f'"{one.name}" = :key_{one.name}' for one in table.primary_key.columns)
        to = other(random, column, row[column.name])
        with engine.database.begin() as tx:
            attempt = tx.begin_nested()
            tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            try:
                tx.execute(text(f'UPDATE "{table.name}" SET "{column.name}" = :to WHERE {where}'), {**key, "to": to})
            except IntegrityError:  # the database itself refuses it
                attempt.rollback()
                continue
            seen = bool(findings(engine))
            attempt.rollback()
        tried[table.name, column.name] += 1
        found[table.name, column.name] += seen
        proven = (fold is not None and column.name not in fold.free) or table.name in OF_CASES
        if proven and not seen:
            missed.append(f"{table.name}.{column.name}: {row[column.name]!r} to {to!r}")
        progress(number)
    by_column = {f"{table}.{column}": [found[table, column], n] for (table, column), n in sorted(tried.items())}
    return {"alterations": tried.total(), "found": found.total(), "by column": by_column, "missed": missed}


def other(random: Random, column: Any, value: Any) -> Any:
    """Another value of the column's type."""
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(column.type, Integer):
        return (value or 0) + random.randrange(1, 9)
    if isinstance(column.type, LargeBinary):
        return bytes([(value or b"0")[0] ^ random.randrange(1, 256), *(value or b"0")[1:]])
    return f"{random.randrange(10)}{(value or '')[1:]}x"[-(column.type.length or 99_999) :]
