"""Two versions of the diagrams of a package, element by element; where it is drawn counts apart from what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from ..core.errors import InvalidDefinition
from ..definitions import Package, Part, parse_xml, read_parts
from .change import Aspect, Change, ChangeKind, aspects_of

_ENDS = {"from", "to"}
#: Aspects that name another element by its id.
_REFERENCES = _ENDS | {"default flow", "attached to", "inside", "error", "escalation", "message", "signal"}


def readable(package: Package) -> dict[str, dict[str, Part]]:
    """The elements of each diagram that can be read."""
    found: dict[str, dict[str, Part]] = {}
    for file in package.diagrams():
        try:
            found[file] = read_parts(parse_xml(package.files[file], file))
        except InvalidDefinition:
            continue  # a draft may be broken; its text is compared
    return found


def diagram_changes(
    before: Mapping[str, Mapping[str, Part]], after: Mapping[str, Mapping[str, Part]]
) -> Iterator[Change]:
    """The changes of elements between the diagrams of two versions; an element is the same under one id."""
    old, new = _placed(before), _placed(after)
    for change in _raw_changes(old, new):
        aspects = tuple(_named(aspect, old, new) for aspect in change.aspects)
        yield replace(change, aspects=aspects)


_Placed: TypeAlias = Mapping[str, tuple[str, Part]]


def _placed(diagrams: Mapping[str, Mapping[str, Part]]) -> _Placed:
    """Every element with its file."""
    found: dict[str, tuple[str, Part]] = {}
    for file, parts in diagrams.items():
        for key, part in parts.items():
            found.setdefault(key, (file, part))
    return found


def _raw_changes(old: _Placed, new: _Placed) -> Iterator[Change]:
    for key, (file, part) in old.items():
        if key in new:
            yield from _between(file, part, *new[key])
        else:
            yield _change(ChangeKind.REMOVED, file, part, aspects_of(_rest(part), {}))
    for key, (file, part) in new.items():
        if key not in old:
            yield _change(ChangeKind.ADDED, file, part, aspects_of({}, _rest(part)))


def _rest(part: Part) -> dict[str, str]:
    """What is said of an element beside what it is and what it is called."""
    return {aspect: value for aspect, value in part.said.items() if aspect not in ("kind", "name")}


def _named(aspect: Aspect, old: _Placed, new: _Placed) -> Aspect:
    """What an aspect refers to, called by its name and its id; compared were the ids."""
    if aspect.name not in _REFERENCES:
        return aspect
    return replace(aspect, before=_called(aspect.before, old), after=_called(aspect.after, new))


def _called(key: str, parts: _Placed) -> str:
    name = parts[key][1].name if key in parts else ""
    return f"{name} ({key})" if name else key


def _between(was_in: str, was: Part, now_in: str, now: Part) -> Iterator[Change]:
    aspects = aspects_of({**was.said, "file": was_in}, {**now.said, "file": now_in})
    moved = was.place != now.place
    if not aspects:
        if moved:
            yield _change(ChangeKind.MOVED, now_in, now, ())
        return
    rerouted = any(aspect.name in _ENDS for aspect in aspects)
    yield _change(ChangeKind.REROUTED if rerouted else ChangeKind.CHANGED, now_in, now, aspects, moved=moved)


def _change(kind: ChangeKind, file: str, part: Part, aspects: tuple[Aspect, ...], *, moved: bool = False) -> Change:
    return Change(kind=kind, file=file, thing=part.kind, key=part.key, name=part.name, aspects=aspects, moved=moved)
