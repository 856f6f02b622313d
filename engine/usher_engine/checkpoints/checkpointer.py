"""Takes a checkpoint: new hashes become leaves, the tree's head is signed, stored, and written to the file."""

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
from .leaf_entries import entry
from .merkle import Head, SignedHead, SigningKey, Tree

log = logging.getLogger("usher.checkpoints")

#: How much one checkpoint takes in, so that a first one over years of history never holds the database for long.
CASES, EVENTS = 5_000, 10_000

LOOK_EVERY_S = 60.0


def take(database: Database, settings: Settings, now: datetime) -> list[SignedHead]:
    """
    Sign all that is new, in as many checkpoints as it needs; none when nothing is.

    The file is brought up to what the database has in any case: a crash between the two leaves it behind.

    Raises:
        Corrupt: The file knows more than the database, or something else; nothing was signed.
        Misconfigured: The key or the file cannot be read or written.
    """
    key = SigningKey.at(Path(settings.signing_key_file))
    file = Path(settings.checkpoint_file)
    taken: list[SignedHead] = []
    signed, after = _one(database, key, file, now, "")
    while signed is not None:
        taken.append(signed)
        signed, after = _one(database, key, file, now, after)
    return taken


def _one(database: Database, key: SigningKey, file: Path, now: datetime, after: str) -> tuple[SignedHead | None, str]:
    """One checkpoint of cases beyond *after*, and the last case it covers; None when there is nothing more."""
    with database.begin() as tx:
        one_at_a_time(tx, "checkpoint")
        known, written = [stored.line for stored in rows.stored(tx)], read_lines(file)
        _refuse_lost(known, written, file)
        found = list(rows.uncovered(tx, after=after, cases=CASES, events=EVENTS))
        signed = _signed(tx, key, known, found, now) if found else None
    if signed or not set(known) <= set(written):
        _bring_file_up(database, file)
    return signed, max((leaf.instance for leaf in found), default=after) or after


def _bring_file_up(database: Database, file: Path) -> None:
    """Append the committed heads the file lacks; one process at a time, or two would write the same head twice."""
    with database.begin() as tx:
        one_at_a_time(tx, "checkpoint")
        written = set(read_lines(file))
        append_lines(file, (stored.line for stored in rows.stored(tx) if stored.line not in written))


def _refuse_lost(known: list[str], written: list[str], file: Path) -> None:
    """Never sign over the trace of what was taken away."""
    unknown = sorted(_numbers(set(written) - set(known)))
    if unknown:
        raise Corrupt(
            f"The checkpoint file {file} holds checkpoint {unknown[0]}, which this database does not know. "
            "Nothing was signed. Find out why with: usher verify --all --checkpoint FILE"
        )


def _numbers(lines: Iterable[str]) -> Iterable[int]:
    for line in lines:
        try:
            yield SignedHead.from_line(line).head.number
        except Corrupt:  # half a line of a crash; `tamper_check` tells of it
            continue


def _signed(tx: Transaction, key: SigningKey, known: list[str], found: list[rows.Leaf], now: datetime) -> SignedHead:
    """*found* as leaves after those there are, and the head of the tree they make."""
    before = rows.last(tx)
    head = SignedHead.from_line(before.line).head if before else None
    tree = Tree(head.size, _peaks(before.peaks)) if before and head else Tree()
    first = tree.size
    for leaf in found:
        tree.append(entry(leaf.instance, leaf.revision, leaf.hash))
    rows.add_leaves(tx, first, found)
    origin = head.origin if head else f"usher-{secrets.token_hex(8)}"
    signed = key.sign(Head(origin=origin, number=len(known) + 1, size=tree.size, root=tree.root.hex(), at=to_text(now)))
    peaks = " ".join(peak.hex() for peak in tree.peaks)
    rows.add(tx, rows.Stored(signed.head.number, signed.to_line(), peaks))
    return signed


def _peaks(text: str) -> list[bytes]:
    try:
        return [bytes.fromhex(peak) for peak in text.split()]
    except ValueError as error:
        raise Corrupt("The last checkpoint in the database is not readable; nothing was signed.") from error


class Checkpointer:
    """Takes a checkpoint every `checkpoint_minutes`, in a thread of its own; several processes share the turns."""

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
        """A checkpoint, if the last one of any process is `checkpoint_minutes` old."""
        now = self.clock()
        with self.database.read() as tx:
            before = rows.last(tx)
        if before is not None:
            at = from_text(SignedHead.from_line(before.line).head.at)
            if now - at < timedelta(minutes=self.settings.checkpoint_minutes):
                return []
        return take(self.database, self.settings, now)

    def _loop(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.take_if_due()
            except EngineError as error:
                log.error("no checkpoint was taken: %s", error.message)  # noqa: TRY400 - said in words; a trace adds nothing
            except Exception as error:  # noqa: BLE001 - the next try may work; a text could hold what must not be logged
                faults.report(error, where="checkpoints", at="no checkpoint was taken")
