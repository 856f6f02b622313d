"""`usher case`: ways out for one case, for whoever runs Usher."""

from __future__ import annotations

import click

from .cases import tell
from .opening import acting, as_json, open_usher


@click.group()
def case() -> None:
    """Try a case that is stopped again, or end it."""


@case.command()
@click.argument("instance")
@click.option("--reason", required=True, help="Why; it is kept in the history of the case.")
@click.option("--as", "user", help="Account that cancels it.")
@as_json
def cancel(instance: str, reason: str, user: str | None, machine: bool) -> None:
    """End the case INSTANCE before its end, also one whose stored state cannot be read."""
    enrollment, accounts = open_usher()
    tell(enrollment.engine.cancel(instance, reason, actor=acting(accounts, user)), machine)


@case.command()
@click.argument("instance")
@click.option("--as", "user", help="Account that tries it again.")
@as_json
def retry(instance: str, user: str | None, machine: bool) -> None:
    """Try again what stopped the case INSTANCE: its incidents are closed, what is parked is due at once."""
    enrollment, accounts = open_usher()
    tell(enrollment.engine.retry(instance, actor=acting(accounts, user)), machine)
