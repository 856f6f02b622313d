"""The token game of BPMN 2.0.2 (chapters 10.5 and 13), implemented independently: what is open after each move.

A game makes the same moves as a case of the engine, and lists after each what people, services, timers and messages may
do next. It has no texts, times or history, and shares no code with the engine.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Any

from .graphs import BPMN, Graph, Node, holds, read
from .tokens import (
    Armed,
    Frame,
    Impossible,
    Item,
    Move,
    Scope,
    Token,
    asked,
    catcher,
    catcher_on,
    open_in,
    repeat_of,
)  # fmt: skip

MAX_PASSES = 2_000
_SCRIPT = re.compile(r"(\w+) = (?:(\w+) \+ )?(\d+)")


class Game:
    """One case of the process in *xml*, from its start."""

    def __init__(self, xml: str, data: dict[str, Any]) -> None:
        graph, self._processes = read(xml)
        self._numbers = 0
        self._queue: deque[tuple[Scope, Node, str]] = deque()
        self._later: list[tuple[Scope, Node]] = []
        self.finished = False
        #: The place where two tokens met, if any: after that nothing is guaranteed.
        self.piled = ""
        #: Names that an item has changed; the comparison ignores when the case gets them.
        self._of_items: set[str] = set()
        self._root = self._begin(graph, Frame(dict(data)), None, None)
        self._run()

    # what is open

    def open(self) -> dict[Move, Any]:
        """Return every possible move, with its target."""
        return {move: what for scope in self._scopes() for move, what in open_in(scope).items()}

    def refusable(self, move: Move) -> bool:
        """Whether an event catches the refusal “no” of the service."""
        token, _ = self.open()[move]
        return catcher_on(token, "error", "no") is not None

    def cancellable(self, move: Move) -> bool:
        token, _ = self.open()[move]
        return any(one.node.on == "escalation" for one in token.bounds)

    def only_beside(self) -> bool:
        """Whether only non-interrupting events can still happen."""
        return all(isinstance(one, Armed) and not one.node.stops for _, one in self.open().values())

    @property
    def data(self) -> dict[str, Any]:
        """The answers, counters and script results of the case, without changes of items."""
        return {name: value for name, value in self._root.frame.own.items() if name not in self._of_items}

    # moves

    def answer(self, move: Move, answer: dict[str, Any]) -> None:
        """Complete the work of a person or a service."""
        token, item = self.open()[move]
        if move[0] == "task":
            self._write(item.frame, token.node.id, answer)
        self._item_done(token, item)
        self._run()

    def happen(self, move: Move) -> None:
        """Fire a timer or deliver a message."""
        owner, one = self.open()[move]
        if isinstance(one, Item):
            self._item_done(owner, one)
        elif isinstance(owner, Token) and one in owner.choices:
            self._drop(owner)
            self._leave(owner.scope, one.node)
        else:
            self._fire(owner, one)
        self._run()

    def refuse(self, move: Move) -> None:
        token, _ = self.open()[move]
        found = catcher_on(token, "error", "no")
        if found is None:
            raise Impossible("nobody catches the refusal")
        self._fire(*found)
        self._run()

    def cancel(self, move: Move) -> None:
        token, _ = self.open()[move]
        self._fire(token, next(one for one in token.bounds if one.node.on == "escalation"))
        self._run()

    # tokens

    def _run(self) -> None:
        passes = 0
        while self._queue or self._later or self._join():
            passes += 1
            if passes > MAX_PASSES:
                raise Impossible("one move leads to more and more")
            if self._later:
                self._throw(*self._later.pop(0))
            elif self._queue:
                scope, node, flow = self._queue.popleft()
                if scope.alive:
                    scope.coming -= 1
                    self._enter(scope, node, flow)
                    self._close(scope)

    def _enter(self, scope: Scope, node: Node, flow: str) -> None:
        match node.kind:
            case "parallelGateway" | "inclusiveGateway":
                scope.arrived[flow] += 1
                self._piled(scope.arrived[flow] > 1, node)
                if node.kind == "parallelGateway" and all(scope.arrived[way.id] for way in node.incoming):
                    self._take(scope, [way.id for way in node.incoming])
                    self._leave(scope, node)
            case "exclusiveGateway":
                chosen = [way for way in node.outgoing if asked(node, way) and holds(way.condition, scope.frame)]
                default = [way for way in node.outgoing if not asked(node, way)]
                self._go(scope, [(chosen or default)[0].target], [(chosen or default)[0].id])
            case "scriptTask" if repeat_of(node, scope.frame) is None:
                self._script(node, scope.frame)
                self._leave(scope, node)
            case "endEvent":
                self._end(scope, node)
            case "intermediateThrowEvent" if node.element.find(f"{BPMN}messageEventDefinition") is None:
                if node.on == "escalation":
                    self._later.append((scope, node))
                self._leave(scope, node)
            case "intermediateCatchEvent" if node.on == "link":
                self._leave(scope, node)
            case _:
                self._rest(scope, node)

    def _rest(self, scope: Scope, node: Node) -> None:
        token = Token(node, scope, frame=Frame({}, scope.frame))
        self._piled(any(other.node is node for other in scope.tokens), node)
        scope.tokens.append(token)
        token.bounds = [self._arm(bound) for bound in node.bounds]
        if node.kind == "eventBasedGateway":
            token.choices = [self._arm(scope.graph.nodes[way.target]) for way in node.outgoing]
            return
        repeat = repeat_of(node, scope.frame)
        if repeat is None:
            self._item(token, scope.frame)
        elif repeat.times == 0:
            self._over(token)
        else:
            for _ in range(repeat.times if repeat.at_once else 1):
                if token in scope.tokens:  # otherwise enough items are done
                    self._item(token, Frame({}, token.frame))

    def _item(self, token: Token, frame: Frame) -> None:
        token.begun += 1
        item = Item(self._number(), frame)
        token.items.append(item)
        node = token.node
        if node.kind == "scriptTask":
            self._script(node, frame)
            self._item_done(token, item)
        elif node.kind == "subProcess" and node.inside is not None:
            item.inside = self._begin(node.inside, frame, token, item)
        elif node.kind == "callActivity":
            item.inside = self._begin(self._processes[node.element.get("calledElement", "")], frame, token, item)

    def _item_done(self, token: Token, item: Item) -> None:
        if item not in token.items:
            return
        token.items.remove(item)
        token.done += 1
        repeat = repeat_of(token.node, token.scope.frame)
        if repeat is not None and not repeat.output:
            (token.changes if repeat.at_once else token.frame.own).update(item.frame.own)
        if repeat is not None and token.done < repeat.times and token.done != repeat.enough:
            if not repeat.at_once:
                self._item(token, Frame({}, token.frame))
            return
        self._over(token)

    def _over(self, token: Token) -> None:
        token.scope.frame.own.update({**token.frame.own, **token.changes})
        self._drop(token)
        self._leave(token.scope, token.node)
        self._close(token.scope)

    def _leave(self, scope: Scope, node: Node) -> None:
        ways = node.outgoing
        if node.kind == "inclusiveGateway":
            chosen = [way for way in ways if asked(node, way) and holds(way.condition, scope.frame)]
            ways = chosen or [way for way in ways if not asked(node, way)]
        self._go(scope, [way.target for way in ways], [way.id for way in ways])

    def _go(self, scope: Scope, targets: list[str], flows: list[str]) -> None:
        for target, flow in zip(targets, flows, strict=True):
            scope.coming += 1
            self._queue.append((scope, scope.graph.nodes[target], flow))

    def _take(self, scope: Scope, flows: list[str]) -> None:
        scope.arrived.subtract(flows)
        scope.arrived = +scope.arrived

    def _join(self) -> bool:
        """Let one inclusive gateway fire, if any can."""
        for scope in self._scopes():
            target = {way.id: node.id for node in scope.graph.nodes.values() for way in node.incoming}
            for node in scope.graph.joins if scope.arrived else ():
                own = [way.id for way in node.incoming]
                filled = [flow for flow in own if scope.arrived[flow]]
                elsewhere = [target[flow] for flow in scope.arrived if flow not in own]
                elsewhere += [token.node.id for token in scope.tokens]
                if scope.graph.can_join(node, filled, elsewhere):
                    self._take(scope, filled)
                    self._leave(scope, node)
                    return True
        return False

    def _script(self, node: Node, frame: Frame) -> None:
        found = _SCRIPT.fullmatch(node.element.findtext(f"{BPMN}script") or "")
        if found is None:
            raise Impossible(f"the script of {node.id}")
        self._write(frame, found[1], (frame[found[2]] if found[2] else 0) + int(found[3]))

    def _write(self, frame: Frame, name: str, value: Any) -> None:
        frame.own[name] = value
        if frame.outer is not None:
            self._of_items.add(name)

    # scopes

    def _begin(self, graph: Graph, frame: Frame, host: Token | None, item: Item | None) -> Scope:
        scope = Scope(graph, frame, host, item)
        scope.armed = [self._arm(node.inside.start) for node in graph.beside if node.inside is not None]
        self._leave(scope, graph.start)
        return scope

    def _end(self, scope: Scope, node: Node) -> None:
        if node.element.find(f"{BPMN}messageEventDefinition") is not None:
            self._rest(scope, node)
        elif node.on == "terminate":
            self._clear(scope)
        elif node.on in ("error", "escalation"):
            self._later.append((scope, node))
            scope.coming += 1  # it counts until it has been thrown

    def _close(self, scope: Scope) -> None:
        """End *scope* if no token is left in it."""
        if not scope.alive or scope.tokens or scope.arrived or scope.coming:
            return
        scope.alive = False
        if scope.host is None:
            self.finished = True
        elif scope.item is not None:
            self._item_done(scope.host, scope.item)
        else:
            self._over(scope.host)

    def _clear(self, scope: Scope) -> None:
        """Remove every token from *scope*."""
        for token in list(scope.tokens):
            self._drop(token)
        self._queue = deque(coming for coming in self._queue if coming[0] is not scope)
        scope.coming = 0
        scope.arrived.clear()

    def _drop(self, token: Token) -> None:
        if token in token.scope.tokens:
            token.scope.tokens.remove(token)
        for item in token.items:
            self._kill(item.inside)
        token.items, token.bounds, token.choices = [], [], []

    def _kill(self, scope: Scope | None) -> None:
        if scope is not None:
            scope.alive = False
            scope.armed = []
            self._clear(scope)

    def _scopes(self) -> Iterator[Scope]:
        waiting = [self._root] if self._root.alive else []
        while waiting:
            scope = waiting.pop()
            yield scope
            waiting += [item.inside for token in scope.tokens for item in token.items if item.inside is not None]

    # what is caught

    def _throw(self, scope: Scope, node: Node) -> None:
        if not scope.alive:
            return
        found = catcher(scope, node.on, node.code)
        if found is not None:
            self._fire(*found)
        elif node.on == "error":
            raise Impossible(f"nobody catches {node.code}")
        if node.kind == "endEvent" and scope.alive and scope.coming:
            scope.coming -= 1
            self._close(scope)

    def _fire(self, owner: Scope | Token, one: Armed) -> None:
        if isinstance(owner, Token):
            scope = owner.scope
            self._again(owner.bounds, one, owner)
            self._leave(scope, one.node)
            self._close(scope)
            return
        handler = next(node for node in owner.graph.beside if node.inside is not None and node.inside.start is one.node)
        if one.node.stops:
            self._clear(owner)
            owner.armed = []
        else:
            self._again(owner.armed, one, None)
        token = Token(handler, owner)
        owner.tokens.append(token)
        item = Item(self._number(), owner.frame)
        token.items = [item]
        if handler.inside is None:
            raise Impossible(handler.id)
        item.inside = Scope(handler.inside, owner.frame, token, None, handles=True)
        self._leave(item.inside, one.node)

    def _again(self, armed: list[Armed], one: Armed, token: Token | None) -> None:
        """After *one* happened: end *token* if it interrupts, else arm it again."""
        if token is not None and one.node.stops:
            self._drop(token)
            return
        armed.remove(one)
        if one.node.on != "timer" or one.left > 1:
            again = self._arm(one.node)
            again.left = one.left - 1
            armed.append(again)

    def _arm(self, node: Node) -> Armed:
        cycle = node.element.findtext(f"{BPMN}timerEventDefinition/{BPMN}timeCycle") or ""
        return Armed(node, self._number(), int(cycle[1:2] or 0))

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _piled(self, happened: bool, node: Node) -> None:
        if happened and not self.piled:
            self.piled = node.id
