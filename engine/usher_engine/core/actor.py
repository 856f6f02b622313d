"""Who does something: a person, a program or Usher itself, and the role and groups that decide what they may see."""

from __future__ import annotations

from dataclasses import dataclass

#: Roles that see every task and case, without being in a candidate group.
UNBOUND_ROLES = frozenset({"system", "auditor"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who asks. *groups* are the candidate groups whose tasks they may see; *on_behalf_of* names a represented user."""

    name: str
    role: str = "staff"
    groups: frozenset[str] = frozenset()
    on_behalf_of: str | None = None


SYSTEM = Actor(name="system", role="system")
