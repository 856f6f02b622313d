"""Two texts of one file, hunk by hunk, and the text that a choice between them makes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

CONTEXT = 2  # lines that are the same, shown around a difference


@dataclass(frozen=True, kw_only=True, slots=True)
class Hunk:
    """
    One difference, counted from 1, with the equal lines right before it.

    *skipped* is how many more equal lines there are before those.
    """

    number: int
    theirs: tuple[str, ...]
    mine: tuple[str, ...]
    before: tuple[str, ...] = ()
    skipped: int = 0


def hunks(theirs: bytes, mine: bytes) -> Iterator[Hunk]:
    """Where the two differ, each difference with a few equal lines before it."""
    old, new = theirs.splitlines(), mine.splitlines()
    equal: list[bytes] = []
    number = 0
    for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            equal = old[a:b]
            continue
        number += 1
        yield Hunk(
            number=number,
            theirs=_shown(old[a:b]),
            mine=_shown(new[c:d]),
            before=_shown(equal[-CONTEXT:]),
            skipped=max(0, len(equal) - CONTEXT),
        )
        equal = []


def chosen(theirs: bytes, mine: bytes, picks: Mapping[str, str]) -> bytes:
    """The text with ``theirs`` where *picks* says so for a difference (``h1``, ``h2``, …), else *mine*."""
    old, new = theirs.splitlines(keepends=True), mine.splitlines(keepends=True)
    parts: list[bytes] = []
    number = 0
    # The same comparison as in `hunks`, so that the numbers are the same.
    for tag, a, b, c, d in SequenceMatcher(None, theirs.splitlines(), mine.splitlines()).get_opcodes():
        number += tag != "equal"
        take_theirs = tag != "equal" and picks.get(f"h{number}") == "theirs"
        parts += old[a:b] if take_theirs else new[c:d]
    # The last line of one text may have no end; where lines of the other follow it, it gets one.
    ended = [line if line.endswith((b"\n", b"\r")) else line + b"\n" for line in parts[:-1]]
    return b"".join([*ended, *parts[-1:]])


def _shown(lines: list[bytes]) -> tuple[str, ...]:
    return tuple(line.decode(errors="replace") for line in lines)
