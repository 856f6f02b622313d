"""`usher backtest`: recorded cases on a draft or on another version."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from usher_engine.cases import CaseSelection
from usher_engine.definitions import read_folder
from usher_engine.reexecution import Backtested, Compared
from usher_engine.store import to_text

from .opening import as_json, open_usher, print_json, read_settings

STATUSES = ("waiting", "finished", "incident", "cancelled")
day = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("process")
@click.option("--draft", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of the draft.")
@click.option("--version", "number", type=int, help="A deployed version instead of a draft.")
@click.option("--from", "since", type=day, help="Only cases started on this day or later.")
@click.option("--to", "until", type=day, help="Only cases started on this day or earlier (UTC).")
@click.option("--status", type=click.Choice(STATUSES), help="Only cases with this status.")
@click.option("--outcome", default="", help="Only cases that ended at this end event.")
@click.option("--limit", type=click.IntRange(1), help="Only this many of the newest cases.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; default: one for each core.")
@as_json
def backtest(
    *,
    process: str,
    draft: Path | None,
    number: int | None,
    since: datetime | None,
    until: datetime | None,
    status: str | None,
    outcome: str,
    limit: int | None,
    jobs: int | None,
    machine: bool,
) -> None:
    """Run recorded cases of PROCESS on a draft, with all services off; exit 1 when any does not go the same way."""
    if (draft is None) == (number is None):
        raise click.UsageError("Say on what: --draft FOLDER, or --version N.")
    settings = read_settings()
    engine, calendar = open_usher(settings)[0].engine, settings.calendar
    engine.versions.package(process)  # reports an unknown process before anything else
    package = read_folder(draft) if draft else engine.versions.package(process, number)
    chosen = CaseSelection(
        process=process,
        since=to_text(calendar.begin_of(since.date())) if since else "",
        until=to_text(calendar.begin_of(until.date() + timedelta(days=1))) if until else "",
        status=status or "",
        outcome=outcome,
        limit=limit or 0,
    )
    result = engine.backtests.run(package, chosen, jobs=jobs or os.cpu_count() or 1, progress=_progress)
    if machine:
        print_json(_as_json(result))
    else:
        _print_result(result)
    if result.others:
        raise SystemExit(1)


def _progress(done: int, of: int, _last: str) -> None:
    click.echo(f"{done} of {of} cases", err=True)


def _as_json(result: Backtested) -> dict[str, Any]:
    counts = {kind.value: number for kind, number in result.counts.items()}
    first = [_case_as_json(compared) for compared in result.others]
    return {"cases": result.cases, **counts, "other_data": result.other_data, "first": first}


def _case_as_json(compared: Compared) -> dict[str, Any]:
    return {
        "instance": compared.instance,
        "element": compared.element,
        "kind": compared.kind.value,
        "recorded_element": compared.recorded_element,
        "message": compared.message,
        "recorded_end": compared.recorded.end,
        "draft_end": compared.draft.end,
    }


def _print_result(result: Backtested) -> None:
    for one in result.others:
        element = f" (element {one.element})" if one.element else ""
        click.echo(f"Case {one.instance}: {one.message}{element}")
    counts = ", ".join(f"{number} {WORDS[kind.value]}" for kind, number in result.counts.items() if number)
    click.echo(f"{result.cases} cases: {counts or 'none was chosen'}.")
    if result.other_data:
        click.echo(f"{result.other_data} of those on the same way end with other data.")


WORDS = {
    "same": "take the same way",
    "different": "take another way",
    "needs_answer": "need an answer nobody gave",
    "failed": "would fail",
    "not_comparable": "cannot be compared",
}
