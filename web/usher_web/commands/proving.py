"""`usher verify`: check that the history is unaltered and that re-execution gives the same result."""

from __future__ import annotations

import getpass
import os
from dataclasses import asdict
from pathlib import Path

import click
from usher_engine import Actor, Engine, EngineError, Settings
from usher_engine.assurance import Finding, Retention, Verified, check_record
from usher_engine.checkpoints import Evidence, gather, public_key_of, read_lines, without_checkpoints
from usher_engine.exports import verify_file

from .checkpoints import check_checkpoints
from .opening import as_json, local, open_usher, print_json, read_settings

#: Characters of a name or a subject in an audit event.
MOST_NAMED = 100


@click.command()
@click.argument("instances", metavar="[INSTANCE]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every case, and the audit events.")
@click.option("--jobs", type=click.IntRange(1), help="Processes for --all; default: one for each core.")
@click.option("--after", default="", metavar="INSTANCE", help="Go on with --all beyond this case.")
@click.option("--checkpoint", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Checkpoint file.")
@click.option("--without-checkpoints", "bare", is_flag=True, help="Let --all do without checkpoint file and key.")
@click.option("--key", help="Public key of the checkpoints, or a file that holds it.")
@click.option("--export", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Only this exported file.")
@as_json
def verify(
    *,
    instances: tuple[str, ...],
    everything: bool,
    jobs: int | None,
    after: str,
    checkpoint: Path | None,
    bare: bool,
    key: str | None,
    export: Path | None,
    machine: bool,
) -> None:
    """
    Check the history of cases and run them again, with all services off; exit 1 when anything differs.

    --all also checks the audit events, the tables that follow from them, and the checkpoints, with the file of
    USHER_CHECKPOINT_FILE and its key: where one is missing, that is a finding.
    """
    if export is not None:
        if everything or instances or after or jobs:
            raise click.UsageError("--export checks the file alone; it goes with --key and --checkpoint only.")
        _print_result(_verify_export(export, key, checkpoint), machine, "agree with their record")
        return
    asks_checkpoint = checkpoint is not None or key is not None
    if everything == bool(instances) and not (asks_checkpoint and not instances):
        raise click.UsageError("Name cases to verify, or give --all.")
    if not everything and (after or jobs or bare):
        raise click.UsageError("--after, --jobs and --without-checkpoints belong to --all.")
    if bare and asks_checkpoint:
        raise click.UsageError("--without-checkpoints goes with neither --checkpoint nor --key.")
    settings = read_settings()
    enrollment = open_usher(settings)[0]
    engine = enrollment.engine
    each = engine.verification.verify_each
    evidence = None
    if everything and not after:
        evidence = _evidence(engine, settings, checkpoint, key, bare=bare)
        for words in () if machine else evidence.unchecked:
            click.echo(f"Not checked: {words}")
    result = _verify_all(engine, after, jobs or os.cpu_count() or 1) if everything else each(dict.fromkeys(instances))
    if evidence is not None:
        result.findings += [*check_record(engine.context, evidence), *enrollment.disagreements()]
    elif asks_checkpoint:
        result.findings += check_checkpoints(engine.database, settings, file=checkpoint, key=key)
    result.findings = list(dict.fromkeys(result.findings))  # the checks of checkpoints cover the audit chain too
    if not machine:
        _print_purged(engine, instances, {finding.instance for finding in result.findings})
    _record(engine, result, instances)
    _print_result(result, machine, "agree with their record and can go on")


def _evidence(engine: Engine, settings: Settings, file: Path | None, key: str | None, *, bare: bool) -> Evidence:
    return without_checkpoints(engine.database) if bare else gather(engine.database, settings, file=file, key=key)


def _record(engine: Engine, result: Verified, instances: tuple[str, ...]) -> None:
    """Record the check and its result as an audit event; without write access, only warn."""
    details = {"cases": result.checked, "equal": result.equal, "findings": len(result.findings)}
    subject = ", ".join(instances)[:MOST_NAMED] or "the whole record"
    try:
        engine.audit.record("Verified", details, actor=Actor(name=_person(), role="system"), subject=subject)
    except EngineError as refused:
        click.echo(f"This check stands in no audit event: {refused.message}", err=True)


def _person() -> str:
    """The person at this shell."""
    try:
        return f"{getpass.getuser()} (shell)"[:MOST_NAMED]
    except (OSError, KeyError, ImportError):  # an account without a name, as in a container
        return "shell"


def _verify_export(export: Path, key: str | None, checkpoint: Path | None) -> Verified:
    """Check an export; needs neither a database nor a secret, only the files."""
    if key is None:
        raise click.UsageError("--export needs --key: the public key, from the practice and not from the file.")
    wanted = public_key_of(Settings(), key)
    return verify_file(export, key=wanted, checkpoints=None if checkpoint is None else read_lines(checkpoint))


def _verify_all(engine: Engine, after: str, jobs: int) -> Verified:
    def progress(checked: int, of: int, last: str) -> None:
        click.echo(f"{checked} of {of} cases checked; to go on from here: --after {last}", err=True)

    return engine.verification.verify_all(after=after, jobs=jobs, progress=progress)


def _print_purged(engine: Engine, instances: tuple[str, ...], wrong: set[str]) -> None:
    """Print when and by whom cases were purged, and that the remaining proof is intact."""
    retention = Retention(engine.context, engine.audit)
    for instance in instances:
        left = retention.tombstone(instance)
        if left is not None and instance not in wrong:
            click.echo(f"Case {instance} was purged on {local(left.at):%Y-%m-%d} by {left.by}; its proof is intact.")
    if not instances and (number := retention.count()):
        click.echo(f"{number} cases were purged; what is left of them was checked like the others.")


def _print_result(result: Verified, machine: bool, well: str) -> None:
    if machine:
        found = [asdict(finding) for finding in result.findings]
        notes = {"notes": sorted(result.notes)} if result.notes else {}
        print_json({"checked": result.checked, "equal": result.equal, "findings": found, **notes})
    else:
        for note in sorted(result.notes):
            click.echo(f"Note: {note}")
        for finding in result.findings:
            if finding.kind != "evidence":  # said in the first lines
                click.echo(_line(finding))
        click.echo(f"{result.checked} cases checked, {result.equal} of them {well}.")
    if result.findings:
        raise SystemExit(1)


def _line(finding: Finding) -> str:
    case = f"Case {finding.instance}: " if finding.instance else ""
    element = f" (element {finding.element})" if finding.element else ""
    return f"{case}{finding.message}{element}"
