"""F3, F5, F7: the disk is full, the lock is held, the database is read-only or away: plain words, no change."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, make_url
from usher_engine import Database, EngineError, Unavailable, Worker, open_queue
from usher_engine.bpmn import compile_diagram
from usher_engine.context import utc_now
from usher_engine.definitions import from_zip, read_folder, to_zip
from usher_engine.enrollment import Enrollment
from usher_engine.forms import parse_form
from usher_engine.jobs import procrastinate_worker
from usher_engine.store import database as database_module

from .children import PATIENCE_S, Child
from .postoffice import PostOffice
from .story import CHAPTERS, PROCESS, STAFF, Place, address, check, content, tell, trigger

Enter = Callable[..., Enrollment]
MakePlace = Callable[..., Place]
NOBODY = 65_534

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for as in the product, but not for five seconds."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 50)


# F3: the disk is full


@only_sqlite
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_full_disk(chapter: str, make_place: MakePlace, office: PostOffice, enter: Enter) -> None:
    """Each patient fills the file at another place: notes of a separate case take up its last pages."""
    place = make_place(patients=31)
    roomy, later = enter(place), enter(place.later())
    beside, refused, chance = trigger(roomy, 30), [], Random(chapter)
    for number in range(30):
        note = chance.randbytes(chance.randrange(1_000)).hex()
        roomy.engine.steps.record(beside.id, "Note added", {"note": note}, actor=STAFF)
        tell(roomy, number, *CHAPTERS[: CHAPTERS.index(chapter)])
        full = enter(place)
        pages = filled_up(roomy.engine.database)
        before = content(roomy)
        event.listen(full.engine.database.db, "connect", at_most(pages))
        try:
            tell(full, number, chapter)
        except Unavailable as error:
            refused.append(error.message)
            unchanged = content(roomy) == before
            assert unchanged or chapter == "work"  # a try of a job is counted, in a transaction of its own
        full.engine.database.close()
        tell(later, number, *CHAPTERS)
        deliveries = len(office.to(address(number)))
        assert deliveries in (1, 2)
        check(later, number, office, mails=deliveries)
    assert set(refused) == {"The disk is full; nothing was changed. Free some space and try again."}


def filled_up(database: Database) -> int:
    """Use up every free page of the file; returns how many pages it has."""
    with database.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS filler (x BLOB)")
        while tx.exec_driver_sql("PRAGMA freelist_count").scalar_one():
            tx.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(3000))")
        return int(tx.exec_driver_sql("PRAGMA page_count").scalar_one())


def at_most(pages: int) -> Callable[[Any, Any], None]:
    return lambda opened, _: opened.execute(f"PRAGMA max_page_count = {pages}").close()


# F5: another process holds the lock


def hold(mouth: Connection, url: str) -> None:
    """Hold the lock that a writer needs, until the test releases it."""
    with contextlib.ExitStack() as closing:
        if url.startswith("sqlite"):
            held = sqlite3.connect(str(make_url(url).database), isolation_level=None)
            closing.callback(held.close)
            held.execute("BEGIN IMMEDIATE")
        else:
            held_row = closing.enter_context(psycopg.connect(_plain_address(url)))
            held_row.execute("SELECT id FROM instance FOR UPDATE")
        mouth.send("held")
        mouth.recv()


def _plain_address(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_another_process_holds_the_lock(
    impatient: None, make_place: MakePlace, office: PostOffice, enter: Enter
) -> None:
    place = make_place()
    enrollment = enter(place)
    case = trigger(enrollment, 0)
    before = content(enrollment)
    holder = Child(hold, place.settings.database_url)
    assert holder.hear() == "held"

    with pytest.raises(Unavailable, match=r"is busy; nothing was changed\. Try again in a moment\.") as refused:
        tell(enrollment, 0, "complete")
    assert refused.value.retry
    with pytest.raises(Unavailable, match="busy"):
        enrollment.engine.cases.cancel(case.id, "no", actor=STAFF)
    assert enrollment.engine.instance(case.id) == case, "who only reads is not held up"
    assert content(enrollment) == before

    holder.tell("let go")
    assert holder.ended()[0] == 0
    tell(enrollment, 0, "complete", "work")
    check(enrollment, 0, office)


@only_sqlite
def test_the_worker_outlives_a_locked_database(
    impatient: None, make_place: MakePlace, office: PostOffice, enter: Enter
) -> None:
    place = make_place()
    enrollment = enter(place)
    tell(enrollment, 0, "trigger", "complete")
    holder = Child(hold, place.settings.database_url)
    assert holder.hear() == "held"
    refused, sent = threading.Event(), threading.Event()
    event.listen(enrollment.engine.database.db, "handle_error", lambda _: refused.set())
    office.before_answer = sent.set
    worker = Worker(enrollment.engine)
    worker.start()
    assert refused.wait(PATIENCE_S)
    holder.tell("let go")
    assert holder.ended()[0] == 0
    worker.wake()
    assert sent.wait(PATIENCE_S)
    worker.stop(PATIENCE_S)
    check(enrollment, 0, office)


# F5: the database may not be written to, or is not there


def attempt(mouth: Connection, place: Place) -> None:
    """Trigger and read, as a user with limited rights; return the errors."""
    package = from_zip(to_zip(read_folder(PROCESS)))  # imports the last modules, while we may still read them
    parse_form(package.text("update-now.form"))
    compile_diagram(package)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    enrollment = place.open()
    for ask in (lambda: trigger(enrollment, 0), enrollment.engine.queries.instances):
        try:
            ask()
        except EngineError as error:
            mouth.send((type(error).__name__, error.message))
        else:
            mouth.send("fine")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everyone can access."""
    with tempfile.TemporaryDirectory(prefix="usher-faults-") as folder:
        yield Path(folder)


