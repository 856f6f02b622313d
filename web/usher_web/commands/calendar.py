"""`usher calendar`: the practice's working days and holidays, at a shell."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click
from usher_engine.authoring import WEEK
from usher_engine.core import WorkingDays

from .opening import acting, as_json, open_usher, print_json

DAY = click.DateTime(["%Y-%m-%d"])
as_option = click.option("--as", "user", help="Account of the administrator.")


@click.group()
def calendar() -> None:
    """The practice's working days, by which due dates in working days count."""


@calendar.command()
@as_json
def show(*, machine: bool) -> None:
    """Show the working days of the week and the holidays."""
    enrollment, _ = open_usher()
    _print(enrollment.engine.working_calendar.working_days(), machine=machine)


@calendar.command()
@click.argument("days", nargs=-1, required=True, type=click.Choice(WEEK, case_sensitive=False))
@as_option
def week(days: tuple[str, ...], user: str | None) -> None:
    """Work on DAYS of the week, and on no others."""
    enrollment, accounts = open_usher()
    numbers = [WEEK.index(name) for name in days]
    _print(enrollment.engine.working_calendar.set_weekdays(numbers, actor=acting(accounts, user)), machine=False)


@calendar.command()
@click.argument("day", type=DAY)
@click.argument("name")
@as_option
def add(day: datetime, name: str, user: str | None) -> None:
    """Make DAY, like 2026-12-24, a holiday called NAME."""
    enrollment, accounts = open_usher()
    enrollment.engine.working_calendar.add_holiday(day.date(), name, actor=acting(accounts, user))
    click.echo(f"{day:%Y-%m-%d} is a holiday.")


@calendar.command()
@click.argument("day", type=DAY)
@as_option
def remove(day: datetime, user: str | None) -> None:
    """Make DAY no holiday any more."""
    enrollment, accounts = open_usher()
    enrollment.engine.working_calendar.remove_holiday(day.date(), actor=acting(accounts, user))
    click.echo(f"{day:%Y-%m-%d} is no holiday any more.")


@calendar.command("us-federal")
@click.argument("year", type=int)
@as_option
def us_federal(year: int, user: str | None) -> None:
    """Add the holidays of the US federal government in YEAR, with the days on which they are observed."""
    enrollment, accounts = open_usher()
    added = enrollment.engine.working_calendar.add_us_federal(year, actor=acting(accounts, user))
    click.echo(f"{added} days were added.")


def _print(working: WorkingDays, *, machine: bool) -> None:
    days, holidays = [WEEK[number] for number in sorted(working.weekdays)], sorted(working.holidays.items())
    if machine:
        print_json({"week": days, "holidays": [_shape(day, name) for day, name in holidays]})
        return
    click.echo(f"The practice works on {', '.join(days)}.")
    for day, name in holidays:
        click.echo(f"{day.isoformat()}\t{name}")


def _shape(day: date, name: str) -> dict[str, Any]:
    return {"day": day.isoformat(), "name": name}
