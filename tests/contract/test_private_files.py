"""Files with patients' data have mode 0600, and logs repeat no value that a failed statement held."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from databases import migrate
from sqlalchemy import insert, text
from usher_engine import Conflict, InvalidSubmission, Unavailable
from usher_engine.checkpoints.checkpoint_file import append_lines
from usher_engine.enrollment import enrollment_tables as e
from usher_engine.store import Database
from usher_engine.store.tables import engine_tables as t

BAIT = "Bait Baitson 1 Bait Street"
only_posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.fixture
def open_mask() -> Any:
    before = os.umask(0o022)
    yield
    os.umask(before)


@only_posix
@pytest.mark.usefixtures("open_mask")
def test_a_new_database_is_ours_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'usher.db'}"
    migrate(url)
    database = Database(url)
    with database.begin() as tx:
        tx.execute(text("INSERT INTO email_opt_out VALUES ('a@b.example', '2026', 't')"))
        assert set(modes(tmp_path)) == {"usher.db", "usher.db-wal", "usher.db-shm"}
        assert set(modes(tmp_path).values()) == {0o600}
    database.close()


@only_posix
@pytest.mark.usefixtures("open_mask")
def test_a_database_others_could_read_is_made_private_with_a_warning(tmp_path: Path, caplog: Any) -> None:
    url = f"sqlite:///{tmp_path / 'usher.db'}"
    migrate(url)
    for name in ("usher.db", "usher.db-wal", "usher.db-shm"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    for warnings in (3, 0):
        database = Database(url)
        with database.read() as tx:
            tx.execute(text("SELECT 1"))
            assert set(modes(tmp_path).values()) == {0o600}
        assert caplog.text.count("was open to other accounts (mode 0644)") == warnings
        caplog.clear()
        database.close()


@only_posix
@pytest.mark.usefixtures("open_mask")
def test_a_mistaken_address_changes_no_other_file(tmp_path: Path, caplog: Any) -> None:
    (tmp_path / "patients.ndjson").write_text('{"resourceType": "Patient"}\n')
    with pytest.raises(Unavailable, match="The file is not a database"):
        migrate(f"sqlite:///{tmp_path / 'patients.ndjson'}")
    assert modes(tmp_path)["patients.ndjson"] == 0o644
    assert caplog.text == ""


@only_posix
@pytest.mark.usefixtures("open_mask")
def test_the_checkpoint_file_is_ours_alone(tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    append_lines(file, ["one"])
    assert modes(tmp_path) == {"heads.jsonl": 0o600}
    file.chmod(0o664)
    append_lines(file, ["two"])
    assert modes(tmp_path) == {"heads.jsonl": 0o600}
    assert file.read_text() == "one\ntwo\n"


def test_a_missing_folder_is_reported_as_missing(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="The database file cannot be opened"):
        migrate(f"sqlite:///{tmp_path / 'no' / 'usher.db'}")


def duplicate(tx: Any) -> None:
    for _ in range(2):
        tx.execute(insert(e.email_opt_out).values(address=BAIT, at="2026", by=BAIT))


def nothing_there(tx: Any) -> None:
    tx.execute(text("INSERT INTO email_opt_out VALUES (:bait, NULL, :bait)"), {"bait": BAIT})


def no_such_case(tx: Any) -> None:
    tx.execute(insert(t.instance_state).values(instance="nobody", content=BAIT, seal=b""))
    tx.execute(text("SELECT * FROM no_table WHERE x = :bait"), {"bait": BAIT})


def no_number(tx: Any) -> None:
    tx.execute(text("SELECT CAST(CAST(:bait AS text) AS integer) / :zero"), {"bait": BAIT, "zero": 0})
    tx.execute(insert(e.email_opt_out).values(address=BAIT + "\x00", at="2026", by="\ud800" + BAIT))


@pytest.mark.parametrize("mistake", [duplicate, nothing_there, no_such_case, no_number])
def test_no_log_repeats_what_was_to_be_stored(database: Database, mistake: Any, caplog: Any) -> None:
    log = logging.getLogger("usher.test")
    with pytest.raises(Exception) as refused:  # noqa: PT012 - which, differs by database
        try:
            with database.begin() as tx:
                mistake(tx)
        except Exception:
            log.exception("it did not work")
            raise
    assert "it did not work" in caplog.text
    assert mistake.__name__ in caplog.text, "the log says where it happened"
    assert "Bait" not in caplog.text
    assert "Bait" not in str(refused.value)


def test_a_lone_surrogate_is_refused_in_plain_words(database: Database) -> None:
    with pytest.raises(InvalidSubmission, match="holds a character that cannot be kept"), database.begin() as tx:
        tx.execute(insert(e.email_opt_out).values(address="\ud800", at="2026", by="t"))
    with pytest.raises(InvalidSubmission, match="holds a character that cannot be kept"), database.read() as tx:
        tx.execute(e.email_opt_out.select().where(e.email_opt_out.c.address == "\udcff"))


def test_what_a_refusal_means_is_still_known(database: Database) -> None:
    with pytest.raises(Conflict), database.begin() as tx:
        duplicate(tx)
