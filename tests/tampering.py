"""Changes that the owner of the database file can make; for properties/test_tampering.py and bench."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

from usher_engine.store.instance_rows import GENESIS

# what may be done; each returns the cases of which one must be named


def flip(random: Random, value: bytes) -> bytes:
    place = random.randrange(len(value))
    return value[:place] + bytes([value[place] ^ random.randrange(1, 256)]) + value[place + 1 :]


def events(db: sqlite3.Connection) -> int:
    """How many audit events there are."""
    found: int = db.execute("SELECT max(seq) FROM audit_event").fetchone()[0]
    return found


def step(db: sqlite3.Connection, random: Random, where: str = "1") -> tuple[str, int, bytes, bytes]:
    found = db.execute(f"SELECT instance, revision, body, hash FROM step WHERE {where}").fetchall()
    chosen: tuple[str, int, bytes, bytes] = random.choice(found)
    return chosen


def mutate_body(db: sqlite3.Connection, random: Random) -> set[str]:
    case, revision, body, _ = step(db, random)
    db.execute("UPDATE step SET body = ? WHERE instance = ? AND revision = ?", (flip(random, body), case, revision))
    return {case}


def mutate_text(db: sqlite3.Connection, random: Random) -> set[str]:
    """Packed again, so that only the hash shows the change."""
    case, revision, body, _ = step(db, random)
    other = zlib.compress(flip(random, zlib.decompress(body)))
    db.execute("UPDATE step SET body = ? WHERE instance = ? AND revision = ?", (other, case, revision))
    return {case}


def mutate_hash(db: sqlite3.Connection, random: Random) -> set[str]:
    case, revision, _, digest = step(db, random)
    db.execute("UPDATE step SET hash = ? WHERE instance = ? AND revision = ?", (flip(random, digest), case, revision))
    return {case}


def mutate_head(db: sqlite3.Connection, random: Random) -> set[str]:
    case, head = random.choice(db.execute("SELECT id, head FROM instance").fetchall())
    db.execute("UPDATE instance SET head = ? WHERE id = ?", (flip(random, head), case))
    return {case}


def wrong_type(db: sqlite3.Connection, random: Random) -> set[str]:
    case, revision, _, _ = step(db, random)
    column, value = random.choice(("body", "hash")), random.choice(("text", 5, 1.5, b"", "ünï"))
    db.execute(f"UPDATE step SET {column} = ? WHERE instance = ? AND revision = ?", (value, case, revision))
    return {case}


def delete_step(db: sqlite3.Connection, random: Random) -> set[str]:
    case, revision, _, _ = step(db, random)
    db.execute("DELETE FROM step WHERE instance = ? AND revision = ?", (case, revision))
    return {case}


def truncate(db: sqlite3.Connection, random: Random) -> set[str]:
    """The newest step goes, and the case is set back to the one before, as if it had never been."""
    case, revision, _, digest = step(db, random, "EXISTS (SELECT 1 FROM step s WHERE s.instance = step.instance "
                                     "AND s.revision = step.revision + 1)")  # fmt: skip
    db.execute("DELETE FROM step WHERE instance = ? AND revision > ?", (case, revision))
    db.execute("UPDATE instance SET revision = ?, head = ? WHERE id = ?", (revision, digest, case))
    return {case}


def delete_case(db: sqlite3.Connection, random: Random) -> set[str]:
    case, _, _, _ = step(db, random)
    for table in ("step", "user_task", "job", "instance_state", "case_actor"):
        db.execute(f"DELETE FROM {table} WHERE instance = ?", (case,))
    db.execute("DELETE FROM instance WHERE id = ?", (case,))
    return {case}


def delete_case_and_leaves(db: sqlite3.Connection, random: Random) -> set[str]:
    (case,) = delete_case(db, random)
    db.execute("DELETE FROM leaf WHERE instance = ?", (case,))
    return set()  # nothing in the database knows its name any more; the signed head still misses it


def close_the_gap(db: sqlite3.Connection, random: Random) -> set[str]:
    """As before, and the leaves are renumbered, so that only the signed root shows the change."""
    delete_case_and_leaves(db, random)
    kept = db.execute("SELECT instance, revision, hash FROM leaf ORDER BY number").fetchall()
    db.execute("DELETE FROM leaf")
    db.executemany("INSERT INTO leaf VALUES (?, ?, ?, ?)", [(n, *leaf) for n, leaf in enumerate(kept)])
    return set()


def swap_bodies(db: sqlite3.Connection, random: Random) -> set[str]:
    one, other = step(db, random), step(db, random)
    while one[2] == other[2]:
        other = step(db, random)
    for here, there in ((one, other), (other, one)):
        db.execute("UPDATE step SET body = ? WHERE instance = ? AND revision = ?", (there[2], here[0], here[1]))
    return {one[0], other[0]}


def swap_cases(db: sqlite3.Connection, random: Random) -> set[str]:
    """Two cases change their names everywhere but in the leaves."""
    one, other = step(db, random), step(db, random)
    while one[3] == other[3]:
        other = step(db, random)
    if one[0] == other[0]:
        return swap_cases(db, random)
    for table, column in (("step", "instance"), ("instance", "id"), ("instance_state", "instance")):
        for old, new in ((one[0], "between"), (other[0], one[0]), ("between", other[0])):
            db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new, old))
    same = [row[0] for row in db.execute("SELECT hash FROM step WHERE instance = ?", (one[0],))]
    assert same
    return {one[0], other[0]}


def rewrite(db: sqlite3.Connection, random: Random) -> set[str]:
    """A step is altered, and everything in the database is made to fit: hashes, head and leaves."""
    case, wanted, _, _ = step(db, random)
    previous = GENESIS
    for revision, body in db.execute(
        "SELECT revision, body FROM step WHERE instance = ? ORDER BY revision", (case,)
    ).fetchall():
        written = zlib.decompress(body)
        written = written.replace(b'"alice"', b'"mallo"') + (b" " if revision == wanted else b"")
        previous = hashlib.sha256(previous + written).digest()
        place = (case, revision)
        db.execute(
            "UPDATE step SET body = ?, hash = ? WHERE instance = ? AND revision = ?",
            (zlib.compress(written), previous, *place),
        )
        db.execute("UPDATE leaf SET hash = ? WHERE instance = ? AND revision = ?", (previous, *place))
    db.execute("UPDATE instance SET head = ? WHERE id = ?", (previous, case))
    return set()


def mutate_leaf(db: sqlite3.Connection, random: Random) -> set[str]:
    number, case, digest = random.choice(db.execute("SELECT number, instance, hash FROM leaf").fetchall())
    db.execute("UPDATE leaf SET hash = ? WHERE number = ?", (flip(random, digest), number))
    return {case}


def mutate_event(db: sqlite3.Connection, random: Random) -> set[str]:
    seq, body, digest = random.choice(db.execute("SELECT seq, body, hash FROM audit_event").fetchall())
    if random.random() < 0.5:
        db.execute("UPDATE audit_event SET body = ? WHERE seq = ?", (flip(random, body), seq))
    else:
        db.execute("UPDATE audit_event SET hash = ? WHERE seq = ?", (flip(random, digest), seq))
    return set()


def mutate_event_columns(db: sqlite3.Connection, random: Random) -> set[str]:
    column = random.choice(("at", "kind", "actor", "subject", "business_key"))
    seq = random.randrange(1, events(db) + 1)
    db.execute(f"UPDATE audit_event SET {column} = 'x' WHERE seq = ?", (seq,))
    return set()


def delete_events(db: sqlite3.Connection, random: Random) -> set[str]:
    seq, how = random.randrange(1, events(db) + 1), random.choice(("=", ">="))
    db.execute(f"DELETE FROM audit_event WHERE seq {how} ?", (seq,))
    return set()


def swap_events(db: sqlite3.Connection, random: Random) -> set[str]:
    one, other = random.sample(range(1, events(db) + 1), 2)
    for old, new in ((one, 0), (other, one), (0, other)):
        db.execute("UPDATE audit_event SET seq = ? WHERE seq = ?", (new, old))
    return set()


def delete_checkpoint(db: sqlite3.Connection, random: Random) -> set[str]:
    db.execute("DELETE FROM checkpoint WHERE number >= ?", (random.randrange(1, 4),))
    return set()


def mutate_checkpoint(db: sqlite3.Connection, random: Random) -> set[str]:
    number, line = random.choice(db.execute("SELECT number, line FROM checkpoint").fetchall())
    db.execute("UPDATE checkpoint SET line = ? WHERE number = ?", (altered(random, line), number))
    return set()


Deed = Callable[[sqlite3.Connection, Random], set[str]]

DEEDS: tuple[Deed, ...] = (
    mutate_body,
    mutate_text,
    mutate_hash,
    mutate_head,
    wrong_type,
    delete_step,
    truncate,
    delete_case,
    delete_case_and_leaves,
    close_the_gap,
    swap_bodies,
    swap_cases,
    rewrite,
    mutate_leaf,
    mutate_event,
    mutate_event_columns,
    delete_events,
    swap_events,
    delete_checkpoint,
    mutate_checkpoint,
)


def altered(random: Random, line: str) -> str:
    place = random.randrange(len(line))
    return f"{line[:place]}{chr((ord(line[place]) - 32 + random.randrange(1, 94)) % 95 + 32)}{line[place + 1 :]}"


def spoil(heads: Path, random: Random) -> str:
    """Do something to the checkpoint file; answers what."""
    lines = heads.read_text().splitlines()
    place = random.randrange(len(lines))
    deed = random.choice(("alter", "drop", "swap", "empty"))
    if deed == "alter":
        lines[place] = altered(random, lines[place])
    elif deed == "drop":
        del lines[place]
    elif deed == "swap":
        lines[place], lines[place - 1] = lines[place - 1], lines[place]
    else:
        lines = []
    heads.write_text("".join(f"{line}\n" for line in lines))
    return deed
