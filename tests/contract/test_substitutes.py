"""Who stands in for somebody who is away: what they see and may do, for how long, and that nothing goes on further."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from argon2 import PasswordHasher
from conftest import Clock, Outside, package
from sqlalchemy import update
from usher_engine import Actor, Conflict, Engine, InvalidSubmission, NotAllowed, NotFound, Worker
from usher_engine.accounts import Accounts, Role, Substitutes, account_tables
from usher_engine.accounts.passwords import Passwords
from usher_engine.cases import BulkAct, TaskAct, TaskFilter, TaskOutcome
from usher_engine.core.practice_calendar import practice_calendar
from usher_engine.store import Database
from usher_engine.store.tables.substitution_table import substitution

PASSWORD = "correct horse battery"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
ADAM = Actor(name="adam", role="admin")
TODAY = date(2026, 5, 4)
#: East of here: the day there begins while it is still the one before in UTC.
AUCKLAND = practice_calendar("Pacific/Auckland")


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    made = Accounts(database, clock, passwords=CHEAP, idle=timedelta(days=99), absolute=timedelta(days=99))
    for name, group in (("bob", "Front desk"), ("alice", "Billing"), ("carol", "Billing"), ("lena", "Front desk")):
        made.add_user(name, PASSWORD, role=Role.STAFF, groups=[group], by="test")
    made.add_user("adam", PASSWORD, role=Role.ADMIN, by="test")
    return made


@pytest.fixture
def substitutes(accounts: Accounts) -> Substitutes:
    return Substitutes(accounts.database, accounts.clock, accounts.calendar)


class Cast:
    """Signs people in, and has them as actors with what their session's row says now."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.secrets: dict[str, str] = {}

    def __call__(self, name: str) -> Actor:
        if name not in self.secrets:
            self.secrets[name] = self.accounts.begin_session(name).secret
        session = self.accounts.session(self.secrets[name])
        assert session is not None
        account = session.account
        return Actor(name=name, role=account.role.value, groups=account.groups, stands_in=account.stands_in)


@pytest.fixture
def cast(accounts: Accounts) -> Cast:
    return Cast(accounts)


@pytest.fixture
def task(engine: Engine, cast: Cast, outside: Outside) -> str:
    """A task of the front desk that bob has claimed."""
    engine.deploy(package("small"), actor=cast("bob"))
    outside.answers.append({"n": 2})
    engine.start("small", {"q": 2}, actor=cast("bob"), business_key="p1")
    found = engine.inbox.tasks(cast("bob"))[0].id
    engine.cases.claim(found, actor=cast("bob"))
    return found


def name(substitutes: Substitutes, person: str, substitute: str, days: int = 2, **how: object) -> int:
    """*substitute* stands in for *person* from today on, for so many days."""
    wanted = {"first": TODAY, "last": TODAY + timedelta(days=days - 1), "groups": (), "actor": ADAM, **how}
    return substitutes.name(person, substitute, **wanted).id  # type: ignore[arg-type]


def newest_actor(engine: Engine, task: str) -> dict[str, str]:
    return dict(engine.queries.history(task.partition(":")[0])[-1].body["actor"])


def test_without_a_substitution_the_task_is_not_there(engine: Engine, cast: Cast, task: str) -> None:
    assert engine.inbox.tasks(cast("alice")) == []
    for act in (engine.cases.claim, engine.cases.release, engine.desk.free):
        with pytest.raises(NotFound):
            act(task, actor=cast("alice"))


def test_a_substitute_sees_counts_and_completes_and_the_step_says_for_whom(
    engine: Engine, cast: Cast, substitutes: Substitutes, task: str
) -> None:
    name(substitutes, "bob", "alice")
    alice = cast("alice")
    assert [one.id for one in engine.inbox.tasks(alice)] == [task]
    counts = engine.inbox.count_each(alice)
    assert (counts.all, counts.mine, dict(counts.stood_in)) == (1, 0, {"bob": 1})
    assert engine.inbox.count(alice, TaskFilter(assignee="bob")) == 1
    assert engine.inbox.task(task, alice).assignee == "bob"
    with pytest.raises(NotAllowed, match="bob has claimed this task"):
        engine.cases.claim(task, actor=alice)
    engine.complete(task, {"word": "yes"}, actor=alice)
    assert newest_actor(engine, task) == {"name": "alice", "role": "staff", "on_behalf_of": "bob"}
    case = task.partition(":")[0]
    assert engine.verify(case) == []
    with pytest.raises(Conflict, match="alice on behalf of bob completed this task"):
        engine.inbox.task(task, cast("bob"))
    assert engine.task_drafts.closed(task, alice).on_behalf_of == "bob"


