"""`usher import-patients` and `usher import-conflicts`: FHIR Patients from a file, and what a person must decide."""

from __future__ import annotations

from pathlib import Path

import click
from usher_engine.enrollment import FIELDS, ImportConflict, ImportedPatient, ImportReport, Take

from .opening import acting, as_json, open_usher, print_json

PAGE = 200


@click.command("import-patients")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", "dry", is_flag=True, help="Store nothing; list what would change, stay and conflict.")
@as_json
def import_patients(file: Path, *, dry: bool, machine: bool) -> None:
    """Load FHIR R4 Patients, one JSON a line; report bad lines by number, keep the good ones; exit 1 if any is bad."""
    enrollment, _ = open_usher()

    def progress(lines: int, bad: int) -> None:
        if not machine:
            click.echo(f"{lines} lines read, {bad} refused …", err=True)

    with file.open("rb") as lines:
        report = enrollment.import_patients(lines, progress, by="command line", dry=dry)
    if machine:
        print_json(_as_json(report, dry=dry))
    else:
        _print(report, dry=dry)
    if report.bad:
        raise SystemExit(1)


def _as_json(report: ImportReport, *, dry: bool) -> dict[str, object]:
    bad = [{"line": line.number, "reason": line.reason} for line in report.bad]
    counts = {key: value for key, value in report.counts.items() if key != "refused"}
    patients = {"patients": [_patient(one) for one in report.told]} if dry else {}
    return {"lines": report.lines, **counts, "bad": bad, **patients}


def _patient(one: ImportedPatient) -> dict[str, object]:
    merged = one.merged
    conflicts = [found.field for found in merged.conflicts] if merged else []
    return {
        "id": one.id,
        "changed": list(merged.changed) if merged else [],
        "kept": [field for field in (merged.kept if merged else ()) if field not in conflicts],
        "conflicts": conflicts,
    }


def _print(report: ImportReport, *, dry: bool) -> None:
    for line in report.bad:
        click.echo(f"line {line.number}: {line.reason}", err=True)
    for one in report.told if dry else ():
        _print_patient(one)
    counts = f"{report.new} new, {report.changed} changed, {report.same} unchanged, {len(report.bad)} refused."
    click.echo(f"Nothing was stored. It would be: {counts}" if dry else counts)
    if report.kept:
        kept = f"{report.kept} {_patients(report.kept)} {'keep' if report.kept > 1 else 'keeps'} what staff corrected"
        click.echo(f"{kept}, {report.conflicts} of them with another value from the EHR.")
    if report.conflicts and not dry:
        click.echo("A person must decide these: Patients > Conflicts, or usher import-conflicts list.")


def _print_patient(one: ImportedPatient) -> None:
    told = _patient(one)
    words = {"changed": "would change", "kept": "stays as corrected", "conflicts": "conflicts"}
    parts = [f"{words[kind]}: {_titles(told[kind])}" for kind in words if told[kind]]
    click.echo(f"{one.id}\t{'; '.join(parts) or 'would change: what no field shows'}")


def _titles(fields: object) -> str:
    return ", ".join(FIELDS[field].title for field in fields if field in FIELDS) if isinstance(fields, list) else ""


def _patients(number: int) -> str:
    return "patient" if number == 1 else "patients"


@click.group("import-conflicts")
def import_conflicts() -> None:
    """Values that staff corrected and the EHR has changed too."""


@import_conflicts.command("list")
@as_json
def list_conflicts(*, machine: bool) -> None:
    """List every conflict with both values."""
    enrollment, _ = open_usher()
    last: str | None = None
    listed: list[ImportConflict] = []
    while found := enrollment.import_conflicts.page(limit=PAGE, after=last):
        last = found.last
        listed += found.conflicts
    if machine:
        print_json([_conflict(one) for one in listed])
        return
    for one in listed:
        for field in one.ours:
            title = FIELDS[field].title
            click.echo(f"{one.patient.id}\t{one.group}\t{title}: here “{one.ours[field]}”, EHR “{one.theirs[field]}”")
    click.echo(f"{len(listed)} to decide.")


def _conflict(one: ImportConflict) -> dict[str, object]:
    return {"patient": one.patient.id, "field": one.group, "ours": dict(one.ours), "theirs": dict(one.theirs)}


@import_conflicts.command("decide")
@click.argument("patient_id")
@click.argument("field")
@click.argument("take", type=click.Choice([one.value for one in Take]))
@click.option("--as", "user", help="Account of the person who decides.")
def decide(patient_id: str, field: str, take: str, user: str | None) -> None:
    """Keep the value in the record (record), or take the EHR's (ehr)."""
    enrollment, accounts = open_usher()
    found = next((one for one in enrollment.import_conflicts.of(patient_id) if one.group == field), None)
    if found is None:
        raise click.ClickException(
            f"Patient {patient_id} has no conflict “{field}”. List them: usher import-conflicts list"
        )
    actor = acting(accounts, user)
    enrollment.import_conflicts.decide(patient_id, field, Take(take), seen=found.seen, actor=actor)
    click.echo(f"{patient_id}: {field} is now the {'EHR’s' if take == Take.EHR else 'one in the record'}.")
