"""Marks in the life of an invitation's link: opened, tried in vain, withdrawn, asked about, closed. Writes only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from ..store import Transaction, to_text
from .enrollment_tables import invitation
from .invitations import MAX_WRONG_TRIES, Invitation


def mark_opened(tx: Transaction, found: Invitation, now: datetime) -> None:
    """Count a view of the page by something that runs it."""
    first = {} if found.opened_at else {"opened_at": to_text(now)}
    _set(tx, found, **first, opened_again_at=to_text(now), opens=invitation.c.opens + 1)


def count_wrong_try(tx: Transaction, found: Invitation, now: datetime, *, zip_code: bool, birth_date: bool) -> bool:
    """Count a wrong answer to the identity check, and which of the two was wrong; return whether it locked the link."""
    tries = found.wrong_tries + 1
    locks = tries >= MAX_WRONG_TRIES
    _set(
        tx,
        found,
        wrong_tries=tries,
        wrong_at=to_text(now),
        wrong_zip=found.wrong_zip + zip_code,
        wrong_birth=found.wrong_birth + birth_date,
        locked_at=to_text(now) if locks else None,
    )
    return locks


def mark_withdrawn(tx: Transaction, found: Invitation, now: datetime, *, by: str, reason: str) -> None:
    _set(tx, found, withdrawn_at=to_text(now), withdrawn_by=by, withdrawn_reason=reason)


def mark_asked(tx: Transaction, found: Invitation, now: datetime) -> None:
    _set(tx, found, asked_at=to_text(now))


def mark_closed(tx: Transaction, found: Invitation, now: datetime) -> None:
    _set(tx, found, closed_at=to_text(now))


def mark_followed(tx: Transaction, found: Invitation, now: datetime) -> None:
    _set(tx, found, followed_at=to_text(now))


def last_asked(tx: Transaction, patient: str) -> str | None:
    """When the patient last asked for a new link, with any of theirs, as stored."""
    return tx.execute(select(func.max(invitation.c.asked_at)).where(invitation.c.patient == patient)).scalar()


def to_close(tx: Transaction, now: datetime, limit: int) -> Sequence[str]:
    """Hashes of links that are locked or have expired unanswered, of which that is not recorded yet."""
    c = invitation.c
    unanswered = and_(c.used_at.is_(None), c.revoked_at.is_(None), c.withdrawn_at.is_(None), c.sent_at.is_not(None))
    over = or_(c.locked_at.is_not(None), c.expires_at < to_text(now))
    query = select(c.token_hash).where(c.closed_at.is_(None), over, unanswered).order_by(c.expires_at).limit(limit)
    return list(tx.execute(query).scalars())


def to_follow(tx: Transaction, limit: int) -> Sequence[str]:
    """Hashes of closed links about which staff have not been asked yet."""
    c = invitation.c
    query = select(c.token_hash).where(c.closed_at.is_not(None), c.followed_at.is_(None)).limit(limit)
    return list(tx.execute(query).scalars())


def _set(tx: Transaction, found: Invitation, **values: Any) -> None:
    tx.execute(update(invitation).where(invitation.c.token_hash == found.token_hash).values(**values))
