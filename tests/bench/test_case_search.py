"""Searching a million steps compared with a thousand, in one run: `make finding-bench` prints the ratios.

The large database is filled with copies of real cases under new numbers, times, people and patients; one of its cases
has gone round for ten thousand steps, and its replay page is compared with that of a short case. Both databases
are asked alternately, so that a busy machine slows both; medians are compared. ``USHER_BENCH_STEPS`` makes it smaller.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from acceptance.conftest import CHEAP, PASSWORD, Visitor
from conftest import SECRET, Clock, Outside, alice, operators, package
from databases import new_sqlite
from usher_engine import SYSTEM, Engine, Settings, Worker
from usher_engine.accounts import Accounts, Role
from usher_engine.cases import CaseFilter
from usher_engine.cases.step_writer import ALPHABET
from usher_engine.enrollment import open_enrollment
from usher_engine.store import Database, to_text
from usher_web.app import create_app

pytestmark = pytest.mark.bench

STEPS = int(os.environ.pop("USHER_BENCH_STEPS", "1000000"))
FEW = 1_000
TARGET = 1.5
ROUNDS = 40
SHORT, LONG = 11, 10_001
#: Few enough that a page is full in both databases: the same rows are compared, not more of them.
PEOPLE = [f"person{n}" for n in range(5)]
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=6 * 365)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Engine]]:
    """A database of a thousand steps, and one of a million; a short case in the one, a long one in the other."""
    made = [_filled(tmp_path_factory.mktemp("db"), *sizes) for sizes in ((FEW, SHORT), (STEPS, LONG))]
    yield made[0], made[1]
    for engine in made:
        engine.database.close()


def _filled(folder: Path, steps: int, round_about: int) -> Engine:
    file = folder / "usher.db"
    clock, outside = Clock(), Outside()
    database = Database(new_sqlite(folder))
    engine = Engine(Settings(env="development", secret_key=SECRET), operators(outside), clock, database)
    engine.deploy(package("small"), actor=SYSTEM)
    for number in range(12):
        _live(engine, outside, number)
    _round_about(engine, outside, round_about)
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        for pragma in ("synchronous=OFF", "foreign_keys=OFF"):
            db.execute(f"PRAGMA {pragma}")
        _multiply(db, steps)
        db.execute("ANALYZE")
    return engine


def _live(engine: Engine, outside: Outside, number: int) -> None:
    """Cases of a few kinds: waiting, finished after one round or more, cancelled, stopped."""
    outside.answers.append({"n": number % 7})
    if number == 11:
        outside.fail(retry=False)
    case = engine.start("small", {"q": number}, actor=alice, business_key="p")
    while case.tasks and number % 4:
        if number % 4 == 3:
            engine.cases.cancel(case.id, "no", actor=alice)
            return
        word = "again" if number % 5 == 0 and case.revision < 6 else "yes"
        case = engine.complete(case.tasks[0].id, {"word": word}, actor=alice)
        Worker(engine).run_due()
        case = engine.instance(case.id)


def _round_about(engine: Engine, outside: Outside, steps: int) -> None:
    """A case that has gone round, and waits for a person at its step *steps*."""
    outside.answers = [{"n": steps}]
    case = engine.start("small", {"q": 1}, actor=alice, business_key=str(steps)).id
    for visit in range(1, steps // 2 + 1):
        engine.complete(f"{case}:U:{visit}", {"word": "again"}, actor=alice)
        Worker(engine).run_due()


def _auditor(engine: Engine, steps: int) -> Callable[[], object]:
    """Opens the replay page of the case `_round_about` made."""
    enrollment = open_enrollment(engine.settings, clock=engine.clock, database=engine.database)
    accounts = Accounts(engine.database, engine.clock, passwords=CHEAP)
    accounts.add_user("audrey", PASSWORD, role=Role.AUDITOR, groups=(), by="test")
    visitor = Visitor(create_app(enrollment.engine, enrollment, accounts, engine.settings).test_client())
    visitor.get("/sign-in")
    visitor.sign_in("audrey")
    (case,) = engine.queries.instances(business_key=str(steps))
    assert case.revision == steps

    def opened() -> None:
        assert visitor.client.get(f"/cases/{case.id}/replay").status_code == 200

    return opened


def _multiply(db: sqlite3.Connection, steps: int) -> None:
    random = Random(7)
    models = db.execute("SELECT * FROM instance WHERE ended_at IS NOT NULL").fetchall()
    columns = [row[1] for row in db.execute("PRAGMA table_info(instance)")]
    query = "SELECT revision, body, hash, actor FROM step WHERE instance = ?"
    of_step = {row[0]: db.execute(query, (row[0],)).fetchall() for row in models}
    written, batch = 0, ([], [], [])
    while written < steps:
        values = dict(zip(columns, random.choice(models), strict=True))
        model, at = values["id"], BEGIN + random.random() * YEARS
        values["id"] = "".join(random.choices(ALPHABET, k=12))
        values |= {"started_at": to_text(at), "ended_at": to_text(at + timedelta(hours=random.randrange(1, 900)))}
        values["business_key"] = f"p{random.randrange(max(steps // 8, 50))}"
        who = random.choice(PEOPLE)
        batch[0].append(tuple(values[name] for name in columns))
        batch[1].append((values["id"], who, values["kind"], values["started_at"]))
        for revision, body, digest, actor in of_step[model]:
            moment = to_text(at + timedelta(minutes=revision))
            batch[2].append((values["id"], revision, body, digest, who if actor else "", moment if actor else ""))
        written += len(of_step[model])
        if len(batch[2]) > 20_000 or written >= steps:
            marks = ",".join("?" * len(columns))
            db.executemany(f"INSERT INTO instance VALUES ({marks})", batch[0])
            db.executemany("INSERT INTO case_actor VALUES (?,?,?,?)", batch[1])
            db.executemany("INSERT INTO step (instance,revision,body,hash,actor,at) VALUES (?,?,?,?,?,?)", batch[2])
            batch = ([], [], [])
    db.commit()


FIRST, LAST = datetime(2022, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
#: Pages of ten, so that both databases have enough for one.
SEARCHES: dict[str, CaseFilter] = {
    "everything": CaseFilter(),
    "a person": CaseFilter(actor="person3"),
    "a person and a rare status": CaseFilter(actor="person3", statuses=frozenset({"cancelled"})),
    "an element": CaseFilter(element="Send"),
    "an outcome": CaseFilter(outcome="E2"),
    "a status": CaseFilter(statuses=frozenset({"cancelled"})),
    "with an incident": CaseFilter(stopped=True),
    "what there is not": CaseFilter(element="Nowhere"),
    "a patient": CaseFilter(about=frozenset({"p17"})),
    "two years": CaseFilter(started_from=FIRST, started_until=LAST),
    "ended in two years": CaseFilter(ended_from=FIRST, ended_until=LAST),
}


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _ratio(engines: tuple[Engine, Engine], ask: Callable[[Engine], object]) -> float:
    took: tuple[list[float], list[float]] = ([], [])
    for engine in engines:
        ask(engine)
    for _ in range(ROUNDS):
        for engine, times in zip(engines, took, strict=True):
            times.append(_seconds(lambda engine=engine: ask(engine)))
    return statistics.median(took[1]) / statistics.median(took[0])


@pytest.mark.timeout(3600)
def test_a_million_steps_and_a_thousand(engines: tuple[Engine, Engine], capsys: pytest.CaptureFixture[str]) -> None:
    asked: dict[str, Callable[[Engine], object]] = {
        f"cases: {name}": (lambda engine, wanted=wanted: engine.search.find(wanted, limit=10))
        for name, wanted in SEARCHES.items()
    }
    asked["cases: the second page"] = lambda engine: engine.search.find(
        CaseFilter(), after=engine.search.find(CaseFilter()).cases[-1].id
    )
    asked["the trail of a person"] = lambda engine: engine.activity.of_person("person3")
    open_replay = {engine: _auditor(engine, steps) for engine, steps in zip(engines, (SHORT, LONG), strict=True)}
    asked[f"the replay page of {LONG:,} steps, compared with {SHORT}"] = lambda engine: open_replay[engine]()
    figures = []
    for name, ask in asked.items():
        ratio = _ratio(engines, ask)
        held = ratio <= TARGET
        figures.append({"name": name, "value": round(ratio, 3), "unit": "×", "target": TARGET, "holds": held})
    with capsys.disabled():
        sys.stdout.write(json.dumps({"steps": [FEW, STEPS], "figures": figures}, indent=2) + "\n")
    assert {len(engine.search.find(CaseFilter()).cases) for engine in engines} == {50}


