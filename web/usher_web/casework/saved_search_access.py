"""The searches whoever asks may use, and how a search is written where it is kept."""

from __future__ import annotations

from urllib.parse import urlencode

from usher_engine.accounts import SavedSearch, SavedSearches

from .. import auth
from ..site import site
from .search_query import Asked


def saved_searches() -> SavedSearches:
    return SavedSearches(site().accounts.database, site().accounts.clock)


def kept() -> list[SavedSearch]:
    """What whoever asks may use."""
    return saved_searches().seen_by(auth.actor())


def query_of(search: Asked) -> str:
    """The search as it is kept: always in one order."""
    return urlencode(search.given)
