"""`usher case`: ways out for one case, for people who run Usher."""

from __future__ import annotations

import click
from usher_engine.cases import Repaired

from .cases import tell
from .opening import acting, as_json, open_usher, say


@click.group()
def case() -> None:
    """Try again, repair or end a case that cannot go on."""


@case.command()
@click.argument("instance")
@click.option("--reason", required=True, help="Why; it is kept in the history of the case.")
@click.option("--as", "user", help="Account that cancels it.")
@as_json
def cancel(instance: str, reason: str, user: str | None, machine: bool) -> None:
    """End the case INSTANCE before its end, also one whose stored state cannot be read."""
    enrollment, accounts = open_usher()
    tell(enrollment.engine.cases.cancel(instance, reason, actor=acting(accounts, user)), machine)


@case.command()
@click.argument("instance")
@click.option("--as", "user", help="Account that tries it again.")
@as_json
def retry(instance: str, user: str | None, machine: bool) -> None:
    """Try again what stopped the case INSTANCE: close its incidents and make its parked jobs due at once."""
    enrollment, accounts = open_usher()
    tell(enrollment.engine.cases.retry(instance, actor=acting(accounts, user)), machine)


@case.command()
@click.argument("instance")
@click.option("--dry-run", is_flag=True, help="Only say what would be; nothing is written.")
@click.option("--as", "user", help="Administrator who repairs it.")
@as_json
def repair(instance: str, dry_run: bool, user: str | None, machine: bool) -> None:
    """Replace the stored state of the case INSTANCE by what its history leads to, and let the case go on."""
    enrollment, accounts = open_usher()
    done = enrollment.engine.repairs.repair(instance, actor=acting(accounts, user), dry_run=dry_run)
    if machine:
        after = done.instance
        found = {"parted": done.parted, "opened": list(done.opened), "closed": list(done.closed), "dry_run": dry_run}
        at = list(after.at)
        say({"instance": after.id, "revision": after.revision, "status": after.status, "at": at, **found})
        return
    for line in _found(done, dry_run=dry_run):
        click.echo(line)
    if not dry_run:
        tell(done.instance, machine=False)


def _found(done: Repaired, *, dry_run: bool) -> list[str]:
    """What a repair found and did, in words."""
    told = ["Nothing was written; this is what a repair would do." if dry_run else "The case was repaired."]
    if done.parted:
        told.append(f"From step {done.parted} on, the diagram leads another way than the history says.")
    else:
        told.append("The diagram leads the way the history says; only the stored state is replaced.")
    told += [f"Opened: {', '.join(done.opened)}."] if done.opened else []
    told += [f"Closed: {', '.join(done.closed)}."] if done.closed else []
    return told
