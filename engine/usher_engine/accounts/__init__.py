"""Access to Usher: people, their profiles and sessions, API tokens, and the counters that limit guessing."""

from ..core.actor import StandIn
from .account_values import Account, Session, Token
from .accounts import Accounts
from .digest_choices import DigestChoices, DueDigest
from .followed_acts import FollowedAct, FollowedActs
from .passwords import PasswordRefused
from .people_import import import_people, read_people
from .recent_staff import RecentStaff
from .roles import FRONT_DESK, Role
from .saved_searches import Place as SearchPlace
from .saved_searches import SavedSearch, SavedSearches
from .staff_profiles import MAX_DISPLAY_NAME, StaffAddress, StaffProfiles, group_addresses
from .substitutes import Substitutes, Substitution

__all__ = [
    "FRONT_DESK",
    "MAX_DISPLAY_NAME",
    "Account",
    "Accounts",
    "DigestChoices",
    "DueDigest",
    "FollowedAct",
    "FollowedActs",
    "PasswordRefused",
    "RecentStaff",
    "Role",
    "SavedSearch",
    "SavedSearches",
    "SearchPlace",
    "Session",
    "StaffAddress",
    "StaffProfiles",
    "StandIn",
    "Substitutes",
    "Substitution",
    "Token",
    "group_addresses",
    "import_people",
    "read_people",
]
