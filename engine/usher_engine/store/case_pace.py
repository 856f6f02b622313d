"""Detects cases that loop fast without a person: reads one earlier step, and more only if that step is recent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from .database import from_text
from .instance_rows import Row
from .step_codec import parsed_body
from .tables import engine_tables as t


def goes_round(connection: Connection, row: Row, most: int, since: datetime) -> bool:
    """
    Whether the last *most* steps of a case were all made after *since*, and none by a person.

    A retry counts as a person's step, whatever the actor's name.
    """
    if row.revision < most:
        return False
    s = t.step.c
    first = row.revision - most + 1
    bodies = select(s.body).where(s.instance == row.id, s.revision >= first).order_by(s.revision)
    oldest = parsed_body(connection.execute(bodies.limit(1)).scalar_one())
    if from_text(oldest["at"]) < since:
        return False
    people = select(s.revision).where(s.instance == row.id, s.revision >= first, s.actor != "").limit(1)
    if connection.execute(people).first() is not None:
        return False
    return all(parsed_body(body)["command"]["kind"] != "retry" for body in connection.execute(bodies).scalars())
