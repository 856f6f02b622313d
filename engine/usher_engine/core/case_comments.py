"""The comments on a case, folded from the facts in its history. Pure; `cases.comments` writes the facts.

A comment is named by the number of the step that added it. Its author may correct or withdraw it for a short time; the
texts before stay in the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from .errors import Corrupt

#: The facts of comments; nothing else records facts under these names.
COMMENTED = "Comment Added"
CORRECTED = "Comment Corrected"
WITHDRAWN = "Comment Withdrawn"
FACTS = frozenset({COMMENTED, CORRECTED, WITHDRAWN})

#: The longest comment, in characters, and the most people one may mention.
MAX_COMMENT = 2_000
MAX_MENTIONS = 20

#: The most files of one comment.
MAX_FILES = 5

_OF_FILE = ("name", "sha256", "kind", "size")

#: How long its author may correct or withdraw a comment.
CHANGEABLE_FOR = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Edition:
    """A text that a comment had until *until*."""

    text: str
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Attached:
    """A file of a comment: its name, the SHA-256 of its content (hex), its kind and its size in bytes."""

    name: str
    sha256: str
    kind: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """
    A comment as it stands: *text* is empty once it is withdrawn; its *files* are then for auditors only.

    *mentions* are names of accounts. *earlier* are the texts it had before, oldest first, for the auditor.
    """

    number: int
    by: str
    at: datetime
    text: str
    mentions: tuple[str, ...] = ()
    files: tuple[Attached, ...] = ()
    corrected_at: datetime | None = None
    withdrawn_at: datetime | None = None
    earlier: tuple[Edition, ...] = ()

    def can_change(self, person: str, now: datetime) -> bool:
        """Whether *person* may correct or withdraw it now."""
        return self.by == person and self.withdrawn_at is None and now - self.at < CHANGEABLE_FOR


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A step with one fact: its number, its time and its actor."""

    revision: int
    at: datetime
    by: str
    name: str
    details: Mapping[str, Any]


def is_comment(events: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the events of a step, as recorded, are about a comment and nothing else."""
    return {event.get("name") in FACTS and event.get("kind") == "FactRecorded" for event in events} == {True}


def said_in(revision: int, at: datetime, by: str, events: Iterable[Mapping[str, Any]]) -> list[Said]:
    """What the events of a step say about comments."""
    facts = (event for event in events if event.get("kind") == "FactRecorded" and event.get("name") in FACTS)
    return [Said(revision=revision, at=at, by=by, name=fact["name"], details=fact["details"]) for fact in facts]


def take_in(thread: dict[int, Comment], said: Said) -> None:
    """
    Change *thread*, the comments of a case by number, as *said*.

    Raises:
        Corrupt: That cannot have been: there is no such comment of this person, or it could not be changed any more.
    """
    if said.name == COMMENTED:
        thread[said.revision] = _added(said)
        return
    before = thread.get(_number(said.details))
    if before is None or not before.can_change(said.by, said.at):
        raise Corrupt(f"Step {said.revision} changes a comment that {said.by} could not change.")
    past = (*before.earlier, Edition(text=before.text, until=said.at))
    if said.name == WITHDRAWN:
        thread[before.number] = replace(before, text="", mentions=(), withdrawn_at=said.at, earlier=past)
    else:
        text, mentions = _words(said.details), _mentions(said.details)
        thread[before.number] = replace(before, text=text, mentions=mentions, corrected_at=said.at, earlier=past)


def _added(said: Said) -> Comment:
    details = said.details
    files = tuple(Attached(**{name: one[name] for name in _OF_FILE}) for one in details.get("files", ()))
    if not all(isinstance(one.size, int) for one in files):
        raise Corrupt("A comment has a file without a size.")
    return Comment(
        number=said.revision,
        by=said.by,
        at=said.at,
        text=_words(details),
        mentions=_mentions(details),
        files=files,
    )


def _words(details: Mapping[str, Any]) -> str:
    text = details.get("text")
    if not isinstance(text, str) or len(text) > MAX_COMMENT:
        raise Corrupt("A comment is not a text of the usual length.")
    return text


def _mentions(details: Mapping[str, Any]) -> tuple[str, ...]:
    names = details.get("mentions", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Corrupt("A comment mentions something that is no name.")
    return tuple(names)


def _number(details: Mapping[str, Any]) -> int:
    number = details.get("comment")
    return number if isinstance(number, int) and not isinstance(number, bool) else 0
