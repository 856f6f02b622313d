"""A day at the desk over each change of clocks: no date differs between any two pages, mails, files and the history.

The rows of DESIGN 8 are run in the night of the change. Then every place that shows a day is read, and compared with
the days that the clocks of the practice showed; what shows an instant (API, exports) is compared by its instant.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from acceptance.conftest import House, Visitor
from usher_engine.accounts import Role
from usher_engine.enrollment import Answer

#: The day before each night in which clocks change (or, in zones that never do, a night like them).
NIGHTS = [
    ("America/New_York", "2026-10-31"),  # 25 hours follow
    ("America/New_York", "2027-03-13"),  # 23 hours
    ("Pacific/Kiritimati", "2026-10-31"),  # UTC+14
    ("Asia/Kolkata", "2026-10-31"),  # UTC+5:30
    ("Australia/Lord_Howe", "2026-10-03"),  # half an hour forward
    ("Australia/Lord_Howe", "2027-04-03"),  # half an hour back
]
TIME = re.compile(r'<time datetime="([^"]+)"\s+title="([^"]+)">([^<]*)')


@dataclass
class Desk:
    """The house in a practice; days are counted from the one before the night."""

    house: House
    zone: ZoneInfo
    first: date

    def day(self, number: int) -> date:
        return self.first + timedelta(days=number)

    def at(self, number: int, clock: str) -> datetime:
        return datetime.fromisoformat(f"{self.day(number)}T{clock}").replace(tzinfo=self.zone).astimezone(UTC)

    def go(self, number: int, clock: str) -> None:
        self.house.clock.time = self.at(number, clock)

    def words(self, number: int) -> str:
        """ "31 October 2026"."""
        day = self.day(number)
        return f"{day.day} {day:%B %Y}"

    def near(self, number: int, now: int) -> str:
        """The day as pages say it on day *now*: "today", "yesterday", "31 October"."""
        known = {0: "today", -1: "yesterday", 1: "tomorrow"}
        return known.get(number - now) or f"{self.day(number).day} {self.day(number):%B}"


@pytest.fixture(params=NIGHTS, ids=lambda night: f"{night[0]}-{night[1]}")
def desk(make_house: Any, settings: Any, request: pytest.FixtureRequest) -> Desk:
    zone, first = request.param
    return Desk(make_house(replace(settings, time_zone=zone)), ZoneInfo(zone), date.fromisoformat(first))


def plain(page: Any) -> str:
    """What a page says, without marks and doubled spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).replace(" ,", ",").split())


def mail(house: House) -> str:
    body = house.postbox.mails[-1].get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def listed(visitor: Visitor, query: str) -> set[str]:
    """The tasks that a list of the inbox shows."""
    return set(re.findall(r'data-task="([^"]+)"', visitor.get(f"/inbox?{query}").text))


def test_no_date_differs_between_any_two_places(desk: Desk) -> None:
    house, engine = desk.house, desk.house.enrollment.engine
    link_days = house.enrollment.settings.invitation_days

    # The evening before: an invitation goes out; two other tasks get a due date and a day on which they come back.
    desk.go(0, "23:30")
    alice = house.visitor("alice")
    house.select("sample-complete", alice)
    house.worker.run_due()
    invited = engine.queries.instances(process="enrollment", limit=1)[0].id
    assert f"until {desk.words(link_days)}." in mail(house)
    house.select("sample-no-email", alice)
    due = house.newest_task()
    house.select("sample-declined", alice)
    later = house.newest_task()
    alice.get(f"/inbox/{due}")
    alice.post(f"/inbox/{due}/due", {"day": desk.day(1).isoformat()})
    said = plain(alice.post(f"/inbox/{later}/later", {"until": desk.day(2).isoformat()}))
    assert f"comes back on {desk.near(2, 0)};" in said

    # The day itself, after midnight and at its last minute; the clocks change in between.
    for clock in ("00:20", "23:40"):
        desk.go(1, clock)
        alice, audrey = house.visitor("alice"), house.visitor("audrey")
        assert listed(alice, "due=today") == {due}
        assert listed(alice, "view=later") == {later}
        assert listed(alice, "view=overdue") == set()
        for path in (f"/inbox/{due}", f"/cases/{due.split(':')[0]}"):
            page = plain(alice.get(path))
            assert "due today 23:59" in page, path
            assert f"due on {desk.words(1)}" in page, path
        check_facts(desk, alice, audrey, invited, due, later, now=1)

    # The patient answers that evening, and defers to the next day.
    token, known = house.postbox.link[3:], house.known_of("sample-complete")
    proof = house.enrollment.identify(token, known["zip_code"], known["birth_date"])
    house.enrollment.respond(token, proof, Answer.DEFER, until=desk.day(2))
    house.select("sample-complete", alice)
    answered = house.newest_task()

    # The next day, from its first minute on.
    desk.go(2, "00:00")
    alice, audrey = house.visitor("alice"), house.visitor("audrey")
    assert listed(alice, "view=later") == set()
    assert later in listed(alice, "")
    assert listed(alice, "view=overdue") == listed(alice, "due=overdue") == {due}
    assert "due yesterday 23:59" in plain(alice.get(f"/inbox/{due}"))
    deferred = f"deferred on {desk.words(1)}; deferred until {desk.words(2)}."
    for path in (f"/inbox/{answered}", "/inbox", f"/cases/{answered.split(':')[0]}"):
        assert deferred in plain(alice.get(path)), path
    patient = plain(alice.get("/patients/sample-complete"))
    assert f"not before {desk.words(2)}" in patient
    assert "Answered yesterday 23:40" in patient
    check_facts(desk, alice, audrey, invited, due, later, now=2)
    check_days_in_lists_and_files(desk, alice, audrey, invited, answered)
    for case in {invited, due.split(":")[0], later.split(":")[0], answered.split(":")[0]}:
        assert engine.verify(case) == []


