"""Infers what a script leaves behind: which names it sets on every way through it, of what shape."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

from usher_engine.core.shape_algebra import with_field, without_field
from usher_engine.core.shapes import ANYTHING, Shape, kinds, list_of, record

from .function_shapes import element_of
from .inference import Inference, bound
from .known_data import Known, KnownData, either, names_in, path_of
from .narrowing import narrowed

#: Methods that change their owner.
_CHANGING = frozenset({"append", "extend", "pop", "remove", "update"})
_ROUNDS = 3
#: Loops in loops that are gone round; within deeper ones nothing is known of what they set, so that work is bounded.
_LOOPS_WITH_ROUNDS = 2
_SCALARS = frozenset({"string", "number", "integer", "boolean", "null"})


@dataclass
class ScriptInference:
    """
    One script. *inference* collects the doubts about its expressions.

    ``linked`` maps each name to the names whose values may be, or hold, the same list or record: what changes one,
    changes the others. ``jumps`` are the data at each ``break`` and ``continue`` of the innermost loop, ``loops`` the
    number of loops around.
    """

    inference: Inference
    linked: dict[str, set[str]] = field(default_factory=dict)
    jumps: list[KnownData] = field(default_factory=list)
    loops: int = 0

    def block(self, statements: Iterable[ast.stmt], data: KnownData) -> KnownData | None:
        """The data after *statements*; None if they end in a jump."""
        for statement in statements:
            after = self._statement(statement, data)
            if after is None:
                return None
            data = after
        return data

    def _statement(self, node: ast.stmt, data: KnownData) -> KnownData | None:
        match node:
            case ast.Assign(targets=targets, value=value):
                shape = self.inference.shape(value, data)
                data = self._after_calls(value, data)
                if len(targets) > 1:
                    self._link({name for target in targets for name in names_in(target)})
                return reduce(lambda known, target: self._assign(target, value, shape, known), targets, data)
            case ast.AugAssign(target=target, op=op, value=value):
                changed = ast.copy_location(ast.BinOp(_as_read(target), op, value), node)
                return self._assign(target, value, self.inference.shape(changed, data), data)
            case ast.Expr(value=value):
                self.inference.shape(value, data)
                return self._after_calls(value, data)
            case ast.If():
                return self._if(node, data)
            case ast.For():
                return self._for(node, data)
            case ast.Delete(targets=targets):
                return reduce(self._delete, targets, data)
            case ast.Break() | ast.Continue():
                self.jumps.append(data)
                return None
            case _:
                return data

    def _assign(self, target: ast.expr, value: ast.expr, shape: Shape, data: KnownData) -> KnownData:
        if isinstance(target, ast.Name):
            if not kinds(shape) or set(kinds(shape)) - _SCALARS:
                self._link({target.id, *names_in(value)})
            return data.having(target.id, shape)
        if isinstance(target, ast.Tuple | ast.List):
            self._link({part.id for part in target.elts if isinstance(part, ast.Name)} | names_in(value))
            return bound(target, ANYTHING, data) if not kinds(shape) else bound(target, shape, data)
        self._link(names_in(target) | names_in(value))
        return self._put(target, shape, data)

    def _link(self, names: set[str]) -> None:
        together = names.union(*(self.linked.get(name, ()) for name in names))
        for name in together:
            self.linked[name] = together

    def _put(self, target: ast.expr, shape: Shape, data: KnownData) -> KnownData:
        """The data after a field or position, *target*, was set to a value of *shape*."""
        path = path_of(target)
        if isinstance(target, ast.Attribute | ast.Subscript):
            self.inference.shape(target.value, data)
        data = self._loosened(names_in(target), data, but=_root_of(target))
        if len(path) > 1:
            return data.refined(path[:-1], lambda owner: with_field(owner, path[-1], shape))
        return self._changed_owner(target, data)

    def _changed_owner(self, target: ast.expr, data: KnownData) -> KnownData:
        """The data after something in the owner of *target* changed, of which the name is not known."""
        path = path_of(target.value) if isinstance(target, ast.Attribute | ast.Subscript) else ()
        return data.refined(path, _loose) if path else self._loosened(names_in(target), data)

    def _loosened(self, names: set[str], data: KnownData, *, but: tuple[str, ...] = ()) -> KnownData:
        """*data* in which nothing is known of the values that may be linked with *names*."""
        touched = names.union(*(self.linked.get(name, ()) for name in names)) - {*but}
        known = {name: data.names[name] for name in touched if name in data.names}
        return data.knowing({n: Known(certain=k.certain, first=k.first, deleted=k.deleted) for n, k in known.items()})

    def _after_calls(self, node: ast.expr, data: KnownData) -> KnownData:
        """*data* after the calls in *node* changed their owners."""
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _CHANGING:
                path = path_of(call.func.value)
                self._link(names_in(node))
                data = self._loosened(names_in(node), data, but=path[:1])
                data = data.refined(path, _loose) if path else data
        return data

    def _if(self, node: ast.If, data: KnownData) -> KnownData | None:
        self.inference.shape(node.test, data)
        then = self.block(node.body, narrowed(node.test, data, holds=True))
        otherwise = self.block(node.orelse, narrowed(node.test, data, holds=False))
        ways = [way for way in (then, otherwise) if way is not None]
        return reduce(either, ways) if ways else None

    def _for(self, node: ast.For, data: KnownData) -> KnownData:
        element = element_of(self.inference.shape(node.iter, data))
        own = {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)}
        self._link(own | names_in(node.iter))
        around, self.jumps = self.jumps, []
        doubts = len(self.inference.doubts)
        self.loops += 1
        for _ in range(_ROUNDS if self.loops <= _LOOPS_WITH_ROUNDS else 0):
            del self.inference.doubts[doubts:]
            after = self._round(node, own, element, data)
            if after == data:
                break
            data = after
        else:
            del self.inference.doubts[doubts:]
            set_inside = {name for part in node.body for name in _set_in(part)} - own
            data = self._loosened(set_inside, data).perhaps({name: Known() for name in set_inside})
            data = self._round(node, own, element, data)
        self.loops -= 1
        self.jumps = around
        return data

    def _round(self, node: ast.For, own: set[str], element: Shape, data: KnownData) -> KnownData:
        """What is known after no round or one more of the loop *node*, whose variables are *own*."""
        self.jumps.clear()
        after = self.block(node.body, bound(node.target, element, data))
        ways = [_without(way, own, data) for way in (after, *self.jumps) if way is not None]
        return reduce(either, ways, data)

    def _delete(self, data: KnownData, target: ast.expr) -> KnownData:
        if isinstance(target, ast.Name):
            self.inference.shape(ast.copy_location(ast.Name(target.id, ast.Load()), target), data)
            return data.lacking(target.id)
        data = self._loosened(names_in(target), data, but=_root_of(target))
        path = path_of(target)
        if len(path) > 1:
            return data.refined(path[:-1], lambda owner: without_field(owner, path[-1]))
        return self._changed_owner(target, data)


def _without(way: KnownData, own: set[str], before: KnownData) -> KnownData:
    """The data after a loop, whose variables *own* are again what they were *before*."""
    kept = {name: known for name, known in way.names.items() if name not in own}
    return KnownData(kept | {n: before.names[n] for n in own if n in before.names}, closed=way.closed)


def _root_of(target: ast.expr) -> tuple[str, ...]:
    """The name in whose value *target* sets something; empty if it is not known."""
    return path_of(target.value)[:1] if isinstance(target, ast.Attribute | ast.Subscript) else ()


def _as_read(target: ast.expr) -> ast.expr:
    """*target* of an assignment as an expression that reads it."""
    match target:
        case ast.Name(id=name):
            return ast.copy_location(ast.Name(name, ast.Load()), target)
        case _:
            return target


def _set_in(statement: ast.stmt) -> Iterable[str]:
    return (part.id for part in ast.walk(statement) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))


def _loose(shape: Shape) -> Shape:
    """*shape* of a list or record after something in it changed."""
    found = kinds(shape)
    return record() if found == ("object",) else list_of() if found == ("array",) else ANYTHING
