"""What a comparison of two versions says: one `Change` for each element, field, row or file that is not the same."""

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
    #: In both, and something said of it differs.
    CHANGED = "changed"
    #: A flow that leads from or to another element than before.
    REROUTED = "rerouted"
    #: Drawn elsewhere, in another order, or written otherwise; it says the same.
    MOVED = "moved"


@dataclass(frozen=True, kw_only=True, slots=True)
class Aspect:
    """One thing said of an element; *before* or *after* is empty where it was not said."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """
    *thing* says what it is (user task, field, row), *key* is its id; *part_of* names the form or decision around it.

    ``moved`` tells that a changed element is also drawn elsewhere; ``lines`` are the unified lines of a text file.
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
        """How many changes of each kind, those there are none of left out."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in ChangeKind if found[kind]}

    def to_json(self) -> dict[str, Json]:
        counts = {kind.value: count for kind, count in self.counts.items()}
        return {"counts": counts, "changes": [_written(change) for change in self.changes]}


def _written(change: Change) -> dict[str, Any]:
    record = {name: value for name, value in asdict(change).items() if value}
    return {**record, "kind": change.kind.value}


#: What is said of each thing of a set, by its key.
Said: TypeAlias = Mapping[str, Mapping[str, str]]
#: Makes a change of its kind, key and aspects.
Make: TypeAlias = Callable[[ChangeKind, str, tuple[Aspect, ...]], Change]


def aspects_of(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Aspect, ...]:
    """What is said differently, in the order it is said."""
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        Aspect(name=name, before=before.get(name, ""), after=after.get(name, ""))
        for name in names
        if before.get(name, "") != after.get(name, "")
    )


def changes_of(before: Said, after: Said, make: Make, moved: frozenset[str] = frozenset()) -> Iterator[Change]:
    """The changes between two sets of things; *moved* are those that have another place in the order."""
    for key, said in before.items():
        if key not in after:
            yield make(ChangeKind.REMOVED, key, aspects_of(said, {}))
            continue
        aspects = aspects_of(said, after[key])
        if aspects or key in moved:
            yield make(ChangeKind.CHANGED if aspects else ChangeKind.MOVED, key, aspects)
    for key, said in after.items():
        if key not in before:
            yield make(ChangeKind.ADDED, key, aspects_of({}, said))
