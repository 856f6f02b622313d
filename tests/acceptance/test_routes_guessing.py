"""Guessing is slowed for those who guess: right sign-ins cost nothing, strangers lock nobody out of their desk."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from acceptance.conftest import PASSWORD, House, typed
from usher_engine.audit import AuditEvent

WRONG = "not the password"


@pytest.fixture
def house(make_house: Any, settings: Any) -> House:
    """Behind a proxy, so that visitors have addresses of their own."""
    made: House = make_house(replace(settings, proxies=1))
    return made


def tried(house: House, name: str, password: str = WRONG, *, address: str = "203.0.113.5", client: Any = None) -> int:
    """The status of a try to sign in."""
    headers = {"X-Forwarded-For": address}
    asking = client or house.app.test_client()
    asking.delete_cookie("usher")  # signed out
    status: int = asking.post("/sign-in", data={"name": name, "password": password}, headers=headers).status_code
    return status


def locks(house: House) -> list[AuditEvent]:
    return house.enrollment.engine.audit.events(kind="LockedOut")


def test_fifty_two_right_sign_ins_from_one_address(house: House) -> None:
    names = ("alice", "bob", "charlie", "ana")
    assert [tried(house, names[n % 4], PASSWORD) for n in range(52)] == [303] * 52
    assert locks(house) == []


def test_right_ones_between_wrong_ones_do_not_add_up(house: House) -> None:
    for _ in range(4):
        assert [tried(house, "alice") for _ in range(9)] == [422] * 9
        assert tried(house, "alice", PASSWORD) == 303
    assert [tried(house, f"nobody{n}") for n in range(14)] == [422] * 14  # 36 + 14 wrong ones from this address
    assert tried(house, "bob", PASSWORD) == 429


def test_an_account_is_locked_for_the_address_that_guesses(house: House) -> None:
    assert [tried(house, "alice") for _ in range(12)] == [422] * 10 + [429] * 2
    assert tried(house, "alice", PASSWORD) == 429
    assert tried(house, "alice", PASSWORD, address="203.0.113.6") == 303
    assert tried(house, "bob", PASSWORD) == 303
    house.clock.forward(minutes=15, seconds=1)
    assert tried(house, "alice", PASSWORD) == 303


def test_hammering_at_a_locked_account_locks_no_colleague_out(house: House) -> None:
    assert {tried(house, "alice") for _ in range(100)} == {422, 429}
    assert tried(house, "bob", PASSWORD) == 303


def test_an_address_that_is_locked_counts_for_nobody_else(house: House) -> None:
    for number in range(50):
        tried(house, f"nobody{number}")
    assert {tried(house, "alice") for _ in range(200)} == {429}
    assert tried(house, "alice", PASSWORD, address="203.0.113.6") == 303
    assert [event.details["what"] for event in locks(house)] == ["the address"]


def test_a_network_of_ipv6_addresses_is_one_address(house: House) -> None:
    statuses = [tried(house, f"nobody{n}", address=f"2001:db8:0:1::{n:x}") for n in range(52)]
    assert statuses == [422] * 50 + [429] * 2
    assert tried(house, "bob", PASSWORD, address="2001:DB8:0:1:ffff::1") == 429
    assert tried(house, "bob", PASSWORD, address="2001:db8:0:2::1") == 303


def test_an_ipv4_address_in_ipv6_notation_is_itself(house: House) -> None:
    assert [tried(house, "alice", address="::ffff:203.0.113.5") for _ in range(11)] == [422] * 10 + [429]
    assert tried(house, "alice", PASSWORD) == 429
    assert tried(house, "alice", PASSWORD, address="::ffff:203.0.113.6") == 303


@pytest.mark.parametrize("address", ["unknown", "fe80::1%eth0", "203.0.113.5:8080", "[2001:db8::1]", "_hidden"])
def test_an_address_that_cannot_be_read_is_counted_as_it_is_written(house: House, address: str) -> None:
    assert [tried(house, "alice", address=address) for _ in range(11)] == [422] * 10 + [429]
    assert tried(house, "alice", PASSWORD) == 303


def test_a_known_browser_is_not_locked_out_by_strangers(house: House) -> None:
    own = house.app.test_client()
    assert tried(house, "alice", PASSWORD, client=own) == 303
    for number in range(11):
        for _ in range(10):
            tried(house, "alice", address=f"198.51.100.{number}")
    for number in range(60):
        tried(house, f"nobody{number}")  # and the address it shares with others is locked
    assert tried(house, "alice", PASSWORD, address="192.0.2.77") == 429
    assert tried(house, "alice", PASSWORD, client=own) == 303
    assert tried(house, "bob", PASSWORD, client=own) == 429


def test_a_known_browser_may_not_guess_for_ever(house: House) -> None:
    own = house.app.test_client()
    tried(house, "alice", PASSWORD, client=own)
    assert [tried(house, "alice", client=own) for _ in range(11)] == [422] * 10 + [429]
    assert tried(house, "alice", PASSWORD, client=own, address="192.0.2.77") == 429
    assert tried(house, "alice", PASSWORD) == 303
    (event,) = locks(house)
    assert (event.subject, event.details["what"]) == ("alice", "the browser for the account")


def test_the_cookie_of_a_known_browser_is_signed_and_lets_nobody_in(make_house: Any, settings: Any) -> None:
    house = make_house(replace(settings, env="production", base_url="https://usher.example.org"))
    client, there = house.app.test_client(), {"base_url": "https://usher.example.org"}
    answer = client.post("/sign-in", data={"name": "alice", "password": PASSWORD}, **there)
    (cookie,) = (line for line in answer.headers.getlist("Set-Cookie") if "known" in line)
    assert cookie.startswith("__Secure-usher-known-")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/sign-in", "Max-Age"))
    assert "alice" not in cookie.partition("=")[0]
    name, value = cookie.partition(";")[0].split("=", 1)
    only = house.app.test_client()
    only.set_cookie(name, value, domain="usher.example.org", path="/", secure=True)
    assert only.get("/inbox", **there).status_code == 303
    for forged in (value[:-2], "", "x.y.z", value.replace(value[:4], "WyJi")):
        other = house.app.test_client()
        other.set_cookie(name, forged, domain="usher.example.org", path="/sign-in", secure=True)
        wrong = {"data": {"name": "alice", "password": WRONG}, **there}
        assert other.post("/sign-in", **wrong).status_code in (422, 429)
    assert len(locks(house)) == 0


def test_a_browser_is_forgotten_after_half_a_year(house: House) -> None:
    own = house.app.test_client()
    tried(house, "alice", PASSWORD, client=own)
    house.clock.forward(days=181)
    for _ in range(10):
        tried(house, "alice")
    assert tried(house, "alice", PASSWORD, client=own) == 429


def test_a_lock_out_is_recorded_once(house: House, caplog: Any) -> None:
    with caplog.at_level(logging.WARNING, logger="usher.guess_limits"):
        for _ in range(40):
            tried(house, "alice")
        for _ in range(14):
            tried(house, "Pa55word typed as a name")
    about, unknown = sorted(locks(house), key=lambda event: event.subject, reverse=True)
    assert (about.subject, about.actor) == ("alice", "")
    assert about.details == {"from": "203.0.113.5", "what": "the address for the account"}
    assert unknown.subject == ""
    assert "Pa55word" not in caplog.text + str(unknown.body)
    assert caplog.text.count("locked after 10 refused tries: the address for the account, asked from 203.0.113.5") == 2
    page = house.visitor("audrey").get("/audit?kind=LockedOut").text
    assert "Too many refused tries from 203.0.113.5. Locked for a while: the address for the account." in page


def test_links_that_lead_nowhere_close_the_way_to_such_links_only(house: House) -> None:
    house.select("sample-complete")
    house.worker.run_due()
    link, headers = house.postbox.link, {"X-Forwarded-For": "203.0.113.5"}
    client = house.app.test_client()
    codes = [client.get(f"/i/guess{number}", headers=headers).status_code for number in range(70)]
    assert codes == [404] * 60 + [429] * 10
    form = typed("1", "2000-01-01")
    assert client.post("/i/guess", data=form, headers=headers).status_code == 429
    for _ in range(100):
        assert client.get(link, headers=headers).status_code == 200
    identity = house.identity_of("sample-complete")
    assert client.post(link, data=identity, headers=headers).status_code == 200
    (event,) = locks(house)
    assert event.details == {"from": "203.0.113.5", "what": "the address for links"}


def test_one_programs_limit_is_its_own(make_house: Any, settings: Any) -> None:
    house = make_house(replace(settings, api_per_minute=3))
    busy, calm = house.token(name="busy"), house.token(name="calm")
    codes = [house.app.test_client().get("/api/v1/tasks", headers=busy).status_code for _ in range(5)]
    assert codes == [200] * 3 + [429] * 2
    assert house.app.test_client().get("/api/v1/tasks", headers={"Authorization": "Bearer no"}).status_code == 401
    assert house.app.test_client().get("/api/v1/tasks", headers=calm).status_code == 200
