"""The parts of a case in the reference game: scopes with tokens, what they wait for, and what catches events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .graphs import BPMN, Graph, Node

#: A possible move: its kind, its element, and the number of its token or wait.
Move = tuple[str, str, int]

_PEOPLE = ("userTask", "manualTask")
_SERVICES = ("serviceTask", "sendTask", "intermediateThrowEvent", "endEvent")


class Impossible(Exception):
    """The model does what a sound one never does: it throws an uncaught error, or reads an unset name."""


@dataclass(eq=False)
class Frame:
    """The data of a case, or the changes of one item of a repeated activity."""

    own: dict[str, Any]
    outer: Frame | None = None

    def __getitem__(self, name: str) -> Any:
        if name in self.own:
            return self.own[name]
        if self.outer is None:
            raise Impossible(f"nobody has set {name}")
        return self.outer[name]


@dataclass(eq=False)
class Armed:
    """What a boundary event, an event sub-process or an event after a gateway waits for."""

    node: Node
    number: int
    left: int = 0


@dataclass(eq=False)
class Item:
    """One visit of an activity: a token that rests, or a scope inside."""

    number: int
    frame: Frame
    inside: Scope | None = None


@dataclass(eq=False)
class Token:
    """A token on an activity or a waiting event, with everything attached to it."""

    node: Node
    scope: Scope
    items: list[Item] = field(default_factory=list)
    bounds: list[Armed] = field(default_factory=list)
    choices: list[Armed] = field(default_factory=list)
    begun: int = 0
    done: int = 0
    #: Changes of finished items; the case gets them when all are done.
    frame: Frame = field(default_factory=lambda: Frame({}))
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Scope:
    """A running process, sub-process, call or handler."""

    graph: Graph
    frame: Frame
    host: Token | None
    item: Item | None
    handles: bool = False
    alive: bool = True
    coming: int = 0
    tokens: list[Token] = field(default_factory=list)
    arrived: Counter[str] = field(default_factory=Counter)
    armed: list[Armed] = field(default_factory=list)


@dataclass(frozen=True)
class Repeat:
    times: int
    at_once: bool
    enough: int
    output: bool


def repeat_of(node: Node, frame: Frame) -> Repeat | None:
    loop = node.element.find(f"{BPMN}standardLoopCharacteristics")
    if loop is not None:
        return Repeat(int(loop.get("loopMaximum", "0")), at_once=False, enough=0, output=False)
    several = node.element.find(f"{BPMN}multiInstanceLoopCharacteristics")
    if several is None:
        return None
    condition = several.findtext(f"{BPMN}completionCondition") or ""
    times, items = several.findtext(f"{BPMN}loopCardinality"), several.findtext(f"{BPMN}loopDataInputRef")
    return Repeat(
        int(times) if times is not None else len(frame[items or ""]),
        at_once=several.get("isSequential") != "true",
        enough=int(condition.rpartition(" ")[2] or 0),
        output=several.find(f"{BPMN}loopDataOutputRef") is not None,
    )


def asked(node: Node, way: Any) -> bool:
    return bool(way.condition) and way.id != node.default


def _wait(one: Armed) -> Move:
    return ("message" if one.node.kind == "receiveTask" else one.node.on, one.node.id, one.number)


def _kind(node: Node) -> str:
    if node.kind in _PEOPLE:
        return "task"
    if node.kind in _SERVICES:
        return "service"
    return "message" if node.kind == "receiveTask" else node.on


def open_in(scope: Scope) -> dict[Move, Any]:
    """Return every possible move in *scope* itself, with its target and the owner of that."""
    found: dict[Move, Any] = {_wait(one): (scope, one) for one in scope.armed if one.node.on in ("timer", "message")}
    for token in scope.tokens:
        found |= {_wait(one): (token, one) for one in token.bounds if one.node.on in ("timer", "message")}
        found |= {_wait(one): (token, one) for one in token.choices}
        for item in token.items:
            if item.inside is None:
                found[_kind(token.node), token.node.id, item.number] = (token, item)
    return found


def catcher(scope: Scope, kind: str, code: str, handled: Node | None = None) -> tuple[Scope | Token, Armed] | None:
    """Return what catches it: an event sub-process of *scope*, or further out; never the one that *handled* it."""
    for one in scope.armed:
        if one.node.on == kind and one.node.code in (code, "") and one.node is not handled:
            return scope, one
    if scope.host is None:
        return None
    if scope.handles:
        return catcher(scope.host.scope, kind, code, scope.graph.start)
    return catcher_on(scope.host, kind, code)


def catcher_on(token: Token, kind: str, code: str) -> tuple[Scope | Token, Armed] | None:
    """Return what catches it on the activity of *token*, or further out."""
    for one in token.bounds:
        if one.node.on == kind and one.node.code in (code, ""):
            return token, one
    return catcher(token.scope, kind, code)
