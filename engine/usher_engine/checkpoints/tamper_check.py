"""Finds altered and removed rows: checks every row against its hash, its leaf and the signed heads. Changes nothing.

Reads the tables in order and keeps one case at a time in memory. The package `reexecution` re-executes cases.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

from ..core.findings import Finding
from ..store import Database, Transaction, tombstones
from ..store import audit_rows as events
from ..store import checkpoint_rows as rows
from ..store.checkpoint_rows import AUDIT, Compared
from ..store.instance_rows import GENESIS
from ..store.step_codec import MAX_STEP
from .leaf_entries import entry
from .merkle import Head, Tree
from .signed_heads import Heads, read_heads
from .times import check_times


def check_everything(database: Database, *, file: Path | None, key: str | None) -> list[Finding]:
    """Run `check_checkpoints` and `check_audit` in one snapshot of the database."""
    with database.read() as tx:
        return [*_checkpoints(tx, file, key), *check_events(tx)]


def check_checkpoints(database: Database, *, file: Path | None, key: str | None) -> list[Finding]:
    """
    Compare the steps with their chains, their leaves and the signed heads.

    Args:
        database: The database to check.
        file: The checkpoint file. Without it, the check relies on the heads in the database, which an attacker who can
            alter the database can alter too.
        key: The public key the heads must be signed with; None skips the signatures.

    Returns:
        A finding for every mismatch: heads first, then the tree, then cases by id.
    """
    with database.read() as tx:
        return _checkpoints(tx, file, key)


def check_audit(database: Database) -> list[Finding]:
    """Compare the audit events with their chain and their leaves."""
    with database.read() as tx:
        return list(check_events(tx))


def check_events(tx: Transaction) -> Iterator[Finding]:
    """The findings of `check_audit` in a transaction."""
    yield from _audit(tx)
    yield from _named(tx)


def _checkpoints(tx: Transaction, file: Path | None, key: str | None) -> list[Finding]:
    heads = read_heads(tx, file, key)
    times = check_times(tx, heads.signed.values())
    return [*heads.findings, *_tree(tx, heads), *_steps(tx), *times, *tombstones.check_all(tx)]


#: First bytes of zlib at its default level (RFC 1950); other first bytes would decompress to the same text.
ZLIB_START = b"\x78\x9c"

# the tree


def _tree(tx: Transaction, heads: Heads) -> Iterator[Finding]:
    """Check the leaves in order: their numbers, the root at the size of every signed head, and its stored peaks."""
    tree, wanted, good = Tree(), list(heads.by_size()), True
    peaks = {stored.number: stored.peaks for stored in rows.all_checkpoints(tx)}
    with closing(rows.leaves(tx)) as leaves:
        for number, instance, revision, digest in leaves:
            if not _is_leaf(instance, revision, digest) or number != tree.size:
                yield _finding("tree", f"Entry {tree.size} of the Merkle tree is missing, out of order or unreadable.")
                return
            tree.append(entry(instance, revision, digest))
            while wanted and wanted[0].size == tree.size:
                head = wanted.pop(0)
                if good and head.root != tree.root.hex():
                    good = False
                    yield _finding("tree", _mismatch(head))
                if good and peaks.get(head.number, tree.peaks_text) != tree.peaks_text:
                    yield _finding("peaks", f"{unfit_peaks(head.number)} {REPAIR}")
    if wanted and good:
        gone = wanted[-1].size - tree.size
        yield _finding(
            "tree",
            f"Checkpoint {wanted[-1].number}, signed at {wanted[-1].at}, covers {wanted[-1].size} entries; the "
            f"database has {tree.size} left: {gone} were removed.",
        )
    elif good and tree.size > heads.size:
        yield _finding("tree", f"The database has {tree.size - heads.size} entries that no checkpoint has signed.")


def unfit_peaks(number: int) -> str:
    return f"The peaks stored with checkpoint {number} do not fit the root it signed: they were altered."


REPAIR = "Put this right with: usher checkpoint --repair --reason WHY"


def _mismatch(head: Head) -> str:
    return (
        f"Checkpoint {head.number}, signed at {head.at}, does not match the records: an entry since the last one "
        "was altered, moved, added or removed."
    )


def _is_leaf(instance: Any, revision: Any, digest: Any) -> bool:
    return type(instance) is str and type(revision) is int and type(digest) is bytes


# steps


def _steps(tx: Transaction) -> Iterator[Finding]:
    purged = tombstones.ids(tx)
    for instance, steps in groupby(rows.steps_with_leaves(tx), key=lambda row: row.instance):
        yield from _case(str(instance), steps, purged=instance in purged)
    for instance, revision in rows.lost_steps(tx):
        message = f"Step {revision} was signed by a checkpoint and is missing."
        yield Finding(str(instance), _number(revision), "", "missing", message)
    for instance in rows.cases_without_steps(tx):
        yield Finding(str(instance), None, "", "missing", "The case has lost all its steps.")


def _case(instance: str, steps: Iterator[Compared], *, purged: bool) -> Iterator[Finding]:
    """
    Check one case from first to last step: numbers without gaps, chained hashes, matching leaves.

    For a *purged* case only its hashes are left to compare with the signed ones.
    """
    previous, expected, covered = GENESIS, 1, True
    last: Compared | None = None
    for row in steps:
        if row.revision != expected:
            message = f"Step {expected} is missing; step {row.revision} follows."
            yield Finding(instance, expected, "", "missing", message)
        elif not (purged and not row.body) and _expected_hash(previous, row.body) != row.hash:
            message = f"Step {row.revision} does not fit its hash: its text, its hash or a step before it was altered."
            yield Finding(instance, expected, "", "chain", message)
        yield from _against_leaf(instance, row, covered=covered)
        covered = covered and row.leaf is not None
        previous = row.hash if type(row.hash) is bytes else GENESIS
        expected = row.revision + 1 if type(row.revision) is int else expected + 1
        last = row
    if last is not None:
        yield from _against_case(instance, last)


def _against_leaf(instance: str, row: Compared, *, covered: bool) -> Iterator[Finding]:
    if row.leaf is not None and row.leaf != row.hash:
        message = f"Step {row.revision} is not the one a checkpoint has signed: it was replaced."
        yield Finding(instance, _number(row.revision), "", "replaced", message)
    if row.leaf is not None and not covered:
        message = f"Step {row.revision} is signed by a checkpoint, but an earlier step is not: that one was inserted."
        yield Finding(instance, _number(row.revision), "", "replaced", message)


def _against_case(instance: str, last: Compared) -> Iterator[Finding]:
    if last.head is None:
        yield Finding(instance, None, "", "missing", "The case is missing; only its steps remain.")
    elif last.head != last.hash or last.steps != last.revision:
        differs = "its hash differs" if last.steps == last.revision else f"the last one found is {last.revision}"
        message = f"By the row of the case its last step is {last.steps}; {differs}."
        yield Finding(instance, _number(last.revision), "", "head", message)


def _expected_hash(previous: bytes, body: Any) -> bytes | None:
    """Return the hash that *body* must have after *previous*, or None if Usher never writes such a body."""
    written = _decompress(body)
    if written is None or body[:2] != ZLIB_START or _has_loose_bits(body, written):
        return None
    return hashlib.sha256(previous + written).digest()


def _decompress(body: Any) -> bytes | None:
    """Return the text in *body*, or None if it is cut off or something follows it."""
    if type(body) is not bytes:
        return None
    unpacking = zlib.decompressobj()
    try:
        written = unpacking.decompress(body, MAX_STEP)
    except zlib.error:
        return None
    return written if unpacking.eof and not unpacking.unused_data else None


def _has_loose_bits(body: bytes, written: bytes) -> bool:
    """
    Whether the unused bits between the end of the text and its checksum are not all zero.

    Only these can be altered without altering the text (RFC 1951, 3.2.3). The test: the text stays the same without the
    highest set bit of the last byte before the checksum.
    """
    last = body[-5]
    if not last:
        return False
    without = last & ~(1 << last.bit_length() - 1)
    return _decompress(body[:-5] + bytes([without]) + body[-4:]) == written


# audit events


def _audit(tx: Transaction) -> Iterator[Finding]:
    """Check the audit events from first to last against their leaves."""
    leaves = rows.covered_events(tx)
    signed = next(leaves, None)
    previous, expected = GENESIS, 1
    for event in events.raw(tx):
        if event.seq != expected:
            yield _finding("audit", f"Audit event {expected} is missing; event {event.seq} follows.")
        elif not _fits(previous, event):
            message = f"Audit event {event.seq} does not match its hash: it or an earlier one was altered."
            yield _finding("audit", message)
        elif not _repeats(event):
            yield _finding("audit", f"The columns of audit event {event.seq} do not match its text.")
        while signed is not None and type(event.seq) is int and not (type(signed[0]) is int and signed[0] >= event.seq):
            yield _finding("audit", f"Audit event {signed[0]} was signed by a checkpoint and is missing.")
            signed = next(leaves, None)
        if signed is not None and signed[0] == event.seq:
            if signed[1] != event.hash:
                message = f"Audit event {event.seq} is not the one a checkpoint has signed: it was replaced."
                yield _finding("audit", message)
            signed = next(leaves, None)
        previous = event.hash if type(event.hash) is bytes else GENESIS
        expected = event.seq + 1 if type(event.seq) is int else expected + 1
    while signed is not None:
        yield _finding("audit", f"Audit event {signed[0]} was signed by a checkpoint and is missing.")
        signed = next(leaves, None)


def _named(tx: Transaction) -> Iterator[Finding]:
    """Check that an event can be found by each patient it names among others, and by no other."""
    rows_by_event = groupby(events.raw_named(tx), key=lambda row: row[0])
    seq, named = _next(rows_by_event)
    for event in events.raw(tx):
        while seq is not None and type(event.seq) is int and seq < event.seq:
            yield _finding("audit", f"Audit event {seq} does not name the patients it is listed for.")
            seq, named = _next(rows_by_event)
        here: list[Any] = []
        if seq == event.seq:
            here = named
            seq, named = _next(rows_by_event)
        wanted = _patients(event)
        if wanted is not None and here != wanted:
            yield _finding("audit", f"Audit event {event.seq} is not listed for exactly the patients it names.")
    if seq is not None:
        yield _finding("audit", f"Audit event {seq} is listed for patients and is missing.")


def _next(groups: Iterator[tuple[Any, Iterator[tuple[Any, Any]]]]) -> tuple[Any, list[Any]]:
    seq, found = next(groups, (None, iter(())))
    return seq, sorted(str(patient) for _, patient in found)


def _patients(event: events.RawEvent) -> list[str] | None:
    """The patients that *event* names among others; None if it cannot be read."""
    if type(event.body) is not bytes or b'"patients":' not in event.body:
        return []
    try:
        return events.named_among_others(json.loads(event.body))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _fits(previous: bytes, event: events.RawEvent) -> bool:
    if type(event.body) is not bytes or type(event.hash) is not bytes:
        return False
    return hmac.compare_digest(hashlib.sha256(previous + event.body).digest(), event.hash)


def _repeats(event: events.RawEvent) -> bool:
    try:
        return events.repeated_columns(json.loads(event.body)) == event.columns
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _finding(kind: str, message: str) -> Finding:
    """Return a finding that concerns no case."""
    return Finding(AUDIT, None, "", kind, message)
