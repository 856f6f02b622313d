"""Events of what people do to a case from outside its diagram; `core.events` exports them."""

from __future__ import annotations

from dataclasses import field

from .event_versions import event


@event(version=1)
class InstanceMigrated:
    """
    The case goes on under version *to_version* of its process, whose package has the hash *definition*.

    *mapping* says which element takes the place of which, where the two differ; *places* are the visits tokens rested
    on, with where they rest now, where the two differ. Open tasks are opened again after it.
    """

    from_version: int
    to_version: int
    definition: str
    mapping: dict[str, str]
    reason: str
    places: dict[str, str] = field(default_factory=dict)


@event(version=1)
class InstanceRepaired:
    """
    The stored state of the case was made again from its history.

    *rules* are those its steps were decided by then, 0 where each kept its own. *parted* is the first step from which
    on the diagram goes another way than was recorded, 0 where it goes the same. *closed* are the places that had been
    opened and are not on that way, *opened* those that lie on it and had not been; events that follow tell of each.
    """

    rules: int = 0
    parted: int = 0
    closed: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
