"""The steps one person made, in order of time, found by the actor and time columns of the steps."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, tuple_

from ..core.errors import Corrupt
from .instance_rows import Step
from .step_codec import parsed_body
from .tables import engine_tables as t
from .tampered_rows import is_moment

#: (at, instance, revision) of a step.
Position = tuple[str, str, int]


def steps_by(connection: Connection, actor: str, *, before: Position | None, limit: int) -> list[tuple[str, Step]]:
    """The steps *actor* made, newest first, each with the business key of its case."""
    c = t.step.c
    query = (
        select(c.instance, c.revision, c.body, c.hash, t.instance.c.business_key)
        .join(t.instance, t.instance.c.id == c.instance)
        .where(c.actor == actor, c.actor != "")
        .order_by(c.at.desc(), c.instance.desc(), c.revision.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(c.at, c.instance, c.revision) < before)
    return [
        (about, step)
        for instance, revision, body, digest, about in connection.execute(query)
        if body and (step := _step(instance, revision, body, digest)) is not None
    ]


def _step(instance: str, revision: int, body: bytes, digest: bytes) -> Step | None:
    """The step; None if it was altered and cannot be read, which the page of its case reports."""
    try:
        step = Step(instance=instance, revision=revision, body=parsed_body(body), previous=b"", hash=digest)
    except Corrupt:
        return None
    return step if is_moment(step.body["at"]) else None


def steps_of(connection: Connection, instance: str) -> list[Step]:
    """The steps of a case that can be read."""
    c = t.step.c
    query = select(c.revision, c.body, c.hash).where(c.instance == instance).order_by(c.revision)
    found = (_step(instance, revision, body, digest) for revision, body, digest in connection.execute(query) if body)
    return [step for step in found if step is not None]


def cases_about(connection: Connection, business_key: str, at_most: int = 1_000) -> Sequence[str]:
    """The cases about *business_key*, newest first."""
    c = t.instance.c
    query = select(c.id).where(c.business_key == business_key).order_by(c.started_at.desc()).limit(at_most)
    return list(connection.execute(query).scalars())
