"""Rebuilds the search index from the history: `usher db reindex`, and cases older than the index."""

from __future__ import annotations

import json
import zlib
from typing import Any

from sqlalchemy import Connection, select, text

from ..core.canonical import parse_canonical
from ..core.errors import Corrupt
from ..core.events import from_json
from . import case_signatures
from .instance_rows import WHOLE, Row
from .step_codec import MAX_STEP
from .tables import engine_tables as t

CASES_AT_ONCE = 200


def reindex(connection: Connection, *, only_new: bool = False) -> tuple[int, int]:
    """
    Rebuild the index of every case (or only of those without one) from its history.

    Returns:
        The number of cases checked, and of those whose index was wrong.
    """
    checked = rebuilt = 0
    after = ""
    while True:
        c = t.instance.c
        query = WHOLE.where(c.id > after).order_by(c.id).limit(CASES_AT_ONCE)
        rows = [Row(*row) for row in connection.execute(query.where(c.kind == 0) if only_new else query)]
        if not rows:
            break
        for row in rows:
            checked, rebuilt = checked + 1, rebuilt + _rebuild(connection, row)
        after = rows[-1].id
    if only_new and checked:
        _fill_actor_columns(connection)
    return checked, rebuilt


def _rebuild(connection: Connection, row: Row) -> bool:
    """Rebuild the index of *row*; False if it was right."""
    bodies = connection.execute(
        select(t.step.c.body).where(t.step.c.instance == row.id).order_by(t.step.c.revision)
    ).scalars()
    kind, people = case_signatures.from_history(row, _readable(bodies))
    if case_signatures.is_indexed(connection, row, kind, people):
        return False
    case_signatures.index(connection, row, kind, people)
    return True


def _readable(bodies: Any) -> list[dict[str, Any]]:
    """The steps that can be read; verify reports altered ones."""
    found = []
    for body in bodies:
        try:
            read = parse_canonical(zlib.decompressobj().decompress(body, MAX_STEP))
            step = {"events": list(read["events"]), "actor": dict(read["actor"])}
            for event in step["events"]:
                from_json(event)
        except (Corrupt, ValueError, TypeError, KeyError, AttributeError, zlib.error):
            continue
        found.append(step)
    return found


def _fill_actor_columns(connection: Connection) -> None:
    """Fill the actor and time columns of steps older than these columns. No other code ever changes a step."""
    c = t.step.c
    bare = connection.execute(select(c.instance, c.revision, c.body).where(c.at == "")).all()
    values = [
        {"i": instance, "r": revision, "actor": body["actor"]["name"], "at": body["at"]}
        for instance, revision, packed in bare
        if (body := _unpacked(packed)) and case_signatures.is_person(body["actor"].get("role", ""))
    ]
    if not values:
        return
    off, on = _guards(connection)
    for statement in off:
        connection.exec_driver_sql(statement)
    connection.execute(text("UPDATE step SET actor = :actor, at = :at WHERE instance = :i AND revision = :r"), values)
    for statement in on:
        connection.exec_driver_sql(statement)


def _unpacked(packed: bytes) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(zlib.decompressobj().decompress(packed, MAX_STEP))
    except (ValueError, zlib.error):
        return {}
    return body


def _guards(connection: Connection) -> tuple[list[str], list[str]]:
    """Statements that disable and restore the trigger protecting steps, within this one transaction."""
    if connection.dialect.name == "postgresql":
        switch = "ALTER TABLE step {} TRIGGER step_append_only"
        return [switch.format("DISABLE")], [switch.format("ENABLE")]
    query = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'step_no_update'"
    guard = connection.exec_driver_sql(query).scalar_one()
    return ["DROP TRIGGER step_no_update"], [guard]
