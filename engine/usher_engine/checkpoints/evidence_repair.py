"""Puts right what the record itself proves, and records that: peaks, triggers, a checkpoint file that is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..core.errors import Corrupt, InvalidSubmission
from ..core.visible_text import trimmed
from ..settings import Settings
from ..store import Database, Transaction
from ..store import checkpoint_rows as rows
from ..store.guards import restore_guards
from ..store.instance_rows import one_at_a_time
from .checkpoint_file import read_lines, write_anew
from .checkpointer import refuse_lost
from .leaf_entries import entry
from .merkle import SignedHead, Tree
from .repair_event import record_repair

MAX_REASON = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """*peaks*: checkpoints whose peaks were set right; *triggers*: those created again; *heads*: lines written."""

    peaks: tuple[int, ...]
    triggers: tuple[str, ...]
    heads: int

    def __bool__(self) -> bool:
        return bool(self.peaks or self.triggers or self.heads)


def repair(database: Database, settings: Settings, now: datetime, *, reason: str, by: str) -> Repaired:
    """
    Set right what can be proven, and record it as an audit event; the record itself is never changed.

    Raises:
        InvalidSubmission: No reason was given.
        Corrupt: The checkpoint file has heads that the database lacks, or the leaves do not give the signed root.
    """
    reason = trimmed(reason)
    if not reason or len(reason) > MAX_REASON:
        raise InvalidSubmission(f"Say why, in 1 to {MAX_REASON} characters.", fields={"reason": "Say why."})
    file = Path(settings.checkpoint_file)
    with database.begin() as tx:
        one_at_a_time(tx, "checkpoint")
        known, written = [stored.line for stored in rows.all_checkpoints(tx)], read_lines(file)
        refuse_lost(known, written, file)
        triggers = tuple(restore_guards(tx))
        peaks = tuple(_set_peaks(tx))
        heads = len(known) if written != known else 0
        done = Repaired(peaks=peaks, triggers=triggers, heads=heads)
        if done:
            record_repair(tx, now, by=by, why=reason, peaks=peaks, triggers=triggers, heads=heads)
    if done.heads:
        write_anew(file, known)
    return done


def _set_peaks(tx: Transaction) -> list[int]:
    """Set the peaks of every checkpoint that do not fit; return the numbers of these checkpoints."""
    heads = {stored.number: stored for stored in rows.all_checkpoints(tx)}
    wanted = sorted((SignedHead.from_line(stored.line).head for stored in heads.values()), key=lambda head: head.size)
    tree, right = Tree(), dict[int, str]()
    for number, instance, revision, digest in rows.leaves(tx):
        if number != tree.size or type(digest) is not bytes:
            raise Corrupt("The Merkle tree cannot be read; nothing was repaired. Run: usher verify --all")
        tree.append(entry(instance, revision, digest))
        while wanted and wanted[0].size == tree.size:
            head = wanted.pop(0)
            if head.root != tree.root.hex():
                words = f"The record does not give the root that checkpoint {head.number} signed; nothing was repaired."
                raise Corrupt(f"{words} Run: usher verify --all")
            right[head.number] = tree.peaks_text
    wrong = [number for number, peaks in right.items() if heads[number].peaks != peaks]
    for number in wrong:
        rows.set_peaks(tx, number, right[number])
    return wrong
