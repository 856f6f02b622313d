"""The saved searches of the signed-in account, and how a search is stored."""

from __future__ import annotations

from urllib.parse import urlencode

from usher_engine.accounts import SavedSearch, SavedSearches

from .. import auth
from ..site import site
from .search_query import CaseSearch


def saved_searches() -> SavedSearches:
    return SavedSearches(site().accounts.database, site().accounts.clock)


def usable_searches() -> list[SavedSearch]:
    """The saved searches that the signed-in account may use."""
    return saved_searches().seen_by(auth.actor())


def query_of(search: CaseSearch) -> str:
    """The search as it is stored: parameters always in one order."""
    return urlencode(search.given)
