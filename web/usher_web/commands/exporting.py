"""`usher export-history`: the history in a format other programs read, or with proof for `usher verify --export`."""

from __future__ import annotations

from pathlib import Path

import click
from usher_engine import InvalidSubmission
from usher_engine.exports import FORMATS, Export, Selection, period, write_file

from ..app import create_app
from ..auditor.evidence_page import bundle
from .opening import acting, as_json, open_usher, print_json, read_settings

#: Cases between two lines of progress.
TOLD_EVERY = 1_000


@click.command()
@click.option("--format", "form", required=True, type=click.Choice(list(FORMATS)), help="What the file is.")
@click.option("-o", "--output", "file", required=True, type=click.Path(path_type=Path), help="The file to write.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case; may be given several times.")
@click.option("--from", "first", default="", metavar="DATE", help="Only cases started on this day or later.")
@click.option("--to", "last", default="", metavar="DATE", help="Only cases started on this day or before.")
@click.option("--process", default="", metavar="PROCESS", help="Only cases of this process.")
@click.option("--with-data", is_flag=True, help="Include the data of cases; JSON Lines always hold it.")
@click.option("--with-audit", is_flag=True, help="Include the audit events of the cases or the period (JSON Lines).")
@click.option("--as", "user", help="Account that exports; the audit log records it.")
@as_json
def export_history(
    *,
    form: str,
    file: Path,
    cases: tuple[str, ...],
    first: str,
    last: str,
    process: str,
    with_data: bool,
    with_audit: bool,
    user: str | None,
    machine: bool,
) -> None:
    """Write the history of cases into a file; JSON Lines can be verified without the database."""
    settings = read_settings()
    enrollment, accounts = open_usher(settings)
    try:
        since, until = period(first, last, settings.calendar)
    except InvalidSubmission as refused:
        raise click.UsageError(refused.message) from None
    export = Export(
        enrollment.engine,
        form,
        Selection(cases=tuple(dict.fromkeys(cases)), process=process, since=since, until=until),
        actor=acting(accounts, user),
        with_data=with_data,
        with_audit=with_audit,
        progress=_progress,
    )
    size = write_file(file, export.pieces)
    if machine:
        print_json({"file": str(file), "format": form, "cases": export.cases, "steps": export.steps, "bytes": size})
    else:
        click.echo(f"{export.cases} cases with {export.steps} steps written to {file}.")


@click.command()
@click.argument("instance")
@click.option("-o", "--output", "file", required=True, type=click.Path(path_type=Path), help="The file to write.")
@click.option("--as", "user", help="Account that asks; the audit log records it.")
@as_json
def evidence(instance: str, file: Path, user: str | None, machine: bool) -> None:
    """Write the evidence bundle of a case: one page with everything, which opens without a network."""
    settings = read_settings()
    enrollment, accounts = open_usher(settings)
    actor = acting(accounts, user)
    app = create_app(enrollment.engine, enrollment, accounts, settings)
    with app.app_context():
        case = enrollment.engine.instance(instance)
        size = write_file(file, lambda: [bundle(case, actor=actor)])
    if machine:
        print_json({"file": str(file), "instance": case.id, "steps": case.revision, "bytes": size})
    else:
        click.echo(f"The evidence of case {case.id} was written to {file}. Check it with: usher verify --export {file}")


def _progress(done: int, of: int) -> None:
    if done % TOLD_EVERY == 0 or done >= of:
        click.echo(f"{done} of {of} cases written", err=True)
