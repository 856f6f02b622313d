"""Two texts of one file, hunk by hunk, and the text that results from a choice between them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

CONTEXT = 2  # lines that are the same, shown around a difference


@dataclass(frozen=True, kw_only=True, slots=True)
class Hunk:
    """
    One difference, counted from 1, with the equal lines right before it.

    *skipped* is the number of further equal lines before those.
    """

    number: int
    theirs: tuple[str, ...]
    mine: tuple[str, ...]
    before: tuple[str, ...] = ()
    skipped: int = 0


def hunks(theirs: bytes, mine: bytes) -> Iterator[Hunk]:
    """The differences between the two, each with a few equal lines before it."""
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
            theirs=_as_text(old[a:b]),
            mine=_as_text(new[c:d]),
            before=_as_text(equal[-CONTEXT:]),
            skipped=max(0, len(equal) - CONTEXT),
        )
        equal = []


def merged_text(theirs: bytes, mine: bytes, picks: Mapping[str, str]) -> bytes:
    """Return *mine* with the lines of *theirs* in each difference (``h1``, …) that *picks* sets to ``theirs``."""
    old, new = theirs.splitlines(keepends=True), mine.splitlines(keepends=True)
    parts: list[bytes] = []
    number = 0
    # Must compare exactly as `hunks` does: the numbers refer to it.
    for tag, a, b, c, d in SequenceMatcher(None, theirs.splitlines(), mine.splitlines()).get_opcodes():
        number += tag != "equal"
        take_theirs = tag != "equal" and picks.get(f"h{number}") == "theirs"
        parts += old[a:b] if take_theirs else new[c:d]
    # The last line of one text may lack a newline; add one if lines of the other text follow.
    ended = [line if line.endswith((b"\n", b"\r")) else line + b"\n" for line in parts[:-1]]
    return b"".join([*ended, *parts[-1:]])


def _as_text(lines: list[bytes]) -> tuple[str, ...]:
    return tuple(line.decode(errors="replace") for line in lines)
