"""The patient's side of an invitation: identify, then accept, decline or defer, or opt out of e-mail.

Responses to strangers are neutral: they do not reveal whether a link was ever issued, to whom, or what was wrong.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from ..core.actor import Actor
from ..core.errors import InvalidSubmission, NotFound
from ..engine import Engine
from ..settings import Settings
from . import invitations, portal_status
from .invitations import MAX_WRONG_TRIES, UNUSABLE
from .patient_directory import PatientRecord
from .patient_registry import Registry
from .statuses import INVITABLE, PortalStatus
from .timestamps import parse_day

PATIENT = Actor(name="patient", role="patient")

#: Names of facts in the history of a case; the first is the name that the EHR uses.
RESPONSE_ADDED = "Patient Enrollment Response Added"
LINK_LOCKED = "Enrollment Link Locked"
OPTED_OUT = "Email Opt Out Added"

#: The terms a patient agrees to by accepting, and their version, which is recorded with the answer.
TERMS_VERSION = "1"
TERMS = (
    "The practice may send you messages through the patient portal and show you parts of your record there. "
    "Keep your sign-in to yourself. You may end your enrolment at any time by telling the practice."
)

#: The longest time by which a patient may defer the answer.
MAX_DEFER_DAYS = 366

#: The message for a failed identity check, which does not reveal the wrong part.
WRONG = (
    "The ZIP code or the date of birth does not match the practice's record. "
    f"After {MAX_WRONG_TRIES} wrong tries the link is locked."
)


class Answer(StrEnum):
    """The answers a patient may give to an invitation."""

    #: Yes: the account is created.
    ACCEPT = "accept"
    #: No.
    DECLINE = "decline"
    #: Not now; ask again after a day.
    DEFER = "defer"


STATUS_AFTER = {
    Answer.ACCEPT: PortalStatus.COMPLETED,
    Answer.DECLINE: PortalStatus.DECLINED,
    Answer.DEFER: PortalStatus.DEFERRED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenLink:
    """What the holder of a working link sees before identifying themselves."""

    practice: str
    contact: str
    expires_at: datetime


class PatientResponses:
    """The actions of a patient with a link."""

    def __init__(self, engine: Engine, settings: Settings, registry: Registry) -> None:
        self.engine, self.settings, self.registry = engine, settings, registry

    def invitation(self, token: str) -> OpenLink:
        """A link that still works; raises `NotFound`, with the same sentence for every reason."""
        with self.engine.database.read() as tx:
            found = invitations.usable(tx, token, self.engine.clock())
        return OpenLink(
            practice=self.settings.practice_name, contact=self.settings.practice_contact, expires_at=found.expires_at
        )

    def identify(self, token: str, zip_code: str, birth_date: str) -> str:
        """
        Check the identity of the link's holder.

        Args:
            token: The token of the link.
            zip_code: As typed; spaces, hyphens and a ZIP+4 ending do not matter.
            birth_date: ``YYYY-MM-DD``.

        Returns:
            The proof to hand to `respond`, valid for half an hour.

        Raises:
            InvalidSubmission: Something is wrong, without details; with ``fields`` if a value is empty or not a date,
                which does not count as an attempt.
            NotFound: The link does not work (any more), or this was the fifth wrong attempt.
        """
        born = _checked_identity(zip_code, birth_date)
        now = self.engine.clock()
        with self.engine.database.begin() as tx:
            found = invitations.usable(tx, token, now, lock=True)
            record = self.registry.load(tx, found.patient, now=now)
            known = record.fields(now, self.settings)
            if _is_same_zip(known["zip_code"], zip_code) & (parse_day(known["birth_date"]) == born):
                return invitations.proof_of_identity(self.settings.secret_key, found, now)
            locked = invitations.count_wrong_try(tx, found, now)
        if locked:
            # After the commit: the case is locked before the invitation everywhere else.
            self.engine.steps.record(found.instance, LINK_LOCKED, {"wrong_tries": MAX_WRONG_TRIES}, actor=PATIENT)
            raise NotFound(UNUSABLE)
        raise InvalidSubmission(WRONG)

    def respond(
        self, token: str, proof: str, answer: Answer, *, until: date | None = None, terms: str = ""
    ) -> PortalStatus:
        """
        Record the patient's answer and mark the link as used. Status, answer and history change together.

        Args:
            token: The token of the link.
            proof: The result of `identify`.
            answer: The patient's answer.
            until: For defer: tomorrow at the earliest, a year ahead at most.
            terms: For accept: version of the terms the patient was shown, see `TERMS_VERSION`.

        Returns:
            The new portal status.

        Raises:
            InvalidSubmission: ``until`` does not fit, or the proof is too old (``answer``): identify again.
            NotFound: The link does not work (any more).
        """
        now = self.engine.clock()
        status, day = STATUS_AFTER[answer], _checked_until(answer, until, now.date())
        with self.engine.database.begin() as tx:
            found = invitations.usable(tx, token, now)
            if not invitations.is_proof(self.settings.secret_key, found, proof, now):
                reason = "Too much time has passed. Open the link in the mail once more."
                raise InvalidSubmission(reason, fields={"answer": reason})
            details = {"response": status.value, "until": day.isoformat() if day else None, "terms": terms or None}
            self.engine.steps.record(found.instance, RESPONSE_ADDED, details, actor=PATIENT, transaction=tx)
            portal_status.hold(tx, found.patient)
            if not self._may_answer(self.registry.load(tx, found.patient, now=now)):
                raise NotFound(UNUSABLE)
            invitations.usable(tx, token, now, lock=True)
            invitations.mark_used(tx, found.token_hash, now)
            portal_status.add_response(
                tx, found.patient, status.value, until=day, terms=terms, now=now, instance=found.instance
            )
        return status

    def opt_out(self, token: str) -> None:
        """Put the address of an invitation on the opt-out list; works for old links too. Raises `NotFound`."""
        now = self.engine.clock()
        with self.engine.database.begin() as tx:
            found = invitations.by_token(tx, token)
            self.engine.steps.record(found.instance, OPTED_OUT, {}, actor=PATIENT, transaction=tx)
            portal_status.opt_out_address(tx, found.address, by=PATIENT.name, now=now)

    def _may_answer(self, record: PatientRecord) -> bool:
        # Not Enrolled: the patient answered before the job reported the mail.
        return record.status in INVITABLE


def _checked_identity(zip_code: str, birth_date: str) -> date:
    born = parse_day(birth_date.strip())
    wrong = {} if zip_code.strip() else {"zip_code": "Enter your ZIP code."}
    if born is None:
        wrong["birth_date"] = "Enter your full date of birth."
    if born is None or wrong:
        raise InvalidSubmission("Please enter your ZIP code and your date of birth.", fields=wrong)
    return born


def _checked_until(answer: Answer, until: date | None, today: date) -> date | None:
    if answer is not Answer.DEFER:
        return None
    if until is None or not today < until <= today + timedelta(days=MAX_DEFER_DAYS):
        reason = "Choose a day from tomorrow on, within a year."
        raise InvalidSubmission(reason, fields={"until": reason})
    return until


def _is_same_zip(known: str, typed: str) -> bool:
    ours, theirs = _plain_zip(known), _plain_zip(typed)
    return bool(ours) and hmac.compare_digest(ours.encode(), theirs.encode())


def _plain_zip(text: str) -> str:
    """Letters and digits only; the first five of a ZIP+4."""
    plain = re.sub(r"\W", "", text).upper()
    return plain[:5] if re.fullmatch(r"\d{9}", plain) else plain
