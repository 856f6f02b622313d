"""Requests under idempotency keys, and the live case that a start must return instead of a second one."""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, insert, select

from .instance_rows import WHOLE, Row, as_row
from .tables import engine_tables as t
from .upserts import put

_R, _I = t.request.c, t.instance.c
_UNDER_KEY = (_R.source == bindparam("source"), _R.key == bindparam("key"))
_FIND = select(_R.body_hash, _R.instance).where(*_UNDER_KEY)
_INSERT = insert(t.request)
_LIVE = (_I.business_key == bindparam("business_key"), _I.process == bindparam("process"), _I.ended_at.is_(None))
_LIVE_OF_KEY = WHOLE.where(*_LIVE).limit(1)
_ANSWERED = select(_R.instance).where(*_UNDER_KEY).scalar_subquery()
_ANSWERED_OR_LIVE = (
    WHOLE.add_columns(_R.body_hash)
    .outerjoin(t.request, and_(_R.instance == _I.id, *_UNDER_KEY))
    .where((_I.id == _ANSWERED) | and_(*_LIVE))
    .order_by(_R.body_hash.is_(None))
    .limit(1)
)


def remember(connection: Connection, *, source: str, key: str, body: bytes, instance: str) -> None:
    """Bind an idempotency key to the instance that answers it."""
    connection.execute(_INSERT, {"source": source, "key": key, "body_hash": body, "instance": instance})


def renew(connection: Connection, *, source: str, key: str, body: bytes, instance: str) -> None:
    """Bind a key to *instance* from now on, whatever answered it before."""
    put(connection, t.request, {"source": source, "key": key, "body_hash": body, "instance": instance})


def find(connection: Connection, *, source: str, key: str) -> tuple[bytes, str] | None:
    """(hash of the body, instance) of an earlier request with this key, if any."""
    row = connection.execute(_FIND, {"source": source, "key": key}).one_or_none()
    return (row.body_hash, row.instance) if row else None


def answered_or_live(
    connection: Connection, *, source: str, key: str | None, process: str, business_key: str
) -> tuple[bytes | None, Row] | None:
    """
    The instance that answered an earlier request with this key, with the hash of its body.

    If there is none: the live instance of *process* with *business_key*, without a hash.
    """
    wanted = {"process": process, "business_key": business_key}
    if key is None:
        row = connection.execute(_LIVE_OF_KEY, wanted).one_or_none()
        return (None, as_row(row)) if row else None
    row = connection.execute(_ANSWERED_OR_LIVE, {**wanted, "source": source, "key": key}).one_or_none()
    if row is None:
        return None
    return row.body_hash, as_row(row)
