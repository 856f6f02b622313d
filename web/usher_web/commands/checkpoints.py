"""`usher checkpoint`: sign new steps and events; and the checks of `usher verify --checkpoint FILE --key KEY`."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click
from usher_engine import Database, Settings
from usher_engine.checkpoints import Repaired, check_everything, public_key_of, public_key_of_database, repair, take
from usher_engine.core.findings import Finding

from .opening import as_json, open_usher, print_json, read_settings


@click.command()
@click.option("--file", type=click.Path(dir_okay=False), help="Checkpoint file; default: USHER_CHECKPOINT_FILE.")
@click.option("--public-key", "shows_key", is_flag=True, help="Print the public key and sign nothing.")
@click.option("--repair", "repairs", is_flag=True, help="Set right peaks, triggers and the file; needs --reason.")
@click.option("--reason", default="", help="Why, for the audit event of the repair.")
@as_json
def checkpoint(*, file: str | None, shows_key: bool, repairs: bool, reason: str, machine: bool) -> None:
    """Sign all steps and audit events that are new, in the database and in a separate file."""
    settings = read_settings()
    if file is not None:
        settings = replace(settings, checkpoint_file=file)
    enrollment, _ = open_usher(settings)
    if shows_key:
        click.echo(public_key_of_database(enrollment.engine.database, settings))
        return
    if repairs:
        done = repair(enrollment.engine.database, settings, enrollment.engine.clock(), reason=reason, by="command line")
        if machine:
            print_json(asdict(done))
        else:
            click.echo(_repaired(done))
        return
    taken = take(enrollment.engine.database, settings, enrollment.engine.clock())
    if machine:
        print_json({"file": settings.checkpoint_file, "checkpoints": [asdict(signed.head) for signed in taken]})
    elif not taken:
        click.echo("Nothing is new since the last checkpoint.")
    else:
        head = taken[-1].head
        click.echo(
            f"Checkpoint {head.number} covers {head.size} steps and events; written to {settings.checkpoint_file}."
        )


def _repaired(done: Repaired) -> str:
    if not done:
        return "Nothing had to be repaired."
    parts = [f"peaks of checkpoint {number}" for number in done.peaks] + [f"trigger {name}" for name in done.triggers]
    parts += [f"the checkpoint file, {done.heads} lines"] if done.heads else []
    return f"Repaired and recorded: {', '.join(parts)}."


def check_checkpoints(
    database: Database, settings: Settings, *, file: Path | None = None, key: str | None = None
) -> list[Finding]:
    """
    Return the findings of `usher verify` on checkpoints, chains and audit events; empty if all agree.

    Args:
        database: What to check.
        settings: Locate the signing key; its public half is used if no *key* is given.
        file: The checkpoint file; None checks only what the database itself has.
        key: Public key as text, or a file that holds it.
    """
    checks_signatures = key is not None or file is not None or Path(settings.signing_key_file).exists()
    wanted = public_key_of(settings, key) if checks_signatures else None
    return check_everything(database, file=file, key=wanted)
