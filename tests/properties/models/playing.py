"""Plays a model in the engine and in the reference game, move by move, and reports where they diverge.

It writes every state as JSON and reads it back. A second case, which is never compacted, gets only the inputs recorded
in the history of the first: it must produce the same events.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from usher_engine.bpmn import Diagram, Run, Step, compile_diagram, serializer
from usher_engine.core.errors import BusinessError, EngineError
from usher_engine.core.events import Event, to_json
from usher_engine.core.state import InstanceState, fold
from usher_engine.gate import admit
from usher_engine.reexecution.recorded_inputs import INPUTS, apply_input
from usher_engine.services import Mode, Operator, Services

from .reference import Game
from .tokens import Impossible, Move
from .writing import Model

MAX_MOVES = 3_000
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
SERVICES = Services(
    (
        Operator(
            name="test/effect", title="effect", mode=Mode.EFFECT, call=lambda _given, _call: {}, errors={"no": "No."}
        ),
    )
)
_INPUT_KINDS = {kind for kinds in INPUTS.values() for kind in kinds}


@dataclass(frozen=True)
class Failure:
    """*kind* is the broken promise."""

    kind: str
    message: str


class _Failed(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message)


def refusals(model: Model) -> list[str]:
    """Return the errors of the gate about *model*."""
    findings = admit(model.package, SERVICES)[1]
    return [f"{one.element}: {one.rule}: {one.message}" for one in findings if one.severity == "error"]


def play(model: Model, seed: int | str) -> Failure | None:
    """Play one case of *model* in an order drawn from *seed*; return what went wrong, if anything."""
    return Playing(model, seed, compile_diagram(model.package)).failure()


class Playing:
    """One case in the engine, one that is never compacted, and the game."""

    def __init__(self, model: Model, seed: int | str, diagram: Diagram) -> None:
        self.model, self.random, self.diagram = model, Random(f"play {seed}"), diagram
        self.game = Game(model.xml, model.data)
        self.now = NOON
        self.happened: list[Event] = []
        self.state = self.bare_state = InstanceState()
        self.stored = self.bare = "null"
        self.beside: Counter[str] = Counter()
        self.moves: list[str] = []

    def failure(self) -> Failure | None:
        """Play to the end; return what went wrong, if anything. The kind ``unsound`` comes from the game itself."""
        try:
            self._start()
            while not self.game.finished:
                if len(self.moves) > MAX_MOVES:
                    return Failure("endless", f"after {MAX_MOVES} moves it has not ended")
                move = self._choose()
                if move is None:
                    return Failure("unsound", f"the reference game is stuck [{', '.join(self.moves)}]")
                self._move(*move)
                self._compare()
        except Impossible as impossible:
            return Failure("unsound", str(impossible))
        except _Failed as failed:
            return failed.failure
        if fold(InstanceState(data=self.model.data), self.happened) != self.state:
            return Failure("fold", "the events do not fold to the state")
        return None

    # moves

    def _choose(self) -> tuple[Move, str] | None:
        """Return a move and how to make it; a non-interrupting event happens twice at most."""
        open_now = self.game.open()
        moves = [move for move, (_, one) in open_now.items() if not self._had_enough(move, one)]
        if not moves or self.game.only_beside():
            return None
        move = self.random.choice(moves)
        how = "answer" if move[0] in ("task", "service") else "happen"
        if move[0] == "service" and self.random.random() < 0.3 and self.game.refusable(move):
            how = "refuse"
        if move[0] == "task" and self.random.random() < 0.3 and self.game.cancellable(move):
            how = "cancel"
        if how == "happen" and getattr(open_now[move][1], "node", None) is not None:
            self.beside[move[1]] += 1
        return move, how

    def _had_enough(self, move: Move, one: Any) -> bool:
        node = getattr(one, "node", None)
        return node is not None and not node.stops and self.beside[move[1]] >= 2

    def _move(self, move: Move, how: str) -> None:
        kind, element, _ = move
        number = counterpart(self.state, self.game, move)
        self.moves.append(f"{how} {element}:{number}")
        answer = {"v": self.random.randint(0, 2)}
        self.now += timedelta(hours=2)
        match how:
            case "answer":
                self.game.answer(move, answer)
            case "happen":
                self.game.happen(move)
            case "refuse":
                self.game.refuse(move)
            case _:
                self.game.cancel(move)
        self._apply(kind, how, element, number, answer)

    def _apply(self, kind: str, how: str, element: str, number: int, answer: dict[str, Any]) -> None:
        run = self._resume(self.stored, self.state)
        try:
            match kind, how:
                case "task", "answer":
                    run.complete(element, number, answer)
                case "task", _:
                    run.cancel_task(element, number, "because")
                case "service", "answer":
                    run.finish_service(element, number, answer)
                case "service", _:
                    run.refuse_service(element, number, BusinessError("no", "No."))
                case "timer", _:
                    run.fire_timer(element, number)
                case _:
                    run.receive_message(element, number, answer)
        except EngineError as error:
            raise self._failed("raised", f"{type(error).__name__}: {error.message}") from error
        except Exception as error:
            raise self._failed("crashed", f"{type(error).__name__}: {error}") from error
        self._keep(run)
        self._replay(run.events)

    # the engine

    def _start(self) -> None:
        try:
            run = Run.start(self.diagram, self._step(), dict(self.model.data))
        except EngineError as error:
            raise self._failed("raised", f"{type(error).__name__}: {error.message}") from error
        self._keep(run)
        self.bare, self.bare_state = json.dumps(serializer.dump(run.workflow)), run.after
        self._compare()

    def _keep(self, run: Run) -> None:
        self.happened += run.events
        self.state = run.after
        self.stored = json.dumps(run.dump())

    def _replay(self, events: list[Event]) -> None:
        """Give the uncompacted case the input in the history."""
        given = next(event for event in events if to_json(event)["kind"] in _INPUT_KINDS)
        run = self._resume(self.bare, self.bare_state)
        try:
            apply_input(run, given)
        except EngineError as error:
            raise self._failed("compaction", f"without compaction: {error.message}") from error
        self.bare, self.bare_state = json.dumps(serializer.dump(run.workflow)), run.after
        if run.events != events:
            raise self._failed("compaction", f"with {_shown(events)}, without {_shown(run.events)}")

    def _resume(self, stored: str, state: InstanceState) -> Run:
        try:
            return Run.resume(self.diagram, self._step(), json.loads(stored), state)
        except Exception as error:
            raise self._failed("unreadable", f"{type(error).__name__}: {error}") from error

    def _step(self) -> Step:
        return Step(instance="I", actor="a", now=self.now, services=SERVICES, answer=lambda *_: {})

    def _compare(self) -> None:
        if found := difference(self.state, self.game):
            raise self._failed(*found)

    def _failed(self, kind: str, message: str) -> _Failed:
        return _Failed(kind, f"{message} [{', '.join(self.moves)}]")


def open_moves(state: InstanceState) -> dict[tuple[str, str], list[int]]:
    """Return the open moves of the engine: by kind and element, the numbers of the tokens or waits, oldest first."""
    found: dict[tuple[str, str], list[int]] = {}
    waits = [("timer" if "due" in wait else "message", key) for key, wait in state.waits.items()]
    keys = [*(("task", key) for key in state.tasks), *(("service", key) for key in state.requests), *waits]
    for kind, key in keys:
        element, _, number = key.rpartition(":")
        found.setdefault((kind, element), []).append(int(number))
    return {what: sorted(numbers) for what, numbers in found.items()}


def counterpart(state: InstanceState, game: Game, move: Move) -> int:
    """Return the engine's number for *move* of the game: both count in order of arrival."""
    numbers = sorted(number for kind, element, number in game.open() if (kind, element) == move[:2])
    return open_moves(state)[move[0], move[1]][numbers.index(move[2])]


def difference(state: InstanceState, game: Game) -> tuple[str, str] | None:
    """Return how case and game differ: in open moves, in whether they go on, or in the data."""
    mine = Counter({what: len(found) for what, found in open_moves(state).items()})
    theirs = Counter((kind, element) for kind, element, _ in game.open())
    if mine != theirs or (state.status == "finished") != game.finished:
        more = f"engine {state.status}, only there {dict(mine - theirs)}; only in the game {dict(theirs - mine)}"
        return ("disagreement" if mine or state.status == "finished" else "stuck"), more
    stuck = not theirs and not game.finished
    if (state.status == "incident") != stuck:
        incidents = ", ".join(state.incidents) or "nothing"
        more = f"the engine has {incidents}, the game {'is stuck' if stuck else 'goes on'}"
        return ("disagreement" if stuck else "stuck"), more
    other = {name: (state.data.get(name), value) for name, value in game.data.items()
             if state.data.get(name) != value}  # fmt: skip
    return ("data", f"known here and in the game: {other}") if other else None


def _shown(events: list[Event]) -> str:
    return ", ".join(
        f"{event['kind']} {event.get('element', event.get('flow', ''))}" for event in map(to_json, events)
    )
