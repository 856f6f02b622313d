"""What sixteen threads insert or change at the same moment, on each database: one row, nothing lost, no error."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from conftest import Clock, package
from sqlalchemy import func, select
from threads import at_once
from usher_engine import Actor, Conflict, Settings
from usher_engine.accounts import Accounts, Role, SavedSearches
from usher_engine.accounts import account_tables as a
from usher_engine.accounts.passwords import Passwords
from usher_engine.enrollment import Registry, invitations, portal_status, trigger_fields
from usher_engine.enrollment import enrollment_tables as e
from usher_engine.store import Database, draft_rows, figure_rows, version_rows
from usher_engine.store.tables import engine_tables as t
from usher_engine.store.tables import record_tables

THREADS = 16
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Sample", "given": ["Ada"]}]}


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    return Accounts(database, clock, passwords=CHEAP)


def rows(database: Database, table: Any) -> int:
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def test_no_thread_waits_for_a_connection(database: Database) -> None:
    """Forty at once, each inside a transaction until all are: more than a pool keeps, fewer than the settings allow."""
    together = threading.Barrier(40, timeout=60)

    def look(_: int) -> int:
        with database.read() as tx:
            together.wait()
            return int(tx.execute(select(1)).scalar_one())

    assert at_once(40, look) == [1] * 40


def test_tries_are_all_counted_when_the_window_turns(accounts: Accounts, clock: Clock) -> None:
    for minute in range(8):
        clock.forward(seconds=61)
        counted = at_once(THREADS, lambda _: accounts.count_try("door", 60))
        assert sorted(map(str, counted)) == sorted(map(str, range(1, THREADS + 1))), f"minute {minute}"


def test_tries_of_many_doors_and_stale_ones_hinder_nobody(accounts: Accounts, clock: Clock) -> None:
    for _ in range(4):
        clock.forward(days=2)  # every counter is stale by now: each new one sweeps
        assert at_once(THREADS, lambda n: accounts.hit(f"door {n % 5}", 16, 60)) == [True] * THREADS


def test_what_was_right_is_taken_back_once(accounts: Accounts) -> None:
    def right(_: int) -> None:
        accounts.count_try("door", 60)
        accounts.take_back("door")

    assert at_once(THREADS, right) == [None] * THREADS
    assert accounts.count_try("door", 60) == 1


def test_a_name_is_given_once(accounts: Accounts, database: Database) -> None:
    def add(n: int) -> object:
        if n % 2:
            return accounts.add_token("Sam" if n % 4 == 1 else "sam", role=Role.STAFF, by="t")
        return accounts.add_user("sam", f"correct horse {n} battery", role=Role.STAFF, by="t")

    lost = [answer for answer in at_once(THREADS, add) if isinstance(answer, Exception)]
    assert len(lost) == THREADS - 1
    assert all(isinstance(one, Conflict) and "There is already a" in one.message for one in lost)
    assert rows(database, a.account) + rows(database, a.api_token) == 1


def test_sessions_begin_while_old_ones_are_swept(accounts: Accounts, clock: Clock, database: Database) -> None:
    accounts.add_user("alice", "correct horse battery", role=Role.STAFF, by="t")
    for _ in range(3):
        clock.forward(hours=1)
        begun = at_once(THREADS, lambda _: accounts.begin_session("alice").account.name)
        assert begun == ["alice"] * THREADS
    clock.forward(hours=1)
    accounts.begin_session("alice")
    assert rows(database, a.web_session) == 1


def test_a_search_is_saved_once_under_a_name(database: Database, clock: Clock) -> None:
    searches, alice = SavedSearches(database, clock), Actor(name="alice", role="staff")
    answers = at_once(THREADS, lambda _: searches.add("Mine", "status=live", shared=None, actor=alice))
    lost = [answer for answer in answers if isinstance(answer, Exception)]
    assert {type(one) for one in lost} == {Conflict}
    assert "You have a saved search named" in str(lost[0])
    assert len(lost) == THREADS - 1


def in_one(database: Database, work: Any) -> list[object]:
    """What *work* answers in many transactions at once."""

    def one(n: int) -> object:
        with database.begin() as tx:
            return work(tx, n)

    return at_once(THREADS, one)


def test_patients_triggers_and_addresses(database: Database, settings: Settings, clock: Clock) -> None:
    registry = Registry(settings)
    saved = in_one(database, lambda tx, _: registry.save(tx, PATIENT, by="t", now=clock()))
    assert sorted(map(str, saved)) == ["new"] + ["same"] * (THREADS - 1)

    def trigger(tx: Any, n: int) -> None:
        if n % 4 == 3:
            trigger_fields.remove_trigger(tx, "Visit", "Portal")
        else:
            trigger_fields.set_trigger(tx, "Visit", "Portal", "Enrollment", by=f"t{n}", now=clock())

    assert in_one(database, trigger) == [None] * THREADS
    gone = in_one(database, lambda tx, _: portal_status.opt_out_address(tx, "Ada@example.org", by="t", now=clock()))
    assert sorted(map(bool, gone)) == [False] * (THREADS - 1) + [True]
    assert rows(database, e.email_opt_out) == 1


def test_an_invitation_is_made_once(database: Database, settings: Settings, clock: Clock) -> None:
    with database.begin() as tx:
        Registry(settings).save(tx, PATIENT, by="t", now=clock())
    sent = {"token": "t", "key": "k", "patient": "p1", "instance": "i", "message_id": "m", "address": "a@b.c"}

    def prepare(tx: Any, _: int) -> str:
        return invitations.prepare(tx, **sent, now=clock(), expires_at=clock() + timedelta(days=30)).token_hash

    assert in_one(database, prepare) == [invitations.hash_of("t")] * THREADS
    with database.begin() as tx:
        first = invitations.mark_sent(tx, "k", clock(), template="invitation", language="en")
        nine_days_on = {"now": clock() + timedelta(days=9), "expires_at": clock() + timedelta(days=39)}
        later = invitations.prepare(tx, **{**sent, "address": "new@b.c"}, **nine_days_on)
    assert (later.address, later.expires_at) == (first.address, first.expires_at)


def test_packages_sign_offs_and_figures(database: Database, clock: Clock) -> None:
    small = package("small")
    assert in_one(database, lambda tx, _: version_rows.store_package(tx, small)) == [None] * THREADS
    assert rows(database, t.package) == 1

    def ask(tx: Any, n: int) -> None:
        wanted = draft_rows.SignOff(process="p", etag="e", note=f"{n}", asked_at=clock(), asked_by="ana")
        draft_rows.request_sign_off(tx, wanted)

    assert in_one(database, ask) == [None] * THREADS
    assert rows(database, t.sign_off) == 1
    figures = [figure_rows.Kept(1, "2026-05-04", f"{n}", b"x") for n in range(THREADS)]
    kept = in_one(database, lambda tx, n: figure_rows.store_figures(tx, "p", figures[n]))
    assert kept == [None] * THREADS
    assert rows(database, record_tables.day_figures) == 1
