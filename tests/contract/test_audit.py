"""Audit events and checkpoints on both databases: chains, leaves without gaps, and heads that reveal removals."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Clock, Outside, alice, bob, package
from databases import new_sqlite
from statements import asked_of
from usher_engine import SYSTEM, Actor, Engine, InvalidSubmission, NotAllowed
from usher_engine.audit import Look
from usher_engine.audit.audit_log import KINDS
from usher_engine.checkpoints import Checkpointer, check_audit, check_checkpoints, check_everything, read_lines, take
from usher_engine.checkpoints.merkle import SigningKey
from usher_engine.core.errors import Corrupt, Misconfigured
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_engine.store import checkpoint_rows as rows


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, checkpoint_file=str(tmp_path / "heads.jsonl"), signing_key_file=str(tmp_path / "key.pem"))


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=SYSTEM)
    return engine


@pytest.fixture
def heads(settings: Settings) -> Path:
    return Path(settings.checkpoint_file)


@pytest.fixture
def key(settings: Settings) -> str:
    return SigningKey.at(Path(settings.signing_key_file)).public_text


def cases(engine: Engine, outside: Outside, number: int) -> list[str]:
    outside.answers += [{"n": 2}] * number
    return [engine.start("small", {"q": 2}, actor=alice).id for _ in range(number)]


def sign(engine: Engine) -> list[int]:
    return [signed.head.size for signed in take(engine.database, engine.settings, engine.clock())]


# audit events


def test_what_one_page_showed_is_chained_in_one_transaction(engine: Engine) -> None:
    engine.audit.record("LoggedIn", {}, actor=alice)
    looks = [
        Look(kind="CaseViewed", details={}, subject="case1", business_key="p1"),
        Look(kind="PatientsListed", details={"patients": ["p2", "p3"]}),
    ]
    with asked_of(engine.database) as asked:
        engine.audit.record_page(looks, actor=alice)
    assert asked.transactions == 1
    newest, older, _ = engine.audit.events()
    assert (newest.kind, older.kind, older.business_key) == ("PatientsListed", "CaseViewed", "p1")
    assert [event.seq for event in engine.audit.events(about="p3")] == [3]
    assert check_audit(engine.database) == []


def test_of_what_one_page_showed_all_is_kept_or_nothing(engine: Engine) -> None:
    looks = [Look(kind="CaseViewed", details={}), Look(kind="CaseViewed", details={"no": object()})]
    with pytest.raises(InvalidSubmission):
        engine.audit.record_page(looks, actor=alice)
    assert engine.audit.events() == []


def test_events_are_chained_and_found_again(engine: Engine, clock: Clock) -> None:
    for number in range(3):
        engine.audit.record("CaseViewed", {"page": number}, actor=alice, subject=f"case{number}", business_key="p1")
    clock.forward(hours=1)
    engine.audit.record(
        "Refused", {"status": 403}, actor=replace(bob, on_behalf_of="Dr. Sample"), subject="case1", why="no"
    )
    found = engine.audit.events(business_key="p1")
    assert [event.subject for event in found] == ["case2", "case1", "case0"]
    assert engine.audit.events(business_key="p1", before=found[0].seq, limit=1)[0].subject == "case1"
    refused = engine.audit.events(actor="bob")[0]
    assert (refused.seq, refused.kind, refused.at, refused.why) == (4, "Refused", clock(), "no")
    assert refused.body["actor"] == {"name": "bob", "role": "staff", "on_behalf_of": "Dr. Sample"}
    assert refused.details == {"status": 403}
    assert {event.kind for event in engine.audit.events(subject="case1")} == {"CaseViewed", "Refused"}
    assert check_audit(engine.database) == []
    assert "Refused" in KINDS


def test_an_event_is_kept_with_its_transaction_or_not_at_all(engine: Engine) -> None:
    def fails_after_it() -> None:
        with engine.database.begin() as tx:
            engine.audit.record("SettingChanged", {}, actor=alice, transaction=tx)
            raise NotAllowed

    with pytest.raises(NotAllowed):
        fails_after_it()
    assert engine.audit.events() == []


def test_what_is_no_json_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidSubmission):
        engine.audit.record("Refused", {"when": object()}, actor=alice)


def test_a_deployment_is_an_event(small: Engine) -> None:
    event = small.audit.events(kind="Deployed")[0]
    assert (event.subject, event.details["version"]) == ("small", 1)


@pytest.mark.parametrize("table", ["step", "audit_event", "leaf", "checkpoint"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {} = {} + 1"])
def test_the_database_refuses_changes(small: Engine, outside: Outside, table: str, statement: str) -> None:
    cases(small, outside, 1)
    sign(small)
    column = {"step": "revision", "audit_event": "seq"}.get(table, "number")
    with pytest.raises(Corrupt, match="append-only"), small.database.begin() as tx:
        tx.exec_driver_sql(statement.format(table, column, column))


def test_many_at_once_make_one_chain(engine: Engine) -> None:
    def write(name: str) -> None:
        for number in range(10):
            engine.audit.record("CaseViewed", {"n": number}, actor=Actor(name=name))

    threads = [threading.Thread(target=write, args=(f"user{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in engine.audit.events(limit=100)] == list(range(40, 0, -1))
    assert check_audit(engine.database) == []


# checkpoints


def test_a_checkpoint_covers_what_is_new(small: Engine, outside: Outside, heads: Path, key: str) -> None:
    cases(small, outside, 2)
    assert sign(small) == [3]  # two steps and the deployment
    assert sign(small) == []
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "yes"}, actor=alice)
    small.audit.record("CaseViewed", {}, actor=alice)
    assert sign(small) == [5]
    assert len(read_lines(heads)) == 2
    assert check_everything(small.database, file=heads, key=key) == []


def test_more_than_one_checkpoint_takes(
    small: Engine, outside: Outside, heads: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usher_engine.checkpoints.checkpointer.CASES", 2)
    cases(small, outside, 5)
    assert sign(small) == [3, 5, 6]
    assert check_everything(small.database, file=heads, key=key) == []


def test_a_step_that_commits_late_is_not_missed(small: Engine, outside: Outside, heads: Path, key: str) -> None:
    """Begun before a checkpoint and committed after it, while others went on: it is in the next one."""
    if small.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    outside.answers += [{"n": 2}] * 2
    case = small.start("small", {"q": 2}, actor=alice).id
    with small.database.begin() as late:
        small.steps.record(case, "Something", {}, actor=alice, transaction=late)
        small.start("small", {"q": 2}, actor=alice)
        assert sign(small) == [3]
    assert sign(small) == [4]
    assert check_everything(small.database, file=heads, key=key) == []


def test_a_crash_before_the_file_is_made_good(small: Engine, outside: Outside, heads: Path, key: str) -> None:
    cases(small, outside, 1)
    sign(small)
    whole = heads.read_bytes()
    cases(small, outside, 1)
    sign(small)
    both = heads.read_bytes()
    heads.write_bytes(whole)
    (finding,) = check_checkpoints(small.database, file=heads, key=key)
    assert finding.kind == "checkpoint file" and "Checkpoint 2" in finding.message
    assert sign(small) == []
    assert heads.read_bytes() == both
    heads.write_bytes(whole + both[len(whole) : len(whole) + 40])
    sign(small)
    findings = check_checkpoints(small.database, file=heads, key=key)
    assert [finding.message.split(";")[0] for finding in findings] == ["Line 2 of heads.jsonl is not a checkpoint"]


def test_nothing_is_signed_over_a_trace(small: Engine, outside: Outside, heads: Path, key: str) -> None:
    cases(small, outside, 1)
    sign(small)
    _tamper(small, "DELETE FROM checkpoint")
    cases(small, outside, 1)
    with pytest.raises(Corrupt, match="has checkpoint 1"):
        sign(small)
    kinds = {finding.kind for finding in check_checkpoints(small.database, file=heads, key=key)}
    assert "checkpoint" in kinds


def test_the_newest_rows_and_a_whole_case_are_missed(small: Engine, outside: Outside, heads: Path, key: str) -> None:
    first, second = cases(small, outside, 2)
    sign(small)
    for table in ("step", "user_task", "instance_state", "case_actor"):
        _tamper(small, f"DELETE FROM {table} WHERE instance = '{first}'")
    _tamper(small, f"DELETE FROM instance WHERE id = '{first}'")
    (finding,) = check_checkpoints(small.database, file=heads, key=key)
    assert (finding.instance, finding.revision, finding.kind) == (first, 1, "missing")
    _tamper(small, f"DELETE FROM leaf WHERE instance = '{first}'")
    findings = check_checkpoints(small.database, file=heads, key=key)
    assert [finding.kind for finding in findings] == ["tree"]
    assert second not in {finding.instance for finding in findings}


def test_a_rewritten_chain_is_found(small: Engine, outside: Outside, heads: Path, key: str) -> None:
    """Everything inside the database is made to fit again, the leaf too: only the signed head does not."""
    case = cases(small, outside, 1)[0]
    sign(small)
    other = cases(small, outside, 1)[0]
    with small.database.read() as tx:
        by_case = {row.instance: row for row in rows.steps_with_leaves(tx)}
    ours, theirs = by_case[case], by_case[other]
    assert ours.hash == theirs.hash  # same diagram, clock and answer: exactly the same text
    small.cases.cancel(other, "no", actor=alice)
    for table in ("step", "leaf"):
        _tamper(small, f"DELETE FROM {table} WHERE instance = '{case}'")
    findings = check_checkpoints(small.database, file=heads, key=key)
    assert {finding.kind for finding in findings} == {"tree", "missing"}


def test_a_checkpoint_of_another_database(
    small: Engine, outside: Outside, heads: Path, key: str, tmp_path: Path
) -> None:
    cases(small, outside, 1)
    sign(small)
    other_file = replace(small.settings, checkpoint_file=str(tmp_path / "other.jsonl"))
    other = Database(new_sqlite(tmp_path, "other.db"))
    elsewhere = Engine(replace(other_file, database_url="unused"), small.services, small.clock, other)
    elsewhere.audit.record("CaseViewed", {}, actor=alice)
    take(other, other_file, small.clock())
    findings = check_checkpoints(small.database, file=tmp_path / "other.jsonl", key=key)
    assert "origin" in {finding.kind for finding in findings}
    with pytest.raises(Corrupt):
        take(other, replace(other_file, checkpoint_file=str(heads)), small.clock())
    other.close()


def test_a_wrong_key(small: Engine, outside: Outside, heads: Path, tmp_path: Path) -> None:
    cases(small, outside, 1)
    sign(small)
    wrong = SigningKey.at(tmp_path / "wrong.pem").public_text
    findings = check_checkpoints(small.database, file=heads, key=wrong)
    assert "key" in {finding.kind for finding in findings}


def test_a_missing_file_is_a_finding_and_an_unwritable_one_an_error(
    small: Engine, outside: Outside, key: str, tmp_path: Path
) -> None:
    cases(small, outside, 1)
    sign(small)
    findings = check_checkpoints(small.database, file=tmp_path / "none.jsonl", key=key)
    assert [finding.kind for finding in findings] == ["checkpoint file", "checkpoint file"]
    with pytest.raises(Misconfigured, match="cannot be written"):
        take(small.database, replace(small.settings, checkpoint_file=str(tmp_path / "no" / "file")), small.clock())


def test_taken_when_it_is_due(small: Engine, outside: Outside, clock: Clock) -> None:
    keeper = Checkpointer(small.database, small.settings, clock)
    cases(small, outside, 1)
    assert len(keeper.take_if_due()) == 1
    cases(small, outside, 1)
    clock.forward(minutes=59)
    assert keeper.take_if_due() == []
    clock.forward(minutes=1)
    assert len(keeper.take_if_due()) == 1
    keeper.start()
    keeper.stop()


def _tamper(engine: Engine, statement: str) -> None:
    """Change rows as the owner of the database can: triggers off, change, triggers on."""
    with engine.database.begin() as tx:
        if engine.database.is_sqlite:
            tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for name in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
                tx.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            tx.exec_driver_sql("SET session_replication_role = replica")
        tx.exec_driver_sql(statement)
        if not engine.database.is_sqlite:
            tx.exec_driver_sql("SET session_replication_role = DEFAULT")
