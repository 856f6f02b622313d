"""Retention on both databases: what may go, what must stay whatever is asked, and the proof that is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from conftest import Clock, Outside, alice, bob, package
from sqlalchemy import text
from usher_engine import (
    SYSTEM,
    Actor,
    Conflict,
    Engine,
    InvalidSubmission,
    NotAllowed,
    NotFound,
    Purged,
    Settings,
    Worker,
)
from usher_engine.assurance import Retention
from usher_engine.cases import CaseFilter, NewFile, comments_of
from usher_engine.checkpoints import check_everything, take
from usher_engine.checkpoints.merkle import SigningKey
from usher_engine.core.errors import Corrupt, Misconfigured
from usher_engine.reporting.day_figures import _events_by_case
from usher_engine.store import figure_rows
from usher_engine.store.search_reindex import reindex

ADAM = Actor(name="adam", role="admin")
AUDREY = Actor(name="audrey", role="auditor")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, checkpoint_file=str(tmp_path / "heads.jsonl"), signing_key_file=str(tmp_path / "key.pem"))


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=SYSTEM)
    return engine


@pytest.fixture
def retention(small: Engine) -> Retention:
    return Retention(small.context, small.audit)


@pytest.fixture
def ended(small: Engine, outside: Outside) -> Callable[[str], str]:
    """A case about a patient, which ends now."""

    def make(about: str) -> str:
        outside.answers.append({"n": 2})
        case = small.start("small", {"q": 2}, actor=alice, business_key=about, key=f"key {about}", source="test")
        small.complete(case.tasks[0].id, {"word": "yes"}, actor=alice)
        Worker(small).run_due()
        assert small.instance(case.id).status == "finished"
        return case.id

    return make


def sign(engine: Engine) -> None:
    take(engine.database, engine.settings, engine.clock())


def problems(engine: Engine) -> list[str]:
    key = SigningKey.at(Path(engine.settings.signing_key_file)).public_text
    found = check_everything(engine.database, file=Path(engine.settings.checkpoint_file), key=key)
    said = [one.message for one in [*found, *engine.verification.verify_all().findings]]
    return [one for one in said if "no checkpoint has signed" not in one]


def years(clock: Clock, number: int) -> None:
    clock.time = clock.time.replace(year=clock.time.year + number)


def tamper(engine: Engine, *statements: str) -> None:
    """Execute statements as the owner of the database can: without its triggers."""
    with engine.database.begin() as tx:
        if engine.database.is_sqlite:
            for (name,) in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                tx.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            tx.exec_driver_sql("SET session_replication_role = replica")
        for statement in statements:
            tx.execute(text(statement))


def test_an_old_case_is_emptied_and_its_proof_stays(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock
) -> None:
    old = ended("p1")
    sign(small)
    years(clock, 5)
    young = ended("p2")
    sign(small)
    years(clock, 2)
    plan = retention.plan()
    assert (plan.purgeable, plan.held, plan.unsigned) == (1, 0, 0)
    assert plan.before == clock().replace(year=clock().year - 6, hour=0, minute=0)
    assert retention.tombstone(old) is None

    done = retention.purge(actor=ADAM)
    assert (done.purged, done.left) == (1, {})
    left = retention.tombstone(old)
    assert left is not None
    assert (left.by, left.at) == ("adam", clock())
    assert "purged on 2033-05-04 by adam" in left.words(small.settings.calendar)
    assert small.verify(old) == []
    assert problems(small) == []
    sign(small)
    assert problems(small) == []
    for asked in (small.queries.history, small.queries.rebuild):
        with pytest.raises(Purged):
            asked(old)
    with pytest.raises(Purged, match="purged on 2033-05-04 by adam"):
        small.steps.record(old, "Noted", {}, actor=alice)
    row = small.instance(old)
    assert (row.business_key, row.explanation, row.status, row.outcome) == ("", None, "finished", "E2")
    assert len(small.queries.history(young)) == 3
    event = small.audit.events(kind="Purged")[0]
    assert (event.subject, event.business_key, event.details["steps"]) == (old, "p1", 3)


def test_nothing_of_the_person_is_left(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock
) -> None:
    old = ended("p1")
    sign(small)
    years(clock, 7)
    retention.purge(actor=ADAM)
    with small.database.read() as tx:
        for table in ("case_actor", "request", "job", "user_task", "instance_state"):
            assert tx.execute(text(f"SELECT count(*) FROM {table} WHERE instance = '{old}'")).scalar_one() == 0, table
        rows = tx.execute(text(f"SELECT body, actor, at FROM step WHERE instance = '{old}'")).all()
    assert {(bytes(body), actor, at) for body, actor, at in rows} == {(b"", "", "")}
    assert small.search.find(CaseFilter(actor="alice")).cases == ()
    assert [case.id for case in small.search.find(CaseFilter(statuses=frozenset({"finished"}))).cases] == [old]
    kinds = {moment.event.kind for moment in small.activity.about("p1").moments if moment.event}
    assert kinds == {"Purged"}
    with small.database.begin() as tx:
        assert reindex(tx) == (1, 0)
    assert retention.plan().purgeable == 0
    assert retention.purge(actor=ADAM).purged == 0


def test_what_must_stay_stays(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock, outside: Outside
) -> None:
    held, unsigned = ended("held"), ""
    outside.answers.append({"n": 2})
    running = small.start("small", {"q": 2}, actor=alice, business_key="running").id
    sign(small)
    years(clock, 1)
    unsigned = ended("unsigned")
    retention.hold("held", "A court asks for it.", actor=AUDREY)
    years(clock, 20)
    plan = retention.plan()
    assert (plan.purgeable, plan.held, plan.unsigned) == (0, 1, 1)
    done = retention.purge(actor=ADAM)
    assert (done.purged, done.left) == (0, {"under a legal hold": 1, "not signed yet": 1})
    assert all(small.queries.history(case) for case in (held, unsigned, running))
    retention.lift("held", "The case is closed.", actor=ADAM)
    sign(small)
    assert retention.purge(actor=ADAM).purged == 2
    assert small.queries.history(running)
    assert problems(small) == []


def test_a_day_inside_the_period_is_refused(small: Engine, retention: Retention, clock: Clock) -> None:
    with pytest.raises(InvalidSubmission, match="must be 2020-05-04 or earlier"):
        retention.plan(date(2020, 5, 5))
    assert retention.plan(date(2020, 5, 4)).purgeable == 0
    with pytest.raises(InvalidSubmission):
        retention.purge(clock().date(), actor=ADAM)
    clock.time = clock.time.replace(year=2028, month=2, day=29)
    assert retention.cutoff().date() == date(2022, 2, 28)
    forever = Engine(replace(small.settings, retention_years=0), small.services, clock, small.database)
    with pytest.raises(Misconfigured, match="USHER_RETENTION_YEARS"):
        Retention(forever.context, forever.audit).plan()


def test_who_may(retention: Retention) -> None:
    with pytest.raises(NotAllowed):
        retention.purge(actor=AUDREY)
    with pytest.raises(NotAllowed):
        retention.hold("p1", "why", actor=alice)
    with pytest.raises(InvalidSubmission):
        retention.hold("p1", " \u200b", actor=AUDREY)
    with pytest.raises(NotFound):
        retention.lift("p1", "why", actor=AUDREY)
    retention.hold("p1", "A court asks.", actor=AUDREY)
    with pytest.raises(Conflict):
        retention.hold("p1", "Another asks.", actor=ADAM)
    standing = retention.hold_on("p1")
    assert standing is not None
    assert (standing.set_by, standing.reason) == ("audrey", "A court asks.")
    retention.lift("p1", "Settled.", actor=ADAM)
    assert retention.hold_on("p1") is None
    (hold,) = retention.holds()
    assert (hold.lifted_by, hold.lifted_reason) == ("adam", "Settled.")
    kinds = [event.kind for event in retention.audit.events(business_key="p1")]
    assert kinds == ["HoldLifted", "HoldSet"]


STONE = "INSERT INTO tombstone (instance, at, by, before, seq) SELECT id, 'x', 'mallory',"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE step SET body = '', actor = '', at = ''",
        "UPDATE step SET body = ''",
        "DELETE FROM step",
        f"{STONE} '9999', 1 FROM instance WHERE business_key = 'running'",
        f"{STONE} '9999', 1 FROM instance WHERE business_key = 'held'",
        f"{STONE} '2026', 1 FROM instance WHERE business_key = 'old'",
    ],
)
def test_the_database_itself_keeps_what_must_be_kept(
    small: Engine, retention: Retention, ended: Callable[[str], str], outside: Outside, statement: str
) -> None:
    ended("old")
    ended("held")
    outside.answers.append({"n": 2})
    small.start("small", {"q": 2}, actor=alice, business_key="running")
    retention.hold("held", "A court asks for it.", actor=AUDREY)
    with pytest.raises(Corrupt, match="append-only"), small.database.begin() as tx:
        tx.execute(text(statement))
    assert small.verification.verify_all().findings == []


def test_after_a_purge_nothing_else_may_change(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock
) -> None:
    old = ended("p1")
    sign(small)
    years(clock, 7)
    retention.purge(actor=ADAM)
    for statement in (
        f"UPDATE step SET hash = body WHERE instance = '{old}'",
        f"UPDATE step SET actor = 'mallory' WHERE instance = '{old}'",
        f"DELETE FROM step WHERE instance = '{old}'",
        "DELETE FROM tombstone",
        "UPDATE tombstone SET by = 'mallory'",
    ):
        with pytest.raises(Corrupt, match="append-only"), small.database.begin() as tx:
            tx.execute(text(statement))


def test_a_forged_tombstone_is_found(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock
) -> None:
    old, other = ended("p1"), ended("p2")
    sign(small)
    years(clock, 7)
    empty = "UPDATE step SET body = '', actor = '', at = '' WHERE instance = '{}'"
    stone = "INSERT INTO tombstone (instance, at, by, before, seq) VALUES ('{}', 'today', 'adam', '2033', {})"
    tamper(small, empty.format(old))
    assert any("cannot be read" in one or "does not fit its hash" in one for one in problems(small))
    tamper(small, stone.format(old, 1))
    assert any("no audit event records a purge" in one for one in problems(small))
    assert [finding.kind for finding in small.verify(old)] == ["tombstone"]
    assert small.verify(other) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM tombstone WHERE instance = '{old}'", "its tombstone is missing"),
        ("UPDATE tombstone SET by = 'mallory' WHERE instance = '{old}'", "no audit event records a purge"),
        ("DELETE FROM step WHERE instance = '{old}' AND revision = 3", "not those recorded with its purge"),
        ("UPDATE step SET hash = '00' WHERE instance = '{old}' AND revision = 2", "is not the one a checkpoint has"),
        ("UPDATE step SET body = '00' WHERE instance = '{old}' AND revision = 2", "has its text again"),
    ],
)
def test_a_purged_case_is_watched_like_the_others(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock, statement: str, said: str
) -> None:
    old = ended("p1")
    sign(small)
    years(clock, 7)
    retention.purge(actor=ADAM)
    tamper(small, statement.format(old=old))
    assert any(said in one for one in problems(small)), problems(small)


def test_a_purge_covers_no_forgery(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock
) -> None:
    old, other = ended("p1"), ended("p2")
    sign(small)
    years(clock, 7)
    tamper(small, f"UPDATE step SET body = (SELECT body FROM step WHERE instance = '{old}' AND revision = 1) "
                  f"WHERE instance = '{old}' AND revision = 2")  # fmt: skip
    done = retention.purge(actor=ADAM)
    assert (done.purged, done.left) == (1, {"damaged: run usher verify": 1})
    assert retention.tombstone(other) is not None
    assert retention.tombstone(old) is None
    assert problems(small)


def test_reports_count_what_is_left(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock
) -> None:
    old = ended("p1")
    sign(small)
    years(clock, 7)
    retention.purge(actor=ADAM)
    with small.database.read() as tx:
        assert list(_events_by_case(figure_rows.steps(tx, [old]))) == []


def test_comments_go_with_their_case_and_a_hold_keeps_them(
    small: Engine, retention: Retention, ended: Callable[[str], str], clock: Clock
) -> None:
    old, held = ended("p1"), ended("p2")
    for case in (old, held):
        letter = NewFile(name="letter.txt", content=b"Dear Ms Twin")
        small.comments.add(case, "@bob She sounded worried.", actor=alice, mentions=[bob], files=[letter])
        small.comments.save_draft(case, "half a sentence", actor=alice)
    sign(small)
    retention.hold("p2", "asked by a lawyer", actor=AUDREY)
    years(clock, 7)
    assert retention.purge(actor=ADAM).purged == 1
    with small.database.read() as tx:
        for table in ("case_mention", "task_draft"):
            assert set(tx.execute(text(f"SELECT instance FROM {table}")).scalars()) == {held}
        assert set(tx.execute(text(f"SELECT body FROM step WHERE instance = '{old}'")).scalars()) == {b""}
        kept = {row[0]: bytes(row[1]) for row in tx.execute(text("SELECT instance, content FROM case_file"))}
        assert kept == {old: b"", held: b"Dear Ms Twin"}
        assert len(set(tx.execute(text("SELECT sha256 FROM case_file")).scalars())) == 1, "the hash stays"
    assert [one.text for one in comments_of(small.queries.history(held))] == ["@bob She sounded worried."]
    with pytest.raises(NotFound):
        small.comments.add(old, "More", actor=alice)
    assert problems(small) == []
    tamper(small, f"UPDATE case_file SET content = 'Dear' WHERE instance = '{old}'")
    assert any("has its content again" in one for one in problems(small))
