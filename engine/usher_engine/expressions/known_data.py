"""What is known of a case's data at one place of a diagram: which names it has, and of what shape their values are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import compress
from operator import is_not
from types import MappingProxyType

from usher_engine.core.shape_algebra import at_path, union
from usher_engine.core.shapes import ANYTHING, Shape


@dataclass(frozen=True, slots=True)
class Known:
    """
    A name of the data. *certain*: it is there on every way to this place; otherwise on some.

    ``set_shape`` is the shape of what elements set. *first*: the value may also be one that the case began with, of
    unknown shape. *tested*: a condition on every way asked for it. *deleted*: a script may have deleted it.
    """

    set_shape: Shape = field(default_factory=lambda: ANYTHING)
    certain: bool = True
    first: bool = False
    tested: bool = False
    deleted: bool = False

    @property
    def shape(self) -> Shape:
        """The shape of the value."""
        return ANYTHING if self.first else self.set_shape


def _merged(one: Known, other: Known, *, certain: bool) -> Known:
    return Known(
        union(one.set_shape, other.set_shape),
        certain=certain,
        first=one.first or other.first,
        tested=one.tested and other.tested,
        deleted=one.deleted or other.deleted,
    )


@dataclass(frozen=True, slots=True)
class KnownData:
    """The data at one place; of names that are not listed nothing is known or, if *closed*, that nothing sets them."""

    names: Mapping[str, Known] = field(default_factory=lambda: MappingProxyType({}))
    closed: bool = False

    def having(self, name: str, shape: Shape = ANYTHING) -> KnownData:
        """These data after *name* was set to a value of *shape*."""
        return self.knowing({name: Known(shape)})

    def knowing(self, more: Mapping[str, Known]) -> KnownData:
        return replace(self, names={**self.names, **more}) if more else self

    def lacking(self, name: str) -> KnownData:
        """These data after *name* was deleted."""
        return self.knowing({name: Known(certain=False, deleted=True)})

    def perhaps(self, more: Mapping[str, Known]) -> KnownData:
        """These data if each of *more* was set, or not, since."""
        return self.knowing({name: self._perhaps(name, known) for name, known in more.items()})

    def _perhaps(self, name: str, new: Known) -> Known:
        old = self.names.get(name)
        if old is None:
            return replace(new, certain=False, first=new.first or not self.closed, tested=False)
        merged = _merged(old, new, certain=old.certain and not new.deleted)
        return replace(merged, tested=old.tested)

    def refined(self, path: tuple[str, ...], change: Callable[[Shape], Shape]) -> KnownData:
        """These data after a condition narrowed the value at *path*, such as ``("patient", "status")``."""
        old = self.names.get(path[0])
        if old is None or old.first:
            return self
        return self.knowing({path[0]: replace(old, set_shape=at_path(old.set_shape, path[1:], change))})

    def asked(self, names: Iterable[str]) -> KnownData:
        """These data on a way on which a condition asked for *names*."""
        return self.knowing({n: replace(self.names[n], tested=True) for n in names if n in self.names})


def changes(before: KnownData, after: KnownData) -> dict[str, Known]:
    """What was set on the way from *before* to *after*, also to a value of the same shape."""
    if after is before:
        return {}
    unequal = map(is_not, after.names.values(), map(before.names.get, after.names))
    return dict(compress(after.names.items(), unequal))  # in C: a package may have thousands of names


def either(first: KnownData, second: KnownData) -> KnownData:
    """What is known where two ways meet, of which the case came one."""
    if first is second:
        return first
    names = {name: _either(first, second, name) for name in (*first.names, *second.names)}
    return KnownData(names, closed=first.closed)


def _either(first: KnownData, second: KnownData, name: str) -> Known:
    one, other = first.names.get(name), second.names.get(name)
    if one is None or other is None:
        only = one or other or Known()
        return replace(only, first=only.first or not first.closed, certain=False, tested=False)
    return one if one is other else _merged(one, other, certain=one.certain and other.certain)


def both(first: KnownData, second: KnownData) -> KnownData:
    """What is known where two branches meet that ran side by side on the same data."""
    met = either(first, second)
    return replace(met, names={name: _met(first, second, name, known) for name, known in met.names.items()})


def _met(first: KnownData, second: KnownData, name: str, known: Known) -> Known:
    if known.deleted:  # by which branch last, nobody knows
        return known
    certain = [d.names[name] for d in (first, second) if name in d.names and d.names[name].certain]
    # A branch in which it is certain although it was not before has set it.
    return replace(known, certain=bool(certain), first=known.first and all(one.first for one in certain))


def path_of(node: ast.expr) -> tuple[str, ...]:
    """The path of names that *node* reads, as in ``patient.status`` or ``patient["status"]``; empty if it is none."""
    parts: list[str] = []
    while True:
        match node:
            case ast.Attribute():
                parts.append(node.attr)
                node = node.value
            case ast.Subscript(slice=ast.Constant(value=str() as key)):
                parts.append(key)
                node = node.value
            case ast.Name():
                return (node.id, *reversed(parts))
            case _:
                return ()


def names_in(node: ast.AST) -> set[str]:
    """The names of the data that *node* reads, also through ``get("…")``."""
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    calls = (part for part in ast.walk(node) if isinstance(part, ast.Call))
    return found | {name for call in calls if (name := name_asked_for(call))}


def name_asked_for(call: ast.Call) -> str:
    """The name that ``get("…")`` asks for; empty for any other call."""
    match call:
        case ast.Call(func=ast.Name(id="get"), args=[ast.Constant(value=str() as name), *_]):
            return name
        case _:
            return ""
