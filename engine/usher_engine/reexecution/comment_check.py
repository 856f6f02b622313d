"""Checks the comments of a case: each change was its author's and in time, and mentions are those of the history."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ..core.case_comments import Comment, said_in, take_in
from ..core.errors import Corrupt
from ..core.findings import Finding
from ..store import Row, Transaction, file_rows, mention_rows
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


def check_files(tx: Transaction, record: Record, steps: Iterable[ReadStep]) -> list[Finding]:
    """Compare the attached files with what the comments say of them; each content with its hash."""
    attached = [one for comment in _thread(record.row, steps)[0].values() for one in comment.files]
    files = {one.sha256: (one.kind, one.size) for one in attached}
    if not files:
        return []
    there = {}
    for sha256, kind, size, content in file_rows.of_case(tx, record.row.id):
        is_whole = content is not None and len(content) == size and hashlib.sha256(content).hexdigest() == sha256
        there[sha256] = (kind, size) if is_whole else None
    wrong = sorted(sha256 for sha256 in {*files, *there} if files.get(sha256) != there.get(sha256))
    words = "The file with the SHA-256 {} is not as it was attached, or was removed."
    return [finding_about(record.row, None, "file", words.format(sha256)) for sha256 in wrong]


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
