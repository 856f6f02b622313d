"""Access to Usher: people, their sessions, API tokens, and the counters that limit guessing."""

from .account_values import Account, Session, Token
from .accounts import Accounts
from .passwords import PasswordRefused
from .roles import FRONT_DESK, Role
from .saved_searches import Place as SearchPlace
from .saved_searches import SavedSearch, SavedSearches

__all__ = [
    "FRONT_DESK",
    "Account",
    "Accounts",
    "PasswordRefused",
    "Role",
    "SavedSearch",
    "SavedSearches",
    "SearchPlace",
    "Session",
    "Token",
]
