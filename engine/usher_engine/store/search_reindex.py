"""Makes what searches look in anew from the history: `usher db reindex`, and cases older than the index."""

from __future__ import annotations

import json
import zlib
from typing import Any

from sqlalchemy import Connection, select, text

from ..core.canonical import parsed
from ..core.errors import Corrupt
from ..core.events import from_json
from . import case_signatures
from .instance_rows import WHOLE, Row
from .step_codec import MAX_STEP
from .tables import engine_tables as t

CASES_AT_ONCE = 200


def reindex(connection: Connection, *, only_new: bool = False) -> tuple[int, int]:
    """
    Bring the index of every case (or only of those without one) to what its history tells.

    Returns:
        How many cases were looked at, and how many had to be mended.
    """
    looked = mended = 0
    after = ""
    while True:
        c = t.instance.c
        query = WHOLE.where(c.id > after).order_by(c.id).limit(CASES_AT_ONCE)
        rows = [Row(*row) for row in connection.execute(query.where(c.kind == 0) if only_new else query)]
        if not rows:
            break
        for row in rows:
            looked, mended = looked + 1, mended + _mend(connection, row)
        after = rows[-1].id
    if only_new and looked:
        _name_makers(connection)
    return looked, mended


def _mend(connection: Connection, row: Row) -> bool:
    bodies = connection.execute(
        select(t.step.c.body).where(t.step.c.instance == row.id).order_by(t.step.c.revision)
    ).scalars()
    kind, people = case_signatures.of_history(row, _readable(bodies))
    if case_signatures.is_indexed(connection, row, kind, people):
        return False
    case_signatures.index(connection, row, kind, people)
    return True


def _readable(bodies: Any) -> list[dict[str, Any]]:
    """The steps that can be read; what was altered is for verify to tell."""
    found = []
    for body in bodies:
        try:
            read = parsed(zlib.decompressobj().decompress(body, MAX_STEP))
            step = {"events": list(read["events"]), "actor": dict(read["actor"])}
            for event in step["events"]:
                from_json(event)
        except (Corrupt, ValueError, TypeError, KeyError, AttributeError, zlib.error):
            continue
        found.append(step)
    return found


def _name_makers(connection: Connection) -> None:
    """Fill the columns that say who made a step, of steps written before there were any. The one time they change."""
    c = t.step.c
    bare = connection.execute(select(c.instance, c.revision, c.body).where(c.at == "")).all()
    told = [
        {"i": instance, "r": revision, "actor": body["actor"]["name"], "at": body["at"]}
        for instance, revision, packed in bare
        if (body := _told(packed)) and case_signatures.is_person(body["actor"].get("role", ""))
    ]
    if not told:
        return
    off, on = _guards(connection)
    for statement in off:
        connection.exec_driver_sql(statement)
    connection.execute(
        text("UPDATE step SET actor = :actor, at = :at WHERE instance = :i AND revision = :r"), told
    )
    for statement in on:
        connection.exec_driver_sql(statement)


def _told(packed: bytes) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(zlib.decompressobj().decompress(packed, MAX_STEP))
    except (ValueError, zlib.error):
        return {}
    return body


def _guards(connection: Connection) -> tuple[list[str], list[str]]:
    """How the trigger that keeps steps as they are is put aside and back, within this one transaction."""
    if connection.dialect.name == "postgresql":
        switch = "ALTER TABLE step {} TRIGGER step_append_only"
        return [switch.format("DISABLE")], [switch.format("ENABLE")]
    query = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'step_no_update'"
    guard = connection.exec_driver_sql(query).scalar_one()
    return ["DROP TRIGGER step_no_update"], [guard]
