"""Searching cases: the address decides what is listed, within what the account may see; saved searches."""

from __future__ import annotations

import re

import pytest
from usher_engine import Worker
from usher_engine.accounts import Role


@pytest.fixture
def cases(house, clock):
    """Three cases a day apart: Hana's open, one that was invited, one cancelled by bob."""
    found = {}
    for patient, who in (("sample-pending", "alice"), ("sample-no-email", "bob"), ("sample-declined", "alice")):
        house.select(patient, house.visitor(who))
        found[patient] = house.enrollment.engine.queries.instances(limit=1)[0].id
        clock.forward(days=1)
    house.visitor("bob").post(f"/cases/{found['sample-declined']}/cancel", {"reason": "moved away"})
    Worker(house.enrollment.engine).run_due()
    return found


def listed(page):
    return re.findall(r'class="num" href="/cases/(\w+)"', page.text)


def test_what_the_address_says_is_what_is_listed(house, cases):
    audrey = house.visitor("audrey")
    pending, no_email, declined = (cases[name] for name in ("sample-pending", "sample-no-email", "sample-declined"))
    for address, expected, heading in (
        ("", [declined, no_email, pending], "Cases"),
        ("?who=bob", [declined, no_email], "Cases bob worked on"),
        ("?status=cancelled&who=bob", [declined], "Cases bob worked on, cancelled"),
        ("?element=ResendInvitation", [pending], "Cases that came to Resend Invitation"),
        ("?started_from=2026-05-05&started_to=2026-05-05", [no_email], "Cases started on 5 May 2026"),
        ("?started_from=2026-05-01&started_to=2026-05-31", [declined, no_email, pending], "Cases started in May 2026"),
        ("?ended_from=2026-05-07", [declined], "Cases ended since 7 May 2026"),
        ("?process=enrollment&version=1", [declined, no_email, pending], "Cases of version 1 of enrollment"),
        ("?patient=sample-pending", [pending], "Cases of Hana Example"),
        ("?incident=yes", [], "Cases with an incident"),
    ):
        page = audrey.get(f"/cases{address}")
        assert page.status_code == 200
        assert listed(page) == expected, address
        assert f"<h1>{heading}</h1>" in page.text, address


def test_a_name_becomes_an_id_in_the_address(house, cases):
    audrey = house.visitor("audrey")
    answer = audrey.client.get("/cases?patient=hana&who=alice")
    assert answer.status_code == 302
    assert answer.location == "/cases?patient=sample-pending&who=alice"
    several = audrey.get("/cases?patient=example")
    assert len(listed(several)) > 1


def test_nothing_fits_and_the_next_step(house, cases):
    page = house.visitor("audrey").get("/cases?who=nobody&status=finished")
    assert "No case fits" in page.text
    assert "Show all cases" in page.text


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("started_from=2026-05-09&started_to=2026-05-01", "This is before the first day. Swap the two."),
        ("ended_from=2026-05-09&ended_to=2026-05-01", "This is before the first day. Swap the two."),
        ("started_from=yesterday", "This is not a date."),
        ("ended_to=0000-00-00", "This is not a date."),
        ("status=lost", "Known are waiting"),
        ("version=two", "A version is a whole number."),
    ],
)
def test_an_impossible_search_is_reported_at_its_field(house, cases, address, message):
    page = house.visitor("audrey").get(f"/cases?{address}")
    assert page.status_code == 422
    assert page.text.count(message) == 2, "once in the summary, once at the field"
    token = house.token(Role.AUDITOR)
    answer = house.app.test_client().get(f"/api/v1/instances?{address}", headers=token)
    assert answer.status_code == 422
    assert message in str(answer.json["fields"])


def test_pages_of_fifty_go_both_ways(house, clock, monkeypatch):
    monkeypatch.setattr("usher_web.casework.case_search_page.PAGE", 2)
    alice = house.visitor("alice")
    patients = ["sample-pending", "sample-no-email", "sample-declined", "sample-deferred", "sample-bare"]
    for patient in patients:
        house.select(patient, alice)
        clock.forward(minutes=1)
    first = alice.get("/cases?process=enrollment")
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older is not None
    assert 'rel="prev"' not in first.text
    second = alice.get(older.group(1).replace("&amp;", "&"))
    newer = re.search(r'href="([^"]+)" rel="prev"', second.text)
    assert newer is not None
    assert not set(listed(first)) & set(listed(second))
    assert listed(alice.get(newer.group(1).replace("&amp;", "&"))) == listed(first)


