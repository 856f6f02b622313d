"""Who may come in: people, their sessions, API tokens and the counters that slow guessing down."""

from .accounts import Accounts
from .passwords import PasswordRefused
from .people import Account, Session, Token
from .roles import FRONT_DESK, Role
from .searches import SavedSearch, SavedSearches

__all__ = [
    "FRONT_DESK",
    "Account",
    "Accounts",
    "PasswordRefused",
    "Role",
    "SavedSearch",
    "SavedSearches",
    "Session",
    "Token",
]
