"""Shared by all commands: Usher's parts on the configured database, and how answers are printed."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any

import click
from usher_engine import Actor, Misconfigured, Settings
from usher_engine.accounts import Accounts
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.store.schema import require_current

#: The actor of a command without --as.
OPERATOR = Actor(name="command line", role="system")

as_json = click.option("--json", "machine", is_flag=True, help="Answer in JSON, for programs.")


def read_settings() -> Settings:
    """The settings of this environment; a command other than serve works without a secret of its own only in memory."""
    return Settings.from_environment(os.environ)


def local(at: datetime) -> datetime:
    """*at* as the practice's clock shows it."""
    return read_settings().calendar.local(at)


def open_usher(settings: Settings | None = None) -> tuple[Enrollment, Accounts]:
    """The domain (with its engine) and the accounts, on a database whose schema is current."""
    settings = settings or read_settings()
    if not settings.secret_key:
        raise Misconfigured("USHER_SECRET_KEY is not set; the stored cases are sealed with it.")
    enrollment = open_enrollment(settings)
    require_current(enrollment.engine.database)
    engine = enrollment.engine
    return enrollment, Accounts.of(engine.database, engine.clock, settings)


def acting(accounts: Accounts, name: str | None) -> Actor:
    """The account called *name* as an actor, or the operator at this shell."""
    if name is None:
        return OPERATOR
    account = accounts.user(name)
    if account.disabled:
        raise click.UsageError(f"The account {name} is disabled.")
    return Actor(name=account.name, role=account.role.value, groups=account.groups, by_program=True)


def parse_data(text: str, option: str = "--data") -> dict[str, Any]:
    """A JSON object given on the command line; anything else is a usage error that names the place."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{option} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"{option} must be a JSON object, for example '{{\"patient_id\": \"p1\"}}'.")
    return value


def print_json(value: Any) -> None:
    """Print *value* as one indented JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
