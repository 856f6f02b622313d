"""Every administrative table is the fold of its audit events: whatever is altered in one is found and named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from conftest import SECRET, Clock, Outside
from practice_records import ADAM, ANA, CHEAP, PASSWORD, keep_everything, other
from sqlalchemy import text
from usher_engine import Corrupt, Database, Engine, NotAllowed
from usher_engine.accounts import Accounts, Role, StaffProfiles, Substitutes
from usher_engine.accounts.digest_choices import DigestChoices
from usher_engine.assurance import Retention
from usher_engine.checkpoints import take
from usher_engine.store import folded_tables
from usher_engine.store.folded_tables import folded
from usher_engine.store.tables.engine_tables import metadata
from usher_engine.store.tables.folds import fold_of, why_no_fold
from usher_engine.store.told_rows import digest

#: How many random alterations a table gets beside one of each column.
COUNT = int(os.environ.pop("USHER_FOLD_COUNT", "3"))


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    return Accounts(database, clock, passwords=CHEAP)


@pytest.fixture
def practice(engine: Engine, accounts: Accounts, clock: Clock) -> Engine:
    return keep_everything(engine, accounts, clock)


def found(engine: Engine) -> list[str]:
    with engine.database.read() as tx:
        return [finding.message for finding in folded_tables.check(tx)]


def alter(engine: Engine, statement: str, **values: Any) -> None:
    """As the owner of the database can: without its triggers."""
    with engine.database.begin() as tx:
        if engine.database.is_sqlite:
            tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for (name,) in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                tx.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            tx.exec_driver_sql("SET session_replication_role = replica")
        assert tx.execute(text(statement), values).rowcount


def test_every_table_has_a_fold_or_a_reason() -> None:
    for table in metadata.tables.values():
        assert bool(fold_of(table)) != bool(why_no_fold(table)), table.name
        for column in (fold.free.keys() | fold.digested) if (fold := fold_of(table)) else ():
            assert column in table.columns, (table.name, column)


def test_what_stands_there_follows_from_the_events(practice: Engine) -> None:
    assert found(practice) == []
    with practice.database.read() as tx:
        for table in folded():
            assert tx.execute(table.select()).first() is not None, f"nothing in {table.name} to compare"


def named(table: Any, row: Any) -> dict[str, Any]:
    return {column.name: row[column.name] for column in table.primary_key.columns}


def where(table: Any) -> str:
    return " AND ".join(f'"{column.name}" = :key_{column.name}' for column in table.primary_key.columns)


def alterations(engine: Engine) -> Iterator[tuple[str, str, dict[str, Any], list[str]]]:
    """(what, statement, values, words of a finding) for each folded table: its columns, a row gone, a row more."""
    with engine.database.read() as tx:
        rows = {table.name: list(tx.execute(table.select()).mappings()) for table in folded()}
    for table in folded():
        fold = fold_of(table)
        assert fold is not None
        for seed in range(COUNT):
            random = Random(f"{table.name} {seed}")
            for column in table.columns:
                if column.name in fold.free or column.foreign_keys:
                    continue
                row = random.choice(rows[table.name])
                key = {f"key_{name}": value for name, value in named(table, row).items()}
                change = f'UPDATE "{table.name}" SET "{column.name}" = :to WHERE {where(table)}'
                value = other(random, column, row[column.name])
                yield column.name, change, {**key, "to": value}, [str(named(table, row).popitem()[1])[:40]]
            row = random.choice(rows[table.name])
            key = {f"key_{name}": value for name, value in named(table, row).items()}
            yield "a row gone", f'DELETE FROM "{table.name}" WHERE {where(table)}', key, ["not in the database"]
            more = {**row, **{name: other(random, table.c[name], value) for name, value in named(table, row).items()}}
            more |= {name: f"{seed}{table.name}" for name in ("wanted_hash", "hash", "name") if name in table.c}
            columns = ", ".join(f'"{name}"' for name in more)
            added = f'INSERT INTO "{table.name}" ({columns}) VALUES ({", ".join(f":{name}" for name in more)})'
            if not table.foreign_keys:
                yield "a row more", added, dict(more), ["no audit event tells of it"]


def test_every_alteration_is_found(practice: Engine) -> None:
    missed = []
    for what, statement, values, words in list(alterations(practice)):
        with practice.database.begin() as tx:
            attempt = tx.begin_nested()
            if practice.database.is_sqlite:
                tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            else:
                tx.exec_driver_sql("SET session_replication_role = replica")
            assert tx.execute(text(statement), values).rowcount == 1, (what, statement)
            messages = " ".join(finding.message for finding in folded_tables.check(tx))
            attempt.rollback()
        if not all(word in messages for word in words):
            missed.append((what, statement, values, messages))
    assert not missed, missed


def test_a_finding_names_row_column_and_event(practice: Engine) -> None:
    alter(practice, "UPDATE account SET role = 'admin' WHERE name = 'bob'")
    (message,) = found(practice)
    assert message.startswith("Account bob: role is not what audit event ")
    assert message.endswith(" left: “admin” instead of “staff”.")
    alter(practice, "DELETE FROM legal_hold WHERE business_key = 'p1'")
    assert any("Legal hold 1 stands in audit event" in one for one in found(practice))


def test_no_event_carries_a_secret(practice: Engine) -> None:
    with practice.database.read() as tx:
        bodies = b"".join(tx.exec_driver_sql("SELECT body FROM audit_event").scalars())
        secrets = tx.exec_driver_sql("SELECT password FROM account UNION SELECT hash FROM api_token").scalars().all()
    assert len(secrets) > 4
    for secret in secrets:
        assert secret.encode() not in bodies
        assert digest(secret).encode() in bodies


# what is decided from such a table


def test_nobody_signs_in_with_an_altered_account(practice: Engine, accounts: Accounts) -> None:
    session = accounts.begin_session("bob")
    assert accounts.verify("bob", PASSWORD) and accounts.session(session.secret)
    alter(practice, "UPDATE account SET role = 'admin' WHERE name = 'bob'")
    with pytest.raises(Corrupt, match=r"bob was altered outside Usher \(role\).*An administrator"):
        accounts.verify("bob", PASSWORD)
    assert accounts.verify("bob", "a wrong password") is None
    assert accounts.session(session.secret) is None
    accounts.change_rights("bob", role=Role.STAFF, groups=["Billing"], by="adam")
    assert accounts.verify("bob", PASSWORD), "an administrator has set it right"
    assert found(practice) == []


def test_no_later_event_about_a_person_hides_their_altered_account(practice: Engine, accounts: Accounts) -> None:
    """A session asks the newest event about its account, whatever that is about."""
    substitutes = Substitutes(practice.database, practice.context.clock, practice.settings.calendar)
    digests = DigestChoices(practice.database, practice.context.clock, SECRET)
    digests.turn_off("bob", actor=ADAM)
    end = substitutes.of("bob")[0].id
    profiles = StaffProfiles(practice.database, practice.context.clock)
    for do in (
        lambda: digests.turn_on("bob", actor=ADAM),
        lambda: profiles.remove_address("bob", actor=ADAM),
        lambda: substitutes.end(end, person="bob", actor=ADAM),
    ):
        session = accounts.begin_session("bob")
        assert accounts.session(session.secret)
        alter(practice, "UPDATE account SET role = 'admin' WHERE name = 'bob'")
        do()
        assert accounts.session(session.secret) is None, "the event says what was told, not what stands there"
        assert [message for message in found(practice) if message.startswith("Account bob: role is not what")]
        alter(practice, "UPDATE account SET role = 'staff' WHERE name = 'bob'")
        assert accounts.session(session.secret)


def test_substitutions_whose_days_are_over_go_with_the_event_of_the_next(practice: Engine, clock: Clock) -> None:
    substitutes = Substitutes(practice.database, clock, practice.settings.calendar)
    clock.forward(days=30)
    today = clock().date()
    substitutes.name("bob", "bea", first=today, last=today, groups=(), actor=ADAM)
    assert found(practice) == []
    with practice.database.begin() as tx:
        tx.exec_driver_sql("UPDATE substitution SET last_day = '2099-01-01'")
    (message,) = found(practice)
    assert message.startswith("Substitution ") and "last day is not what audit event" in message


def test_a_password_put_in_by_hand_opens_nothing(practice: Engine, accounts: Accounts) -> None:
    alter(
        practice, "UPDATE account SET password = (SELECT password FROM account WHERE name = 'bob') WHERE name = 'adam'"
    )
    with pytest.raises(Corrupt, match=r"adam was altered outside Usher \(password\)"):
        accounts.verify("adam", PASSWORD)


def test_a_token_altered_by_hand_opens_nothing(practice: Engine, accounts: Accounts) -> None:
    secret = accounts.add_token("other", role=Role.STAFF, by="adam")
    assert accounts.token(secret)
    alter(practice, "UPDATE api_token SET role = 'admin' WHERE name = 'other'")
    assert accounts.token(secret) is None


def test_a_hold_that_was_deleted_still_keeps_the_case(practice: Engine, outside: Outside, clock: Clock) -> None:
    outside.answers = [{"n": 9}] * 2
    held, free = (practice.start("small", {"q": 9}, actor=ADAM, business_key=about).id for about in ("p1", "p4"))
    for case in (held, free):
        practice.cases.cancel(case, "moved away", actor=ADAM)
    take(practice.database, practice.settings, clock())
    clock.time = clock.time.replace(year=clock.time.year + 7)
    alter(practice, "DELETE FROM legal_hold WHERE business_key = 'p1'")
    done = Retention(practice.context, practice.audit).purge(actor=ADAM)
    assert done.purged == 1
    assert dict(done.left) == {"under a legal hold that is missing in its table: run usher verify": 1}
    assert practice.queries.history(held)
    alter(practice, "UPDATE audit_event SET kind = 'CaseViewed' WHERE kind = 'HoldSet'")
    with pytest.raises(Corrupt, match="Nothing was purged"):
        Retention(practice.context, practice.audit).purge(actor=ADAM)


def test_a_request_for_a_sign_off_put_in_by_hand_signs_nothing(practice: Engine) -> None:
    """One analyst alone, who owns the database, cannot make the first of four eyes."""
    alter(practice, "UPDATE sign_off SET asked_by = 'aaron'")
    object.__setattr__(practice.settings, "deploy_four_eyes", 1)  # the deployments read it when asked
    draft = practice.drafts.find("small")
    with pytest.raises(Corrupt, match="sign off small was altered outside Usher"):
        practice.deployments.deploy_draft("small", etag=draft.etag, note="", actor=ANA)
    alter(practice, "UPDATE sign_off SET asked_by = 'ana'")
    with pytest.raises(NotAllowed, match="asked for it yourself"):
        practice.deployments.deploy_draft("small", etag=draft.etag, note="", actor=ANA)
