"""`usher case`: ways out for one case, for people who run Usher."""

from __future__ import annotations

import click
from usher_engine.cases import Repaired

from .cases import print_case
from .opening import acting, as_json, open_usher, print_json


@click.group()
def case() -> None:
    """Try again, repair or end a case that cannot go on."""


@case.command()
@click.argument("instance")
@click.option("--reason", required=True, help="Why; the history of the case keeps it.")
@click.option("--as", "user", help="Account that cancels it.")
@as_json
def cancel(instance: str, reason: str, user: str | None, machine: bool) -> None:
    """End the case INSTANCE before its end, also one whose stored state cannot be read."""
    enrollment, accounts = open_usher()
    print_case(enrollment.engine.cases.cancel(instance, reason, actor=acting(accounts, user)), machine)


@case.command()
@click.argument("instance")
@click.option("--as", "user", help="Account that tries it again.")
@as_json
def retry(instance: str, user: str | None, machine: bool) -> None:
    """Try again what stopped the case INSTANCE: close its incidents and make its parked jobs due at once."""
    enrollment, accounts = open_usher()
    print_case(enrollment.engine.cases.retry(instance, actor=acting(accounts, user)), machine)


@case.command()
@click.argument("instance")
@click.option("--dry-run", is_flag=True, help="Only show what would be done; write nothing.")
@click.option("--as", "user", help="Administrator who repairs it.")
@as_json
def repair(instance: str, dry_run: bool, user: str | None, machine: bool) -> None:
    """Rebuild the stored state of the case INSTANCE from its history, and let the case go on."""
    enrollment, accounts = open_usher()
    done = enrollment.engine.repairs.repair(instance, actor=acting(accounts, user), dry_run=dry_run)
    if machine:
        after = done.instance
        found = {"parted": done.parted, "opened": list(done.opened), "closed": list(done.closed), "dry_run": dry_run}
        at = list(after.at)
        print_json({"instance": after.id, "revision": after.revision, "status": after.status, "at": at, **found})
        return
    for line in _repair_lines(done, dry_run=dry_run):
        click.echo(line)
    if not dry_run:
        print_case(done.instance, machine=False)


def _repair_lines(done: Repaired, *, dry_run: bool) -> list[str]:
    """Lines that describe what a repair found and did."""
    lines = ["Nothing was written; this is what a repair would do." if dry_run else "The case was repaired."]
    if done.parted:
        lines.append(f"From step {done.parted} on, the diagram leads another way than the history says.")
    else:
        lines.append("The diagram leads the way the history says; only the stored state is replaced.")
    lines += [f"Opened: {', '.join(done.opened)}."] if done.opened else []
    lines += [f"Closed: {', '.join(done.closed)}."] if done.closed else []
    return lines
