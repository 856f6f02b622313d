"""Reads the signed heads from file and database, and reports what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import Corrupt
from ..core.findings import Finding
from ..store import Transaction
from ..store import checkpoint_rows as rows
from .checkpoint_file import read_lines
from .merkle import Head, SignedHead


@dataclass(slots=True)
class Heads:
    """The trustworthy heads by number, those of the file before those of the database."""

    signed: dict[int, Head] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def by_size(self) -> Sequence[Head]:
        return sorted(self.signed.values(), key=lambda head: (head.size, head.number))

    @property
    def size(self) -> int:
        """The number of signed entries."""
        return max((head.size for head in self.signed.values()), default=0)

    def report(self, kind: str, message: str) -> None:
        self.findings.append(Finding("", None, "", kind, message))


def read_heads(tx: Transaction, file: Path | None, key: str | None) -> Heads:
    """Return the heads in *file* and database, checked against each other and against *key*."""
    heads = Heads()
    stored = rows.all_checkpoints(tx)
    inside = _parsed(heads, [row.line for row in stored], "the database", key)
    if any(row.number != head.number for row, head in zip(stored, inside.values(), strict=False)):
        heads.report("checkpoint", "The checkpoints in the database are out of order.")
    if file is None:
        heads.signed = inside
        _check_numbers(heads, inside, "the database")
        return heads
    lines = read_lines(file)
    if not lines:
        heads.report("checkpoint file", f"The checkpoint file {file.name} is missing or empty.")
    outside = _parsed(heads, lines, file.name, key)
    _check_numbers(heads, outside, file.name)
    _compare(heads, inside, outside, file.name)
    heads.signed = {**inside, **outside}
    return heads


def _parsed(heads: Heads, lines: Sequence[str], place: str, key: str | None) -> dict[int, Head]:
    """Return the heads in *lines* with valid signatures; report the others."""
    found: dict[int, Head] = {}
    for position, line in enumerate(lines, start=1):
        try:
            signed = SignedHead.from_line(line)
        except Corrupt:
            message = f"Line {position} of {place} is not a checkpoint; it was altered or written in part."
            heads.report("checkpoint", message)
            continue
        number = signed.head.number
        if key is not None and signed.key != key:
            heads.report("key", f"Checkpoint {number} in {place} was signed with another key: {signed.key[:60]}")
        elif key is not None and not signed.is_signed_by(key):
            heads.report("signature", f"The signature of checkpoint {number} in {place} is wrong; it was altered.")
        elif found.setdefault(number, signed.head) != signed.head:
            heads.report("checkpoint", f"There are two different checkpoints {number} in {place}.")
    return found


def _check_numbers(heads: Heads, found: dict[int, Head], place: str) -> None:
    if list(found) != sorted(found):
        heads.report("checkpoint", f"The checkpoints in {place} are out of order.")
    missing = sorted(set(range(1, max(found, default=0) + 1)) - set(found))
    if missing:
        heads.report("checkpoint", f"Checkpoint {missing[0]} is missing in {place} ({len(missing)} in all).")
    if len({head.origin for head in found.values()}) > 1:
        heads.report("origin", f"The checkpoints in {place} come from more than one database.")
    sizes = [found[number].size for number in sorted(found)]
    if sizes != sorted(sizes):
        heads.report("checkpoint", f"A checkpoint in {place} covers less than the one before it.")


def _compare(heads: Heads, inside: dict[int, Head], outside: dict[int, Head], place: str) -> None:
    ours, theirs = {head.origin for head in inside.values()}, {head.origin for head in outside.values()}
    if ours and theirs and ours != theirs:
        heads.report("origin", f"The checkpoints in {place} come from another database: {', '.join(sorted(theirs))}")
        return
    for number in sorted(set(inside) | set(outside)):
        if number not in inside:
            heads.report("checkpoint", f"Checkpoint {number} is in {place} but missing from the database.")
        elif number not in outside:
            heads.report(
                "checkpoint file",
                f"Checkpoint {number} is in the database but missing from {place}: lines were removed, or a crash came "
                "before the file was written. If you are sure it was a crash, `usher checkpoint` adds them.",
            )
        elif inside[number] != outside[number]:
            heads.report("checkpoint", f"Checkpoint {number} in {place} differs from the one in the database.")
