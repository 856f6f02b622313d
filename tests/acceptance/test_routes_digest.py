"""The mail of the morning over HTTP: who chooses it, how its link ends it, and what windows may tell of tasks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from acceptance.conftest import House
from usher_engine import Actor
from usher_engine.accounts import StaffProfiles
from usher_web.server.live_windows import messages
from usher_web.staff.live_pages import Window
from usher_web.staff.live_rows import Viewer

BOB = Actor(name="bob", role="staff", groups=frozenset({"Front desk"}))


def link_of(house: House) -> str:
    off = str(house.postbox.mails[-1]["List-Unsubscribe"]).strip("<>")
    return "/" + off.split("/", 3)[3]


def with_mail(house: House) -> Any:
    """alice, who has the mail of this morning."""
    alice = house.visitor("alice")
    profiles = StaffProfiles(house.accounts.database, house.clock)
    profiles.take_over_address("alice", "alice@clinic.example.org", actor=BOB)
    house.select("sample-declined", alice)
    alice.get("/profile")
    assert "each morning of a working day" in alice.post("/profile/digest", {"digest": "each"}).text
    assert house.enrollment.digests.send_due() == 1
    return alice


def test_the_choice_needs_a_confirmed_address_and_is_on_the_audit_page(house: House) -> None:
    alice = house.visitor("alice")
    page = alice.get("/profile").text
    assert "Mail of the morning" in page and "nothing of patients" in " ".join(page.split())
    refused = alice.post("/profile/digest", {"digest": "each"})
    assert refused.status_code == 409 and "Confirm an e-mail address first." in refused.text
    alice = with_mail(house)
    assert "Declined" not in house.postbox.mails[-1].as_string()
    assert "You get no mail of the morning." in alice.post("/profile/digest", {"digest": "never"}).text
    audit = house.visitor("audrey").get("/audit?kind=SettingChanged").text
    assert "mail digest (alice, each morning)" in audit and "mail digest (alice, never)" in audit
    assert "Mail of the morning" not in house.visitor("audrey").get("/profile").text
    assert house.visitor("ana").post("/profile/digest", {"digest": "each"}).status_code == 403


def test_the_link_in_the_mail_asks_first_and_then_ends_them(house: House) -> None:
    with_mail(house)
    stranger, link = house.visitor(), link_of(house)
    assert "Stop the mails of the morning?" in stranger.get(link).text
    assert house.enrollment.digests.choices.is_on("alice"), "a scanner that follows the link ends nothing"
    assert "No more mails of the morning" in stranger.post(link).text
    assert not house.enrollment.digests.choices.is_on("alice")
    for answer in (stranger.get(link), stranger.post(link), stranger.get("/profile/digest/guessed")):
        assert answer.status_code == 404 and "This link no longer works" in answer.text


def test_a_mail_program_ends_them_in_one_request(house: House) -> None:
    with_mail(house)
    answer = house.visitor().client.post(link_of(house), data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert not house.enrollment.digests.choices.is_on("alice")


def test_windows_hear_of_tasks_given_to_their_person_and_of_urgent_ones_without_a_patient(house: House) -> None:
    engine, since = house.enrollment.engine, house.clock()
    house.clock.forward(minutes=1)
    house.select("sample-declined")
    task = house.newest_task()
    case = task.partition(":")[0]

    def notices(name: str, groups: frozenset[str] = BOB.groups, *, after: int = 0) -> list[Any]:
        viewer = Viewer(actor=Actor(name=name, role="staff", groups=groups), works=True)
        window = Window(
            viewer=viewer, key=name, watched=frozenset(), stale=frozenset(), since=since + timedelta(minutes=after)
        )
        told = messages(house.app, frozenset({case}), [window]).get(window)
        return json.loads(told.decode().partition("data: ")[2])["notices"] if told else []

    high = engine.inbox.task(task).priority > 50
    urgent = [{"key": f"{task}:urgent", "kind": "urgent", "url": f"/inbox/{task}"}]
    assert notices("bob") == (urgent if high else [])
    assert notices("bob", after=5) == []
    assert notices("charlie", frozenset({"Billing"})) == []
    engine.desk.assign(task, BOB, actor=Actor(name="alice", role="staff", groups=BOB.groups), note="Ivo asked for you")
    (given,) = notices("bob")
    assert (given["kind"], given["url"]) == ("given", f"/inbox/{task}")
    assert "Ivo" not in json.dumps(given) and "sample" not in json.dumps(given)
    assert notices("alice") == []
    engine.desk.free(task, actor=BOB)
    engine.cases.claim(task, actor=BOB)
    assert notices("bob") == [], "nobody is told of what they claimed themselves"
