"""Accounts, sessions, tokens and counters, on each kind of database."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from threads import at_once
from usher_engine import Conflict, InvalidSubmission, NotAllowed, NotFound
from usher_engine.accounts import FRONT_DESK, Accounts, PasswordRefused, Role
from usher_engine.accounts import account_tables as t
from usher_engine.accounts.passwords import Passwords
from usher_engine.store import audit_rows

PASSWORD = "correct horse battery"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def accounts(database, clock):
    return Accounts(database, clock, passwords=CHEAP)


@pytest.fixture
def alice(accounts):
    return accounts.add_user("alice", PASSWORD, role=Role.STAFF, by="test")


def test_staff_without_a_group_work_at_the_front_desk(accounts, alice):
    assert alice.groups == {FRONT_DESK}
    assert accounts.add_user("bill", PASSWORD, role=Role.STAFF, groups=["Billing"], by="t").groups == {"Billing"}
    assert accounts.add_user("ana", PASSWORD, role=Role.ANALYST, by="t").groups == frozenset()
    assert [user.name for user in accounts.users()] == ["alice", "ana", "bill"]


def test_passwords_are_stored_as_argon2id_only(accounts, alice, database):
    with database.read() as tx:
        stored = tx.execute(select(t.account.c.password)).scalar_one()
    assert stored.startswith("$argon2id$")
    assert accounts.verify("alice", PASSWORD) == alice
    assert accounts.verify("alice", PASSWORD + "x") is None
    assert accounts.verify("alice", "x" * 100_000) is None
    assert accounts.verify("nobody", PASSWORD) is None


@pytest.mark.parametrize(
    "weak", ["short", "aaaaaaaaaaaaaaaa", "Password1234", "alice-likes-tea", "x" * 201, "1234 5678 9012"]
)
def test_passwords_that_are_guessed_first_are_refused(accounts, weak):
    with pytest.raises(PasswordRefused) as refused:
        accounts.add_user("alice", weak, role=Role.STAFF, by="test")
    assert weak not in str(refused.value)
    assert accounts.users() == []


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 61, "<b>", "ä"])
def test_names_are_plain(accounts, name):
    with pytest.raises(InvalidSubmission):
        accounts.add_user(name, PASSWORD, role=Role.STAFF, by="test")


def test_a_name_is_given_once(accounts, alice):
    with pytest.raises(Conflict, match="alice"):
        accounts.add_user("alice", PASSWORD, role=Role.ADMIN, by="test")
    assert accounts.user("alice").role is Role.STAFF
    with pytest.raises(NotFound):
        accounts.user("bob")


def test_people_and_programs_share_their_names(accounts, alice):
    accounts.add_token("ehr", role=Role.STAFF, by="test")
    for taken in ("ALICE", "EHR", "ehr"):
        with pytest.raises(Conflict, match="There is already"):
            accounts.add_user(taken, PASSWORD, role=Role.STAFF, by="test")
    for taken in ("alice", "Alice", "Ehr"):
        with pytest.raises(Conflict, match="There is already"):
            accounts.add_token(taken, role=Role.STAFF, by="test")


@pytest.mark.parametrize("name", ["system", "patient", "Stranger", "SAMPLE"])
def test_names_the_history_uses_for_itself_are_nobodys(accounts, name):
    for add in (lambda: accounts.add_user(name, PASSWORD, role=Role.ADMIN, by="test"),
                lambda: accounts.add_token(name, role=Role.ADMIN, by="test")):  # fmt: skip
        with pytest.raises(InvalidSubmission) as refused:
            add()
        assert list(refused.value.fields) == ["name"]


def test_names_that_were_alike_before_go_on_as_they_are(accounts, alice, database):
    with database.begin() as tx:
        row = dict(tx.execute(select(t.account)).mappings().one())
        tx.execute(t.account.insert().values({**row, "name": "ALICE"}))
    assert accounts.verify("ALICE", PASSWORD).name == "ALICE"
    assert accounts.verify("alice", PASSWORD).name == "alice"


def test_a_session_lives_until_it_is_idle_or_old(accounts, alice, clock, database):
    session = accounts.begin_session("alice")
    with database.read() as tx:
        assert session.secret not in str(tx.execute(select(t.web_session)).all())
    assert accounts.session(session.secret).account == alice
    clock.forward(minutes=15)
    assert accounts.session(session.secret) is not None
    clock.forward(minutes=15, seconds=1)
    assert accounts.session(session.secret) is None
    kept = accounts.begin_session("alice")
    for _ in range(72):
        clock.forward(minutes=10)
        assert accounts.session(kept.secret) is not None
    clock.forward(minutes=1)
    assert accounts.session(kept.secret) is None
    assert accounts.session("never") is None


def test_a_session_ends_with_its_account_or_password(accounts, alice):
    first = accounts.begin_session("alice")
    accounts.set_password("alice", PASSWORD + " two")
    assert accounts.session(first.secret) is None
    assert accounts.verify("alice", PASSWORD) is None
    second = accounts.begin_session("alice")
    accounts.disable("alice")
    assert accounts.session(second.secret) is None
    assert accounts.verify("alice", PASSWORD + " two") is None
    accounts.disable("alice", disabled=False)
    assert accounts.verify("alice", PASSWORD + " two") is not None


def test_signing_in_again_replaces_the_session(accounts, alice):
    first = accounts.begin_session("alice")
    second = accounts.begin_session("alice", instead_of=first.secret)
    assert accounts.session(first.secret) is None
    assert first.csrf != second.csrf
    accounts.leave_notice(second, "Saved.")
    assert accounts.session(second.secret).notice == "Saved."
    accounts.end_session(second.secret)
    assert accounts.session(second.secret) is None


def test_a_token_is_shown_once_and_can_be_revoked(accounts, clock, database):
    secret = accounts.add_token("ehr", role=Role.STAFF, by="test")
    with database.read() as tx:
        assert secret not in str(tx.execute(select(t.api_token)).all())
    assert accounts.token(secret).name == "ehr"
    assert accounts.tokens()[0].used_at == clock()
    with pytest.raises(Conflict):
        accounts.add_token("ehr", role=Role.ADMIN, by="test")
    accounts.revoke_token("ehr")
    assert accounts.token(secret) is None
    with pytest.raises(NotFound):
        accounts.revoke_token("ehr")
    assert accounts.token("usher_no") is None


def test_tries_are_counted_within_their_window(accounts, clock, database):
    assert [accounts.hit("door", 2, 60) for _ in range(3)] == [True, True, False]
    assert accounts.hit("other door", 2, 60)
    clock.forward(seconds=61)
    assert accounts.hit("door", 2, 60)
    accounts.hit("door", 2, 60)
    accounts.forget("door")
    assert accounts.hit("door", 1, 60)
    clock.forward(days=2)
    accounts.hit("new", 1, 60)
    with database.read() as tx:
        assert len(tx.execute(select(t.attempt)).all()) == 1


def test_seen_moments_are_not_written_with_every_click(accounts, alice, clock):
    session = accounts.begin_session("alice")
    clock.forward(seconds=10)
    assert accounts.session(session.secret).seen_at == session.seen_at
    clock.forward(seconds=30)
    accounts.session(session.secret)
    assert accounts.session(session.secret).seen_at - session.seen_at == timedelta(seconds=40)


def changed(database):
    """What the newest audit event says of a change of rights."""
    with database.read() as tx:
        return audit_rows.select_events(tx, kind="SettingChanged", limit=1)[0]


def test_role_and_groups_of_a_person_change_and_their_sessions_end(accounts, alice, database):
    session = accounts.begin_session("alice")
    assert accounts.live_sessions("alice") == 1
    after = accounts.change_rights("alice", role=Role.STAFF, groups=["Billing, Front desk"], by="adam")
    assert (after.role, after.groups) == (Role.STAFF, {"Billing", FRONT_DESK})
    assert accounts.session(session.secret) is None
    assert accounts.live_sessions("alice") == 0
    event = changed(database)
    assert (event.actor, event.subject) == ("adam", "alice")
    assert {name: value for name, value in event.details.items() if name != "rows"} == {
        "setting": "role and groups", "role": "staff", "groups": "Billing, Front desk", "groups before": "Front desk",
    }  # fmt: skip
    analyst = accounts.change_rights("alice", role=Role.ANALYST, groups=[], by="adam")
    assert (analyst.role, analyst.groups) == (Role.ANALYST, frozenset())
    assert changed(database).details["role before"] == "staff"


def test_what_is_the_case_already_ends_no_session_and_is_no_event(accounts, alice, database):
    session = accounts.begin_session("alice")
    before = changed(database)
    accounts.change_rights("alice", role=Role.STAFF, groups=[FRONT_DESK], by="adam")
    assert accounts.session(session.secret) is not None
    assert changed(database) == before


def test_nobody_changes_their_own_rights(accounts, alice):
    accounts.add_user("adam", PASSWORD, role=Role.ADMIN, by="test")
    accounts.add_user("ada", PASSWORD, role=Role.ADMIN, by="test")
    for role, groups in ((Role.STAFF, []), (Role.ADMIN, ["Billing"])):
        with pytest.raises(NotAllowed):
            accounts.change_rights("adam", role=role, groups=groups, by="adam")
    assert accounts.change_rights("adam", role=Role.STAFF, groups=[], by="ada").role is Role.STAFF
    with pytest.raises(NotFound):
        accounts.change_rights("nobody", role=Role.STAFF, groups=[], by="ada")


def test_the_last_administrator_can_be_neither_changed_nor_disabled(accounts, alice):
    accounts.add_user("adam", PASSWORD, role=Role.ADMIN, by="test")
    accounts.add_user("ada", PASSWORD, role=Role.ADMIN, by="test")
    accounts.disable("ada")
    for take_away in (
        lambda: accounts.change_rights("adam", role=Role.STAFF, groups=[]),
        lambda: accounts.disable("adam"),
    ):
        with pytest.raises(Conflict, match="last administrator"):
            take_away()
    accounts.disable("ada", disabled=False)
    accounts.disable("adam")
    assert [user.name for user in accounts.users() if user.role is Role.ADMIN and not user.disabled] == ["ada"]


def test_two_administrators_cannot_take_each_other_away(accounts, database):
    for name in ("adam", "ada"):
        accounts.add_user(name, PASSWORD, role=Role.ADMIN, by="test")
    pairs = [("adam", "ada"), ("ada", "adam")] * 4
    at_once(len(pairs), lambda n: accounts.change_rights(pairs[n][0], role=Role.STAFF, groups=[], by=pairs[n][1]))
    assert [user.role for user in accounts.users()].count(Role.ADMIN) == 1
