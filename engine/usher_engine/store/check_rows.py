"""The rows of checks that people started: their progress and their findings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, desc, insert, select, update

from ..core.findings import Finding
from .database import to_text
from .instance_rows import one_at_a_time
from .tables import record_tables as r
from .tampered_rows import moment, plausible_values, tampering_message
from .told_rows import row_after


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRun:
    """A check of the whole record; *failure* says why it stopped early, empty if it did not."""

    number: int
    by: str
    started_at: datetime
    seen_at: datetime
    finished_at: datetime | None
    checked: int
    total: int
    equal: int
    findings: tuple[Finding, ...]
    failure: str

    @property
    def holds(self) -> bool:
        return self.finished_at is not None and not self.findings and not self.failure


def last(connection: Connection, *, lock: bool = False) -> CheckRun | None:
    """The newest check; with *lock* no other one can begin until the transaction ends."""
    if lock:
        one_at_a_time(connection, "check")
    query = select(r.check_run).order_by(desc(r.check_run.c.number)).limit(1)
    row = connection.execute(query).one_or_none()
    return _run(row) if row is not None else None


def begin(connection: Connection, *, by: str, at: datetime) -> int:
    values = {"by": by, "started_at": to_text(at), "seen_at": to_text(at), "checked": 0, "total": 0, "equal": 0}
    row = insert(r.check_run).values(**values, findings="[]", failure="")
    return int(connection.execute(row.returning(r.check_run.c.number)).scalar_one())


def update_progress(connection: Connection, number: int, *, at: datetime, checked: int, total: int) -> None:
    _change(connection, number, seen_at=to_text(at), checked=checked, total=total)


def finish(
    connection: Connection, number: int, *, at: datetime, equal: int, findings: Sequence[dict[str, Any]], failure: str
) -> dict[str, Any]:
    """Store the result; return the row for the audit event."""
    text = json.dumps(list(findings), ensure_ascii=False)
    _change(connection, number, finished_at=to_text(at), equal=equal, findings=text, failure=failure)
    return row_after(connection, r.check_run, number)


def _change(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(update(r.check_run).where(r.check_run.c.number == number).values(**values))


def _run(row: Any) -> CheckRun:
    values, altered = plausible_values(r.check_run, row._mapping)
    findings = _findings(values["findings"])
    if findings is None:
        altered = (*altered, "findings")
    moments = {name: moment(values[name]) for name in ("started_at", "seen_at")}
    finished = moment(values["finished_at"]) if values["finished_at"] or altered else None
    results = {"findings": findings or (), "failure": tampering_message(altered) or values["failure"]}
    return CheckRun(**values | moments | results | {"finished_at": finished})


def _findings(text: Any) -> tuple[Finding, ...] | None:
    """The stored findings of a check; None if they cannot be read."""
    try:
        return tuple(Finding(**finding) for finding in json.loads(text))
    except (TypeError, ValueError):
        return None
