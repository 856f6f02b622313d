"""One calendar: what diagrams, mails, forms and rules count in is the practice's day, and verify agrees for ever."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from conftest import ROOT, Clock, alice
from playing import flow, node, process, row, script
from usher_engine import SYSTEM, Actor, Engine, Worker
from usher_engine.bpmn import RULES, compile_diagram
from usher_engine.cases import CaseSelection
from usher_engine.core.canonical import canonical
from usher_engine.core.errors import InvalidSubmission, NotFound
from usher_engine.core.practice_calendar import Calendar, practice_calendar
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment import Answer, Enrollment, open_enrollment
from usher_engine.examples import run_examples, try_out
from usher_engine.reexecution.rerun import Difference, Rerun
from usher_engine.services import Services
from usher_engine.settings import Settings
from usher_engine.store import Database, instance_rows

ADMIN = Actor(name="adam", role="admin")
TEXTS = (
    "day = today()\nspoken = date_text(asked)\nexact = datetime_text(asked)\nleap = date_text('2028-02-29')\nat = now()"
)
#: Says in a script, a task's message and a timer what day it is.
DATED = process(
    node("startEvent", "S"),
    script("Say", TEXTS),
    '<userTask id="Ask" name="Ask"><extensionElements><spiffworkflow:instructionsForEndUser>Since '
    "{{ datetime_text(asked) }}, today {{ date_text(today()) }}</spiffworkflow:instructionsForEndUser>"
    "</extensionElements></userTask>",
    '<intermediateCatchEvent id="Later" name="Later"><timerEventDefinition><timeDate>until</timeDate>'
    "</timerEventDefinition></intermediateCatchEvent>",
    node("endEvent", "E"),
    row("S", "Say", "Ask", "Later", "E"),
)
ASKED = {"asked": "2026-05-04T23:30:00Z", "until": "2026-11-01"}


class Post:
    """A mail server in memory."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    def __call__(self, message: EmailMessage) -> None:
        self.mails.append(message)

    @property
    def text(self) -> str:
        body = self.mails[-1].get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    @property
    def token(self) -> str:
        found = re.search(r"/i/([\w-]{43})\b(?!/)", self.text)
        assert found is not None
        return found[1]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def opened(
    settings: Settings, database: Database, clock: Clock, post: Post
) -> Callable[[str, str], tuple[Enrollment, Callable[[str], Any]]]:
    """The enrolment of a practice in a zone at a moment, and a way to invite somebody born on a day."""

    def make(zone: str, now: str) -> tuple[Enrollment, Callable[[str], Any]]:
        clock.time = datetime.fromisoformat(now)
        there = replace(settings, time_zone=zone, mail_from="portal@example.org")
        enrollment = open_enrollment(there, clock=clock, send_mail=post, database=database)
        enrollment.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=SYSTEM)
        enrollment.set_trigger("Visit", "Portal", "Enrollment", actor=SYSTEM)

        def invite(born: str) -> Any:
            with database.begin() as tx:
                enrollment.registry.save(tx, patient(born), by="test", now=clock())
            case = enrollment.trigger("p1", "Visit", "Portal", "Enrollment", actor=alice)
            while Worker(enrollment.engine).run_due():
                pass
            return enrollment.engine.instance(case.id)

        return enrollment, invite

    return make


def patient(born: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "id": "p1", "name": [{"given": ["Ada"], "family": "Sample"}], "birthDate": born,
        "gender": "female", "address": [{"postalCode": "10001"}],
        "telecom": [{"system": "email", "value": "ada@example.org"}],
    }  # fmt: skip


def moved(settings: Settings, services: Services, clock: Clock, database: Database, zone: str) -> Engine:
    """The same database under another setting."""
    return Engine(replace(settings, time_zone=zone), services, clock, database)


def bodies(engine: Engine, case: str) -> list[dict[str, Any]]:
    with engine.database.read() as tx:
        return [dict(step.body) for step in instance_rows.steps(tx, case)]


# ---------------------------------------------------------------- diagrams


