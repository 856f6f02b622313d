"""Compares two versions of any other file: a unified diff for text, otherwise just the fact that it changed."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from .change import Change, ChangeKind

MAX_COMPARED = 3_000  # lines; comparing longer files takes too long
MAX_SHOWN = 400
MAX_LINE = 500


def text_changes(file: str, before: bytes | None, after: bytes | None) -> Iterator[Change]:
    """Yield the change of one file; *before* or *after* is None if that version does not have it."""
    if before == after:
        return
    kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED if after is None else ChangeKind.CHANGED
    old, new = _lines(before), _lines(after)
    lines: tuple[str, ...] = ()
    if old is not None and new is not None and max(len(old), len(new)) <= MAX_COMPARED:
        lines = tuple(line[:MAX_LINE] for line in unified_diff(old, new, n=2, lineterm=""))[2:]
    if len(lines) > MAX_SHOWN:
        lines = (*lines[:MAX_SHOWN], f"@@ and {len(lines) - MAX_SHOWN} more lines")
    yield Change(kind=kind, file=file, thing="file", key=file, name="", lines=lines)


def _lines(content: bytes | None) -> list[str] | None:
    try:
        return [] if content is None else content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return None
