"""People as `usher user list --json` writes them, read on another Usher: who is missing there gets an account.

Passwords are in no list; each new account gets one of its own, which is returned once. Accounts that exist stay as they
are, so that an import that was interrupted can be run again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.actor import Actor
from ..core.email_address import NotAnEmailAddress, parse_email_address
from ..core.errors import Conflict, InvalidSubmission
from .account_values import Account, Token, checked_name
from .accounts import Accounts
from .roles import Role
from .staff_profiles import StaffProfiles, checked_display_name, folded

MOST = 5_000
FIELDS = ("name", "role", "groups", "display_name", "email", "disabled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An account to be added; *email* was confirmed where the list comes from."""

    name: str
    role: Role
    groups: tuple[str, ...]
    display_name: str
    email: str
    disabled: bool


def read_people(text: str) -> list[Person]:
    """The people in the JSON list *text*; raises `InvalidSubmission`, in ``fields`` each wrong one."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSubmission(f"This is not JSON: {error}.") from None
    if not isinstance(entries, list) or len(entries) > MOST:
        raise InvalidSubmission(f"Expected a list of at most {MOST} people, as `usher user list --json` writes it.")
    found, wrong = [], {}
    for number, entry in enumerate(entries, start=1):
        try:
            found.append(_person(entry))
        except InvalidSubmission as refused:
            wrong[f"person {number}"] = refused.message
    if wrong:
        reasons = "; ".join(f"{place}: {reason}" for place, reason in wrong.items())
        raise InvalidSubmission(f"Nobody was imported. {reasons}", fields=wrong)
    return found


def import_people(
    people: Sequence[Person], accounts: Accounts, profiles: StaffProfiles, *, actor: Actor
) -> dict[str, str]:
    """
    Add the *people* who have no account; returns the password of each by name.

    Raises:
        Conflict: A name or display name is another's; nobody is added.
    """
    users = accounts.users()
    there = {account.name.casefold() for account in users}
    new = [person for person in people if person.name.casefold() not in there]
    _refuse_clashes(new, [*users, *accounts.tokens()])
    passwords: dict[str, str] = {}
    for person in new:
        password = secrets.token_urlsafe(12)
        accounts.add_user(person.name, password, role=person.role, groups=person.groups, by=actor.name)
        passwords[person.name] = password
        if person.display_name:
            profiles.set_display_name(person.name, person.display_name, actor=actor)
        if person.email:
            profiles.take_over_address(person.name, person.email, actor=actor)
        if person.disabled:
            accounts.disable(person.name, by=actor.name)
    return passwords


def _refuse_clashes(new: Sequence[Person], there: Sequence[Account | Token]) -> None:
    taken = {folded(name) for one in there for name in (one.name, getattr(one, "display_name", ""))}
    for person in new:
        for name in {folded(person.name), folded(person.display_name)} - {""}:
            if name in taken:
                raise Conflict(f"Nobody was imported: {person.name} has the name or display name of another.")
            taken.add(name)


def _person(entry: Any) -> Person:
    if not isinstance(entry, dict):
        raise InvalidSubmission("is no record")
    if unknown := sorted(entry.keys() - set(FIELDS)):
        raise InvalidSubmission(f"“{str(unknown[0])[:60]}” is unknown; known are {', '.join(FIELDS)}")
    groups, disabled = entry.get("groups", []), entry.get("disabled", False)
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise InvalidSubmission("groups must be a list of texts")
    if not isinstance(disabled, bool):
        raise InvalidSubmission("disabled must be true or false")
    return Person(
        name=checked_name(_text(entry, "name")),
        role=Role.parse(_text(entry, "role")),
        groups=tuple(groups),
        display_name=checked_display_name(_text(entry, "display_name")),
        email=_address(_text(entry, "email")),
        disabled=disabled,
    )


def _text(entry: Mapping[str, Any], field: str) -> str:
    value = entry.get(field, "")
    if not isinstance(value, str):
        raise InvalidSubmission(f"{field} must be text")
    return value


def _address(text: str) -> str:
    try:
        return parse_email_address(text).shown if text else ""
    except NotAnEmailAddress as error:
        raise InvalidSubmission(f"email: {error}") from None
