"""What pages say with a draft of a task's form or of a comment, and what they are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from usher_engine import UserTask
from usher_engine.cases import DraftBasis

from ..site import site


def draft_basis(
    sent: Mapping[str, Any], fields: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> DraftBasis | None:
    """
    What the page knows of the draft before; None if it does not say.

    ``stamp`` is that of the draft it has seen last, and ``unanswered`` the text of each field that it has sent since;
    *fields* reads that as it does the ``values``.
    """
    stamp, unanswered = sent.get("stamp"), sent.get("unanswered")
    if not isinstance(stamp, str):
        return None
    return DraftBasis(stamp=stamp, sent=fields(unanswered) if isinstance(unanswered, dict) else None)


def draft_standing(
    saved: datetime | None, stamp: str, state: str = "open", by: str = "", task: UserTask | None = None
) -> dict[str, Any]:
    """When the draft was *saved*, on the practice's clock, the *stamp* of the one stored, and how its *task* stands."""
    return {
        "saved": f"{site().settings.calendar.local(saved):%H:%M}" if saved else "",
        "stamp": stamp,
        "state": state,
        "by": by,
        "revision": task.revision if task else None,
    }