def check_facts(
    desk: Desk, alice: Visitor, audrey: Visitor, invited: str, due: str, later: str, *, now: int
) -> None:
    """What is the same thing on several pages has the same day on each, and each time is of the practice's clocks."""
    sent = desk.near(0, now)
    patient = plain(alice.get("/patients/sample-complete"))
    assert f"Sent {sent} 23:30" in patient
    if now == 1 and "Answered" not in patient:
        last = desk.day(desk.house.enrollment.settings.invitation_days)
        assert f"Expires {last.day} {last:%B}" in patient
    off = f"off until {desk.words(2)}"
    case = later.partition(":")[0]
    for visitor, path in ((alice, f"/inbox/{later}"), (alice, f"/cases/{case}"), (audrey, f"/cases/{case}/replay")):
        assert off in plain(visitor.get(path)), path
    desk_api = desk.house.token(Role.STAFF, name=f"program{now}{len(desk.house.accounts.tokens())}")
    client = desk.house.visitor().client
    told = {one["id"]: one for one in client.get("/api/v1/tasks", headers=desk_api).json["tasks"]}
    limit = datetime.fromisoformat(told[due]["due"]).astimezone(desk.zone)
    assert (limit.date(), limit.hour, limit.minute) == (desk.day(1), 23, 59)
    for visitor, path in (
        (alice, "/inbox"), (alice, f"/inbox/{due}"), (alice, "/patients/sample-complete"), (alice, "/cases"),
        (alice, f"/cases/{invited}"), (alice, f"/cases/{case}"), (audrey, f"/cases/{case}/replay"), (audrey, "/audit"),
        (audrey, "/audit/patients/sample-complete"),
    ):  # fmt: skip
        page = visitor.get(path)
        assert " UTC" not in plain(page), path
        for machine, title, shown in TIME.findall(page.text):
            there = datetime.fromisoformat(machine)
            assert there.utcoffset() == there.astimezone(desk.zone).utcoffset(), (path, machine)
            assert title.startswith(f"{there.day} {there:%B %Y, %H:%M:%S} "), (path, title)
            distance = (there.date() - desk.day(now)).days
            if "today" in shown or "yesterday" in shown or "tomorrow" in shown:
                assert {0: "today", -1: "yesterday", 1: "tomorrow"}[distance] in shown, (path, machine, shown)


def check_days_in_lists_and_files(desk: Desk, alice: Visitor, audrey: Visitor, invited: str, answered: str) -> None:
    """Lists by day, reports by day and files count a case on the day that its pages show."""
    house = desk.house
    begun = {0: 3, 1: 1, 2: 0}
    for number, cases in begun.items():
        day = desk.day(number).isoformat()
        found = alice.get(f"/cases?started_from={day}&started_to={day}").text
        assert len(set(re.findall(r'href="/cases/([0-9A-Z]{12})"', found))) == cases, day
        report = plain(audrey.get(f"/reports?process=enrollment&from={day}&to={day}"))
        assert (f"{cases} case{'' if cases == 1 else 's'} started" in report) or not cases, day
        audit = audrey.get(f"/audit?kind=TaskViewed&from={day}&to={day}").text
        shown = {datetime.fromisoformat(machine).date() for machine, _, _ in TIME.findall(audit)}
        assert shown & {desk.day(0), desk.day(1), desk.day(2)} <= {desk.day(number)}, day
        sent = {"format": "csv", "from": day, "to": day}
        answer = audrey.post("/exports", sent)
        if not cases:  # there is nothing to export
            assert answer.status_code == 422, day
            continue
        rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
        firsts = [row for row in rows if row["kind"] == "InstanceStarted"]
        assert len(firsts) == cases, day
        assert {row["day"] for row in firsts} == {day}
        for row in rows:
            at = datetime.fromisoformat(row["time"])
            assert row["day"] == at.astimezone(desk.zone).date().isoformat()
    lines = audrey.post("/exports", {"format": "jsonl"}).text.splitlines()
    steps = [json.loads(line) for line in lines if f'"{invited}"' in line]
    starts = [one["body"]["at"] for one in steps if one.get("kind") == "step" and one.get("revision") == 1]
    assert [datetime.fromisoformat(at) for at in starts] == [desk.at(0, "23:30")]
    message = house.enrollment.engine.inbox.task(answered).message
    assert f"deferred on {desk.words(1)}" in message