READ_ONLY = "The database is read-only; nothing was changed. Check the file's and the folder's permissions."
NOT_OPEN = "The database file cannot be opened. Check that its folder exists and may be written to."


@only_sqlite
@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "expected"),
    [
        pytest.param(0o777, 0o444, {READ_ONLY}, id="file"),
        pytest.param(0o555, 0o666, {READ_ONLY, NOT_OPEN}, id="folder"),
        pytest.param(0o555, 0o444, {READ_ONLY, NOT_OPEN}, id="both"),
        pytest.param(0o700, 0o666, {NOT_OPEN}, id="not ours"),
    ],
)
def test_read_only(
    folder_mode: int,
    file_mode: int,
    expected: set[str],
    make_place: MakePlace,
    open_folder: Path,
    enter: Enter,
    office: PostOffice,
) -> None:
    place = make_place()
    file = open_folder / "usher.db"
    shutil.move(str(make_url(place.settings.database_url).database), file)
    moved = replace(place, settings=replace(place.settings, database_url=f"sqlite:///{file}"))
    file.chmod(file_mode)
    open_folder.chmod(folder_mode)
    before = file.read_bytes()

    code, (wrote, _) = Child(attempt, moved).ended()
    assert code == 0
    assert wrote[0] == "Unavailable" and wrote[1] in expected, wrote
    assert file.read_bytes() == before

    open_folder.chmod(0o777)
    file.chmod(0o666)
    enrollment = enter(moved)
    tell(enrollment, 0, *CHAPTERS)
    check(enrollment, 0, office)


@only_sqlite
def test_the_folder_is_missing(make_place: MakePlace, tmp_path: Path, enter: Enter) -> None:
    place = make_place()
    away = replace(place.settings, database_url=f"sqlite:///{tmp_path / 'no' / 'such' / 'usher.db'}")
    with pytest.raises(Unavailable) as refused:
        trigger(enter(replace(place, settings=away)), 0)
    assert refused.value.message == NOT_OPEN
    assert not (tmp_path / "no").exists()


@only_sqlite
def test_a_file_that_is_no_database(make_place: MakePlace, tmp_path: Path, enter: Enter) -> None:
    place = make_place()
    other = tmp_path / "letter.txt"
    other.write_text("Dear Ada, this is a letter and no database.\n" * 100)
    away = replace(place.settings, database_url=f"sqlite:///{other}")
    with pytest.raises(Unavailable, match="is not a database"):
        trigger(enter(replace(place, settings=away)), 0)
    assert other.read_text().startswith("Dear Ada")


