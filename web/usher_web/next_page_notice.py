"""One sentence for the next page of a session: what was done, or that it failed. A failure never looks like success."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class NoticeKind(Enum):
    """How a sentence is shown: with ✓ and as a status, or with ▲ and as an alert."""

    DONE = "done"
    FAILED = "failed"


class Notice(NamedTuple):
    kind: NoticeKind
    text: str


_KIND_ENDS = "\n"  # a sentence has one line


def as_stored(notice: Notice) -> str:
    """Return *notice* as the session's row keeps it; an empty text is no notice."""
    return f"{notice.kind.value}{_KIND_ENDS}{notice.text}" if notice.text else ""


def from_stored(stored: str) -> Notice | None:
    """Return the notice in *stored*; a bare sentence, as older versions kept it, was always about something done."""
    kind, ends, text = stored.partition(_KIND_ENDS)
    if kind in {known.value for known in NoticeKind} and ends:
        return Notice(NoticeKind(kind), text)
    return Notice(NoticeKind.DONE, stored) if stored else None
