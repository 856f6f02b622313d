"""Mails without an invitation link: which were sent, so that none goes out twice, and whose link stops e-mail.

As of an invitation, only the SHA-256 of the link's token is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from ..core.errors import NotFound
from ..store import Transaction, from_text, to_text, upserts
from .enrollment_tables import sent_mail
from .invitations import UNUSABLE, hash_of


@dataclass(frozen=True, kw_only=True, slots=True)
class SentMail:
    """One mail of `mail/send`, sent once ``sent_at`` is set."""

    key: str
    message_id: str
    instance: str
    address: str
    template: str
    language: str
    sent_at: datetime | None
    patient: str | None


def prepare(
    tx: Transaction, *, key: str, message_id: str, token: str, patient: str | None, instance: str, address: str,
    template: str, language: str, now: datetime,
) -> SentMail:  # fmt: skip
    """The row of this send: made at the first attempt, brought up to date at the next. A sent one stays as it is."""
    current = {"address": address, "template": template, "language": language}
    row = {"key": key, "message_id": message_id, "token_hash": hash_of(token) if token else None}
    row |= {"patient": patient, "instance": instance, "created_at": to_text(now)}
    if not upserts.add(tx, sent_mail, {**row, **current}):
        unsent = (sent_mail.c.key == key) & sent_mail.c.sent_at.is_(None)
        tx.execute(update(sent_mail).where(unsent).values(**current))
    return _by_key(tx, key)


def find_by_key(tx: Transaction, key: str) -> SentMail | None:
    return _one(tx, sent_mail.c.key == key)


def by_token(tx: Transaction, token: str) -> SentMail:
    """The mail whose opt-out link has this token; raises `NotFound` with the neutral sentence."""
    found = _one(tx, sent_mail.c.token_hash == hash_of(token))
    if found is None:
        raise NotFound(UNUSABLE)
    return found


def mark_sent(tx: Transaction, key: str, now: datetime) -> SentMail:
    """Record that the mail server accepted the mail; only the first time counts."""
    unsent = (sent_mail.c.key == key) & sent_mail.c.sent_at.is_(None)
    tx.execute(update(sent_mail).where(unsent).values(sent_at=to_text(now)))
    return _by_key(tx, key)


def key_below(key: str, member: str) -> str:
    """The key of the mail to one *member* of a group; *key* is that of the send."""
    return f"{key}:{member}"


def sent_below(tx: Transaction, key: str) -> list[SentMail]:
    """The mails to members of a group that have gone out under *key*, in the order of their keys."""
    c = sent_mail.c
    below = c.key.startswith(key_below(key, ""), autoescape=True) & c.sent_at.is_not(None)
    return [_mail(row) for row in tx.execute(select(sent_mail).where(below).order_by(c.key))]


def forget_case(tx: Transaction, instance: str) -> None:
    """Remove the mails of a case that is purged."""
    tx.execute(delete(sent_mail).where(sent_mail.c.instance == instance))


def _by_key(tx: Transaction, key: str) -> SentMail:
    found = find_by_key(tx, key)
    if found is None:
        raise NotFound("There is no such mail.")
    return found


def _one(tx: Transaction, which: Any) -> SentMail | None:
    row = tx.execute(select(sent_mail).where(which)).one_or_none()
    return None if row is None else _mail(row)


def _mail(row: Any) -> SentMail:
    return SentMail(
        key=row.key,
        message_id=row.message_id,
        instance=row.instance,
        address=row.address,
        template=row.template,
        language=row.language,
        sent_at=from_text(row.sent_at) if row.sent_at else None,
        patient=row.patient,
    )
