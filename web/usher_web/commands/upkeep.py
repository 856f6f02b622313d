"""Commands for the database: create or migrate the schema, rebuild what searches look in."""

from __future__ import annotations

import click
from usher_engine import Database
from usher_engine.enrollment import patient_keys
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
    """Rebuild the search index from the history of every case and the record of every patient."""
    enrollment, _ = open_usher()
    with enrollment.engine.database.begin() as transaction:
        looked, repaired = reindex(transaction)
        patients, patients_repaired = patient_keys.rebuild(transaction, everybody=True)
    if machine:
        told = {"patients": patients, "patients_mended": patients_repaired}
        print_json({"cases": looked, "mended": repaired, **told})
    else:
        click.echo(f"{looked} cases looked at, {repaired} repaired.")
        click.echo(f"{patients} patients looked at, {patients_repaired} repaired.")