@pytest.mark.parametrize(
    ("zone", "day", "spoken", "exact", "due"),
    [
        ("UTC", "2026-05-04", "4 May 2026", "4 May 2026, 23:30 UTC", "2026-11-01T00:00:00Z"),
        ("America/New_York", "2026-05-04", "4 May 2026", "4 May 2026, 19:30", "2026-11-01T04:00:00Z"),
        ("Asia/Kathmandu", "2026-05-05", "5 May 2026", "5 May 2026, 05:15", "2026-10-31T18:15:00Z"),
        ("Pacific/Kiritimati", "2026-05-05", "5 May 2026", "5 May 2026, 13:30", "2026-10-31T10:00:00Z"),
        ("America/St_Johns", "2026-05-04", "4 May 2026", "4 May 2026, 21:00", "2026-11-01T02:30:00Z"),
    ],
)
def test_a_diagram_speaks_the_practices_time_and_verify_agrees_in_any_zone(
    settings: Settings, services: Services, clock: Clock, database: Database,
    zone: str, day: str, spoken: str, exact: str, due: str,
) -> None:  # fmt: skip
    clock.time = datetime(2026, 5, 4, 23, 45, tzinfo=UTC)
    engine = moved(settings, services, clock, database, zone)
    engine.deploy(DATED, actor=SYSTEM)
    case = engine.start("p", ASKED, actor=alice)
    assert case.tasks[0].message == f"Since {exact}, today {spoken}"
    data = engine.queries.rebuild(case.id).data
    assert {name: data[name] for name in ("day", "spoken", "exact", "leap", "at")} == {
        "day": day, "spoken": spoken, "exact": exact, "leap": "29 February 2028", "at": "2026-05-04T23:45:00Z",
    }  # fmt: skip
    engine.complete(case.tasks[0].id, {}, actor=alice)
    (wait,) = engine.instance(case.id).waits
    assert wait.due == datetime.fromisoformat(due)
    for other in ("UTC", "Pacific/Auckland", zone):
        assert moved(settings, services, clock, database, other).verify(case.id) == []


def test_each_step_records_what_it_asked_of_the_zone_and_no_more(
    settings: Settings, services: Services, clock: Clock, database: Database
) -> None:
    clock.time = datetime(2026, 5, 4, 23, 45, tzinfo=UTC)
    engine = moved(settings, services, clock, database, "America/New_York")
    engine.deploy(DATED, actor=SYSTEM)
    case = engine.start("p", ASKED, actor=alice)
    engine.cases.claim(case.tasks[0].id, actor=alice)
    engine.complete(case.tasks[0].id, {}, actor=alice)
    began, claimed, answered = bodies(engine, case.id)
    assert began["rules"] == RULES
    offsets = {"2026-05-04T23:30:00Z": -14_400, "2026-05-04T23:45:00Z": -14_400}
    assert began["zone"] == {"name": "America/New_York", "offsets": offsets}
    assert claimed["zone"] == {"name": "America/New_York"}
    assert answered["zone"] == {"name": "America/New_York", "days": {"2026-11-01": "2026-11-01T04:00:00Z"}}


def test_a_practice_in_utc_records_no_zone(engine: Engine) -> None:
    engine.deploy(DATED, actor=SYSTEM)
    case = engine.start("p", ASKED, actor=alice)
    assert ["zone" in body for body in bodies(engine, case.id)] == [False]
    assert engine.verify(case.id) == []


def test_a_new_zone_counts_from_the_next_step_and_changes_nothing_written(
    settings: Settings, services: Services, clock: Clock, database: Database
) -> None:
    east, west = (
        moved(settings, services, clock, database, zone) for zone in ("Pacific/Kiritimati", "America/Los_Angeles")
    )
    east.deploy(DATED, actor=SYSTEM)
    case = east.start("p", ASKED, actor=alice)
    message = case.tasks[0].message
    west.complete(case.tasks[0].id, {}, actor=alice)
    assert west.queries.rebuild(case.id).data["exact"] == "5 May 2026, 13:30"
    assert message == "Since 5 May 2026, 13:30, today 4 May 2026"
    assert west.instance(case.id).waits[0].due == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert [body["zone"]["name"] for body in bodies(west, case.id)] == ["Pacific/Kiritimati", "America/Los_Angeles"]
    assert east.verify(case.id) == west.verify(case.id) == []


