"""Takes the difference of two packages apart into changes that can be undone one by one.

Elements that were added, removed or connected otherwise and touch each other are one change. Start with
`single_changes`; `diagram_undo` undoes them in a diagram.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ..definitions import Package
from .change import Change, ChangeKind
from .diagram_undo import touching, undo_in_diagram
from .package_changes import compare

#: The most changes that are taken apart; a draft that changes more is hardly one.
MAX_CHANGES = 40


@dataclass(frozen=True, slots=True)
class SingleChange:
    """One change: *title* says it in a few words, no other has the same; *without* is the newer package without it."""

    title: str
    elements: frozenset[str]
    without: Package


@dataclass(frozen=True, slots=True)
class ChangeUnit:
    """What can be undone together, and only together: *parts*, all of *file*; *title* as a `SingleChange` has it."""

    title: str
    file: str
    parts: tuple[Change, ...]

    @property
    def elements(self) -> frozenset[str]:
        return frozenset(part.key for part in self.parts)

    @property
    def is_drawn(self) -> bool:
        """Whether it is about elements of a diagram, not about a whole file."""
        return self.file.endswith(".bpmn") and self.parts[0].thing != "file"


def change_units(before: Package, after: Package) -> list[ChangeUnit]:
    """The changes from *before* to *after* that can be undone alone, in reading order; without those of place only."""
    changes = [one for one in compare(before, after).changes if one.kind is not ChangeKind.MOVED][: MAX_CHANGES * 4]
    found: dict[str, ChangeUnit] = {}
    for parts in _units(before, after, changes):
        title = _title(parts)
        title = title if title not in found else f"{title} ({parts[0].key})"
        found[title] = ChangeUnit(title, parts[0].file, tuple(parts))
    return list(found.values())[:MAX_CHANGES]


def without(before: Package, after: Package, unit: ChangeUnit) -> Package:
    """*after* with *unit* as it is in *before*; a diagram's elements without their drawing."""
    content = _undone(before, after, unit.parts)
    files = {name: file for name, file in after.files.items() if name != unit.file}
    return Package(files if content is None else {**files, unit.file: content})


def single_changes(before: Package, after: Package) -> list[SingleChange]:
    """The changes of `change_units`, each with the newer package without it."""
    units = change_units(before, after)
    return [SingleChange(unit.title, unit.elements, without(before, after, unit)) for unit in units]


def _units(before: Package, after: Package, changes: Sequence[Change]) -> Iterator[list[Change]]:
    """The changes grouped as they can be undone."""
    by_file: dict[str, list[Change]] = {}
    for change in changes:
        by_file.setdefault(change.file, []).append(change)
    for file, ours in by_file.items():
        if file not in before.files or file not in after.files:
            yield ours
        elif file.endswith(".bpmn") and all(change.thing != "file" for change in ours):
            yield from touching(ours, before.files[file], after.files[file], file)
        elif file.endswith(".form") and all(change.thing == "field" for change in ours):
            yield from ([change] for change in ours)
        else:
            yield ours


def _undone(before: Package, after: Package, parts: Sequence[Change]) -> bytes | None:
    """The file of *parts* as it would be without them; None where it would not be there."""
    file = parts[0].file
    was, now = before.files.get(file), after.files.get(file)
    if was is None or now is None:
        return was
    if file.endswith(".bpmn") and parts[0].thing != "file":
        return undo_in_diagram(parts, was, now, file)
    if parts[0].thing == "field":
        old, new = (json.loads(content.decode("utf-8-sig")) for content in (was, now))
        return json.dumps(with_field(parts[0].key, old, new)).encode()
    return was


def with_field(key: str, was: Any, now: Any) -> dict[str, Any]:
    """The form *now* with the field *key* as it is in the form *was*: changed, there again, or gone."""
    old = next((one for one in _components(was) if one.get("key") == key or one.get("id") == key), None)
    changed = _with_components(now, key, None if old is None else deepcopy(old))
    if old is not None and not any(_is(one, key) for one in _components(now)):
        changed["components"] = [*changed["components"], deepcopy(old)]
    return changed


def _is(component: Mapping[str, Any], key: str) -> bool:
    return component.get("key") == key or component.get("id") == key


def _components(form: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in form.get("components", []):
        yield one
        yield from _components(one)


def _with_components(part: Mapping[str, Any], key: str, old: dict[str, Any] | None) -> dict[str, Any]:
    """*part* with the component *key* replaced by *old*, or without it."""
    if "components" not in part:
        return dict(part)
    kept = ((old if _is(one, key) else _with_components(one, key, old)) for one in part["components"])
    return {**part, "components": [one for one in kept if one is not None]}


# words


def _title(parts: Sequence[Change]) -> str:
    by_kind: dict[ChangeKind, list[Change]] = {}
    nodes = [part for part in parts if part.thing != "flow" and part.kind in (ChangeKind.ADDED, ChangeKind.REMOVED)]
    for part in nodes or parts:  # flows came and went with them
        by_kind.setdefault(part.kind, []).append(part)
    came, went = ([one.name for one in by_kind.get(kind, ())] for kind in (ChangeKind.ADDED, ChangeKind.REMOVED))
    if came == went and all(came) and came:
        return f"{_and(came)}: another id"
    said = [_of_kind(kind, by_kind[kind]) for kind in (ChangeKind.ADDED, ChangeKind.REMOVED) if kind in by_kind]
    if not any(said):
        said = [_changed(part) for part in parts[:3]]
    file = parts[0].file
    return f"{'; '.join(filter(None, said))}" if file.endswith(".bpmn") else f"{file}: {'; '.join(filter(None, said))}"


def _of_kind(kind: ChangeKind, parts: Sequence[Change]) -> str:
    """“Seven days and Send reminder added”; flows only where nothing else was."""
    nodes = [part for part in parts if part.thing != "flow"] or list(parts)
    if nodes[0].thing == "file":
        return kind.value
    names = [part.name or part.key for part in nodes[:3]]
    more = len(nodes) - len(names)
    said = f"{', '.join(names)} and {more} more" if more else _and(names)
    return f"{said} {kind.value}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_SHORT = 24


def _changed(part: Change) -> str:
    name = part.name or part.key
    if part.kind is ChangeKind.REROUTED:
        return f"{name}: leads elsewhere"
    if part.thing == "file":
        return "changed"
    named = f"row {name}" if part.thing == "row" else name
    if len(part.aspects) == 1 and max(len(part.aspects[0].before), len(part.aspects[0].after)) <= _SHORT:
        aspect = part.aspects[0]
        return f"{named}: {aspect.name} {aspect.before or '–'} → {aspect.after or '–'}"
    return f"{named}: {', '.join(aspect.name for aspect in part.aspects[:3])}"
