"""The actor of a command: a person, a program or Usher itself, with the role and groups that limit what they see."""

from __future__ import annotations

from dataclasses import dataclass

#: Roles that see every task and case, without being in a candidate group.
UNBOUND_ROLES = frozenset({"system", "auditor"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """
    Issuer of a command. *groups*: candidate groups whose tasks they may see; *on_behalf_of*: a represented user;
    *by_program*: a program or a shell acts, where nobody sits who could undo it.
    """

    name: str
    role: str = "staff"
    groups: frozenset[str] = frozenset()
    on_behalf_of: str | None = None
    by_program: bool = False


SYSTEM = Actor(name="system", role="system")
