"""Follows what becomes of a person's acts on cases; `staff.outcomes` shows it above the next task."""

from __future__ import annotations

from usher_engine import Instance
from usher_engine.accounts import FollowedAct, FollowedActs

from .. import auth
from ..site import site


def follow(instance: Instance, done: str, *, since: int | None = None) -> None:
    """
    Follow from now on what becomes of an act of the requesting account, instead of an earlier one on the same case.

    *done* says what it was: "Update Now is done."; *since* is the step of it, by default the newest.
    """
    act = FollowedAct(instance=instance.id, revision=since or instance.revision, done=done, at=site().now())
    followed_acts().follow(auth.actor().name, act)


def followed_acts() -> FollowedActs:
    return FollowedActs(site().accounts.database)
