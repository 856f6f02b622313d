"""`usher patient`: show and set where a patient stands with the portal and with e-mail."""

from __future__ import annotations

import click
from usher_engine.enrollment import REPORTABLE, Change, OptOutScope, Standing

from ..api.serializers import full_standing
from .opening import acting, as_json, local, open_usher, print_json

SOURCE = "command line"

reason_option = click.option("--reason", required=True, help="Why; the audit log keeps it.")
as_option = click.option("--as", "user", help="Account of the administrator.")


@click.group()
def patient() -> None:
    """Portal status and opt-outs of a patient."""


@patient.command("show")
@click.argument("patient_id")
@as_json
def show(patient_id: str, *, machine: bool) -> None:
    """Where the patient stands, and what was changed, newest first."""
    enrollment, _ = open_usher()
    standing = enrollment.portal_standing.of(patient_id)
    if machine:
        print_json(full_standing(standing))
        return
    _print(standing)
    for change in enrollment.portal_standing.history(patient_id):
        origin = f"case {change.case}" if change.case else change.source
        click.echo("\t".join([f"{local(change.at):%Y-%m-%d %H:%M}", _words(change), change.by, origin, change.why]))


@patient.command("status")
@click.argument("patient_id")
@click.argument("status", type=click.Choice(REPORTABLE))
@reason_option
@as_option
@as_json
def set_status(patient_id: str, status: str, reason: str, user: str | None, *, machine: bool) -> None:
    """Set the portal status that another system reports."""
    enrollment, accounts = open_usher()
    standing = enrollment.portal_standing.set_status(
        patient_id, status, reason, actor=acting(accounts, user), source=SOURCE
    )
    _answer(standing, machine=machine)


@patient.command("opt-out")
@click.argument("patient_id")
@click.option("--scope", type=click.Choice([scope.value for scope in OptOutScope]), required=True)
@click.option("--undo", is_flag=True, help="Opt in again, because the patient asks.")
@reason_option
@as_option
@as_json
def set_opt_out(patient_id: str, scope: str, reason: str, user: str | None, *, undo: bool, machine: bool) -> None:
    """Opt the patient (scope practice) or the address on record (scope address) out of e-mail."""
    enrollment, accounts = open_usher()
    standing = enrollment.portal_standing.set_opt_out(
        patient_id, scope, not undo, reason, actor=acting(accounts, user), source=SOURCE
    )
    _answer(standing, machine=machine)


def _answer(standing: Standing, *, machine: bool) -> None:
    if machine:
        print_json(full_standing(standing))
    else:
        _print(standing)


def _print(standing: Standing) -> None:
    out = {"patient": standing.opted_out, "address": standing.address_opted_out}
    opted_out = " and ".join(name for name, is_out in out.items() if is_out) or "nothing"
    click.echo(f"{standing.patient}: {standing.status}; opted out of e-mail: {opted_out}.")


def _words(change: Change) -> str:
    if change.scope is None:
        return change.status
    return f"{'opted out' if change.opted_out else 'opted in'} ({change.scope})"
