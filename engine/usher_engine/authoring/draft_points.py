"""Which states of a draft are kept, and for how long: for good where a person may want them back, else ever fewer.

Writes within the transaction of the save; `draft_history` answers questions and brings states back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ..definitions import Package
from ..store import Draft, Transaction
from ..store import draft_point_rows as rows
from ..store.draft_point_rows import DraftPoint, PointKind

#: Of the saves up to this age, one stays for each stretch of time.
STAYS = (
    (timedelta(hours=1), timedelta(0)),
    (timedelta(days=1), timedelta(minutes=10)),
    (timedelta(days=30), timedelta(days=1)),
)
#: Of saves older than that, one stays for each of these.
LATER = timedelta(days=30)
#: The most ordinary saves that are kept; the oldest go first.
MOST = 300
#: Saves are thinned out each time so many were added.
PORTION = 20


def keep(tx: Transaction, draft: Draft, package: Package, kind: PointKind, *, name: str = "") -> int:
    """
    Keep the present state of a draft because of *kind*; return its number.

    An ordinary save that is there already only gets the stronger reason.
    """
    last = rows.newest(tx, draft.process)
    another = last is not None and last.for_good and kind not in (PointKind.SAVED, last.kind)
    if last is None or last.etag != draft.etag or another or (last.for_good and kind is PointKind.NAMED):
        number = last.number + 1 if last else 1
        rows.add(tx, draft, package, kind, name=name, number=number)
        return number
    if not last.for_good and kind is not PointKind.SAVED:
        rows.keep_as(tx, last, kind, name)
    return last.number


def keep_next(tx: Transaction, draft: Draft, package: Package, last: int) -> None:
    """Keep the state that a save makes, after state *last*; now and then the ordinary saves are thinned out."""
    rows.add(tx, draft, package, PointKind.SAVED, number=last + 1)
    if last % PORTION == 0 and (gone := superfluous(rows.points(tx, draft.process), draft.changed_at)):
        rows.forget(tx, draft.process, gone)


def superfluous(points: Iterable[DraftPoint], now: datetime) -> list[int]:
    """The numbers of the ordinary saves among *points* (newest first) that need not stay; never the newest state."""
    gone, taken, kept = [], set(), 0
    for place, point in enumerate(points):
        if point.for_good:
            continue
        slot = _slot(now - point.at, point.at)
        if place and (slot in taken or kept >= MOST):
            gone.append(point.number)
            continue
        kept += 1
        if slot is not None:
            taken.add(slot)
    return gone


def _slot(age: timedelta, at: datetime) -> tuple[timedelta, int] | None:
    """The stretch of time of which one save stays; None where each stays."""
    length = next((stretch for oldest, stretch in STAYS if age <= oldest), LATER)
    return (length, int(at.timestamp() // length.total_seconds())) if length else None
