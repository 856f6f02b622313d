"""People written by one Usher and read by another: accounts, groups, display names and confirmed addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from conftest import Clock
from usher_engine import Actor, Conflict, InvalidSubmission
from usher_engine.accounts import Accounts, Role, StaffProfiles, group_addresses, import_people, read_people
from usher_engine.accounts.passwords import Passwords
from usher_engine.store import Database

ROOT = Path(__file__).parents[2]
OPERATOR = Actor(name="command line", role="system")
ALICE = {
    "name": "alice", "role": "staff", "groups": ["Billing", "Front desk"], "display_name": "Alice Adams",
    "email": "alice@clinic.example.org", "disabled": False,
}  # fmt: skip
DAN = {"name": "dan", "role": "staff", "groups": [], "display_name": "", "email": "", "disabled": True}


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    return Accounts(database, clock, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))


@pytest.fixture
def profiles(accounts: Accounts) -> StaffProfiles:
    return StaffProfiles(accounts.database, accounts.clock)


def bring(accounts: Accounts, profiles: StaffProfiles, *people: Any) -> dict[str, str]:
    return import_people(read_people(json.dumps(people)), accounts, profiles, actor=OPERATOR)


def test_who_is_missing_is_added_whole(accounts: Accounts, profiles: StaffProfiles) -> None:
    passwords = bring(accounts, profiles, ALICE, DAN)
    alice = accounts.verify("alice", passwords["alice"])
    assert alice is not None and (alice.role, alice.display_name) == (Role.STAFF, "Alice Adams")
    assert alice.groups == {"Billing", "Front desk"}
    with accounts.database.read() as tx:
        assert group_addresses(tx, "Billing") == {"alice": "alice@clinic.example.org"}
    assert accounts.user("dan").disabled and accounts.verify("dan", passwords["dan"]) is None
    assert bring(accounts, profiles, {**ALICE, "name": "ALICE", "display_name": "Other"}) == {}
    assert accounts.user("alice").display_name == "Alice Adams"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({**DAN, "role": "boss"}, "No role is called that"),
        ({**DAN, "name": "d n"}, "1 to 60 letters"),
        ({**DAN, "email": "nobody"}, "email: This is not an e-mail address"),
        ({**DAN, "display_name": "x" * 81}, "at most 80"),
        ({**DAN, "groups": "Billing"}, "groups must be a list"),
        ({**DAN, "disabled": "no"}, "true or false"),
        ({**DAN, "password": "x"}, "“password” is unknown"),
        ({**DAN, "name": 7}, "name must be text"),
        (7, "is no record"),
    ],
)
def test_one_wrong_entry_imports_nobody(accounts: Accounts, profiles: StaffProfiles, entry: Any, words: str) -> None:
    with pytest.raises(InvalidSubmission) as refused:
        bring(accounts, profiles, ALICE, entry)
    assert words in refused.value.fields["person 2"]
    assert accounts.users() == []


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, "[1"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(InvalidSubmission):
        read_people(text)


def test_a_name_of_another_is_refused(accounts: Accounts, profiles: StaffProfiles) -> None:
    bring(accounts, profiles, ALICE)
    accounts.add_token("lab", role=Role.STAFF, by="test")
    for clash in ({"display_name": "Alice Adams"}, {"display_name": "ALICE"}, {"name": "Lab"}):
        with pytest.raises(Conflict, match="Nobody was imported"):
            bring(accounts, profiles, {**DAN, "name": "eve"}, {**DAN, **clash})
    with pytest.raises(Conflict, match="Nobody was imported"):
        bring(accounts, profiles, {**DAN, "name": "eve"}, {**DAN, "name": "EVE"})
    assert [user.name for user in accounts.users()] == ["alice"]
