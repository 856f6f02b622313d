"""The kept states of a draft in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from usher_engine.authoring import DraftPoint, PointKind
from usher_engine.differences import Comparison

#: What each kind of state is called, and its mark: a person kept it, Usher kept it, or it became a version.
WORDS = {
    PointKind.SAVED: ("Saved", "auto"),
    PointKind.STARTED: ("The draft began", "auto"),
    PointKind.NAMED: ("Kept", "kept"),
    PointKind.DEPLOYED: ("Deployed", "version"),
    PointKind.IMPORT: ("Before an import", "auto"),
    PointKind.REMOVAL: ("Before a file was removed or renamed", "auto"),
    PointKind.TIDY: ("Before tidying up", "auto"),
    PointKind.RESTORE: ("Before going back", "auto"),
    PointKind.MERGE: ("Before a merge", "auto"),
    PointKind.TRANSLATION: ("Before an import was taken over or put right", "auto"),
    PointKind.ACCEPTANCE: ("Before examples were rewritten", "auto"),
    PointKind.DISCARD: ("Before the draft was discarded", "auto"),
}
#: Ordinary saves that are listed unless all are asked for.
SAVES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedPoint:
    """One state as the list shows it."""

    point: DraftPoint
    title: str
    mark: str


def listed(points: Iterable[DraftPoint], *, selected: int | None, every: bool) -> tuple[list[ListedPoint], int]:
    """The states to list, newest first, and how many ordinary saves are left out."""
    shown, saves, left_out = [], 0, 0
    for point in points:
        saves += not point.for_good
        if point.for_good or every or saves <= SAVES or point.number == selected:
            shown.append(ListedPoint(point=point, title=title_of(point), mark=WORDS[point.kind][1]))
        else:
            left_out += 1
    return shown, left_out


def title_of(point: DraftPoint) -> str:
    """What a state is called: its name if it has one, else why it is kept."""
    words = WORDS[point.kind][0]
    if point.kind is PointKind.DEPLOYED:
        return f"{point.name}, deployed"
    return point.name or words


def changed_files(comparison: Comparison) -> list[str]:
    """The files that differ, in the order of their first change."""
    return list(dict.fromkeys(change.file for change in comparison.changes))
