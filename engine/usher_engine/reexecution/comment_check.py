"""Checks the comments of a case: each change was its author's and in time, and mentions are those of the history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ..core.case_comments import Comment, said_in, take_in
from ..core.errors import Corrupt
from ..core.findings import Finding
from ..store import Row, mention_rows
from ..store.stored_cases import Record
from .hash_chain import ReadStep, finding_about

#: What a malformed fact may raise.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)


def check_thread(row: Row, steps: Iterable[ReadStep]) -> list[Finding]:
    """Return a finding for every step that says of a comment what cannot have been."""
    return _thread(row, steps)[1]


def check_mentions(record: Record, steps: Iterable[ReadStep]) -> list[Finding]:
    """Compare the rows that tell people they are mentioned with the comments in *steps*."""
    thread = _thread(record.row, steps)[0]
    expected = [mention_rows.row_of(record.row.id, one, who) for one in thread.values() for who in one.mentions]
    there = [{name: value for name, value in row.items() if name != "seen_at"} for row in record.mentions]
    if sorted(map(_sortable, expected)) == sorted(map(_sortable, there)):
        return []
    words = "The people who are told that a comment mentions them are not those its comments mention."
    return [finding_about(record.row, None, "mention", words)]


def _thread(row: Row, steps: Iterable[ReadStep]) -> tuple[dict[int, Comment], list[Finding]]:
    thread: dict[int, Comment] = {}
    findings = []
    for revision, body, _ in steps:
        try:
            at, by = datetime.fromisoformat(body["at"]), body["actor"]["name"]
            for said in said_in(revision, at, by, body["events"]):
                take_in(thread, said)
        except Corrupt as error:
            findings.append(finding_about(row, revision, "comment", error.message))
        except _MALFORMED:
            findings.append(finding_about(row, revision, "comment", f"Step {revision} holds a malformed comment."))
    return thread, findings


def _sortable(row: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((name, str(value)) for name, value in row.items())
