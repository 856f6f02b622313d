"""`usher user …` and `usher token …`: the accounts of people and the tokens of programs."""

from __future__ import annotations

import secrets
import sys
from typing import TextIO

import click
from usher_engine.accounts import Account, Role, StaffProfiles, import_people, read_people

from .opening import OPERATOR, as_json, open_usher, print_json

ROLES = click.Choice([role.value for role in Role])


@click.group()
def user() -> None:
    """Accounts of people."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=ROLES, required=True)
@click.option("--group", "groups", multiple=True, help="Group whose tasks they work; repeat for more.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def add_user(name: str, role: str, groups: tuple[str, ...], *, password_stdin: bool, machine: bool) -> None:
    """Add an account. Without a terminal and --password-stdin, a password is generated and printed once."""
    password, made = _password(from_stdin=password_stdin)
    _, accounts = open_usher()
    account = accounts.add_user(name, password, role=Role(role), groups=groups, by=OPERATOR.name)
    if machine:
        print_json(_shape(account) | ({"password": password} if made else {}))
    else:
        click.echo(f"Added {account.name} ({account.role.value}).")
        if made:
            click.echo(f"Password, shown once: {password}")


@user.command("list")
@as_json
def list_users(*, machine: bool) -> None:
    """List the accounts."""
    _, accounts = open_usher()
    users = accounts.users()
    if machine:
        profiles = StaffProfiles(accounts.database, accounts.clock)
        print_json([_shape(account) | {"email": profiles.address(account.name).address} for account in users])
        return
    for account in users:
        state = "disabled" if account.disabled else "active"
        click.echo(f"{account.name}\t{account.role.value}\t{', '.join(sorted(account.groups))}\t{state}")


@user.command("import")
@click.argument("file", type=click.File())
@as_json
def import_users(file: TextIO, *, machine: bool) -> None:
    """Add the people of FILE, as `user list --json` writes it, who have no account; each gets a new password."""
    people = read_people(file.read())
    _, accounts = open_usher()
    profiles = StaffProfiles(accounts.database, accounts.clock)
    passwords = import_people(people, accounts, profiles, actor=OPERATOR)
    if machine:
        print_json([{"name": name, "password": password} for name, password in passwords.items()])
        return
    for name, password in passwords.items():
        click.echo(f"Added {name}. Password, shown once: {password}")
    click.echo(f"{len(passwords)} of {len(people)} people were added; the others were there already.")


@user.command("change")
@click.argument("name")
@click.option("--role", type=ROLES, help="The new role; without it, the role stays.")
@click.option("--group", "groups", multiple=True, help="Group whose tasks they work, in place of all before.")
@click.option("--display-name", help="The name that colleagues see; empty: that of the account.")
@as_json
def change_user(
    name: str, role: str | None, groups: tuple[str, ...], display_name: str | None, *, machine: bool
) -> None:
    """Change the role or the groups of the account NAME, which ends its sessions, or the name that colleagues see."""
    if role is None and not groups and display_name is None:
        raise click.UsageError("Say what changes: --role, --group or --display-name.")
    _, accounts = open_usher()
    account = accounts.user(name)
    if role or groups:
        wanted = Role(role) if role else account.role
        account = accounts.change_rights(name, role=wanted, groups=groups or account.groups, by=OPERATOR.name)
    if display_name is not None:
        account = StaffProfiles(accounts.database, accounts.clock).set_display_name(name, display_name, actor=OPERATOR)
    if machine:
        print_json(_shape(account))
    else:
        shown = f" ({account.display_name})" if account.display_name else ""
        groups_now = ", ".join(sorted(account.groups)) or "none"
        click.echo(f"{account.name}{shown} is {account.role.value}, groups: {groups_now}.")


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def set_password(name: str, *, password_stdin: bool) -> None:
    """Set a new password; sessions of NAME end."""
    password, made = _password(from_stdin=password_stdin)
    _, accounts = open_usher()
    accounts.set_password(name, password)
    click.echo(f"Password of {name}, shown once: {password}" if made else f"{name} has a new password.")


@user.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Disable the account NAME and end its sessions."""
    _, accounts = open_usher()
    accounts.disable(name)
    click.echo(f"{name} can no longer sign in.")


@click.group()
def token() -> None:
    """Tokens of programs that use the API."""


@token.command("add")
@click.argument("name")
@click.option("--role", type=ROLES, required=True)
@click.option("--group", "groups", multiple=True, help="Group whose tasks it may work; repeat for more.")
@as_json
def add_token(name: str, role: str, groups: tuple[str, ...], *, machine: bool) -> None:
    """Add a token and print it once: only its hash is stored."""
    _, accounts = open_usher()
    secret = accounts.add_token(name, role=Role(role), groups=groups, by=OPERATOR.name)
    if machine:
        print_json({"name": name, "role": role, "token": secret})
    else:
        click.echo(secret)


@token.command("revoke")
@click.argument("name")
def revoke_token(name: str) -> None:
    """Revoke the token NAME."""
    _, accounts = open_usher()
    accounts.revoke_token(name)
    click.echo(f"The token {name} no longer works.")


def _password(*, from_stdin: bool) -> tuple[str, bool]:
    """(password, whether it was generated here)."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if sys.stdin.isatty():
        return click.prompt("Password", hide_input=True, confirmation_prompt=True), False
    return secrets.token_urlsafe(12), True


def _shape(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "display_name": account.display_name,
        "role": account.role.value,
        "groups": sorted(account.groups),
        "disabled": account.disabled,
    }
