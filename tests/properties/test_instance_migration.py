"""Cases moved back and forth at random between versions, worked on in between: the record stays provable."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import SECRET, Clock, Outside, alice, operators, package
from databases import new_sqlite
from usher_engine import Actor, CannotMigrate, Conflict, Engine, Instance, Settings, Worker
from usher_engine.definitions import Package
from usher_engine.store import Database

ROUNDS = int(os.environ.get("USHER_TEST_MOVES", "40"))
ANA = Actor(name="ana", role="analyst")

#: What each version calls the elements a case waits at, and the ways they differ beside that.
VERSIONS: dict[str, list[list[tuple[str, str]]]] = {
    "small": [
        [],
        [('"U"', '"Ask"'), ("Do it", "Ask it")],
        [('"Send"', '"Mail"'), ("dueIn", "due"), ("n is {{", "Now {{")],
    ],
    "parallel": [[], [('"A"', '"First"')], [('"B"', '"Second"'), ("n = n - 1", "n = n - 1\nm = n")]],
    "timer_boundary": [[], [('"Remind"', '"Nudge"'), ('"Sub"', '"Part"')], [('"Ask"', '"Say"'), ("R3/P1D", "R1/P2D")]],
    "message_boundary": [[], [('"Heard"', '"Got"')], [('"Work"', '"Job"'), ('"Stopped"', '"Halted"')]],
    "message_catch": [[], [('"Papers"', '"Post"'), ('"Week"', '"Days"')], [('"Either"', '"Or"'), ('"m_paid"', '"m"')]],
}
#: What the elements of the first version are called in others.
NAMES = {
    "U": ("U", "Ask"), "Send": ("Send", "Mail"), "A": ("A", "First"), "B": ("B", "Second"), "Sub": ("Sub", "Part"),
    "Remind": ("Remind", "Nudge"), "Ask": ("Ask", "Say"), "Heard": ("Heard", "Got"), "Work": ("Work", "Job"),
    "Stopped": ("Stopped", "Halted"), "Papers": ("Papers", "Post"), "Week": ("Week", "Days"),
    "Either": ("Either", "Or"),
}  # fmt: skip


def drawn(name: str, changes: list[tuple[str, str]]) -> Package:
    files = dict(package(name).files)
    for before, after in changes:
        files = {path: content.decode().replace(before, after).encode() for path, content in files.items()}
    return Package(files)


def between(engine: Engine, process: str, target: int) -> dict[str, str]:
    """What takes the place of names the version *target* lacks."""
    known = engine.migrations.waiting_kinds(process, target)
    pairs = {}
    for names in NAMES.values():
        for old in names:
            there = [new for new in names if new in known]
            if there and old not in known:
                pairs[old] = there[0]
    return pairs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("process", sorted(VERSIONS))
def test_moved_at_random(process: str, seed: int) -> None:
    chance, outside, clock = random.Random(seed), Outside(), Clock()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(new_sqlite(Path(folder)))
        engine = Engine(Settings(env="development", secret_key=SECRET), operators(outside), clock, database)
        for changes in VERSIONS[process]:
            engine.deploy(drawn(process, changes), actor=ANA)
        cases = [begun(engine, outside, process, chance) for _ in range(4)]
        moved = 0
        for _ in range(ROUNDS):
            clock.forward(minutes=chance.randint(1, 90))
            case = chance.choice(cases)
            if engine.instance(case).ended_at is not None:
                cases[cases.index(case)] = begun(engine, outside, process, chance)
                continue
            if chance.random() < 0.5:
                moved += moves(engine, case, chance)
            else:
                works(engine, outside, case, chance)
            require_recorded(engine, case)
        assert moved >= ROUNDS // 10
        assert engine.verification.verify_all().findings == []
        database.close()


def begun(engine: Engine, outside: Outside, process: str, chance: random.Random) -> str:
    outside.answers = [{"n": chance.randint(2, 4)}]
    start = {"q": 1, "n": chance.randint(1, 3), "reminded": 0, "days": 4, "heard": []}
    return engine.start(process, start, actor=alice).id


def moves(engine: Engine, case: str, chance: random.Random) -> bool:
    now = engine.instance(case)
    goal = chance.choice([number for number in (1, 2, 3) if number != now.version])
    pairs = between(engine, now.process, goal)
    expected = engine.migrations.try_one(case, goal, pairs)
    try:
        after = engine.migrations.migrate(case, goal, pairs, actor=ANA, reason="at random", revision=now.revision)
    except CannotMigrate:
        return False
    assert expected.problems == ()
    assert (after.version, after.status, len(after.tasks)) == (goal, now.status, len(now.tasks))
    assert sorted(_when(after)) == sorted(_when(now)), "every wait goes on"
    assert engine.queries.rebuild(case).data == engine.queries.rebuild(case, now.revision).data
    return True


def _when(case: Instance) -> list[str]:
    return [wait.message or str(wait.due) for wait in case.waits]


def works(engine: Engine, outside: Outside, case: str, chance: random.Random) -> None:
    outside.answers = []
    deed = chance.choice(["complete", "complete", "serve", "claim", "fail", "say", "wait"])
    tasks, waits = engine.instance(case).tasks, engine.instance(case).waits
    with contextlib.suppress(Conflict):
        if tasks and deed in ("complete", "claim"):
            task = chance.choice(tasks)
            if deed == "claim":
                engine.cases.claim(task.id, actor=alice)
            else:
                engine.complete(task.id, {"word": "w"} if task.form else {}, actor=alice)
        elif deed == "say" and (names := [wait.message for wait in waits if wait.message]):
            engine.incoming.deliver_message(chance.choice(names), {"text": "t"}, actor=alice, instance=case)
        else:
            if deed == "wait" and (times := [wait.due for wait in waits if wait.due]):
                engine.clock.forward(seconds=(max(min(times) - engine.clock(), timedelta())).total_seconds())
            if deed == "fail":
                outside.fail(retry=True)
            Worker(engine).run_due(at_most=1)


def require_recorded(engine: Engine, case: str) -> None:
    now, rebuilt = engine.instance(case), engine.queries.rebuild(case)
    assert engine.verify(case) == []
    assert {f"{task.element}:{task.visit}" for task in now.tasks} == set(rebuilt.tasks)
    if now.ended_at is None:
        with engine.database.begin() as tx:
            assert engine.steps.open(tx, case, None).state == rebuilt
