"""Two versions of any other file: unified lines where it is text, else that it changed."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from .change import Change, ChangeKind

MAX_COMPARED = 3_000  # lines of a file; comparing more takes too long
MAX_SHOWN = 400
MAX_LINE = 500


def text_changes(file: str, before: bytes | None, after: bytes | None) -> Iterator[Change]:
    """The change of one file as a whole; None where the version does not have it."""
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
