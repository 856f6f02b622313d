"""What a check rests on: a missing file or key, altered triggers and peaks are findings; a repair is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Clock, Outside, alice, package
from databases import new_sqlite
from usher_engine import SYSTEM, Actor, Corrupt, Database, Engine, InvalidSubmission, Settings
from usher_engine.assurance import Checker, check_record
from usher_engine.checkpoints import Checkpointer, gather, repair, take, without_checkpoints

AUDREY = Actor(name="audrey", role="auditor")


@pytest.fixture
def signed(engine: Engine, outside: Outside, clock: Clock) -> Engine:
    """Two cases, and a checkpoint after each."""
    engine.deploy(package("small"), actor=SYSTEM)
    for _ in range(2):
        clock.forward(hours=1)
        outside.answers.append({"n": 2})
        engine.start("small", {"q": 2}, actor=alice)
        take(engine.database, engine.settings, clock())
    return engine


def problems(engine: Engine, settings: Settings | None = None) -> list[str]:
    evidence = gather(engine.database, settings or engine.settings)
    return [found.message for found in check_record(engine.context, evidence)]


def alter(engine: Engine, *statements: str) -> None:
    with engine.database.begin() as tx:
        for statement in statements:
            tx.exec_driver_sql(statement)


def file_of(engine: Engine) -> Path:
    return Path(engine.settings.checkpoint_file)


def test_with_all_evidence_there_is_nothing_to_say(signed: Engine) -> None:
    assert problems(signed) == []
    assert without_checkpoints(signed.database).findings == ()


def test_a_file_that_is_gone_is_a_finding_of_every_check(signed: Engine) -> None:
    file_of(signed).unlink()
    (words,) = problems(signed)
    assert words.startswith("There is no checkpoint file at")
    checker = Checker(signed.context, signed.audit)
    checker.run(checker.begin(actor=AUDREY), AUDREY)
    last = checker.last()
    assert last is not None and words in [found.message for found in last.findings]


def test_a_shorter_file_and_one_of_another_database(signed: Engine, clock: Clock, tmp_path: Path) -> None:
    whole = file_of(signed).read_text().splitlines(keepends=True)
    file_of(signed).write_text(whole[0])
    assert any("missing from usher-checkpoints.jsonl" in words for words in problems(signed))
    other = Database(new_sqlite(tmp_path, "other.db"))
    (tmp_path / "elsewhere").mkdir()
    settings = replace(signed.settings, checkpoint_file=str(tmp_path / "elsewhere" / "heads.jsonl"))
    elsewhere = Engine(settings, signed.services, clock, other)
    elsewhere.audit.record("CaseViewed", {}, actor=alice)
    take(other, settings, clock())
    assert any("come from another database" in words for words in problems(signed, settings))
    other.close()


def test_a_missing_key_is_a_finding(signed: Engine, tmp_path: Path) -> None:
    (words,) = problems(signed, replace(signed.settings, signing_key_file=str(tmp_path / "none.pem")))
    assert words.startswith("The signatures of the checkpoints could not be checked.")


def test_another_key_in_the_database_is_a_finding(signed: Engine) -> None:
    alter(signed, "UPDATE signing_key SET public = 'ed25519:AAAA'")
    assert problems(signed) == ["The database names another key than the one it is checked with: ed25519:AAAA"]


def drop(engine: Engine, name: str) -> None:
    alter(engine, f"DROP TRIGGER {name}" if engine.database.is_sqlite else f"DROP TRIGGER {name} ON step")


@pytest.mark.parametrize("how", ["dropped", "made harmless"])
def test_triggers_that_keep_nothing_are_a_finding_until_they_are_repaired(signed: Engine, how: str) -> None:
    name = "step_no_delete" if signed.database.is_sqlite else "step_append_only"
    drop(signed, name)
    if how != "dropped" and signed.database.is_sqlite:
        alter(signed, f"CREATE TRIGGER {name} BEFORE DELETE ON step BEGIN SELECT 1; END")
    elif how != "dropped":
        harmless = "CREATE FUNCTION harmless() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql"
        made = f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON step FOR EACH ROW EXECUTE FUNCTION harmless()"
        alter(signed, harmless, made)
    (words,) = problems(signed)
    assert f"append-only are missing or altered: {name}." in words and "usher checkpoint --repair" in words
    with pytest.raises(InvalidSubmission):
        repair(signed.database, signed.settings, signed.clock(), reason=" ", by="ops")
    assert repair(signed.database, signed.settings, signed.clock(), reason="a restore", by="ops").triggers == (name,)
    assert problems(signed) == []
    with pytest.raises(Corrupt, match="append-only"), signed.database.begin() as tx:
        tx.exec_driver_sql("DELETE FROM step")
    (event,) = signed.audit.events(kind="EvidenceRepaired")
    assert (event.actor, event.why, event.details["triggers"]) == ("ops", "a restore", [name])


def test_altered_peaks_sign_nothing_and_can_be_repaired(signed: Engine, outside: Outside) -> None:
    def spoil(peaks: str) -> str:
        return ("1" if peaks[0] == "0" else "0") + peaks[1:]

    with signed.database.begin() as tx:
        (peaks,) = tx.exec_driver_sql("SELECT peaks FROM checkpoint WHERE number = 2").one()
        tx.exec_driver_sql(f"UPDATE checkpoint SET peaks = '{spoil(peaks)}' WHERE number = 2")
    (words,) = problems(signed)
    assert words.startswith("The peaks stored with checkpoint 2 do not fit the root it signed")
    outside.answers.append({"n": 2})
    signed.start("small", {"q": 2}, actor=alice)
    with pytest.raises(Corrupt, match="Nothing was signed"):
        take(signed.database, signed.settings, signed.clock())
    assert repair(signed.database, signed.settings, signed.clock(), reason="a test", by="ops").peaks == (2,)
    assert len(take(signed.database, signed.settings, signed.clock())) == 1
    assert problems(signed) == []


def test_a_repair_proves_no_forgery(signed: Engine) -> None:
    alter(signed, "UPDATE checkpoint SET peaks = '00'")
    drops = ("leaf_no_update",) if signed.database.is_sqlite else ("leaf_append_only",)
    for name in drops:
        alter(signed, f"DROP TRIGGER {name}" if signed.database.is_sqlite else f"DROP TRIGGER {name} ON leaf")
    alter(signed, "UPDATE leaf SET hash = (SELECT hash FROM leaf WHERE number = 1) WHERE number = 0")
    with pytest.raises(Corrupt, match="nothing was repaired"):
        repair(signed.database, signed.settings, signed.clock(), reason="why not", by="ops")


def removed(file: Path) -> None:
    file.unlink()


def cut_in_the_middle(file: Path) -> None:
    file.write_text(file.read_text().splitlines(keepends=True)[1])


@pytest.mark.parametrize("harm", [removed, cut_in_the_middle])
def test_a_file_is_written_anew_only_with_a_trace(signed: Engine, harm: Callable[[Path], None]) -> None:
    whole = file_of(signed).read_text()
    harm(file_of(signed))
    done = repair(signed.database, signed.settings, signed.clock(), reason="the disk was lost", by="ops")
    assert (done.heads, file_of(signed).read_text()) == (2, whole)
    assert signed.audit.events(kind="EvidenceRepaired")[0].details["heads"] == 2
    assert problems(signed) == []


def test_a_process_that_finds_no_file_records_that_it_begins_one(signed: Engine) -> None:
    file_of(signed).unlink()
    Checkpointer(signed.database, signed.settings, signed.clock).take_if_due()
    (event,) = signed.audit.events(kind="EvidenceRepaired")
    assert "There was no checkpoint file usher-checkpoints.jsonl" in event.why
    assert problems(signed) == []