def test_a_substitute_releases_and_reassigns_on_behalf(
    engine: Engine, cast: Cast, substitutes: Substitutes, task: str
) -> None:
    name(substitutes, "bob", "alice")
    with pytest.raises(InvalidSubmission, match="alice could not see it"):
        engine.desk.assign(task, cast("alice"), actor=cast("alice"))
    engine.desk.assign(task, cast("lena"), actor=cast("alice"))
    assert newest_actor(engine, task)["on_behalf_of"] == "bob"
    assert engine.inbox.tasks(cast("alice")) == []
    engine.desk.assign(task, cast("bob"), actor=cast("lena"))
    engine.desk.free(task, actor=cast("alice"))
    assert newest_actor(engine, task) == {"name": "alice", "role": "staff", "on_behalf_of": "bob"}
    with pytest.raises(NotFound):
        engine.complete(task, {"word": "yes"}, actor=cast("alice"))
    assert engine.verify(task.partition(":")[0]) == []


def test_a_substitute_sets_no_date_and_puts_nothing_off(
    engine: Engine, cast: Cast, substitutes: Substitutes, task: str
) -> None:
    name(substitutes, "bob", "alice")
    for act in (engine.desk.set_due, engine.desk.put_off):
        with pytest.raises(NotAllowed):
            act(task, TODAY + timedelta(days=3), actor=cast("alice"))


def test_the_substitute_of_a_substitute_sees_nothing_and_circles_give_nothing(
    engine: Engine, cast: Cast, substitutes: Substitutes, task: str
) -> None:
    name(substitutes, "bob", "alice")
    name(substitutes, "alice", "carol")
    name(substitutes, "carol", "bob")
    assert engine.inbox.tasks(cast("carol")) == []
    assert engine.inbox.count_each(cast("carol")).all == 0
    with pytest.raises(NotFound):
        engine.inbox.task(task, cast("carol"))
    with pytest.raises(NotFound):
        engine.complete(task, {"word": "yes"}, actor=cast("carol"))
    engine.complete(task, {"word": "yes"}, actor=cast("bob"))
    assert "on_behalf_of" not in newest_actor(engine, task)


def test_it_ends_by_the_practices_calendar(engine: Engine, cast: Cast, substitutes: Substitutes, clock: Clock,
                                           task: str) -> None:  # fmt: skip
    name(substitutes, "bob", "alice", days=1)
    clock.time = clock.time.replace(hour=23, minute=59)
    stale = cast("alice")
    assert len(engine.inbox.tasks(stale)) == 1
    clock.forward(minutes=1)
    assert cast("alice").stands_in == ()
    assert engine.inbox.tasks(cast("alice")) == []
    for act in (engine.cases.release, engine.desk.free):  # what a request knew of before gives no right
        with pytest.raises(NotFound):
            act(task, actor=stale)
    with pytest.raises(NotFound):
        engine.complete(task, {"word": "yes"}, actor=stale)


def test_it_begins_on_its_first_day(cast: Cast, substitutes: Substitutes, clock: Clock, accounts: Accounts) -> None:
    name(substitutes, "bob", "alice", first=TODAY + timedelta(days=1), last=TODAY + timedelta(days=1))
    assert cast("alice").stands_in == ()
    accounts.calendar = AUCKLAND  # where it is 5 May from noon on
    assert [one.person for one in cast("alice").stands_in] == []
    clock.forward(hours=4)
    assert [one.person for one in cast("alice").stands_in] == ["bob"]


def test_groups_limit_it(engine: Engine, cast: Cast, substitutes: Substitutes, accounts: Accounts, task: str) -> None:
    accounts.change_rights("bob", role=Role.STAFF, groups=["Front desk", "Lab"], by="adam")
    cast.secrets.clear()
    there = name(substitutes, "bob", "alice", groups={"Lab"})
    assert engine.inbox.tasks(cast("alice")) == []
    assert engine.inbox.count(cast("alice"), TaskFilter(assignee="bob")) == 0
    with pytest.raises(NotFound):
        engine.complete(task, {"word": "yes"}, actor=cast("alice"))
    substitutes.end(there, person="bob", actor=ADAM)
    name(substitutes, "bob", "alice", groups={"Front desk"})
    assert [one.id for one in engine.inbox.tasks(cast("alice"))] == [task]
    with pytest.raises(InvalidSubmission, match="bob is not in the group"):
        name(substitutes, "bob", "lena", groups={"Elsewhere"})


@pytest.mark.parametrize("side", ["bob", "alice"])
def test_disabling_either_side_ends_it_for_good(
    engine: Engine, cast: Cast, substitutes: Substitutes, accounts: Accounts, task: str, side: str
) -> None:
    name(substitutes, "bob", "alice")
    stale = cast("alice")
    accounts.disable(side, by="adam")
    with pytest.raises(NotFound):
        engine.complete(task, {"word": "yes"}, actor=stale)
    accounts.disable(side, disabled=False, by="adam")
    cast.secrets.clear()
    assert engine.inbox.tasks(cast("alice")) == []
    assert substitutes.of("bob") == []


