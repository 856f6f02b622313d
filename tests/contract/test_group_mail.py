"""Mail to a group of people, and the addresses that its members have confirmed."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from argon2 import PasswordHasher
from conftest import Clock
from operator_calls import House
from usher_engine import Actor, Conflict, InvalidSubmission, NotFound
from usher_engine.accounts import Accounts, Role, StaffProfiles
from usher_engine.accounts.passwords import Passwords
from usher_engine.core.errors import BusinessError, ServiceError
from usher_engine.definitions import Package
from usher_engine.enrollment import sent_mails
from usher_engine.enrollment.smtp import RecipientRefused
from usher_engine.services import Call
from usher_engine.settings import Settings
from usher_engine.store import Database, audit_rows

PASSWORD = "correct horse battery"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
DESK = Package({
    "mail/desk.en.md": b"---\nsubject: For the desk\n---\n\nPlease call {{ whom }}. {{ contact }}",
    "mail/desk.es.md": b"---\nsubject: Para la recepcion\n---\n\nLlame a {{ whom }}.",
    "mail/own.en.md": b"---\nsubject: Hello\n---\n\nHello {{ first_name }}",
})  # fmt: skip
TO_DESK: dict[str, Any] = {"group": "Front desk", "template": "desk", "values": {"whom": "the patient"}}


@pytest.fixture
def house(settings: Settings, database: Database, clock: Clock) -> House:
    return House(settings, database, clock)


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    made = Accounts(database, clock, passwords=CHEAP)
    for name in ("alice", "bob", "carol", "dan"):
        groups = ["Billing"] if name == "dan" else []
        made.add_user(name, PASSWORD, role=Role.STAFF, groups=groups, by="test")
    return made


@pytest.fixture
def profiles(accounts: Accounts) -> StaffProfiles:
    return StaffProfiles(accounts.database, accounts.clock)


def confirm(profiles: StaffProfiles, name: str, address: str = "") -> None:
    actor = Actor(name=name, role="staff")
    _, secret = profiles.ask_address(name, address or f"{name}@clinic.example.org", actor=actor)
    profiles.confirm_address(name, secret, actor=actor)


def send(house: House, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = house.ask("mail/send", element="Tell", package=DESK, **given)
    return found


def receivers(house: House) -> list[str]:
    return [str(mail["To"]) for mail in house.mails]


def test_each_member_with_a_confirmed_address_gets_a_mail_once(house: House, profiles: StaffProfiles) -> None:
    for name in ("alice", "bob", "dan"):
        confirm(profiles, name)
    profiles.ask_address("carol", "carol@clinic.example.org", actor=Actor(name="carol", role="staff"))
    done = send(house, **TO_DESK)
    assert receivers(house) == ["alice@clinic.example.org", "bob@clinic.example.org"]
    assert done["to"] == "Front desk" and done["recipients"] == 2
    assert "clinic.example.org" not in str({**done, "message_id": ""}), "no address of staff gets into a case"
    assert len({mail["Message-ID"] for mail in house.mails}) == 2
    assert all(mail["List-Unsubscribe"] is None for mail in house.mails)
    house.clock.forward(days=1)
    assert send(house, **TO_DESK) == done and len(house.mails) == 2


def test_an_attempt_after_a_failure_goes_on_where_the_last_one_stopped(house: House, profiles: StaffProfiles) -> None:
    for name in ("alice", "bob", "carol"):
        confirm(profiles, name)
    taken: list[EmailMessage] = []

    def fragile(mail: EmailMessage) -> None:
        if len(taken) == 1:
            raise ServiceError("away", retry=True)
        taken.append(mail)

    call = Call(instance="I", element="Tell", visit=1, now=house.clock(), actor="alice", package=DESK)
    with pytest.raises(ServiceError, match="away"):
        house.operator("mail/send", send_mail=fragile).call(TO_DESK, call)
    assert send(house, **TO_DESK)["recipients"] == 3
    assert receivers(house) == ["bob@clinic.example.org", "carol@clinic.example.org"]


def test_one_refused_address_keeps_the_mail_from_nobody_else(house: House, profiles: StaffProfiles) -> None:
    for name in ("alice", "bob"):
        confirm(profiles, name)

    def picky(mail: EmailMessage) -> None:
        if "alice" in str(mail["To"]):
            raise RecipientRefused(550)
        house.mails.append(mail)

    call = Call(instance="I", element="Tell", visit=1, now=house.clock(), actor="alice", package=DESK)
    done: Any = house.operator("mail/send", send_mail=picky).call(TO_DESK, call)
    assert (done["recipients"], receivers(house)) == (1, ["bob@clinic.example.org"])


def _refuse(_: EmailMessage) -> None:
    raise RecipientRefused(550)


def test_a_group_nobody_can_be_reached_in_is_for_the_diagram_to_handle(
    house: House, accounts: Accounts, profiles: StaffProfiles
) -> None:
    for group in ("Front desk", "Nobody's"):
        with pytest.raises(BusinessError, match="has confirmed an e-mail address") as refused:
            send(house, **{**TO_DESK, "group": group})
        assert refused.value.code == "no-address"
    confirm(profiles, "alice")
    call = Call(instance="I", element="Tell", visit=1, now=house.clock(), actor="alice", package=DESK)
    with pytest.raises(BusinessError, match="for none of the confirmed addresses"):
        house.operator("mail/send", send_mail=_refuse).call(TO_DESK, call)
    accounts.disable("alice")
    with pytest.raises(BusinessError, match="has confirmed an e-mail address"):
        send(house, **TO_DESK)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"address": "a@example.org"}, "name one"),
        ({"with_link": True}, "Only a mail to a patient"),
        ({"template": "own", "values": {}}, "first_name"),
        ({"values": {"contact": "me"}}, "“contact” of a mail is Usher's own"),
    ],
)
def test_a_mail_to_a_group_that_cannot_be_made_is_an_incident(
    house: House, profiles: StaffProfiles, given: dict[str, Any], words: str
) -> None:
    confirm(profiles, "alice")
    with pytest.raises(ServiceError) as failed:
        send(house, **{**TO_DESK, **given})
    assert words in failed.value.message
    assert house.mails == []


def test_a_purged_case_leaves_no_address_of_staff_behind(house: House, profiles: StaffProfiles) -> None:
    confirm(profiles, "alice")
    send(house, **TO_DESK)
    with house.database.begin() as tx:
        assert len(sent_mails.sent_below(tx, "I:Tell:1")) == 1
        sent_mails.forget_case(tx, "I")
        assert sent_mails.sent_below(tx, "I:Tell:1") == []


# the addresses


ALICE = Actor(name="alice", role="staff")


def test_an_address_counts_once_its_mail_was_answered(profiles: StaffProfiles, clock: Clock) -> None:
    asked, secret = profiles.ask_address("alice", " Alice@Clinic.Example.ORG ", actor=ALICE)
    assert (asked.address, asked.wanted) == ("", "Alice@clinic.example.org")
    for name, wrong in (("bob", secret), ("alice", secret[:-1]), ("alice", "")):
        with pytest.raises(NotFound):
            profiles.confirm_address(name, wrong, actor=Actor(name=name, role="staff"))
    assert profiles.awaited("alice", secret) == asked
    found = profiles.confirm_address("alice", secret, actor=ALICE)
    assert (found.address, found.wanted, found.confirmed_at) == ("Alice@clinic.example.org", "", clock())
    with pytest.raises(NotFound):
        profiles.confirm_address("alice", secret, actor=ALICE)
    with pytest.raises(Conflict, match="already"):
        profiles.ask_address("alice", "alice@clinic.example.org", actor=ALICE)


def test_a_new_address_takes_the_place_of_the_old_one_only_when_confirmed(profiles: StaffProfiles) -> None:
    confirm(profiles, "alice")
    _, first = profiles.ask_address("alice", "other@clinic.example.org", actor=ALICE)
    _, second = profiles.ask_address("alice", "third@clinic.example.org", actor=ALICE)
    assert profiles.address("alice").address == "alice@clinic.example.org"
    with pytest.raises(NotFound):
        profiles.confirm_address("alice", first, actor=ALICE)
    assert profiles.confirm_address("alice", second, actor=ALICE).address == "third@clinic.example.org"


def test_a_link_works_for_two_days(profiles: StaffProfiles, clock: Clock) -> None:
    _, secret = profiles.ask_address("alice", "alice@clinic.example.org", actor=ALICE)
    clock.forward(days=2)
    profiles.awaited("alice", secret)
    clock.forward(seconds=1)
    with pytest.raises(NotFound, match="Ask for a new one"):
        profiles.confirm_address("alice", secret, actor=ALICE)


@pytest.mark.parametrize("text", ["", "alice", "a@b@c", "a@example.org, b@example.org", "ä@example.org"])
def test_what_is_no_address_is_refused(profiles: StaffProfiles, text: str) -> None:
    with pytest.raises(InvalidSubmission) as refused:
        profiles.ask_address("alice", text, actor=ALICE)
    assert set(refused.value.fields) == {"email"}
    with pytest.raises(NotFound):
        profiles.remove_address("alice", actor=ALICE)


def test_changes_of_a_profile_are_recorded(profiles: StaffProfiles, database: Database) -> None:
    confirm(profiles, "alice")
    profiles.set_display_name("alice", "Alice Adams", actor=Actor(name="adam", role="admin"))
    profiles.set_display_name("alice", "Alice Adams", actor=ALICE)
    profiles.remove_address("alice", actor=ALICE)
    with database.read() as tx:
        events = audit_rows.select_events(tx, kind="SettingChanged", subject="alice", limit=9)
    assert [(event.actor, event.details["setting"]) for event in events][:4] == [
        ("alice", "e-mail address removed"),
        ("adam", "display name"),
        ("alice", "e-mail address confirmed"),
        ("alice", "e-mail address asked for"),
    ]


# the names


def test_a_display_name_is_how_colleagues_see_a_person(accounts: Accounts, profiles: StaffProfiles) -> None:
    assert accounts.user("alice").shown_name == "alice"
    profiles.set_display_name("alice", "  Alice   Ädams-O'Brien ", actor=ALICE)
    assert accounts.user("alice").shown_name == "Alice Ädams-O'Brien"
    assert accounts.begin_session("alice").account.display_name == "Alice Ädams-O'Brien"
    profiles.set_display_name("bob", "山田 花子", actor=ALICE)
    assert profiles.display_names() == {"alice": "Alice Ädams-O'Brien", "bob": "山田 花子"}
    profiles.set_display_name("alice", "", actor=ALICE)
    assert profiles.display_names() == {"bob": "山田 花子"}


@pytest.mark.parametrize("name", ["x" * 81, "a\x00b", "12345", "--", "System", "patient", "a\ue000b"])
def test_a_name_nobody_could_read_is_refused(profiles: StaffProfiles, name: str) -> None:
    with pytest.raises(InvalidSubmission) as refused:
        profiles.set_display_name("alice", name, actor=ALICE)
    assert set(refused.value.fields) == {"display_name"}


@pytest.mark.parametrize("name", ["bob", "BOB", "\uff22ob", "Bob Brown", "bob  brown", "b\u200bob"])
def test_nobody_takes_the_name_of_another(profiles: StaffProfiles, name: str) -> None:
    profiles.set_display_name("bob", "Bob Brown", actor=Actor(name="bob", role="staff"))
    with pytest.raises(Conflict, match="Another person is called"):
        profiles.set_display_name("alice", name, actor=ALICE)


def test_an_unknown_account_has_no_profile(profiles: StaffProfiles) -> None:
    with pytest.raises(NotFound):
        profiles.set_display_name("nobody", "No Body", actor=ALICE)
    with pytest.raises(NotFound):
        profiles.ask_address("nobody", "no@example.org", actor=ALICE)