def test_the_api_pages_too(house, cases):
    client, token = house.app.test_client(), house.token(Role.AUDITOR)
    ask = lambda **query: client.get("/api/v1/instances", query_string=query, headers=token).json  # noqa: E731
    whole = [one["instance"] for one in ask()["instances"]]
    assert len(whole) == 3
    first = ask(limit=2)
    assert (first["next"], first["previous"]) == (whole[1], None)
    last = ask(limit=2, after=first["next"])
    assert [one["instance"] for one in last["instances"]] == whole[2:]
    assert (last["next"], last["previous"]) == (None, whole[2])
    assert [one["instance"] for one in ask(limit=2, before=whole[2])["instances"]] == whole[:2]
    assert [one["instance"] for one in ask(who="bob", status="cancelled")["instances"]] == [cases["sample-declined"]]
    assert [one["instance"] for one in ask(business_key="sample-pending")["instances"]] == [cases["sample-pending"]]
    both = client.get(f"/api/v1/instances?after={whole[0]}&before={whole[1]}", headers=token)
    assert both.status_code == 422


def test_staff_find_their_own_work_only(house, cases):
    assert listed(house.visitor("charlie").get("/cases")) == []
    assert len(listed(house.visitor("alice").get("/cases"))) == 3


# saved searches


def save(visitor, name, shared="", **given):
    return visitor.post("/cases/searches", {"name": name, "shared": shared, **given})


def test_a_search_is_saved_renamed_and_deleted(house, cases):
    alice = house.visitor("alice")
    page = save(alice, "Cancelled by bob", who="bob", status="cancelled")
    assert listed(page) == [cases["sample-declined"]]
    assert "Saved as “Cancelled by bob”" in page.text
    assert "Cancelled by bob" in alice.get("/cases").text
    number = re.search(r"/cases/searches/(\d+)/name", page.text).group(1)
    assert "Saved as “Bob, cancelled”" in alice.post(f"/cases/searches/{number}/name", {"name": "Bob, cancelled"}).text
    gone = alice.post(f"/cases/searches/{number}/delete")
    assert "Bob, cancelled" not in gone.text
    changes = house.enrollment.engine.audit.events(actor="alice", kind="SettingChanged")
    kinds = [event.details["setting"] for event in changes]
    assert kinds == ["saved search deleted", "saved search renamed", "saved search added"]


def test_a_search_is_seen_by_whom_it_is_shared_with(house, cases):
    save(house.visitor("alice"), "Private one", who="bob")
    save(house.visitor("alice"), "For all staff", "staff", who="alice")
    save(house.visitor("audrey"), "For auditors", "auditor", incident="yes")
    bob, audrey = house.visitor("bob").get("/cases").text, house.visitor("audrey").get("/cases").text
    assert "For all staff" in bob
    assert "Private one" not in bob
    assert "For auditors" not in bob
    assert "For auditors" in audrey
    assert "For all staff" not in audrey


def test_nobody_touches_what_is_anothers(house, cases):
    page = save(house.visitor("alice"), "For all staff", "staff", who="alice")
    number = re.search(r"/cases/searches/(\d+)/name", page.text).group(1)
    bob = house.visitor("bob")
    bob.get("/cases")
    assert bob.post(f"/cases/searches/{number}/delete").status_code == 404
    assert bob.post(f"/cases/searches/{number}/name", {"name": "Mine"}).status_code == 404
    assert "For all staff" in house.visitor("alice").get("/cases").text


def test_what_cannot_be_saved(house, cases):
    alice = house.visitor("alice")
    assert save(alice, "Hana", patient="sample-pending").status_code == 422
    assert save(alice, "Nothing").status_code == 422
    assert save(alice, " ", who="bob").status_code == 422
    assert save(alice, "Wrong", "admin", who="bob").status_code == 422
    assert save(alice, "Lost", status="lost").status_code == 422
    assert save(alice, "Twice", who="bob").status_code == 200
    assert save(alice, "Twice", who="alice").status_code == 409
