"""The tables of the auditor's desk, beside the record itself: whom lists named, checks that people started."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from .tables import metadata

#: Patients that an audit event names among others, so that what happened to one of them is found.
audit_patient = Table(
    "audit_patient",
    metadata,
    Column("patient", String(200), primary_key=True),
    Column("seq", Integer, ForeignKey("audit_event.seq"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

#: A check of the whole record that somebody started from a page; *findings* is JSON.
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
