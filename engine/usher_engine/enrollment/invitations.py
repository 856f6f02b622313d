"""Invitation links, each of which works once. Only the SHA-256 of a token is stored.

A token is an HMAC of the send's idempotency key, so that a send repeated after a crash carries the same link.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update

from ..core.canonical import Json
from ..core.errors import NotFound, ServiceError
from ..settings import Settings
from ..store import Transaction, from_text, to_text, upserts
from .enrollment_tables import invitation
from .timestamps import iso, iso_or_none

MAX_WRONG_TRIES = 5

#: The time an identified patient has to read the terms and answer.
PROOF_MINUTES = 30

#: The same sentence for every unusable link, so that it reveals nothing about anyone.
UNUSABLE = "This link cannot be used: it may have been used already, replaced by a newer one, locked or expired."


class LinkState(StrEnum):
    """What has become of a link. Who holds the link may know it; the answer behind it is for whom identifies."""

    #: It can be answered.
    OPEN = "open"
    #: The patient has answered.
    ANSWERED = "answered"
    #: A newer mail holds the link that works.
    REPLACED = "replaced"
    #: Too many wrong tries at the identity check.
    LOCKED = "locked"
    #: Its time has passed.
    EXPIRED = "expired"
    #: The practice has taken it back.
    WITHDRAWN = "withdrawn"


class LinkClosed(NotFound):
    """This link was given out and cannot be answered any more; its words are the same as for a link nobody knows."""

    def __init__(self, state: LinkState, at: datetime | None = None) -> None:
        """*at*: when it was replaced, or when it expired."""
        super().__init__(UNUSABLE)
        self.state, self.at = state, at


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """A link sent to one patient at *address*."""

    token_hash: str
    patient: str
    instance: str
    key: str
    message_id: str
    address: str
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    wrong_tries: int
    locked_at: datetime | None
    template: str = ""
    language: str = ""
    opened_at: datetime | None = None
    opened_again_at: datetime | None = None
    opens: int = 0
    wrong_zip: int = 0
    wrong_birth: int = 0
    wrong_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_reason: str = ""
    asked_at: datetime | None = None
    closed_at: datetime | None = None
    followed_at: datetime | None = None

    def state(self, now: datetime) -> LinkState:
        if self.withdrawn_at:
            return LinkState.WITHDRAWN
        if self.locked_at:
            return LinkState.LOCKED
        if self.revoked_at:
            return LinkState.REPLACED
        if now > self.expires_at:
            return LinkState.EXPIRED
        return LinkState.ANSWERED if self.used_at else LinkState.OPEN

    def to_json(self, now: datetime) -> dict[str, Json]:
        """The link as diagrams see it, in ``link`` of the patient."""
        return {
            "state": self.state(now).value,
            "sent_at": iso_or_none(self.sent_at),
            "opened_at": iso_or_none(self.opened_at),
            "wrong_tries": self.wrong_tries,
            "locked_at": iso_or_none(self.locked_at),
            "expires_at": iso(self.expires_at),
            "asked_at": iso_or_none(self.asked_at),
        }

    @property
    def tries_left(self) -> int:
        return max(0, MAX_WRONG_TRIES - self.wrong_tries)

    def is_usable(self, now: datetime) -> bool:
        return self.state(now) is LinkState.OPEN


def token_for(secret_key: str, key: str, *, purpose: str = "invitation") -> str:
    """The token of the send with idempotency key *key*; of another *purpose* it opens no invitation."""
    if not secret_key:
        raise ServiceError("No invitation link can be made: USHER_SECRET_KEY is not set.", retry=False)
    return _mac(secret_key, f"{purpose}|{key}")


def expiry(now: datetime, settings: Settings) -> datetime:
    """The end of the last day on which a link that goes out *now* works: the mail names that day."""
    calendar = settings.calendar
    return calendar.end_of(calendar.day_of(now) + timedelta(days=settings.invitation_days))


def prepare(
    tx: Transaction, *, token: str, key: str, patient: str, instance: str, message_id: str, address: str,
    now: datetime, expires_at: datetime,
) -> Invitation:  # fmt: skip
    """The invitation of this send: created at the first attempt, found at the next; its validity begins when sent."""
    current = {"token_hash": hash_of(token), "address": address, "expires_at": to_text(expires_at)}
    row = {"patient": patient, "instance": instance, "key": key, "message_id": message_id, "wrong_tries": 0}
    if not upserts.add(tx, invitation, {**current, **row, "created_at": to_text(now)}):
        unsent = (invitation.c.key == key) & invitation.c.sent_at.is_(None)
        tx.execute(update(invitation).where(unsent).values(**current))
    return by_key(tx, key)


def find_by_key(tx: Transaction, key: str) -> Invitation | None:
    return _one(tx, invitation.c.key == key)


def by_key(tx: Transaction, key: str) -> Invitation:
    found = find_by_key(tx, key)
    if found is None:
        raise NotFound("There is no such invitation.")
    return found


def by_token(tx: Transaction, token: str, *, lock: bool = False) -> Invitation:
    """The invitation of a link, in any state; raises `NotFound` with the neutral sentence."""
    found = find_by_token(tx, token, lock=lock)
    if found is None:
        raise NotFound(UNUSABLE)
    return found


def find_by_token(tx: Transaction, token: str, *, lock: bool = False) -> Invitation | None:
    return _one(tx, invitation.c.token_hash == hash_of(token), lock=lock)


def identifiable(tx: Transaction, token: str, now: datetime, *, lock: bool = False) -> Invitation:
    """The invitation of a link whose holder may identify: open, or answered. Raises `LinkClosed`, or `NotFound`."""
    found = by_token(tx, token, lock=lock)
    state = found.state(now)
    if state not in (LinkState.OPEN, LinkState.ANSWERED):
        raise LinkClosed(state, {LinkState.REPLACED: found.revoked_at, LinkState.EXPIRED: found.expires_at}.get(state))
    return found


def by_hash(tx: Transaction, token_hash: str, *, lock: bool = False) -> Invitation:
    """The invitation with this hash of its token; raises `NotFound`."""
    found = _one(tx, invitation.c.token_hash == token_hash, lock=lock)
    if found is None:
        raise NotFound(UNUSABLE)
    return found


def find_by_message(tx: Transaction, message_id: str) -> Invitation | None:
    """The invitation that went out in the mail with this Message-ID."""
    return _one(tx, invitation.c.message_id == message_id)


def newest_of(tx: Transaction, patient: str) -> Invitation | None:
    """The newest invitation of a patient that has left."""
    which = (invitation.c.patient == patient, invitation.c.sent_at.is_not(None))
    row = tx.execute(select(invitation).where(*which).order_by(invitation.c.created_at.desc()).limit(1)).one_or_none()
    return None if row is None else _invitation(row)


def of_patient(tx: Transaction, patient: str) -> list[Invitation]:
    """All invitations of a patient, newest first."""
    query = select(invitation).where(invitation.c.patient == patient).order_by(invitation.c.created_at.desc())
    return [_invitation(row) for row in tx.execute(query).all()]


def forget_case(tx: Transaction, instance: str) -> None:
    """Remove the invitations of a case that is purged."""
    tx.execute(delete(invitation).where(invitation.c.instance == instance))


def mark_sent(tx: Transaction, key: str, now: datetime, *, template: str, language: str) -> Invitation:
    """Record that the mail server accepted the mail; only the first time counts."""
    unsent = (invitation.c.key == key) & invitation.c.sent_at.is_(None)
    current = {"sent_at": to_text(now), "template": template, "language": language}
    tx.execute(update(invitation).where(unsent).values(**current))
    return by_key(tx, key)


_OF_PATIENT = invitation.c.patient == bindparam("of")
_OF_MAIL = select(invitation).where(_OF_PATIENT, invitation.c.message_id == bindparam("mail"))
_REVOKE_OTHERS = (
    update(invitation)
    .where(_OF_PATIENT, invitation.c.message_id != bindparam("mail"))
    .where(invitation.c.revoked_at.is_(None), invitation.c.used_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


def revoke_others(tx: Transaction, patient: str, message_id: str, now: datetime) -> Invitation | None:
    """Make the invitation in mail *message_id* the only one that works; return it, or None if it is unknown."""
    which = {"of": patient, "mail": message_id}
    tx.execute(_REVOKE_OTHERS, {**which, "now": to_text(now)})
    row = tx.execute(_OF_MAIL, which).one_or_none()
    return _invitation(row) if row else None


def mark_used(tx: Transaction, token_hash: str, now: datetime) -> None:
    """Mark the link as used; raises `NotFound` when another request was faster."""
    unused = (invitation.c.token_hash == token_hash) & invitation.c.used_at.is_(None)
    if tx.execute(update(invitation).where(unused).values(used_at=to_text(now))).rowcount != 1:
        raise NotFound(UNUSABLE)


def proof_of_identity(secret_key: str, found: Invitation, now: datetime) -> str:
    """The token that an identified patient sends with the answer; valid for `PROOF_MINUTES` and this link only."""
    until = str(int((now + timedelta(minutes=PROOF_MINUTES)).timestamp()))
    return f"{until}.{_mac(secret_key, f'identified|{found.token_hash}|{until}')}"


def is_proof(secret_key: str, found: Invitation, proof: str, now: datetime) -> bool:
    until, _, signature = proof.partition(".")
    expected = _mac(secret_key, f"identified|{found.token_hash}|{until}")
    genuine = hmac.compare_digest(signature.encode(), expected.encode())
    return genuine and now.timestamp() < int(until)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _mac(secret_key: str, text: str) -> str:
    mac = hmac.new(secret_key.encode(), text.encode("utf-8", "replace"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _one(tx: Transaction, which: Any, *, lock: bool = False) -> Invitation | None:
    query = select(invitation).where(which)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _invitation(row)


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        token_hash=row.token_hash,
        patient=row.patient,
        instance=row.instance,
        key=row.key,
        message_id=row.message_id,
        address=row.address,
        created_at=from_text(row.created_at),
        expires_at=from_text(row.expires_at),
        sent_at=_moment(row.sent_at),
        used_at=_moment(row.used_at),
        revoked_at=_moment(row.revoked_at),
        wrong_tries=row.wrong_tries,
        locked_at=_moment(row.locked_at),
        template=row.template or "",
        language=row.language or "",
        withdrawn_by=row.withdrawn_by or "",
        withdrawn_reason=row.withdrawn_reason or "",
        opened_at=_moment(row.opened_at),
        opened_again_at=_moment(row.opened_again_at),
        opens=row.opens,
        wrong_zip=row.wrong_zip,
        wrong_birth=row.wrong_birth,
        wrong_at=_moment(row.wrong_at),
        withdrawn_at=_moment(row.withdrawn_at),
        asked_at=_moment(row.asked_at),
        closed_at=_moment(row.closed_at),
        followed_at=_moment(row.followed_at),
    )


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None
