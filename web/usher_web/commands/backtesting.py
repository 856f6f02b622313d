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

from .. import strict_json
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
@click.option(
    "--assume",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file: what to assume where the record has no answer, as “questions” of --json lists it.",
)
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
    assume: Path | None,
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
    engine.backtests.require_fit(package, process)
    assumptions = engine.backtests.assumptions(_read_json(assume), package) if assume else ()
    result = engine.backtests.run(
        package, chosen, assumptions=assumptions, jobs=jobs or os.cpu_count() or 1, progress=_progress
    )
    if machine:
        print_json(_as_json(result))
    else:
        _print_result(result)
    if result.others:
        raise SystemExit(1)


def _read_json(file: Path) -> Any:
    try:
        return strict_json.loads(file.read_text(encoding="utf-8"))
    except (strict_json.NotJson, UnicodeDecodeError) as error:
        why = str(error) if isinstance(error, strict_json.NotJson) else "is not UTF-8"
        raise click.BadParameter(f"{file.name} {why}", param_hint="--assume") from None


def _progress(done: int, of: int, _last: str) -> None:
    click.echo(f"{done} of {of} cases", err=True)


def _as_json(result: Backtested) -> dict[str, Any]:
    counts = {kind.value: number for kind, number in result.counts.items()}
    first = [_case_as_json(compared) for compared in result.others]
    asked = [{**question.to_json(), "cases": cases} for question, cases in result.questions()]
    return {
        "cases": result.cases,
        **counts,
        "other_data": result.other_data,
        "assumed": result.assumed,
        "questions": asked,
        "first": first,
    }


def _case_as_json(compared: Compared) -> dict[str, Any]:
    return {
        "instance": compared.instance,
        "element": compared.element,
        "kind": compared.kind.value,
        "recorded_element": compared.recorded_element,
        "message": compared.message,
        "recorded_end": compared.recorded.end,
        "draft_end": compared.draft.end,
        "change": compared.cause,
        "known": [{"element": one.element, "operator": one.operator, "since": one.since} for one in compared.known],
        "assumed": [question.to_json() for question in compared.assumed],
    }


def _print_result(result: Backtested) -> None:
    for one in result.others:
        element = f" (element {one.element})" if one.element else ""
        cause = f" Moved by: {one.cause}." if one.cause else ""
        assumed = " Rests on an assumption." if one.assumed else ""
        click.echo(f"Case {one.instance}: {one.message}{element}{cause}{assumed}")
    counts = ", ".join(f"{number} {WORDS[kind.value]}" for kind, number in result.counts.items() if number)
    click.echo(f"{result.cases} cases: {counts or 'none was chosen'}.")
    if result.assumed:
        click.echo(f"{result.assumed} of them rest on an assumption.")
    if result.other_data:
        click.echo(f"{result.other_data} of those on the same way end with other data.")


WORDS = {
    "same": "take the same way",
    "different": "take another way",
    "needs_answer": "need an answer nobody gave",
    "failed": "would fail",
    "not_comparable": "cannot be compared",
}
