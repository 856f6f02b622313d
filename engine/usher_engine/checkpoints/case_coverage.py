"""Finds how far signed checkpoints cover one case, without reading the whole tree. Changes nothing.

Every checkpoint keeps the peaks of the tree it extended. If these yield the signed root of the previous checkpoint,
they are genuine, and with the leaves added since they must yield the signed root of this one. So the check of one case
reads only the leaves that its checkpoints added.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import Corrupt
from ..core.findings import Finding
from ..store import Transaction
from ..store import checkpoint_rows as rows
from .checkpoint_file import read_lines
from .leaf_entries import entry
from .merkle import Head, SignedHead, Tree
from .times import Between, Bounds, check_step, deployments


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Signed checkpoints cover the first *steps* steps; the newest of these was signed at *signed_at* (ISO 8601)."""

    steps: int
    signed_at: str
    findings: tuple[Finding, ...]
    #: When each step was written, by the checkpoints before and after it.
    written: tuple[Between, ...]


def coverage(
    tx: Transaction, instance: str, steps: Sequence[tuple[Any, Any, bytes]], *, key: str | None, file: Path | None
) -> Coverage:
    """
    Compare the hashes of a case's steps with their leaves, the leaves with the signed heads, and the dates with both.

    Args:
        tx: One snapshot of the database.
        instance: The case.
        steps: Revision, stored body and hash of its steps, oldest first.
        key: The public key the heads must be signed with; None skips the signatures.
        file: The checkpoint file, if there is one here: it must contain the heads too.
    """
    covered = rows.leaves_of(tx, instance)
    findings = list(_against_leaves(instance, [digest for _, _, digest in steps], covered))
    heads, lines = _Heads(tx), frozenset(read_lines(file)) if file is not None else None
    numbers = sorted({heads.covering(leaf) for leaf, _, _ in covered})
    for number in numbers:
        problem = _problem(tx, heads, number, key, lines)
        if problem:
            findings.append(Finding(instance, None, "", "checkpoint", problem))
    bounds, leaves = Bounds(heads.all()), {revision: number for number, revision, _ in covered}
    written = tuple(bounds.of(leaves.get(revision)) for revision in range(1, len(steps) + 1))
    findings += _dates(tx, instance, steps, written)
    signed_at = heads.signed(numbers[-1]).head.at if numbers and not findings else ""
    signed = 0 if findings else len(covered)
    return Coverage(steps=signed, signed_at=signed_at, findings=tuple(findings), written=written)


def _dates(
    tx: Transaction, instance: str, steps: Sequence[tuple[Any, Any, bytes]], written: Sequence[Between]
) -> Iterator[Finding]:
    deployed, last = deployments(tx), None
    for (revision, body, _), between in zip(steps, written, strict=True):
        found, last = check_step(instance, revision, body, between, last, deployed)
        yield from found


def _against_leaves(
    instance: str, hashes: Sequence[bytes], covered: Sequence[tuple[int, int, bytes]]
) -> Iterator[Finding]:
    for expected, (_, revision, digest) in enumerate(covered, start=1):
        if revision != expected:
            words = f"Step {revision} is signed by a checkpoint, but step {expected} before it is not: it was inserted."
            yield Finding(instance, expected, "", "replaced", words)
            return
        if revision > len(hashes):
            words = f"Step {revision} was signed by a checkpoint and is missing."
            yield Finding(instance, revision, "", "missing", words)
        elif hashes[revision - 1] != digest:
            words = f"Step {revision} is not the one a checkpoint has signed: it was replaced."
            yield Finding(instance, revision, "", "replaced", words)


class _Heads:
    """The signed heads of the database, each read when needed."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._read: dict[int, rows.Stored | None] = {}
        newest = rows.last(tx)
        self.newest = newest.number if newest else 0

    def covering(self, leaf: int) -> int:
        """Return the number of the first checkpoint whose tree contains this leaf, or one beyond the newest."""
        return 1 + bisect_right(range(1, self.newest + 1), leaf, key=self._size)

    def all(self) -> Iterator[Head]:
        """Yield the heads that can be read."""
        for number in range(1, self.newest + 1):
            try:
                yield self.signed(number).head
            except Corrupt:
                continue

    def _size(self, number: int) -> int:
        try:
            return self.signed(number).head.size
        except Corrupt:
            return 0

    def stored(self, number: int) -> rows.Stored:
        """Return checkpoint *number*; raise `Corrupt` if it is missing."""
        if number not in self._read:
            self._read[number] = rows.find(self._tx, number)
        found = self._read[number]
        if found is None:
            raise Corrupt(f"Checkpoint {number} is not in the database.")
        return found

    def signed(self, number: int) -> SignedHead:
        """Return the signed head of checkpoint *number*; raise `Corrupt` if it is missing or malformed."""
        return SignedHead.from_line(self.stored(number).line)


def _problem(tx: Transaction, heads: _Heads, number: int, key: str | None, lines: frozenset[str] | None) -> str:
    """Return what is wrong with checkpoint *number*, or "" if signature and root match the leaves it added."""
    if number > heads.newest:
        return "The tree has entries of this case that no checkpoint has signed."
    try:
        before = heads.signed(number - 1) if number > 1 else None
        signed = heads.signed(number)
        peaks = [bytes.fromhex(peak) for peak in heads.stored(number - 1).peaks.split()] if before else []
        tree = Tree(before.head.size, peaks) if before else Tree()
    except (Corrupt, ValueError):
        return f"Checkpoint {number} or the one before it cannot be read from the database: it was altered or removed."
    for one in filter(None, (before, signed)):
        if key is not None and not one.is_signed_by(key):
            return f"The signature of checkpoint {one.head.number} is wrong or was made with another key."
        if lines is not None and one.to_line() not in lines:
            return f"Checkpoint {one.head.number} is not in the checkpoint file."
    if before and tree.root.hex() != before.head.root:
        return f"Checkpoint {number} does not continue the tree that checkpoint {number - 1} signed."
    for leaf in rows.leaves_between(tx, tree.size, signed.head.size):
        if type(leaf.hash) is not bytes:
            break
        tree.append(entry(leaf.instance, leaf.revision, leaf.hash))
    if tree.size != signed.head.size or tree.root.hex() != signed.head.root:
        return f"Checkpoint {number}, signed at {signed.head.at}, does not match the records it covers."
    return ""
