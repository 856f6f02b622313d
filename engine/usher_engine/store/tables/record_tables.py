"""Tables around the record itself: patients shown in lists, checks, holds, tombstones, pauses and working days."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from . import append_only
from .column_types import Bytes
from .engine_tables import metadata

#: Patients that an audit event names among others, so that the event is found for each of them.
audit_patient = Table(
    "audit_patient",
    metadata,
    Column("patient", String(200), primary_key=True),
    Column("seq", Integer, ForeignKey("audit_event.seq"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

#: A check of the whole record that a person started from a page; *findings* is JSON.
check_run = Table(
    "check_run",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("by", String(200), nullable=False),
    Column("started_at", String(27), nullable=False),
    Column("seen_at", String(27), nullable=False),
    Column("finished_at", String(27)),
    Column("checked", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("equal", Integer, nullable=False),
    Column("findings", Text, nullable=False),
    Column("failure", Text, nullable=False),
)

#: Legal holds with their reasons; *lifted_at* is empty while the hold is in force.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("business_key", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_at", String(27), nullable=False),
    Column("set_by", String(200), nullable=False),
    Column("lifted_at", String(27), nullable=False),
    Column("lifted_by", String(200), nullable=False),
    Column("lifted_reason", Text, nullable=False),
    Index("ix_legal_hold_business_key", "business_key", "lifted_at"),
)

#: What remains of a purged case in addition to the hashes of its steps; *seq* is the audit event of the purge.
tombstone = Table(
    "tombstone",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("at", String(27), nullable=False),
    Column("by", String(200), nullable=False),
    #: Cases that ended before this moment could be purged at the time.
    Column("before", String(27), nullable=False),
    Column("seq", Integer, ForeignKey("audit_event.seq"), nullable=False),
)
#: Versions that cannot be started and whose jobs are held back; version 0 means every version of the process.
pause = Table(
    "pause",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
)

append_only.keep(tombstone, "instance")
append_only.guard_tombstones(tombstone)

#: Which versions of Usher have upgraded this database, the *schema* revision each brought, and when it first did.
release = Table(
    "release",
    metadata,
    Column("version", String(60), primary_key=True),
    Column("schema", String(10), nullable=False),
    Column("at", String(27), nullable=False),
)

#: The public half of the one key that signs for this database, in a single row.
signing_key = Table(
    "signing_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("public", Text, nullable=False),
)

#: Figures for reports, one row for each process, version and start day of its cases. Steps do not maintain them;
#: reports count them on demand: *basis* identifies what was counted, and when it changes the day is recounted.
day_figures = Table(
    "day_figures",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("day", String(10), primary_key=True),
    Column("basis", String(100), nullable=False),
    #: JSON, deflated.
    Column("content", Bytes, nullable=False),
)

#: The practice's working days, in a single row; without it they are Monday to Friday.
working_calendar = Table(
    "working_calendar",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    #: Digits: 0 is Monday, 6 Sunday.
    Column("weekdays", String(7), nullable=False),
    #: JSON: the names of the holidays, by day.
    Column("holidays", Text, nullable=False),
    Column("set_at", String(27), nullable=False),
    Column("set_by", String(200), nullable=False),
)
