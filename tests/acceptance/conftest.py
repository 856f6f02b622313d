"""The whole product without a browser: application, worker and a postbox, with the cast and the sample patients."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from acceptance.described import Watch
from argon2 import PasswordHasher
from conftest import ROOT, SECRET, Clock
from databases import new_sqlite
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from usher_engine import SYSTEM, Settings, Worker
from usher_engine.accounts import Accounts, Role
from usher_engine.accounts.passwords import Passwords
from usher_engine.core.errors import ServiceError
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.forms import parse_form
from usher_engine.store import Database
from usher_web.app import create_app
from usher_web.demo.sample_patients import add_samples
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

PASSWORD = "a password for tests"
CAST = {
    "alice": (Role.STAFF, ()),
    "bob": (Role.STAFF, ()),
    "charlie": (Role.STAFF, ("Billing",)),
    "ana": (Role.ANALYST, ()),
    "audrey": (Role.AUDITOR, ()),
    "adam": (Role.ADMIN, ()),
}
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
CSRF = re.compile(r'data-csrf="([0-9a-f]*)"')


@dataclass
class Postbox:
    """Stands for the mail server."""

    mails: list[EmailMessage] = field(default_factory=list)
    down: bool = False

    def __call__(self, message: EmailMessage) -> None:
        if self.down:
            raise ServiceError("The mail server does not answer.", retry=True)
        self.mails.append(message)

    @property
    def link(self) -> str:
        """The path of the link in the newest mail."""
        return self._found(r"/i/[\w-]+(?=\s)")

    @property
    def confirmation(self) -> str:
        """The path of the link in the newest mail, which asks to confirm an address."""
        return self._found(r"/profile/email/[\w-]+(?=\s)")

    def _found(self, link: str) -> str:
        body = self.mails[-1].get_body(("plain",))
        assert body is not None
        found = re.search(link, body.get_content())
        assert found is not None
        return found.group()


class Visitor:
    """A person at a browser: keeps cookies, sends the page's CSRF token, follows redirects."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.csrf = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._seen(self.client.get(path, follow_redirects=True, **options))

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        sent = {"csrf_token": self.csrf, **(data or {})}
        return self._seen(self.client.post(path, data=sent, follow_redirects=True, **options))

    def sign_in(self, name: str) -> Visitor:
        answer = self.post("/sign-in", {"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return self

    def _seen(self, answer: TestResponse) -> TestResponse:
        found = CSRF.search(answer.text) if answer.mimetype == "text/html" else None
        self.csrf = found.group(1) if found else self.csrf
        return answer


def typed(zip_code: str, birth_date: str) -> dict[str, str]:
    """The identity form as it is sent; *birth_date* is ISO 8601."""
    year, month, day = birth_date.split("-")
    return {"zip_code": zip_code, "birth_year": year, "birth_month": month, "birth_day": day}


@dataclass
class House:
    app: Flask
    enrollment: Enrollment
    accounts: Accounts
    worker: Worker
    postbox: Postbox
    clock: Clock

    def visitor(self, name: str | None = None) -> Visitor:
        visitor = Visitor(self.app.test_client())
        return visitor.sign_in(name) if name else visitor

    def token(self, role: Role = Role.STAFF, name: str = "ehr", groups: tuple[str, ...] = ()) -> dict[str, str]:
        secret = self.accounts.add_token(name, role=role, groups=groups, by="test")
        return {"Authorization": f"Bearer {secret}"}

    def select(self, patient: str, visitor: Visitor | None = None) -> TestResponse:
        """Select the trigger for *patient* as staff do."""
        return (visitor or self.visitor("alice")).post(
            f"/patients/{patient}/trigger",
            {"template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"},
        )

    def newest_task(self) -> str:
        return self.enrollment.engine.inbox.tasks(limit=200)[-1].id

    def form_of(self, task: str) -> dict[str, str]:
        """The task's form as a browser would send it untouched."""
        engine = self.enrollment.engine
        found = engine.inbox.task(task)
        form = parse_form(engine.queries.package_of(found.instance).text(found.form))
        return {one.key: str(found.initial.get(one.key, "")) for one in form.fields}

    def known_of(self, patient: str) -> dict[str, str]:
        """ZIP code and date of birth on record."""
        fields = self.enrollment.patient(patient).fields(self.clock(), self.enrollment.settings)
        return {"zip_code": fields["zip_code"], "birth_date": fields["birth_date"]}

    def identity_of(self, patient: str) -> dict[str, str]:
        """What the patient types to identify."""
        known = self.known_of(patient)
        return typed(known["zip_code"], known["birth_date"])


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the cast, the sample patients and the enrolment; made once, every test gets a copy."""
    folder, clock = tmp_path_factory.mktemp("furnished"), Clock()
    settings = Settings(env="development", mail_hold=0, secret_key=SECRET, database_url=new_sqlite(folder))
    database = Database(settings.database_url)
    enrollment = open_enrollment(settings, clock=clock, database=database)
    accounts = Accounts(database, clock, passwords=CHEAP)
    for name, (role, groups) in CAST.items():
        accounts.add_user(name, PASSWORD, role=role, groups=groups, by="test")
    add_samples(database, enrollment.registry, clock())
    enrollment.engine.deploy(read_folder(ROOT / "processes" / "enrollment"), actor=SYSTEM)
    database.close()
    return folder / "usher.db"


@pytest.fixture
def database_url(tmp_path: Path, furnished: Path) -> str:
    """The web has no SQL of its own: one kind of database is enough here."""
    return f"sqlite:///{shutil.copy(furnished, tmp_path / 'usher.db')}"


@pytest.fixture(scope="session")
def compiled_pages(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once, not by the application of every test."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("pages")))


@pytest.fixture(scope="session", autouse=True)
def compiled_routes() -> Iterator[None]:
    """Werkzeug writes two functions for each route of an application: most of its cost, and always the same ones."""
    known: dict[tuple[str, bool], Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder

    def remembered(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (repr(rule._trace), append_unknown)
        if key not in known:
            known[key] = compile_builder(rule, append_unknown)
        return known[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Rule, "_compile_builder", remembered)
        yield


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Every test that asks the API holds its answers against the description."""
    watch = Watch()
    yield watch
    assert watch.faults == []


@pytest.fixture
def make_house(
    clock: Clock, database: Database, postbox: Postbox, compiled_pages: FileSystemBytecodeCache, watch: Watch
) -> Callable[[Settings], House]:
    def make(chosen: Settings) -> House:
        enrollment = open_enrollment(chosen, clock=clock, send_mail=postbox, database=database)
        accounts = Accounts(database, clock, passwords=CHEAP)
        app = create_app(enrollment.engine, enrollment, accounts, chosen)
        app.jinja_env.bytecode_cache = compiled_pages
        watch.over(app)
        return House(app, enrollment, accounts, Worker(enrollment.engine), postbox, clock)

    return make


@pytest.fixture
def house(make_house: Callable[[Settings], House], settings: Settings) -> House:
    return make_house(settings)
