"""Whether a case has moved on since a page showed it. Comments do not count: they change nothing a form rests on."""

from __future__ import annotations

from ..core.case_comments import is_comment
from ..core.errors import Conflict
from ..store import Row, Transaction, instance_rows

#: With more steps since then the case counts as changed, whatever they were.
MOST_READ = 100


def require_unmoved(tx: Transaction, row: Row, revision: int | None) -> None:
    """Raise `Conflict`, with who was faster, if the case changed since *revision*; None skips the check."""
    if revision is None or revision == row.revision:
        return
    first = max(revision + 1, row.revision - MOST_READ)
    since = instance_rows.steps(tx, row.id, first=min(first, row.revision))
    changed = [step for step in since if not is_comment(step.events)]
    if changed or not 0 < revision < row.revision or first > revision + 1:
        last = (changed or since)[-1]
        raise Conflict(f"{last.by} has changed this case since you opened it.", winner=last.actor, at=last.at)