def test_an_update_of_the_time_zone_database_leaves_every_record_as_true_as_it_was(
    settings: Settings, services: Services, clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = moved(settings, services, clock, database, "America/New_York")
    engine.deploy(DATED, actor=SYSTEM)
    case = engine.start("p", ASKED, actor=alice)
    engine.complete(case.tasks[0].id, {}, actor=alice)
    known = practice_calendar("America/New_York")
    updated = type(known)

    def an_hour_later(self: Any, at: datetime) -> datetime:
        return (at + timedelta(hours=1)).astimezone(self.tz)

    def next_day(self: Any, day: date) -> datetime:
        return Calendar.end_of(self, day)

    monkeypatch.setattr(updated, "local", an_hour_later)
    assert known.local(clock()).hour == 6
    assert engine.verify(case.id) == []
    monkeypatch.setattr(updated, "begin_of", next_day)
    assert engine.verify(case.id) == []


def test_a_start_that_fails_by_the_hour_fails_again_by_the_hour(
    settings: Settings, services: Services, clock: Clock, database: Database
) -> None:
    """Which way a failing step went is recorded with the incident, though nothing of the step itself is."""
    fails = process(
        node("startEvent", "S"), node("exclusiveGateway", "G", default="G-B"),
        script("A", "x = 1 / 0"), script("B", "y = missing"),
        node("endEvent", "E"), row("S", "G"), flow("G", "A", "date_text(now()) == '5 May 2026'"),
        flow("G", "B"), row("A", "E"), row("B", "E"),
    )  # fmt: skip
    clock.time = datetime(2026, 5, 4, 23, 45, tzinfo=UTC)
    engine = moved(settings, services, clock, database, "Pacific/Auckland")
    engine.deploy(fails, actor=SYSTEM)
    case = engine.start("p", {}, actor=alice)
    assert case.status == "incident"
    assert "divided by zero" in (case.incident or "")
    clock.forward(minutes=3)
    engine.cases.retry(case.id, actor=alice)
    assert moved(settings, services, clock, database, "UTC").verify(case.id) == []


def test_a_repair_and_a_backtest_live_by_the_zone_that_was_recorded(
    settings: Settings, services: Services, clock: Clock, database: Database
) -> None:
    east, west = (
        moved(settings, services, clock, database, zone) for zone in ("Pacific/Kiritimati", "America/Los_Angeles")
    )
    east.deploy(DATED, actor=SYSTEM)
    case = east.start("p", ASKED, actor=alice).id
    result = west.backtests.run(DATED, CaseSelection(process="p"))
    assert (result.cases, result.others, result.other_data) == (1, [], 0)
    with database.begin() as tx:
        tx.exec_driver_sql(f"UPDATE instance_state SET content = '{{' WHERE instance = '{case}'")
    repaired = west.repairs.repair(case, actor=ADMIN).instance
    assert repaired.status == "waiting"
    west.complete(repaired.tasks[0].id, {}, actor=alice)
    assert west.queries.rebuild(case).data["day"] == "2026-05-04"
    assert west.queries.rebuild(case).data["exact"] == "5 May 2026, 13:30"
    assert east.verify(case) == []


@pytest.mark.parametrize("zone", [None, {"name": "America/New_York"}, {"name": "UTC", "offsets": {"x": "y"}}, "UTC"])
def test_a_step_whose_zone_was_altered_disagrees(
    settings: Settings, services: Services, clock: Clock, database: Database, zone: Any
) -> None:
    engine = moved(settings, services, clock, database, "America/New_York")
    engine.deploy(DATED, actor=SYSTEM)
    case = engine.start("p", ASKED, actor=alice)
    (body,) = bodies(engine, case.id)
    altered = {**body, "zone": zone} if zone is not None else {key: body[key] for key in body if key != "zone"}
    with database.read() as tx:
        row = instance_rows.find(tx, case.id)
    Rerun(compile_diagram(DATED), row, services).step(1, body, canonical(body))
    with pytest.raises(Difference):
        Rerun(compile_diagram(DATED), row, services).step(1, altered, canonical(altered))


# ---------------------------------------------------------------- rules that count in days


@pytest.mark.parametrize(
    ("zone", "now", "born", "invited"),
    [
        ("America/Los_Angeles", "2026-05-05T03:00:00+00:00", "2008-05-05", False),  # 20:00 on the 4th there
        ("America/Los_Angeles", "2026-05-05T07:00:00+00:00", "2008-05-05", True),  # the birthday begins
        ("Pacific/Auckland", "2026-05-04T13:00:00+00:00", "2008-05-05", True),  # the 5th there since noon UTC
        ("Pacific/Kiritimati", "2027-02-28T09:59:00+00:00", "2009-02-28", True),
        ("Pacific/Kiritimati", "2026-02-28T09:59:00+00:00", "2008-02-29", False),  # 23:59 on 28 February
        ("Pacific/Kiritimati", "2026-02-28T10:00:00+00:00", "2008-02-29", True),  # 1 March
    ],
)
def test_nobody_is_invited_before_the_birthday_where_the_practice_is(
    opened: Any, post: Post, zone: str, now: str, born: str, invited: bool
) -> None:
    enrollment, invite = opened(zone, now)
    case = invite(born)
    assert (case.outcome, bool(post.mails)) == (("InvitationSent", True) if invited else ("NotEligible", False))
    assert enrollment.engine.verify(case.id) == []


@pytest.mark.parametrize(
    ("zone", "named", "works_until", "days"),
    [
        ("America/New_York", "3 June 2026", "2026-06-04T03:59:59.999999+00:00", 30),
        ("Pacific/Kiritimati", "3 June 2026", "2026-06-03T09:59:59.999999+00:00", 30),
        ("America/New_York", "1 November 2026", "2026-11-02T04:59:59.999999+00:00", 181),  # 25 hours long
        ("Asia/Kathmandu", "3 June 2026", "2026-06-03T18:14:59.999999+00:00", 30),
    ],
)
def test_a_link_works_to_the_end_of_the_day_the_mail_names(
    settings: Settings, opened: Any, post: Post, clock: Clock, zone: str, named: str, works_until: str, days: int
) -> None:
    enrollment, invite = opened(zone, "2026-05-04T09:02:00+00:00")
    object.__setattr__(enrollment.settings, "invitation_days", days)
    invite("1981-05-04")
    assert f"until {named}" in post.text
    (link,) = enrollment.invitations("p1")
    assert link.expires_at == datetime.fromisoformat(works_until)
    clock.time = link.expires_at - timedelta(microseconds=1)
    assert link.is_usable(clock())
    assert enrollment.identify(post.token, "10001", "1981-05-04")
    clock.time = link.expires_at + timedelta(microseconds=1)
    assert not link.is_usable(clock())
    with pytest.raises(NotFound):
        enrollment.identify(post.token, "10001", "1981-05-04")


@pytest.mark.parametrize(
    ("zone", "now", "today"),
    [
        ("America/Los_Angeles", "2026-05-05T01:00:00+00:00", date(2026, 5, 4)),
        ("Pacific/Auckland", "2026-05-04T20:00:00+00:00", date(2026, 5, 5)),
    ],
)
def test_an_answer_is_deferred_until_tomorrow_there_at_the_earliest(
    opened: Any, post: Post, zone: str, now: str, today: date
) -> None:
    enrollment, invite = opened(zone, now)
    invite("1981-05-04")
    proof = enrollment.identify(post.token, "10001", "1981-05-04")
    with pytest.raises(InvalidSubmission) as refused:
        enrollment.respond(post.token, proof, Answer.DEFER, until=today)
    assert set(refused.value.fields) == {"until"}
    enrollment.respond(post.token, proof, Answer.DEFER, until=today + timedelta(days=1))
    assert enrollment.patient("p1").response.until == today + timedelta(days=1)


def test_a_form_takes_a_birth_date_of_today_there(opened: Any) -> None:
    enrollment, invite = opened("Pacific/Auckland", "2026-05-04T20:00:00+00:00")
    case = invite("")
    (task,) = case.tasks
    form = {"first_name": "Ada", "last_name": "Sample", "zip_code": "10001", "email": "a@example.org", "birth_sex": "F"}
    with pytest.raises(InvalidSubmission) as refused:
        enrollment.engine.complete(task.id, {**form, "birth_date": "2026-05-06"}, actor=alice)
    assert set(refused.value.fields) == {"birth_date"}
    case = enrollment.engine.complete(task.id, {**form, "birth_date": "2026-05-05"}, actor=alice)
    assert enrollment.patient("p1").resource["birthDate"] == "2026-05-05"


# ---------------------------------------------------------------- examples


def test_an_example_may_name_its_zone(engine: Engine) -> None:
    said = {"start": ASKED, "now": "2026-05-04T23:45:00Z", "path": ["S", "Say", "Ask"], "end": ""}
    auckland = {**said, "zone": "Pacific/Auckland"}
    here = practice_calendar("America/New_York")
    assert try_out(DATED, engine.services, said).data["exact"] == "4 May 2026, 23:30 UTC"
    assert try_out(DATED, engine.services, said, here).people[0].message.startswith("Since 4 May 2026, 19:30")
    assert try_out(DATED, engine.services, auckland, here).data["exact"] == "5 May 2026, 11:30"
    assert "there is none" in try_out(DATED, engine.services, {**said, "zone": "Mars/Base"}).problem
    files = {**DATED.files, "examples/a.json": b'{"name": "a", "zone": "Mars/Base", "path": [], "end": ""}'}
    (outcome,) = run_examples(Package(files), engine.services, here).outcomes
    assert "Mars/Base" in outcome.problem
