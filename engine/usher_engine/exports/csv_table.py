"""CSV (RFC 4180): one row for each event of each step, in UTF-8, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..core.canonical import compact
from ..core.practice_calendar import Calendar
from .event_rows import EventRow, event_rows
from .export_source import Source

#: The columns in order; engine/exports.md describes each.
COLUMNS = (
    "case", "process", "version", "patient", "status", "step", "event", "time", "actor", "role", "on_behalf_of",
    "command", "kind", "element", "activity", "visit", "flow", "lifecycle", "group", "operator", "attempt", "outcome",
    "day",
)  # fmt: skip

#: First characters that make a spreadsheet read a cell as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def table_lines(source: Source) -> Iterator[bytes]:
    """Yield the file row by row, after the byte order mark by which spreadsheets recognize UTF-8."""
    columns = (*COLUMNS, "data") if source.with_data else COLUMNS
    yield "\ufeff".encode() + csv_row(columns)
    for row, steps in source.cases():
        for one in event_rows(source, row, steps):
            cells = [*_cells(one), _day(one.at, source.engine.settings.calendar)]
            yield csv_row([*cells, compact(one.data)] if source.with_data else cells)


def _cells(one: EventRow) -> list[Any]:
    record, row = one.record, one.row
    who = (one.actor.get("name"), one.actor.get("role"), one.actor.get("on_behalf_of"))
    case = (row.id, row.process, row.version, row.business_key, row.status, one.revision, one.number, one.at)
    detail = (record.get(name) for name in ("group", "operator", "attempt", "outcome"))
    lifecycle = one.lifecycle if one.is_activity else ""
    where = (one.command, one.kind, one.element, one.activity, one.visit, record.get("flow"), lifecycle)
    return [*case, *who, *where, *detail]


def _day(at: str, calendar: Calendar) -> str:
    """The day of the practice on which a step was, by which reports and lists count; empty for an altered time."""
    try:
        return calendar.day_of(datetime.fromisoformat(at)).isoformat()
    except (ValueError, OverflowError):
        return ""


def csv_row(cells: Any) -> bytes:
    """One line (RFC 4180), its cells made safe."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow([safe(cell) for cell in cells])
    return written.getvalue().encode()


def safe(cell: Any) -> str:
    """Return *cell* as text with an apostrophe before it if a spreadsheet would read it as a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text
