"""The roles of accounts. Each account has one role; a person who needs two has two accounts."""

from __future__ import annotations

from enum import StrEnum

from ..core.errors import InvalidSubmission

#: The default group of staff.
FRONT_DESK = "Front desk"


class Role(StrEnum):
    #: Works tasks of their groups and selects triggers.
    STAFF = "staff"
    #: Draws and deploys processes; sees no patient.
    ANALYST = "analyst"
    #: Reads cases and their history; changes nothing.
    AUDITOR = "auditor"
    #: Keeps accounts, tokens and the trigger configuration; sees no patient.
    ADMIN = "admin"

    @classmethod
    def parse(cls, text: str) -> Role:
        """The role named *text*; raises `InvalidSubmission` listing the known roles."""
        try:
            return cls(text.strip().lower())
        except ValueError:
            known = ", ".join(role.value for role in cls)
            reason = f"No role is called that. Choose one of: {known}."
            raise InvalidSubmission(f"role: {reason}", fields={"role": reason}) from None
