"""How pages name people: by their display name, with the account's name beside it where a record is proven.

The account's name is what the history recorded; a display name may change later (engine/decisions/0037).
"""

from __future__ import annotations

from flask import g
from usher_engine.accounts import StaffProfiles

from ..site import site


def profiles() -> StaffProfiles:
    return StaffProfiles(site().accounts.database, site().accounts.clock)


def person(name: str) -> str:
    """The display name of the account *name*; the name itself for accounts without one, programs and Usher."""
    return _display_names().get(name, name)


def person_and_account(name: str) -> str:
    """ "Alice Adams (alice)"; the name alone where there is no display name."""
    shown = _display_names().get(name)
    return f"{shown} ({name})" if shown else name


def _display_names() -> dict[str, str]:
    """All of them, read once for each page that names somebody."""
    if "usher_display_names" not in g:
        g.usher_display_names = profiles().display_names()
    found: dict[str, str] = g.usher_display_names
    return found
