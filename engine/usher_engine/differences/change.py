"""The result of comparing two versions: one `Change` for each element, field, row or file that differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from ..core.canonical import Json


class ChangeKind(StrEnum):
    #: Only in the newer version.
    ADDED = "added"
    #: Only in the older version.
    REMOVED = "removed"
    #: In both versions, with different facts.
    CHANGED = "changed"
    #: A flow with another source or target than before.
    REROUTED = "rerouted"
    #: Same meaning, but another position, order or notation.
    MOVED = "moved"


@dataclass(frozen=True, kw_only=True, slots=True)
class Aspect:
    """One fact about an element; *before* or *after* is empty if that version does not have it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """
    One change. *thing* is its type (user task, field, row), *key* its id, *part_of* the form or decision it belongs to.

    ``moved`` means that a changed element also has another position; ``lines`` is the unified diff of a text file.
    """

    kind: ChangeKind
    file: str
    thing: str
    key: str
    name: str = ""
    part_of: str = ""
    aspects: tuple[Aspect, ...] = ()
    moved: bool = False
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """All changes from one package to another, in the order of their files and of the elements in them."""

    changes: tuple[Change, ...]

    @property
    def counts(self) -> dict[ChangeKind, int]:
        """How many changes of each kind there are, without kinds that have none."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in ChangeKind if found[kind]}

    def to_json(self) -> dict[str, Json]:
        counts = {kind.value: count for kind, count in self.counts.items()}
        return {"counts": counts, "changes": [_change_to_json(change) for change in self.changes]}


def _change_to_json(change: Change) -> dict[str, Any]:
    record = {name: value for name, value in asdict(change).items() if value}
    return {**record, "kind": change.kind.value}


#: The facts about each thing in a set, by key.
Facts: TypeAlias = Mapping[str, Mapping[str, str]]
#: Builds a change from its kind, key and aspects.
Make: TypeAlias = Callable[[ChangeKind, str, tuple[Aspect, ...]], Change]


def aspects_of(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Aspect, ...]:
    """The facts that differ, in their original order."""
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        Aspect(name=name, before=before.get(name, ""), after=after.get(name, ""))
        for name in names
        if before.get(name, "") != after.get(name, "")
    )


def changes_of(before: Facts, after: Facts, make: Make, moved: frozenset[str] = frozenset()) -> Iterator[Change]:
    """Yield the changes between two sets of things; *moved* holds the keys whose position in the order changed."""
    for key, facts in before.items():
        if key not in after:
            yield make(ChangeKind.REMOVED, key, aspects_of(facts, {}))
            continue
        aspects = aspects_of(facts, after[key])
        if aspects or key in moved:
            yield make(ChangeKind.CHANGED if aspects else ChangeKind.MOVED, key, aspects)
    for key, facts in after.items():
        if key not in before:
            yield make(ChangeKind.ADDED, key, aspects_of({}, facts))
