"""`usher migrate`: move running cases to another version of their process."""

from __future__ import annotations

import time
from typing import Any

import click
from usher_engine import Engine
from usher_engine.cases import Batch, BatchCase, CaseSelection

from .opening import acting, as_json, open_usher, print_json

#: How long to wait while a worker holds the next portion.
PAUSE_S = 0.2


@click.command()
@click.argument("process")
@click.option("--to", "version", type=int, required=True, help="The version they are to run on.")
@click.option("--from", "source", type=int, default=0, help="Only cases on this version.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case; may be given several times.")
@click.option("--at", default="", metavar="ELEMENT", help="Only cases that wait at this element.")
@click.option("--map", "pairs", multiple=True, metavar="OLD=NEW", help="NEW takes the place of OLD; OLD= for nothing.")
@click.option("--reason", default="", help="Why; the history of each case keeps it.")
@click.option("--dry-run", is_flag=True, help="Only show which would move, and why the others would not.")
@click.option("--as", "user", help="Account that moves them.")
@as_json
def migrate(
    *,
    process: str,
    version: int,
    source: int,
    cases: tuple[str, ...],
    at: str,
    pairs: tuple[str, ...],
    reason: str,
    dry_run: bool,
    user: str | None,
    machine: bool,
) -> None:
    """Move running cases of PROCESS to another version; exit 1 when any of them has to stay."""
    if not reason.strip() and not dry_run:
        raise click.UsageError("Say why with --reason, or try it with --dry-run.")
    enrollment, accounts = open_usher()
    engine = enrollment.engine
    chosen = CaseSelection(process=process, version=source, live=True, at=at, cases=cases)
    run = engine.batches.ask_migration(
        version, chosen, _mapping(pairs), reason=reason, actor=acting(accounts, user), trial=dry_run
    )
    run = _finish_run(engine, run)
    outcomes = list(_outcomes(engine, run.id))
    if machine:
        print_json(_as_json(run, outcomes))
    else:
        _print_result(run, outcomes, dry_run=dry_run)
    if run.note or any(one.outcome == "refused" for one in outcomes):
        raise SystemExit(1)


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not (old and equals):
            raise click.UsageError(f"--map is written OLD=NEW, or OLD= for nothing; this is “{pair}”.")
        mapping[old] = new
    return mapping


def _finish_run(engine: Engine, run: Batch) -> Batch:
    """Do the run here, or wait for the worker that has it."""
    while run.status == "open":
        if not engine.batches.work(run.id):
            time.sleep(PAUSE_S)
        run = engine.batches.find(run.id)
        click.echo(f"{run.done} of {run.total} cases", err=True)
    return run


def _outcomes(engine: Engine, run: str) -> Any:
    after = ""
    while page := engine.batches.cases(run, after=after, limit=1_000):
        yield from page
        after = page[-1].instance


def _as_json(run: Batch, outcomes: list[BatchCase]) -> dict[str, Any]:
    counts: dict[str, int] = {"fits": 0, "moved": 0, "refused": 0}
    for one in outcomes:
        counts[one.outcome] += 1
    results = [
        {
            "instance": one.instance,
            "outcome": one.outcome,
            "problems": _lines(one, "problems"),
            "warnings": _lines(one, "warnings"),
        }
        for one in outcomes
    ]
    return {"run": run.id, "cases": len(outcomes), **counts, "results": results}


def _lines(one: BatchCase, what: str) -> list[dict[str, str]]:
    return [{"element": element, "message": message} for element, message in one.details.get(what, ())]


def _print_result(run: Batch, outcomes: list[BatchCase], *, dry_run: bool) -> None:
    for one in outcomes:
        for line in (*_lines(one, "problems"), *_lines(one, "warnings")):
            element = f" (element {line['element']})" if line["element"] else ""
            click.echo(f"Case {one.instance}: {line['message']}{element}")
    stay = sum(1 for one in outcomes if one.outcome == "refused")
    went = "would go over" if dry_run else "moved"
    click.echo(f"{len(outcomes) - stay} of {len(outcomes)} cases {went}; {stay} stay on their version.")
    if run.note:
        click.echo(run.note)
