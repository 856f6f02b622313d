"""`usher process`: pause what runs for everybody, and let it go on."""

from __future__ import annotations

from typing import Any

import click
from usher_engine.authoring import EVERY, Pause

from .opening import acting, as_json, open_usher, say

version_option = click.option("--version", type=click.IntRange(min=1), help="This version only; without, all of them.")
reason_option = click.option("--reason", required=True, help="Why; people who meet the pause read it.")
as_option = click.option("--as", "user", help="Account of the administrator.")


@click.group()
def process() -> None:
    """Pause a process, and let it go on."""


@process.command()
@click.argument("key")
@version_option
@reason_option
@as_option
@as_json
def pause(key: str, version: int | None, reason: str, user: str | None, machine: bool) -> None:
    """Let no case of the process KEY begin, and hold back what its cases would do by themselves."""
    enrollment, accounts = open_usher()
    made = enrollment.engine.pauses.pause(key, reason, actor=acting(accounts, user), version=version or EVERY)
    if machine:
        say(_shape(made))
    else:
        click.echo(f"{made.what} is paused.")


@process.command()
@click.argument("key")
@version_option
@reason_option
@as_option
@as_json
def resume(key: str, version: int | None, reason: str, user: str | None, machine: bool) -> None:
    """End a pause of the process KEY; what was held back is done now."""
    enrollment, accounts = open_usher()
    freed = enrollment.engine.pauses.resume(key, reason, actor=acting(accounts, user), version=version or EVERY)
    if machine:
        say({"process": key, "version": version, "jobs": freed})
    else:
        click.echo(f"It goes on. Jobs that were held back and are due now: {freed}.")


@process.command("list")
@as_json
def list_paused(*, machine: bool) -> None:
    """What is paused."""
    enrollment, _ = open_usher()
    paused = enrollment.engine.pauses.every()
    if machine:
        say([_shape(one) for one in paused])
        return
    for one in paused:
        click.echo(one.words)
    click.echo(f"{len(paused)} paused.")


def _shape(pause: Pause) -> dict[str, Any]:
    version = None if pause.version == EVERY else pause.version
    said = {"at": pause.at.isoformat(), "by": pause.by, "reason": pause.reason}
    return {"process": pause.process, "version": version, **said}
