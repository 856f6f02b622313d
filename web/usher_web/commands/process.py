"""`usher process`: pause a process for everybody, and resume it."""

from __future__ import annotations

from typing import Any

import click
from usher_engine.authoring import EVERY, Pause

from .opening import acting, as_json, open_usher, print_json

version_option = click.option("--version", type=click.IntRange(min=1), help="This version only; default: all of them.")
reason_option = click.option("--reason", required=True, help="Why; people who meet the pause read it.")
as_option = click.option("--as", "user", help="Account of the administrator.")


@click.group()
def process() -> None:
    """Pause and resume processes."""


@process.command()
@click.argument("key")
@version_option
@reason_option
@as_option
@as_json
def pause(key: str, version: int | None, reason: str, user: str | None, machine: bool) -> None:
    """Pause the process KEY: no case begins, and its automatic work waits."""
    enrollment, accounts = open_usher()
    made = enrollment.engine.pauses.pause(key, reason, actor=acting(accounts, user), version=version or EVERY)
    if machine:
        print_json(_shape(made))
    else:
        click.echo(f"{made.what} is paused.")


@process.command()
@click.argument("key")
@version_option
@reason_option
@as_option
@as_json
def resume(key: str, version: int | None, reason: str, user: str | None, machine: bool) -> None:
    """End a pause of the process KEY; the work that waited is done now."""
    enrollment, accounts = open_usher()
    freed = enrollment.engine.pauses.resume(key, reason, actor=acting(accounts, user), version=version or EVERY)
    if machine:
        print_json({"process": key, "version": version, "jobs": freed})
    else:
        click.echo(f"It goes on. Jobs that were held back and are due now: {freed}.")


@process.command("list")
@as_json
def list_paused(*, machine: bool) -> None:
    """List the pauses."""
    enrollment, _ = open_usher()
    paused = enrollment.engine.pauses.all()
    if machine:
        print_json([_shape(one) for one in paused])
        return
    for one in paused:
        click.echo(one.words(enrollment.engine.settings.calendar))
    click.echo(f"{len(paused)} paused.")


def _shape(pause: Pause) -> dict[str, Any]:
    version = None if pause.version == EVERY else pause.version
    facts = {"at": pause.at.isoformat(), "by": pause.by, "reason": pause.reason}
    return {"process": pause.process, "version": version, **facts}
