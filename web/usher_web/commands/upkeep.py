"""Commands for the database: create or migrate the schema, import patients."""

from __future__ import annotations

from pathlib import Path

import click
from usher_engine import Database
from usher_engine.store import release_rows
from usher_engine.store.schema import upgrade
from usher_engine.store.search_reindex import reindex

from .opening import as_json, local, open_usher, print_json, read_settings


@click.group()
def db() -> None:
    """The database schema."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Create the tables, or bring them to this version of Usher."""
    settings = read_settings()
    click.echo(f"The schema is at revision {upgrade(Database(settings.database_url))}.")
    if not settings.secret_key:  # without it no case is opened
        return
    enrollment, _ = open_usher(settings)
    for case in enrollment.engine.repairs.look_at_silent_cases():
        click.echo(f"Case {case.id} stood still: {case.incident or 'it goes on.'}")


@db.command("releases")
@as_json
def db_releases(*, machine: bool) -> None:
    """List the versions of Usher that have upgraded this database, oldest first."""
    enrollment, _ = open_usher()
    with enrollment.engine.database.read() as transaction:
        found = release_rows.all_of(transaction)
    if machine:
        print_json([{"version": one.version, "schema": one.schema, "at": one.at.isoformat()} for one in found])
    for one in found if not machine else ():
        click.echo(f"{local(one.at):%Y-%m-%d %H:%M %Z}  schema {one.schema}  Usher {one.version}")


@db.command("reindex")
@as_json
def db_reindex(*, machine: bool) -> None:
    """Rebuild the search index from the history of every case."""
    enrollment, _ = open_usher()
    with enrollment.engine.database.begin() as transaction:
        looked, repaired = reindex(transaction)
    if machine:
        print_json({"cases": looked, "mended": repaired})
    else:
        click.echo(f"{looked} cases looked at, {repaired} repaired.")


@click.command("import-patients")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def import_patients(file: Path, machine: bool) -> None:
    """Load FHIR R4 Patients, one JSON a line; report bad lines by number, keep the good ones; exit 1 if any is bad."""
    enrollment, _ = open_usher()

    def progress(lines: int, bad: int) -> None:
        if not machine:
            click.echo(f"{lines} lines read, {bad} refused …", err=True)

    with file.open("rb") as lines:
        report = enrollment.import_patients(lines, progress, by="command line")
    if machine:
        bad = [{"line": line.number, "reason": line.reason} for line in report.bad]
        counts = {"new": report.new, "changed": report.changed, "same": report.same}
        print_json({"lines": report.lines, **counts, "bad": bad})
    else:
        for line in report.bad:
            click.echo(f"line {line.number}: {line.reason}", err=True)
        click.echo(f"{report.new} new, {report.changed} changed, {report.same} unchanged, {len(report.bad)} refused.")
    if report.bad:
        raise SystemExit(1)
