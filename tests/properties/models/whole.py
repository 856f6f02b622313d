"""Plays a model through the whole engine, with database, worker and clock; replays its history in the game."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from conftest import Clock, alice
from usher_engine import SYSTEM, Engine, Worker
from usher_engine.core.events import Event, from_json
from usher_engine.core.state import InstanceState, fold

from .playing import MAX_MOVES, Failure, difference, open_moves
from .reference import Game
from .writing import Model

_HOW = {
    "UserTaskCompleted": ("task", "answer"),
    "UserTaskCancelled": ("task", "cancel"),
    "ServiceCompleted": ("service", "answer"),
    "TimerFired": ("timer", "happen"),
    "MessageReceived": ("message", "happen"),
}


def live(engine: Engine, clock: Clock, model: Model, seed: int | str, *, lossy: bool = False) -> Failure | None:
    """
    Play a case to its end, in an order drawn from *seed*; it must agree with the game and verify.

    *lossy*: sometimes delete its stored state, and repair it from its history.
    """
    random = Random(f"whole {seed}")
    engine.deploy(model.package, actor=SYSTEM)
    case = engine.start(model.package.key, model.data, actor=alice).id
    worker = Worker(engine)
    for _ in range(MAX_MOVES):
        now = engine.instance(case)
        if now.status == "finished":
            break
        if now.status == "incident":
            return Failure("stuck", f"{now.status}: {[step.events[-1] for step in engine.queries.history(case)[-1:]]}")
        if lossy and random.random() < 0.3 and not _comes_back(engine, case):
            return Failure("repair", "the state restored from the history differs from the lost one")
        _do(engine, worker, clock, case, random)
    else:
        return Failure("endless", f"after {MAX_MOVES} moves it has not ended")
    findings = engine.verify(case)
    if findings:
        return Failure("verify", "; ".join(finding.message for finding in findings))
    return _compare(model, [[from_json(event) for event in step.events] for step in engine.queries.history(case)])


def _comes_back(engine: Engine, case: str) -> bool:
    """Whether a repair restores the stored state of *case* exactly."""
    before = _workflow(engine, case)
    with engine.database.begin() as tx:
        tx.exec_driver_sql(f"UPDATE instance_state SET content = '{{' WHERE instance = '{case}'")
    engine.repairs.repair(case, actor=SYSTEM)
    return _workflow(engine, case) == before


def _workflow(engine: Engine, case: str) -> Any:
    query = f"SELECT content FROM instance_state WHERE instance = '{case}'"
    with engine.database.read() as tx:
        return json.loads(tx.exec_driver_sql(query).scalar_one())["workflow"]


def _do(engine: Engine, worker: Worker, clock: Clock, case: str, random: Random) -> None:
    """Do one action of a person or service, or let time pass."""
    tasks = list(engine.instance(case).tasks)
    heard = [wait.message for wait in engine.queries.rebuild(case).waiting_for() if wait.message]
    deeds = ["task"] * 2 * bool(tasks) + ["message"] * bool(heard) + ["time"]
    match random.choice(deeds):
        case "task":
            task = random.choice(tasks)
            if task.cancellable and random.random() < 0.3:
                engine.cases.cancel_task(task.id, "because", actor=alice)
            else:
                engine.complete(task.id, {"v": random.randint(0, 2)} if task.form else {}, actor=alice)
        case "message":
            engine.incoming.deliver_message(random.choice(heard), {"v": 1}, actor=alice, instance=case)
        case _:
            clock.forward(hours=1)
            worker.run_due()


def _compare(model: Model, steps: list[list[Event]]) -> Failure | None:
    """Return the first step after which case and game disagree."""
    game, state = Game(model.xml, model.data), fold(InstanceState(), steps[0])
    for step in steps[1:]:
        given = next((event for event in step if type(event).__name__ in _HOW), None)
        if given is not None:
            _apply(game, state, given)
        state = fold(state, step)
        if found := difference(state, game):
            return Failure(*found)
    return None


def _apply(game: Game, state: InstanceState, given: Any) -> None:
    kind, how = _HOW[type(given).__name__]
    rank = open_moves(state)[kind, given.element].index(given.visit)
    numbers = sorted(number for k, element, number in game.open() if (k, element) == (kind, given.element))
    move = (kind, given.element, numbers[rank])
    match how:
        case "answer":
            game.answer(move, given.answer if kind == "task" else {})
        case "cancel":
            game.cancel(move)
        case _:
            game.happen(move)
