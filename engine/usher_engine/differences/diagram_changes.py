"""Compares the diagrams of two versions element by element; a new position alone counts as moved, not changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from ..core.errors import InvalidDefinition
from ..definitions import ElementFacts, Package, parse_xml, read_element_facts
from .change import Aspect, Change, ChangeKind, aspects_of

_ENDS = {"from", "to"}
#: Aspects that refer to another element by id.
_REFERENCES = _ENDS | {"default flow", "attached to", "inside", "error", "escalation", "message", "signal"}


def read_diagrams(package: Package) -> dict[str, dict[str, ElementFacts]]:
    """Return the elements of each readable diagram, by file."""
    found: dict[str, dict[str, ElementFacts]] = {}
    for file in package.diagrams():
        try:
            found[file] = read_element_facts(parse_xml(package.files[file], file))
        except InvalidDefinition:
            continue  # a draft may be broken; its text is compared
    return found


def diagram_changes(
    before: Mapping[str, Mapping[str, ElementFacts]], after: Mapping[str, Mapping[str, ElementFacts]]
) -> Iterator[Change]:
    """Yield the changes of elements between two versions; elements are matched by id."""
    old, new = _with_files(before), _with_files(after)
    for change in _raw_changes(old, new):
        aspects = tuple(_with_names(aspect, old, new) for aspect in change.aspects)
        yield replace(change, aspects=aspects)


_Elements: TypeAlias = Mapping[str, tuple[str, ElementFacts]]


def _with_files(diagrams: Mapping[str, Mapping[str, ElementFacts]]) -> _Elements:
    """Map each element's key to its file and facts."""
    found: dict[str, tuple[str, ElementFacts]] = {}
    for file, elements in diagrams.items():
        for key, element in elements.items():
            found.setdefault(key, (file, element))
    return found


def _raw_changes(old: _Elements, new: _Elements) -> Iterator[Change]:
    for key, (file, element) in old.items():
        if key in new:
            yield from _compare_element(file, element, *new[key])
        else:
            yield _change(ChangeKind.REMOVED, file, element, aspects_of(_attributes(element), {}))
    for key, (file, element) in new.items():
        if key not in old:
            yield _change(ChangeKind.ADDED, file, element, aspects_of({}, _attributes(element)))


def _attributes(element: ElementFacts) -> dict[str, str]:
    """All attributes except type and name."""
    return {aspect: value for aspect, value in element.facts.items() if aspect not in ("kind", "name")}


def _with_names(aspect: Aspect, old: _Elements, new: _Elements) -> Aspect:
    """Show a reference by name; the comparison itself uses ids only."""
    if aspect.name not in _REFERENCES:
        return aspect
    return replace(aspect, before=_named(aspect.before, old), after=_named(aspect.after, new))


def _named(key: str, elements: _Elements) -> str:
    """The name of an element; with its id where others are called the same, the id alone where it has no name."""
    name = elements[key][1].name if key in elements else ""
    others = any(one.name == name for other, (_, one) in elements.items() if other != key)
    return f"{name} ({key})" if name and others else name or key


def _compare_element(was_in: str, was: ElementFacts, now_in: str, now: ElementFacts) -> Iterator[Change]:
    aspects = aspects_of({**was.facts, "file": was_in}, {**now.facts, "file": now_in})
    moved = was.place != now.place
    if not aspects:
        if moved:
            yield _change(ChangeKind.MOVED, now_in, now, ())
        return
    rerouted = any(aspect.name in _ENDS for aspect in aspects)
    yield _change(ChangeKind.REROUTED if rerouted else ChangeKind.CHANGED, now_in, now, aspects, moved=moved)


def _change(
    kind: ChangeKind, file: str, element: ElementFacts, aspects: tuple[Aspect, ...], *, moved: bool = False
) -> Change:
    words, key, name = element.kind, element.key, element.name
    return Change(kind=kind, file=file, thing=words, key=key, name=name, aspects=aspects, moved=moved)
