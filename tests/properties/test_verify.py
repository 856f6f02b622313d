"""Verify finds every alteration in the record of a case and names the case; an unaltered record has no findings."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET, Clock, Outside, alice, bob, operators, package
from databases import new_sqlite
from sqlalchemy import Connection, text
from usher_engine import Actor, Conflict, Engine, Settings, Worker
from usher_engine.reexecution import Verifier
from usher_engine.store import Database, stored_cases

MUTATIONS = int(os.environ.get("USHER_TEST_MUTATIONS", "400"))
CASES = 40


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Many cases of the small process in every state, in a database without its triggers."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(new_sqlite(Path(folder)))
        outside, chance = Outside(), random.Random(3)
        made = Engine(Settings(env="development", secret_key=SECRET), operators(outside), Clock(), database)
        made.deploy(package("small"), actor=Actor(name="ana", role="analyst"))
        for number in range(CASES):
            run_case(made, outside, chance, number)
        with database.begin() as tx:
            for name in tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
                tx.execute(text(f"DROP TRIGGER {name}"))
        yield made
        database.close()


def run_case(engine: Engine, outside: Outside, chance: random.Random, number: int) -> None:
    """Run one case with random actions."""
    outside.answers = [{"n": chance.randint(1, 4), "name": f"Patient {number} “é”"}]
    if chance.random() < 0.1:
        outside.answers = []
        outside.fail(retry=False)
    case = engine.start("small", {"q": number, "x": number / 4}, actor=alice, business_key=f"p{number}").id
    for _ in range(chance.randint(0, 6)):
        outside.answers = []
        deed = chance.choice(["complete", "complete", "claim", "cancel", "serve", "serve", "refuse", "fail", "fact"])
        tasks = engine.instance(case).tasks
        if tasks and deed in ("complete", "claim"):
            act: Callable[..., Any] = engine.cases.claim if deed == "claim" else engine.complete
            act(tasks[0].id, *([] if deed == "claim" else [{"word": "w"}]), actor=alice)
        elif deed == "cancel" and chance.random() < 0.3 and engine.instance(case).ended_at is None:
            engine.cases.cancel(case, "because", actor=bob)
        elif deed == "fact":
            engine.steps.record(case, "Viewed", {"page": number}, actor=bob)
        else:
            {"refuse": lambda: outside.refuse("no"), "fail": lambda: outside.fail(retry=False)}.get(deed, int)()
            Worker(engine).run_due()
            with contextlib.suppress(Conflict):
                engine.cases.retry(case, actor=bob)


def flip_byte(value: bytes, chance: random.Random) -> bytes:
    """Return *value* with one byte changed."""
    at = chance.randrange(len(value))
    return value[:at] + bytes([value[at] ^ chance.randint(1, 255)]) + value[at + 1 :]


class Tamper:
    """Alters one thing in a transaction that is rolled back; methods return False if there was nothing to alter."""

    def __init__(self, tx: Connection, case: str, other: str, chance: random.Random) -> None:
        self.tx, self.case, self.other, self.chance = tx, case, other, chance

    def run(self, statement: str, **values: Any) -> Any:
        return self.tx.execute(text(statement), {"case": self.case, "other": self.other, **values})

    def one(self, column: str, table: str, key: str = "instance") -> Any:
        return self.run(f"SELECT {column} FROM {table} WHERE {key} = :case").scalar()

    def step(self, instance: str | None = None) -> Any:
        rows = self.tx.execute(
            text("SELECT revision, body, hash FROM step WHERE instance = :i"), {"i": instance or self.case}
        ).all()
        return self.chance.choice(rows)

    def text_of_a_step(self) -> bool:
        row = self.step()
        body = zlib.compress(flip_byte(zlib.decompress(row.body), self.chance))
        self.run("UPDATE step SET body = :b WHERE instance = :case AND revision = :r", b=body, r=row.revision)
        return True

    def bytes_of_a_step(self) -> bool:
        row = self.step()
        body = flip_byte(row.body, self.chance)
        self.run("UPDATE step SET body = :b WHERE instance = :case AND revision = :r", b=body, r=row.revision)
        try:  # spare bits of the compression may change without changing the text: then nothing was altered
            return zlib.decompress(body) != zlib.decompress(row.body)
        except zlib.error:
            return True

    def cut_step(self) -> bool:
        row = self.step()
        body = row.body[: self.chance.randrange(len(row.body))]
        self.run("UPDATE step SET body = :b WHERE instance = :case AND revision = :r", b=body, r=row.revision)
        return True

    def longer_step(self) -> bool:
        row = self.step()
        body = row.body + b"x"
        self.run("UPDATE step SET body = :b WHERE instance = :case AND revision = :r", b=body, r=row.revision)
        return True

    def hash_of_a_step(self) -> bool:
        row = self.step()
        changed = flip_byte(row.hash, self.chance)
        self.run("UPDATE step SET hash = :h WHERE instance = :case AND revision = :r", h=changed, r=row.revision)
        return True

    def removed_step(self) -> bool:
        self.run("DELETE FROM step WHERE instance = :case AND revision = :r", r=self.step().revision)
        return True

    def removed_newest(self) -> bool:
        self.run("DELETE FROM step WHERE instance = :case AND revision = (SELECT max(revision) FROM step s"
                 " WHERE s.instance = :case)")  # fmt: skip
        return True

    def truncated(self) -> bool:
        self.run("DELETE FROM step WHERE instance = :case AND revision >= :r", r=self.step().revision)
        return True

    def doubled_step(self) -> bool:
        self.run("INSERT INTO step (instance, revision, body, hash)"
                 " SELECT instance, (SELECT max(revision) + 1 FROM step WHERE instance = :case), body, hash"
                 " FROM step WHERE instance = :case AND revision = :r", r=self.step().revision)  # fmt: skip
        return True

    def foreign_step(self) -> bool:
        ours, theirs = self.step(), self.step(self.other)
        self.run("UPDATE step SET body = :b, hash = :h WHERE instance = :case AND revision = :r",
                 b=theirs.body, h=theirs.hash, r=ours.revision)  # fmt: skip
        return bool(ours.body != theirs.body)

    def swapped_steps(self) -> bool:
        one, two = self.step(), self.step()
        for old, new in ((one.revision, 9_999), (two.revision, one.revision), (9_999, two.revision)):
            self.run("UPDATE step SET revision = :n WHERE instance = :case AND revision = :o", o=old, n=new)
        return bool(one.revision != two.revision)

    def head(self) -> bool:
        head = flip_byte(self.one("head", "instance", "id"), self.chance)
        self.run("UPDATE instance SET head = :h WHERE id = :case", h=head)
        return True

    def number(self) -> bool:
        self.run("UPDATE instance SET revision = revision + :d WHERE id = :case", d=self.chance.choice([-1, 1, 7]))
        return True

    def text_of_the_row(self) -> bool:
        column = self.chance.choice(
            ["process", "definition", "business_key", "status", "outcome", "explanation", "started_at", "ended_at"]
        )
        before = self.one(column, "instance", "id")
        self.run(f"UPDATE instance SET {column} = :v WHERE id = :case", v=f"{before or ''}x")
        return True

    def version(self) -> bool:
        self.run("UPDATE instance SET version = version + 1 WHERE id = :case")
        return True

    def state(self) -> bool:
        content = self.one("content", "instance_state")
        if content is None:
            return False
        at = self.chance.randrange(len(content))
        changed = content[:at] + ("a" if content[at] != "a" else "b") + content[at + 1 :]
        self.run("UPDATE instance_state SET content = :c WHERE instance = :case", c=changed)
        return True

    def seal(self) -> bool:
        seal = self.one("seal", "instance_state")
        if seal is not None:
            self.run("UPDATE instance_state SET seal = :s WHERE instance = :case", s=flip_byte(seal, self.chance))
        return seal is not None

    def removed_state(self) -> bool:
        return bool(self.run("DELETE FROM instance_state WHERE instance = :case").rowcount)


WAYS = sorted(name for name, value in vars(Tamper).items() if callable(value) and name not in
              ("__init__", "run", "one", "step"))  # fmt: skip


def found(engine: Engine, tx: Connection, case: str) -> set[str]:
    verifier = Verifier(engine.services, engine.context.seal_key)
    verifier._definitions.update(_known)
    named = {finding.instance for finding in verifier.check(tx, stored_cases.one(tx, case))}
    _known.update({key: value for key, value in verifier._definitions.items() if not isinstance(value, str)})
    return named


_known: dict[Any, Any] = {}


def test_an_unaltered_record_has_no_findings(engine: Engine) -> None:
    result = engine.verification.verify_all()
    assert (result.checked, result.equal, result.findings) == (CASES, CASES, [])


def test_every_alteration_is_found(engine: Engine) -> None:
    seed = int(os.environ.get("USHER_TEST_SEED", "11"))
    chance = random.Random(seed)
    cases = sorted(case.id for case in engine.queries.instances(limit=CASES))
    missed = []
    for number in range(MUTATIONS):
        case, other = chance.sample(cases, 2)
        way = WAYS[number % len(WAYS)]
        with engine.database.db.connect() as connection:
            tx = connection.execution_options(usher_write=True)
            with tx.begin() as undone:
                if getattr(Tamper(tx, case, other, chance), way)() and found(engine, tx, case) != {case}:
                    missed.append((number, way, case))
                undone.rollback()
    assert missed == [], f"seed {seed}"
