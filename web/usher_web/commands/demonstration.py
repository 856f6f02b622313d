"""`usher demo`: all on one machine, with sample patients and people, and a mail catcher instead of a mail server."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from usher_engine import Conflict, Database, Settings, Worker
from usher_engine.accounts import Accounts, Role
from usher_engine.checkpoints import Checkpointer
from usher_engine.core import Deadlines
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Enrollment, MinuteWatch
from usher_engine.setting_values import DEMO
from usher_engine.settings import variable
from usher_engine.store.schema import upgrade

from usher_web.demo.sample_past import DAYS, live_through
from usher_web.demo.sample_patients import add_samples

from ..app import create_app
from ..assets import bundled_package
from ..server import answer
from .listening import PORT, bind_socket
from .opening import OPERATOR, open_usher, read_settings
from .supervision import Lifeline, watch

if TYPE_CHECKING:
    from ..demo.mail_catcher import MailCatcher

PEOPLE = (
    ("alice", Role.STAFF, "works the inbox of the front desk"),
    ("bob", Role.STAFF, "her colleague"),
    ("ana", Role.ANALYST, "changes the process"),
    ("abe", Role.ANALYST, "her colleague, who signs off"),
    ("audrey", Role.AUDITOR, "reads every case"),
    ("adam", Role.ADMIN, "keeps people, tokens and triggers"),
)

NO_CATCHER = "The demo's mail catcher is not installed. Run: pip install 'usher-flow[demo]'"


@click.command()
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--folder",
    default=".usher",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where it keeps its data.",
)
@click.option("--fresh", is_flag=True, help="Forget what an earlier demo left in the folder.")
def demo(port: int, folder: Path, *, fresh: bool) -> None:
    """Run everything on this machine, with sample patients, people and a mail catcher."""
    given = read_settings()
    listening = bind_socket("127.0.0.1", port)
    catcher = _catcher()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if fresh:
        for left in (*folder.glob("demo.db*"), *folder.glob("checkpoints.jsonl")):
            left.unlink()
    settings, ignored = demo_settings(given, folder, port, catcher.port)
    for name in ignored:
        click.echo(f"{name} is set, but the demo uses a value of its own.", err=True)
    upgrade(Database(settings.database_url))
    enrollment, accounts = open_usher(settings)
    password = _password(settings.secret_key)
    _fill(enrollment, accounts, settings, password)
    app = create_app(enrollment.engine, enrollment, accounts, settings, outbox=catcher)
    deadlines = Deadlines(enrollment.engine.database.interrupt)
    running = Worker(enrollment.engine, deadlines)
    checkpoints = Checkpointer(enrollment.engine.database, settings, enrollment.engine.clock)
    catcher.start()
    running.start()
    checkpoints.start()
    minutes = MinuteWatch(enrollment)
    minutes.start()
    watch(Lifeline(pipe=None), deadlines, settings)  # without a supervisor: only this process holds the caught mail
    click.echo(_welcome(settings.base_url, password))
    try:
        answer(app, listening, settings, deadlines)
    finally:
        minutes.stop()
        checkpoints.stop()
        running.stop()
        catcher.stop()


def _catcher() -> MailCatcher:
    """The demo's mail server. Only the demo needs aiosmtpd, so it is an extra, and is imported here."""
    try:
        from ..demo.mail_catcher import MailCatcher  # noqa: PLC0415 see above
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "aiosmtpd":
            raise
        raise click.ClickException(NO_CATCHER) from None
    return MailCatcher(lambda: datetime.now(UTC))


def demo_settings(given: Settings, folder: Path, port: int, mail_port: int) -> tuple[Settings, list[str]]:
    """*given*, with what makes a demo of it; and the variables that were set and cannot hold in a demo."""
    suggested: dict[str, Any] = {
        "practice_name": "Sample Clinic",
        "practice_contact": "Front desk, 555 0100",
        "mail_from": "portal@clinic.example.org",
        "job_backoff_s": 5,
        "session_idle_minutes": 240,
    }
    own: dict[str, Any] = {
        "env": "development",
        "secret_key": _secret(folder / "secret"),
        "database_url": f"sqlite:///{folder.resolve() / 'demo.db'}",
        "base_url": f"http://127.0.0.1:{port}",
        "trusted_hosts": "",
        "proxies": 0,
        "smtp_host": "127.0.0.1",
        "smtp_port": mail_port,
        "smtp_security": "none",
        "smtp_user": "",
        "smtp_password": "",
        "checkpoint_file": str(folder / "checkpoints.jsonl"),
        "signing_key_file": str(folder / "signing-key.pem"),
    }
    given_values = {f.name: getattr(given, f.name) for f in fields(Settings) if getattr(given, f.name) != f.default}
    ignored = [variable(name) for name, value in own.items() if given_values.get(name, value) != value]
    return Settings(**{**suggested, **given_values, **own}), ignored


def _secret(file: Path) -> str:
    """The demo's own secret, generated at its first start and readable only by its owner."""
    if not file.exists():
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w") as opened:
            opened.write(DEMO + secrets.token_urlsafe(48))
    return file.read_text().strip()


def _password(secret: str) -> str:
    """The password of the sample people; it differs on every machine, so no two installations share a known one."""
    digest = hashlib.sha256(f"demo password|{secret}".encode()).hexdigest()
    return f"demo-{digest[:4]}-{digest[4:8]}"


def _fill(enrollment: Enrollment, accounts: Accounts, settings: Settings, password: str) -> None:
    """Add sample people, patients, half a year of cases, and the processes; existing data stays as it is."""
    engine = enrollment.engine
    now = engine.clock()
    add_samples(engine.database, enrollment.registry, now, since=now - timedelta(days=DAYS + 1))
    package = read_folder(bundled_package())
    if not engine.versions.all(package.key):
        with click.progressbar(length=100, label="Living through half a year", file=sys.stderr) as bar:
            live_through(settings, package, engine.clock(), lambda day, of: bar.update(day * 100 // of - bar.pos))
    for shipped in (package, read_folder(bundled_package("reminder"))):
        versions = engine.versions.all(shipped.key)
        if not versions or versions[0].hash != shipped.hash:
            engine.deploy(shipped, actor=OPERATOR, note="from the demo")
    for name, role, _ in PEOPLE:  # after the past, so that the audit events stand in the order of their times
        with contextlib.suppress(Conflict):
            accounts.add_user(name, password, role=role, by=OPERATOR.name)


def _welcome(address: str, password: str) -> str:
    people = "\n".join(f"    {name:<8}{role.value:<9}{about}" for name, role, about in PEOPLE)
    return f"""
Usher is at {address}

Sign in as one of these; the password of all is  {password}

{people}

Mail that would be sent is at {address}/demo/outbox
Stop with Ctrl+C.
"""
