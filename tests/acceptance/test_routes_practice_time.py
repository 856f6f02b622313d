"""A day at the desk over a change of clocks: page, mail, task and history name the same day and hour."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from usher_engine.core.practice_calendar import practice_calendar
from usher_engine.enrollment import Answer

#: Local times of a trigger, a resend and an answer, with how pages say them the day after the last.
NIGHTS = {
    "America/New_York": ("2026-10-31T23:30", "2026-11-01T00:30", "2026-11-01T23:45"),  # 25 hours, in the night between
    "Pacific/Kiritimati": ("2026-10-31T23:30", "2026-11-01T00:30", "2026-11-01T23:45"),
    "Europe/Berlin": ("2027-03-27T23:30", "2027-03-28T00:30", "2027-03-28T23:45"),  # 23 hours
    "Australia/Lord_Howe": ("2027-04-03T23:30", "2027-04-04T00:30", "2027-04-04T23:45"),  # half an hour more
}


TIME = re.compile(r'<time datetime="([^"]+)"\s+title="([^"]+)">([^<]*)')


def at(zone: str, local: str) -> datetime:
    """The instant the clocks of *zone* show *local*."""
    calendar = practice_calendar(zone)
    begin = calendar.begin_of(datetime.fromisoformat(local).date())
    hours = (begin + timedelta(minutes=quarter * 15) for quarter in range(110))
    return next(one for one in hours if f"{calendar.local(one):%Y-%m-%dT%H:%M}" == local)


def words(local: str) -> str:
    """ "31 October 2026, 23:30"."""
    there = datetime.fromisoformat(local)
    return f"{there.day} {there:%B %Y, %H:%M}"


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize("zone", NIGHTS)
def test_a_night_with_a_change_of_clocks(make_house, settings, clock, zone):
    triggered, resent, answered = NIGHTS[zone]
    house = make_house(replace(settings, time_zone=zone))
    clock.time = at(zone, triggered)
    alice = house.visitor("alice")
    house.select("sample-complete", alice)
    house.worker.run_due()
    day = datetime.fromisoformat(triggered).date()
    until = day + timedelta(days=house.enrollment.settings.invitation_days)
    assert f"until {until.day} {until:%B %Y}." in mail(house)

    clock.time = at(zone, resent)
    alice = house.visitor("alice")  # the session of the day before has ended
    page = text_of(house.select("sample-complete", alice).text)
    task = house.newest_task()
    said = f"Pending since {words(triggered)}"
    assert said in house.enrollment.engine.inbox.task(task).message
    assert said in page
    alice.get(f"/inbox/{task}")
    alice.post(f"/inbox/{task}/complete", {})
    house.worker.run_due()
    assert f"until {(until + timedelta(days=1)).day} " in mail(house)

    clock.time = at(zone, answered)
    last = datetime.fromisoformat(answered).date()
    house.enrollment.respond(house.postbox.link[3:], proof(house), Answer.DEFER, until=last + timedelta(days=1))
    case = house.enrollment.engine.instance(task.split(":")[0])
    assert house.enrollment.engine.verify(case.id) == []

    clock.forward(days=1)
    alice, audrey = house.visitor("alice"), house.visitor("audrey")
    page = text_of(house.select("sample-complete", alice).text)
    message = house.enrollment.engine.inbox.task(house.newest_task()).message
    assert f"deferred on {last.day} {last:%B %Y}; deferred until {last.day + 1} {last:%B %Y}." in message
    assert f"deferred on {last.day} {last:%B %Y}" in page
    moments = {at(zone, local) for local in NIGHTS[zone]}
    for visitor, path, told in (
        (alice, "/patients/sample-complete", moments),
        (alice, f"/cases/{case.id}", moments - {at(zone, triggered)}),
        (audrey, f"/cases/{case.id}/replay", moments - {at(zone, triggered)}),
        (audrey, "/audit?kind=CaseViewed", set()),
    ):
        answer = visitor.get(path)
        shown = TIME.findall(answer.text)
        assert told <= {datetime.fromisoformat(machine) for machine, _, _ in shown}, path
        for machine, title, said in shown:
            there = datetime.fromisoformat(machine)
            assert title.startswith(f"{there.day} {there:%B %Y, %H:%M:%S} "), path
            assert f"{there:%H:%M}" in said or "ago" in said, path
        assert " UTC" not in text_of(answer.text), path


def mail(house) -> str:
    return house.postbox.mails[-1].get_body(("plain",)).get_content()


def proof(house) -> str:
    identity = house.known_of("sample-complete")
    return house.enrollment.identify(house.postbox.link[3:], identity["zip_code"], identity["birth_date"])
