"""`usher purge`: list or purge cases past the retention period; the proof stays."""

from __future__ import annotations

from datetime import date, datetime

import click
from usher_engine.assurance import Plan

from .opening import acting, as_json, open_usher, print_json, read_settings


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be purged, and what is kept and why.")
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), help="Only cases that ended before this day.")
@click.option("--as", "user", help="Account of the administrator who purges.")
@as_json
def purge(*, dry_run: bool, before: datetime | None, user: str | None, machine: bool) -> None:
    """Empty ended cases older than USHER_RETENTION_YEARS and under no legal hold; their proof is kept."""
    settings = read_settings()
    enrollment, accounts = open_usher(settings)
    actor, day = acting(accounts, user), before.date() if before else None
    plan = enrollment.retention.plan(day)
    if dry_run:
        _print_plan(plan, settings.calendar.day_of(plan.before), machine)
        return
    done = enrollment.retention.purge(day, actor=actor, vacuum=True)
    if machine:
        print_json({"before": done.before.isoformat(), "purged": done.purged, "kept": dict(done.left)})
        return
    last = settings.calendar.day_of(done.before)
    click.echo(f"{done.purged} cases that ended before {last} were purged; their proof is kept.")
    for reason, number in done.left.items():
        click.echo(f"{number} kept: {reason}.")
    if done.purged and not done.traces_removed:
        click.echo("Somebody reads the database just now: its log file still holds what was purged. Purge once more.")


def _print_plan(plan: Plan, before: date, machine: bool) -> None:
    kept = {"under a legal hold": plan.held, "not signed yet": plan.unsigned}
    if machine:
        print_json({"before": plan.before.isoformat(), "purgeable": plan.purgeable, "kept": kept})
        return
    click.echo(f"{plan.purgeable} cases that ended before {before} would be purged. Nothing was changed.")
    for reason, number in kept.items():
        if number:
            click.echo(f"{number} kept: {reason}.")