# F7: PostgreSQL refuses, is stopped, and comes back


@only_postgres
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"username": "usher_locked", "password": "wrong"}, "refuses the log-in"),
        ({"database": "usher_nowhere"}, "no database of this name"),
        ({"username": "usher_stranger"}, "refuses the log-in"),
    ],
)
def test_postgres_does_not_let_us_in(
    change: dict[str, str], message: str, make_place: MakePlace, postgres_server: Any, enter: Enter
) -> None:
    place = make_place()
    with _password_wanted(postgres_server, "usher_locked"):
        url = make_url(place.settings.database_url).set(**change).render_as_string(hide_password=False)
        enrollment = enter(replace(place, settings=replace(place.settings, database_url=url)))
        with pytest.raises(Unavailable, match=message) as refused:
            trigger(enrollment, 0)
    assert "wrong" not in refused.value.message


@contextlib.contextmanager
def _password_wanted(server: Any, role: str) -> Iterator[None]:
    """Let *role* in with its password only."""
    rules = server.pgdata / "pg_hba.conf"
    before = rules.read_text()
    server.psql(f"CREATE ROLE {role} LOGIN PASSWORD 'the right one';")
    rules.write_text(f"local all {role} scram-sha-256\n{before}")
    server.psql("SELECT pg_reload_conf();")
    try:
        yield
    finally:
        rules.write_text(before)
        server.psql(f"SELECT pg_reload_conf(); DROP ROLE {role};")


@only_postgres
def test_postgres_is_stopped_inside_a_transaction(
    make_place: MakePlace, postgres_server: Any, office: PostOffice, enter: Enter
) -> None:
    place = make_place()
    enrollment = enter(place)
    tell(enrollment, 0, "trigger")
    before = content(enrollment)
    database = enrollment.engine.database

    def stop(connection: Any) -> None:
        server = postgres_server.get_postmaster_info().process
        if server.is_running() and connection.get_execution_options().get("usher_write"):
            server.send_signal(signal.SIGQUIT)  # pg_ctl stop -m immediate
            server.wait(10)

    event.listen(database.db, "commit", stop)
    try:
        with pytest.raises(Unavailable, match="connection to the database was lost"):
            tell(enrollment, 0, "complete")
        with pytest.raises(Unavailable, match="cannot be reached"):
            enrollment.engine.inbox.tasks()
    finally:
        event.remove(database.db, "commit", stop)
        postgres_server.ensure_postgres_running()
    assert content(enrollment) == before
    tell(enrollment, 0, *CHAPTERS)
    check(enrollment, 0, office)


@only_postgres
def test_the_worker_outlives_a_postgres_that_is_away_for_long(
    make_place: MakePlace, postgres_server: Any, office: PostOffice, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than connections are waited for, so that Procrastinate's own workers end: they are begun again."""
    monkeypatch.setattr(procrastinate_worker, "CONNECT_S", 1.0)
    monkeypatch.setattr(procrastinate_worker, "LONGEST_PAUSE_S", 2.0)
    said: list[str] = []
    monkeypatch.setattr(procrastinate_worker.log, "warning", lambda text, *_: said.append(text))
    enrollment = enter(make_place(), clock=utc_now)
    worker = open_queue(enrollment.engine)
    worker.start()
    try:
        tell(enrollment, 0, "trigger")
        server = postgres_server.get_postmaster_info().process
        server.send_signal(signal.SIGQUIT)
        server.wait(10)
        until = time.monotonic() + PATIENCE_S
        while said.count("the queue cannot be reached") < 2 and time.monotonic() < until:
            time.sleep(0.1)
        assert said.count("the queue cannot be reached") >= 2
        postgres_server.ensure_postgres_running()
        tell(enrollment, 0, "complete")
        while any(enrollment.engine.queries.counts()["jobs"].values()) and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        postgres_server.ensure_postgres_running()
        worker.stop()
    check(enrollment, 0, office)
