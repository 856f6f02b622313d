"""The auditor's desk over HTTP: what happened in words, trails, checks of the record, log review."""

from __future__ import annotations

import re
import threading

import pytest
from conftest import alice
from usher_engine import Worker
from usher_engine.assurance import Checker
from usher_engine.assurance.log_review import left_over
from usher_engine.checkpoints import take
from usher_web.words.audit_sentences import PLACES


@pytest.fixture
def engine(house):
    return house.enrollment.engine


@pytest.fixture
def case(house):
    """Hana's case: alice selected the trigger, charlie was refused, bob failed to sign in."""
    house.select("sample-pending", house.visitor("alice"))
    found = house.enrollment.engine.queries.instances()[0].id
    house.visitor("charlie").get(f"/cases/{found}")
    house.visitor().post("/sign-in", {"name": "bob", "password": "wrong password here"})
    return found


def rows(page):
    found = re.findall(r"<tr>(.*?)</tr>", page.text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


# what happened


def test_every_part_of_the_software_has_a_name_in_the_log(house):
    assert set(house.app.blueprints) == set(PLACES) - {"outbox"}  # which is there in the demo alone


def test_what_happened_is_described_in_words(house, case):
    page = house.visitor("audrey").get("/audit")
    text = " | ".join(rows(page))
    assert "A sign-in to the account bob failed, from 127.0.0.1." in text
    assert "Tried to open something in the cases and was refused: not there, or not for them." in text
    assert "Signed in from 127.0.0.1." in text
    assert "Hana Example" in text
    assert "none yet" in page.text, "no checkpoint was taken"


@pytest.mark.parametrize(
    ("address", "fits", "fits_not"),
    [
        ("kind=Refused", "Tried to open", "Signed in"),
        ("who=charlie", "Tried to open", "account bob failed"),
        ("patient=sample-pending&kind=Refused", "Tried to open", "Signed in"),
        ("from=2026-05-04&to=2026-05-04&kind=LoggedIn", "Signed in", "Tried to open"),
    ],
)
def test_events_are_narrowed_down(house, case, address, fits, fits_not):
    text = " | ".join(rows(house.visitor("audrey").get(f"/audit?{address}")))
    assert fits in text
    assert fits_not not in text


def test_nothing_fits_and_a_period_the_wrong_way_round(house, case):
    audrey = house.visitor("audrey")
    assert "Nothing like this was recorded" in audrey.get("/audit?from=2020-01-01&to=2020-01-31").text
    wrong = audrey.get("/audit?from=2026-05-09&to=2026-05-01")
    assert wrong.status_code == 422
    assert wrong.text.count("This is before the first day. Swap the two.") == 2
    assert audrey.get("/audit?kind=Everything").status_code == 422


def test_an_administrator_sees_no_name(house, case):
    page = house.visitor("adam").get("/audit")
    assert "Hana" not in page.text
    assert "Tried to open something" in page.text
    assert house.visitor("adam").get("/audit/patients/sample-pending").status_code == 403


def test_a_list_is_found_by_whom_it_named(house, engine):
    house.visitor("alice").get("/patients?q=hana")
    events = engine.audit.events(about="sample-pending")
    assert [event.kind for event in events] == ["PatientsListed"]
    assert engine.audit.events(about="sample-bare") == []


# trails


def test_the_trail_of_a_person(house, case, engine):
    audrey = house.visitor("audrey")
    page = audrey.get("/audit/people/alice")
    assert "Everything alice saw or did" in page.text
    text = " | ".join(rows(page))
    assert "Selected “Patient Portal” on the template Office Visit." in text
    assert "Signed in from" in text
    assert f"/cases/{case}/replay?step=1" in page.text
    viewed = engine.audit.events(kind="TrailViewed", actor="audrey")[0]
    assert (viewed.subject, viewed.details) == ("alice", {"of": "person"})
    assert "Looked at the trail of person alice." in audrey.get("/audit?kind=TrailViewed").text
    assert "Nothing was recorded" in audrey.get("/audit/people/nobody").text
    assert "/audit/people/alice" in audrey.get("/audit/people").text


def test_the_trail_of_a_patient(house, case, engine):
    audrey = house.visitor("audrey")
    house.visitor("alice").get(f"/cases/{case}")
    page = audrey.get("/audit/patients/sample-pending")
    assert "Everything that happened to Hana Example" in page.text
    text = " | ".join(rows(page))
    assert "Resend Invitation was opened" in text
    assert "charlie Tried to open something in the cases" in text
    assert "alice Looked at case" in text
    viewed = engine.audit.events(kind="TrailViewed", about="sample-pending")
    assert [event.actor for event in viewed] == ["audrey"]
    assert audrey.get("/audit/patients/nobody").status_code == 404
    assert audrey.client.get("/audit/patients?q=hana").location == "/audit/patients/sample-pending"


def test_a_trail_pages_through_everything_once(house, case, engine, monkeypatch):
    Worker(engine).run_due()
    for name in ("alice", "bob"):
        house.visitor(name).get(f"/cases/{case}")
    audrey = house.visitor("audrey")
    whole = rows(audrey.get("/audit/patients/sample-pending"))
    monkeypatch.setattr("usher_web.auditor.activity_pages.PAGE", 2)
    address, seen = "/audit/patients/sample-pending?after=~~~0", []
    while address:
        page = audrey.get(address)
        seen += rows(page)[1:]
        older = re.search(r'href="([^"]+)" rel="next"', page.text)
        address = older.group(1).replace("&amp;", "&") if older else ""
    assert [row for row in seen if "trail" not in row] == [row for row in whole[1:] if "trail" not in row]
    assert audrey.get("/audit/patients/sample-pending?after=nonsense").status_code == 404
    assert audrey.get("/audit/people/alice?after=1~2").status_code == 404


# checks


def until_done(engine):
    for thread in threading.enumerate():
        if thread.name.startswith("usher-check"):
            thread.join()
    return Checker(engine.context, engine.audit).last()


def test_a_check_that_holds(house, case, engine):
    take(engine.database, engine.settings, engine.clock())
    audrey = house.visitor("audrey")
    assert "Not checked from here yet" in audrey.get("/audit").text
    begun = audrey.post("/audit/check")
    assert "The check has begun" in begun.text
    last = until_done(engine)
    assert (last.holds, last.checked, last.by) == (True, 1, "audrey"), last
    assert "All as it was written" in audrey.get("/audit").text
    assert "All as it was written" in audrey.get("/audit/check").text
    event = engine.audit.events(kind="Verified")[0]
    counted = {"cases": 1, "equal": 1, "findings": 0}
    assert {name: event.details[name] for name in counted} == counted


def test_a_check_that_finds_something_says_what_it_means(house, case, engine):
    take(engine.database, engine.settings, engine.clock())
    with engine.database.begin() as tx:
        tx.exec_driver_sql("UPDATE instance SET outcome = 'Elsewhere'")
    checker = Checker(engine.context, engine.audit)
    number = checker.begin(actor=alice)
    with pytest.raises(Exception, match="has a check running"):
        checker.begin(actor=alice)
    page = house.visitor("audrey").get("/audit").text
    assert "Checking" in page
    checker.run(number, alice)
    page = house.visitor("audrey").get("/audit").text
    assert "1 thing does not fit the record." in page
    assert "Lists show the case differently from its history." in page
    assert f'href="/cases/{case}"' in page


def test_a_check_whose_server_died_is_reported(house, case, engine, clock):
    Checker(engine.context, engine.audit).begin(actor=alice)
    clock.forward(minutes=6)
    assert "The last check was interrupted." in house.visitor("audrey").get("/audit").text
    Checker(engine.context, engine.audit).begin(actor=alice)


# log review


def test_a_review_is_signed_off_and_closes_the_gap(house, case, engine, clock):
    clock.forward(days=3)
    audrey = house.visitor("audrey")
    page = audrey.post("/audit/reviews", {"since": "2026-05-04", "until": "2026-05-05", "note": "Looked at refusals."})
    assert "Your review was recorded." in page.text
    assert "Looked at refusals." in page.text
    (gap,) = engine.log_reviews.gaps()
    assert (gap[0].day, gap[1]) == (6, clock())
    done = audrey.post("/audit/reviews", {"since": "2026-05-06", "until": "2026-05-07", "note": "All quiet."})
    assert "Everything up to now was reviewed." in done.text
    assert [event.why for event in engine.audit.events(kind="LogReviewed")] == ["All quiet.", "Looked at refusals."]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"since": "2026-05-04", "until": "2026-05-01", "note": "x"}, "Swap the two."),
        ({"since": "2026-05-09", "until": "2026-05-10", "note": "x"}, "Swap the two."),
        ({"since": "2026-05-04", "until": "2026-05-04", "note": " "}, "Say in 1 to 2000 characters"),
        ({"since": "soon", "until": "2026-05-04", "note": "x"}, "This is not a date."),
        ({"until": "2026-05-04", "note": "x"}, "Choose a day."),
    ],
)
def test_what_is_no_review(house, case, engine, sent, message):
    page = house.visitor("audrey").post("/audit/reviews", sent)
    assert page.status_code == 422
    assert message in page.text
    assert engine.audit.events(kind="LogReviewed") == []


def test_what_is_left_over():
    assert left_over(0, 10, []) == [(0, 10)]
    assert left_over(0, 10, [(2, 4), (3, 6), (8, 12)]) == [(0, 2), (6, 8)]
    assert left_over(0, 10, [(0, 10)]) == []
