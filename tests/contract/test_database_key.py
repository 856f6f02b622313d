"""Several machines on one database: one key signs for it, and every machine's file holds all heads."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Clock, alice
from usher_engine import Engine, Misconfigured, Settings
from usher_engine.checkpoints import Checkpointer, check_everything, public_key_of_database, signing_key, take
from usher_engine.store import checkpoint_rows
from usher_engine.store.tables.record_tables import signing_key as bound_keys


def node(settings: Settings, folder: Path) -> Settings:
    """A machine of its own, with its own files."""
    folder.mkdir()
    return replace(settings, checkpoint_file=str(folder / "heads.jsonl"), signing_key_file=str(folder / "key.pem"))


@pytest.fixture
def first(settings: Settings, tmp_path: Path) -> Settings:
    return node(settings, tmp_path / "first")


@pytest.fixture
def second(settings: Settings, tmp_path: Path) -> Settings:
    return node(settings, tmp_path / "second")


def happen(engine: Engine) -> None:
    """Something new to sign."""
    engine.audit.record("CaseViewed", {"page": "a case"}, actor=alice, subject="case 1")


def line_of(key_file: str) -> str:
    return Path(key_file).read_text().splitlines()[1]


def test_a_second_key_signs_nothing_and_says_how_to_get_the_first(
    engine: Engine, clock: Clock, first: Settings, second: Settings
) -> None:
    happen(engine)
    take(engine.database, first, clock())
    key = public_key_of_database(engine.database, first)
    happen(engine)
    with pytest.raises(Misconfigured, match=r"no signing key at .*/second/key\.pem\. Nothing was signed") as missing:
        take(engine.database, second, clock())
    assert key in missing.value.message and "USHER_SIGNING_KEY" in missing.value.message
    assert not Path(second.signing_key_file).exists()
    signing_key_of_another_database = Path(second.signing_key_file)
    signing_key_of_another_database.write_bytes(OTHER)
    signing_key_of_another_database.chmod(0o600)
    for sign in (lambda: take(engine.database, second, clock()), lambda: signing_key(engine.database, second)):
        with pytest.raises(Misconfigured, match="not the one of this database"):
            sign()
    assert public_key_of_database(engine.database, second) == key
    with engine.database.read() as tx:
        assert len(checkpoint_rows.all_checkpoints(tx)) == 1


def test_machines_with_the_key_sign_in_turn_and_each_file_holds_all_heads(
    engine: Engine, clock: Clock, first: Settings, second: Settings
) -> None:
    happen(engine)
    take(engine.database, first, clock())
    second = replace(second, signing_key=line_of(first.signing_key_file))
    here, there = (Checkpointer(engine.database, one, clock) for one in (first, second))
    for signs, waits in ((there, here), (here, there)):
        happen(engine)
        clock.forward(minutes=first.checkpoint_minutes)
        assert len(signs.take_if_due()) == 1
        assert waits.take_if_due() == []
    key = public_key_of_database(engine.database, second)
    for one in (first, second):
        assert check_everything(engine.database, file=Path(one.checkpoint_file), key=key) == []


def test_a_database_of_the_version_before_is_bound_to_the_key_of_its_newest_head(
    engine: Engine, clock: Clock, first: Settings, second: Settings
) -> None:
    happen(engine)
    take(engine.database, first, clock())
    with engine.database.begin() as tx:
        tx.execute(bound_keys.delete())
    with pytest.raises(Misconfigured, match="no signing key"):
        signing_key(engine.database, second)
    happen(engine)
    take(engine.database, first, clock())
    with engine.database.read() as tx:
        assert checkpoint_rows.bound_key(tx) == public_key_of_database(engine.database, first)


def test_an_export_binds_the_key_too(engine: Engine, first: Settings, second: Settings) -> None:
    made = signing_key(engine.database, first).public_text
    assert public_key_of_database(engine.database, second) == made
    with pytest.raises(Misconfigured, match=re.escape(f"signed with {made}")):
        signing_key(engine.database, second)


#: A key of another database, in a file's form.
OTHER = (
    b"-----BEGIN PRIVATE KEY-----\n"
    b"MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
    b"-----END PRIVATE KEY-----\n"
)
