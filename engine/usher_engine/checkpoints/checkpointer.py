"""Takes checkpoints: adds new hashes to the tree as leaves, signs its head, stores it, and writes it to the file."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from ..core import faults
from ..core.errors import Corrupt, EngineError
from ..settings import Settings
from ..store import Database, Transaction, from_text, to_text
from ..store import checkpoint_rows as rows
from ..store.instance_rows import one_at_a_time
from .checkpoint_file import append_lines, read_lines
from .database_key import bind_signing_key
from .leaf_entries import entry
from .merkle import Head, SignedHead, SigningKey, Tree
from .repair_event import record_repair
from .tamper_check import REPAIR, unfit_peaks

log = logging.getLogger("usher.checkpoints")

#: Limit of one checkpoint, so that the first one over years of history does not lock the database for long.
CASES, EVENTS = 5_000, 10_000

LOOK_EVERY_S = 60.0


def take(database: Database, settings: Settings, now: datetime) -> list[SignedHead]:
    """
    Sign all new records in as many checkpoints as needed, or none if nothing is new.

    Always append the heads that the file lacks, as after a crash between database and file.

    Raises:
        Corrupt: The file has heads that the database lacks or contradicts; nothing was signed.
        Misconfigured: The key or the file cannot be read or written.
    """
    taken: list[SignedHead] = []
    signed, after = _take_one(database, settings, now, "")
    while signed is not None:
        taken.append(signed)
        signed, after = _take_one(database, settings, now, after)
    return taken


def _take_one(
    database: Database, settings: Settings, now: datetime, after: str
) -> tuple[SignedHead | None, str]:
    """Take one checkpoint of cases after *after*; return it, or None if nothing is left, and its last case."""
    file = Path(settings.checkpoint_file)
    with database.begin() as tx:
        one_at_a_time(tx, "checkpoint")
        key = bind_signing_key(tx, settings)
        known, written = [stored.line for stored in rows.all_checkpoints(tx)], read_lines(file)
        refuse_lost(known, written, file)
        if known:
            _record_new_file(tx, file, now)
        found = list(rows.rows_without_leaf(tx, after=after, cases=CASES, events=EVENTS))
        signed = _append_and_sign(tx, key, known, found, now) if found else None
    if signed or not set(known) <= set(written):
        _complete_file(database, file)
    return signed, max((leaf.instance for leaf in found), default=after) or after


def _record_new_file(tx: Transaction, file: Path, now: datetime) -> None:
    """A file that is not there although there are heads is one of a new node, or somebody removed it."""
    if not file.exists():
        why = f"There was no checkpoint file {file.name}; it was written anew from the database."
        record_repair(tx, now, by="system", why=why, heads=len(rows.all_checkpoints(tx)))


def _complete_file(database: Database, file: Path) -> None:
    """Append the committed heads that the file lacks; one process at a time, or two would write the same head."""
    with database.begin() as tx:
        one_at_a_time(tx, "checkpoint")
        written = set(read_lines(file))
        append_lines(file, (stored.line for stored in rows.all_checkpoints(tx) if stored.line not in written))


def refuse_lost(known: list[str], written: list[str], file: Path) -> None:
    """Refuse to sign if the file shows that the database lost checkpoints: signing would cover that up."""
    unknown = sorted(_numbers(set(written) - set(known)))
    if unknown:
        raise Corrupt(
            f"The checkpoint file {file} has checkpoint {unknown[0]}, which this database lacks. "
            "Nothing was signed. Find out why with: usher verify --all --checkpoint FILE"
        )


def _numbers(lines: Iterable[str]) -> Iterable[int]:
    for line in lines:
        try:
            yield SignedHead.from_line(line).head.number
        except Corrupt:  # half a line left by a crash; `tamper_check` reports it
            continue


def _append_and_sign(
    tx: Transaction, key: SigningKey, known: list[str], found: list[rows.Leaf], now: datetime
) -> SignedHead:
    """Append *found* as leaves and return the signed head of the tree."""
    before = rows.last(tx)
    head = SignedHead.from_line(before.line).head if before else None
    tree = Tree(head.size, _peaks(before.peaks)) if before and head else Tree()
    if head and tree.root.hex() != head.root:
        raise Corrupt(f"{unfit_peaks(head.number)} Nothing was signed. {REPAIR}")
    first = tree.size
    for leaf in found:
        tree.append(entry(leaf.instance, leaf.revision, leaf.hash))
    rows.add_leaves(tx, first, found)
    origin = head.origin if head else f"usher-{secrets.token_hex(8)}"
    signed = key.sign(Head(origin=origin, number=len(known) + 1, size=tree.size, root=tree.root.hex(), at=to_text(now)))
    rows.add(tx, rows.Stored(signed.head.number, signed.to_line(), tree.peaks_text))
    return signed


def _peaks(text: str) -> list[bytes]:
    try:
        return [bytes.fromhex(peak) for peak in text.split()]
    except ValueError as error:
        raise Corrupt("The last checkpoint in the database cannot be read; nothing was signed.") from error


class Checkpointer:
    """Takes a checkpoint every `checkpoint_minutes` in a separate thread; several processes take turns."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.database, self.settings, self.clock = database, settings, clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self.settings.checkpoint_minutes > 0:
            self._thread = threading.Thread(target=self._loop, name="usher-checkpoints", daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def take_if_due(self) -> list[SignedHead]:
        """
        Take a checkpoint if the last one of any process is `checkpoint_minutes` old.

        What another machine has signed since is added to this one's file, so that each holds every head.
        """
        now = self.clock()
        with self.database.read() as tx:
            before = rows.last(tx)
        if before is not None:
            at = from_text(SignedHead.from_line(before.line).head.at)
            if now - at < timedelta(minutes=self.settings.checkpoint_minutes):
                self._copy_heads(before.line)
                return []
        return take(self.database, self.settings, now)

    def _copy_heads(self, newest: str) -> None:
        file = Path(self.settings.checkpoint_file)
        written = read_lines(file)
        if newest not in written:
            with self.database.read() as tx:
                refuse_lost([stored.line for stored in rows.all_checkpoints(tx)], written, file)
            with self.database.begin() as tx:
                one_at_a_time(tx, "checkpoint")
                _record_new_file(tx, file, self.clock())
            _complete_file(self.database, file)

    def _loop(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.take_if_due()
            except EngineError as error:
                log.error("no checkpoint was taken: %s", error.message)  # noqa: TRY400 - the message is enough; a trace adds nothing
            except Exception as error:  # noqa: BLE001 - the next attempt may work; its text may contain what must not be logged
                faults.report(error, where="checkpoints", at="no checkpoint was taken")
