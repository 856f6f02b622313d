"""The practice's working days, in one row; without it, Monday to Friday."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from ..core.working_days import USUAL, WorkingDays
from .database import to_text
from .tables.record_tables import working_calendar
from .told_rows import row_after
from .upserts import put

_READ = select(working_calendar)


def read(connection: Connection) -> WorkingDays:
    row = connection.execute(_READ).one_or_none()
    if row is None:
        return USUAL
    holidays = {date.fromisoformat(day): str(name) for day, name in json.loads(row.holidays).items()}
    return WorkingDays(weekdays=frozenset(map(int, row.weekdays)), holidays=holidays)


def save(connection: Connection, working: WorkingDays, *, by: str, now: datetime) -> dict[str, Any]:
    """Return the row for the audit event."""
    holidays = {day.isoformat(): working.holidays[day] for day in sorted(working.holidays)}
    values = {
        "weekdays": "".join(map(str, sorted(working.weekdays))),
        "holidays": json.dumps(holidays, ensure_ascii=False),
    }
    put(connection, working_calendar, {"id": 1, **values, "set_at": to_text(now), "set_by": by})
    return row_after(connection, working_calendar, 1)
