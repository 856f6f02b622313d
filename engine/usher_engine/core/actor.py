"""The actor of a command: a person, a program or Usher itself, with the role and groups that limit what they see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

#: Roles that see every task and case, without being in a candidate group.
UNBOUND_ROLES = frozenset({"system", "auditor"})


@dataclass(frozen=True, kw_only=True, slots=True)
class StandIn:
    """
    *substitute* stands in for *person* until the end of the day *last*: for tasks of these *groups*, all if empty.

    It passes no right on: it is about what *person* has claimed, never about whom *person* stands in for.
    """

    person: str
    substitute: str
    groups: frozenset[str]
    last: date

    def covers(self, groups: Collection[str]) -> bool:
        """Whether it is about tasks of these candidate *groups*."""
        return not self.groups or bool(self.groups.intersection(groups))

    def joined(self, other: StandIn) -> StandIn:
        """Both as one, for the same two people."""
        groups = self.groups | other.groups if self.groups and other.groups else frozenset()
        last = max(self.last, other.last)
        return StandIn(person=self.person, substitute=self.substitute, groups=groups, last=last)


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """
    Issuer of a command. *groups*: candidate groups whose tasks they may see; *on_behalf_of*: a represented user;
    *by_program*: a program or a shell acts, where nobody sits who could undo it; *stands_in*: for whom they stand in
    now, read with the request, for what they see. What they may do is asked of the rows again.
    """

    name: str
    role: str = "staff"
    groups: frozenset[str] = frozenset()
    on_behalf_of: str | None = None
    by_program: bool = False
    stands_in: tuple[StandIn, ...] = ()

    def stands_in_for(self, person: str, groups: Collection[str]) -> bool:
        """Whether they stand in for *person* with a task of these candidate *groups*."""
        return any(one.person == person and one.covers(groups) for one in self.stands_in)


SYSTEM = Actor(name="system", role="system")
