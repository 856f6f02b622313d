"""Commands for process packages: check, deploy, export, test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from usher_engine import InvalidDefinition, Services
from usher_engine.definitions import Package, read_file, read_folder, write_folder
from usher_engine.enrollment import Registry, enrollment_services, smtp_sender
from usher_engine.examples import Report, accept_examples, run_examples
from usher_engine.gate import admit, check_package
from usher_engine.store import Database

from .opening import OPERATOR, acting, as_json, open_usher, print_json, read_settings

folder = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))


def all_services() -> Services:
    """The operators a diagram may name; none of them opens or sends anything."""
    settings = replace(read_settings(), database_url="sqlite://", secret_key="-" * 32)
    database = Database(settings.database_url)
    registry = Registry(settings)
    return enrollment_services(settings, registry, database, smtp_sender(settings))


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@as_json
def check(paths: tuple[Path, ...], machine: bool) -> None:
    """Check process packages (folders) or single .bpmn files; exit 1 when one cannot be deployed."""
    services = all_services()
    findings: list[dict[str, str]] = []
    files = 0
    for path in paths:
        count, found = _findings(path, services)
        files += count
        findings += found
    errors = sum(1 for finding in findings if finding["severity"] == "error")
    if machine:
        print_json({"files": files, "findings": findings})
    else:
        for finding in findings:
            place = f"{finding['file']}: {finding['element'] or '(file)'}"
            click.echo(f"{finding['severity']}: {place}: {finding['message']} [{finding['rule']}]")
        click.echo(f"{files} checked: {errors} errors, {len(findings) - errors} other findings.")
    if errors:
        raise SystemExit(1)


def _findings(path: Path, services: Services) -> tuple[int, list[dict[str, str]]]:
    """The number of files checked below *path*, and the findings."""
    single = path.is_file()
    try:
        package = read_file(path) if single else read_folder(path)
    except InvalidDefinition as error:
        return 1, [_unreadable(path, element, reason) for element, reason in error.problems or [("", error.message)]]
    found = [finding.to_json() for finding in check_package(package, services)]
    if single:
        others = package.files.keys() - set(package.diagrams())
        found = [
            {**finding, "file": str(path.parent / finding["file"] if finding["file"] in others else path)}
            for finding in found
        ]
    return sum(1 for name in package.files if name.endswith(".bpmn")), found


def _unreadable(path: Path, element: str, reason: str) -> dict[str, str]:
    return {"file": str(path), "element": element, "rule": "readable", "severity": "error", "message": reason}


@click.command()
@folder
@click.option("--note", default="", help="What changed, for the history.")
@click.option("--as", "user", help="Account that deploys.")
@as_json
def deploy(folder: Path, note: str, user: str | None, machine: bool) -> None:
    """Check a package and make it the version in force."""
    enrollment, accounts = open_usher()
    version = enrollment.engine.deploy(read_folder(folder), actor=acting(accounts, user), note=note)
    if machine:
        print_json({"process": version.process, "version": version.number, "hash": version.hash})
    else:
        click.echo(f"{version.process} v{version.number} is in force ({version.hash[:12]}).")


@click.command()
@click.argument("process")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--version", "number", type=int, help="Which version; default: the one in force.")
def export(process: str, folder: Path, number: int | None) -> None:
    """Write a deployed package to a folder that does not exist yet or is empty."""
    if folder.exists() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; nothing was written.")
    enrollment, _ = open_usher()
    package = enrollment.engine.versions.package(process, number)
    enrollment.engine.audit.record("Exported", {"hash": package.hash}, actor=OPERATOR, subject=package.key)
    write_folder(package, folder)
    click.echo(f"{len(package.files)} files written to {folder}.")


@click.command()
@folder
@click.option("--accept", is_flag=True, help="Rewrite the examples that take another way to the way they take.")
@as_json
def test(folder: Path, *, accept: bool, machine: bool) -> None:
    """Run a package's examples and show what they cover; exit 1 when one takes another way."""
    services = all_services()
    package, findings = admit(read_folder(folder), services)
    problems = [(f.element or f.file, f.message) for f in findings if f.severity == "error"]
    if problems:
        raise InvalidDefinition(problems=problems)
    if accept:
        package = _accept(package, services, folder, machine=machine)
    report = run_examples(package, services, read_settings().calendar)
    if machine:
        print_json(_report(report))
    else:
        for outcome in report.outcomes:
            click.echo(f"{'FAIL' if outcome.problem else 'ok  '} {outcome.name}")
            if outcome.problem:
                click.echo(f"     {outcome.file}: {outcome.problem}")
        click.echo(f"{len(report.outcomes)} examples, {report.failed} failed.")
        click.echo(f"Coverage: {report.elements:.0%} of elements, {report.flows:.0%} of flows.")
        if report.missed:
            click.echo(f"Never reached: {', '.join(report.missed)}")
    if report.failed or not report.outcomes:
        raise SystemExit(1)


def _accept(package: Package, services: Services, folder: Path, *, machine: bool) -> Package:
    """The package with its failing examples rewritten, in *folder* too; an example that cannot be played stops it."""
    rewritten = accept_examples(package, services, calendar=read_settings().calendar)
    for path, content in rewritten.items():
        (folder / path).write_bytes(content)
        if not machine:
            click.echo(f"Rewritten: {path}")
    return Package({**package.files, **rewritten})


def _report(report: Report) -> dict[str, Any]:
    return {
        "examples": len(report.outcomes),
        "failed": report.failed,
        "coverage": {"elements": report.elements, "flows": report.flows},
        "missed": list(report.missed),
        "problems": [{"file": o.file, "problem": o.problem} for o in report.outcomes if o.problem],
    }