def test_another_role_ends_it(cast: Cast, substitutes: Substitutes, accounts: Accounts) -> None:
    name(substitutes, "bob", "alice")
    accounts.change_rights("alice", role=Role.AUDITOR, groups=[], by="adam")
    assert substitutes.of("bob") == []
    assert substitutes.absences() == ()


def test_a_row_altered_outside_gives_no_right(
    engine: Engine, cast: Cast, substitutes: Substitutes, database: Database, task: str
) -> None:
    name(substitutes, "bob", "alice")
    with database.begin() as tx:
        tx.execute(update(account_tables.account).values(disabled=True).where(account_tables.account.c.name == "bob"))
    assert cast("alice").stands_in == ()
    with database.begin() as tx:
        tx.execute(update(account_tables.account).values(disabled=False))
        tx.execute(update(substitution).values(groups="{"))
    assert cast("alice").stands_in == ()
    assert substitutes.of("bob") == []
    with pytest.raises(NotFound):
        engine.complete(task, {"word": "yes"}, actor=cast("alice"))


def test_who_names_whom_and_when(substitutes: Substitutes, cast: Cast) -> None:
    substitutes.name("bob", "alice", first=TODAY, last=TODAY, groups=(), actor=cast("bob"))
    with pytest.raises(NotAllowed):
        name(substitutes, "bob", "carol", actor=cast("lena"))
    with pytest.raises(NotAllowed):
        substitutes.end(1, person="bob", actor=cast("alice"))
    with pytest.raises(Conflict, match="stands in on some of these days already"):
        name(substitutes, "bob", "alice")
    for person, substitute, how in (
        ("bob", "bob", {}), ("bob", "adam", {}), ("bob", "nobody", {}), ("adam", "bob", {}),
        ("bob", "lena", {"first": TODAY - timedelta(days=1)}), ("bob", "lena", {"last": TODAY - timedelta(days=1)}),
        ("bob", "lena", {"last": TODAY + timedelta(days=400)}),
    ):  # fmt: skip
        with pytest.raises(InvalidSubmission):
            name(substitutes, person, substitute, **how)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        name(substitutes, "nobody", "alice")
    with pytest.raises(NotFound):
        substitutes.end(99, person="bob", actor=ADAM)
    with pytest.raises(NotFound):  # one of somebody else
        substitutes.end(substitutes.of("bob")[0].id, person="lena", actor=ADAM)


def test_each_change_is_in_the_audit_stream(engine: Engine, substitutes: Substitutes, accounts: Accounts) -> None:
    there = name(substitutes, "bob", "alice", groups={"Front desk"})
    substitutes.end(there, person="bob", actor=ADAM)
    name(substitutes, "bob", "carol")
    accounts.disable("carol", by="adam")
    events = [event for event in engine.audit.events() if event.body["details"].get("substitute")]
    said = [(one.body["details"]["setting"], one.body["details"]["substitute"], one.subject) for one in events]
    assert said[::-1] == [
        ("substitute named", "alice", "bob"), ("substitute ended", "alice", "bob"),
        ("substitute named", "carol", "bob"), ("substitute ended", "carol", "bob"),
    ]  # fmt: skip
    assert {name: value for name, value in events[-1].body["details"].items() if name != "rows"} == {
        "setting": "substitute named", "substitute": "alice", "from": "2026-05-04", "to": "2026-05-05",
        "groups": "Front desk",
    }  # fmt: skip


def test_many_at_once_are_done_on_behalf_and_decided_at_their_turn(
    engine: Engine, cast: Cast, substitutes: Substitutes, task: str
) -> None:
    there = name(substitutes, "bob", "alice")
    alice, done = cast("alice"), BulkAct(act=TaskAct.COMPLETE, values={"word": "yes"})
    chosen = engine.task_runs.choose([task], actor=alice)
    assert [one.id for one in engine.task_runs.dry_run(chosen, done, actor=alice).fit] == [task]
    late = BulkAct(act=TaskAct.PUT_OFF, day=TODAY + timedelta(days=3))
    assert engine.task_runs.dry_run(chosen, late, actor=alice).fit == ()
    run = engine.task_runs.ask(chosen, done, actor=alice)
    substitutes.end(there, person="bob", actor=ADAM)
    Worker(engine).run_due()
    assert engine.task_runs.counts(run.id)[TaskOutcome.REFUSED] == 1
    name(substitutes, "bob", "alice")
    run = engine.task_runs.ask(engine.task_runs.choose([task], actor=cast("alice")), done, actor=cast("alice"))
    Worker(engine).run_due()
    assert engine.task_runs.counts(run.id)[TaskOutcome.DONE] == 1
    steps = engine.queries.history(task.partition(":")[0])
    assert any(step.by == "alice on behalf of bob" for step in steps)
