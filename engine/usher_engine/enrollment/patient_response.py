"""The patient's side of an invitation: identify, then accept, decline or defer, or opt out of e-mail.

Answers to a stranger are neutral: nothing tells whether a link was ever given out, to whom, or which detail was wrong.
Who holds a link may know what has become of it; who has identified with it, which answer was given (decisions/0026).
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from ..core.errors import InvalidSubmission, NotAllowed
from ..core.visible_text import trimmed, without_invisible
from ..engine import Engine
from ..settings import Settings
from ..store import Transaction, activity_rows, instance_rows
from . import invitations, link_marks, portal_status, sent_mails
from .invitations import Invitation, LinkClosed, LinkState
from .link_ends import LinkEnds
from .link_facts import OPTED_OUT, PATIENT, RESPONSE_ADDED, RESPONSE_REFUSED
from .patient_directory import PatientRecord
from .patient_registry import Registry
from .portal_status import PastAnswer
from .status_following import tell_status_changed
from .statuses import INVITABLE, PortalStatus
from .timestamps import parse_day

#: The terms a patient agrees to by accepting, and their version, which is recorded with the answer.
TERMS_VERSION = "1"
TERMS = (
    "The practice may send you messages through the patient portal and show you parts of your record there. "
    "Keep your sign-in to yourself. You may end your enrolment at any time by telling the practice."
)

#: The longest time by which a patient may defer the answer.
MAX_DEFER_DAYS = 366
#: When the practice asks again if the patient names no day.
DEFER_DAYS = 91

#: The message for a failed identity check, which does not reveal the wrong part.
WRONG = "The ZIP code or the date of birth does not match the practice's record."

#: What a patient hears whose record stands against the answer, without a word on what is in it.
REFUSED = "Your answer could not be recorded. Please get in touch with the practice."


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
    """What a stranger who holds a link may know of it: not whether it was answered."""

    expires_at: datetime


class AlreadyAnswered(LinkClosed):
    """Who holds this link has identified, and answered before: *answer* is what they may see again."""

    def __init__(self, answer: PastAnswer) -> None:
        super().__init__(LinkState.ANSWERED)
        self.answer = answer


class WrongIdentity(InvalidSubmission):
    """ZIP code or date of birth do not match; *tries_left* until the link is locked. It does not say which."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(WRONG)
        self.tries_left = tries_left


class PatientResponses:
    """The actions of a patient with a link."""

    def __init__(self, engine: Engine, settings: Settings, registry: Registry, links: LinkEnds) -> None:
        self.engine, self.settings, self.registry, self.links = engine, settings, registry, links

    def invitation(self, token: str) -> OpenLink:
        """A link whose holder may identify; raises `LinkClosed`, or `NotFound` for a link nobody was given."""
        with self.engine.database.read() as tx:
            return OpenLink(expires_at=invitations.identifiable(tx, token, self.engine.clock()).expires_at)

    def language_of(self, token: str) -> str:
        """The language that the record of the link's patient names; empty if it names none, or nobody has the link."""
        with self.engine.database.read() as tx:
            found = invitations.find_by_token(tx, token)
            if found is None:
                return ""
            now = self.engine.clock()
            return self.registry.load(tx, found.patient, now=now).fields(now, self.settings)["language"]

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
            InvalidSubmission: Wrong, the same whatever was wrong; with ``fields`` where something is empty or no date,
                which does not count as a try.
            AlreadyAnswered: Right, and the link was used before.
            LinkClosed: The link does not work any more, or this was the fifth wrong try.
            NotFound: Nobody was given this link.
        """
        born = _checked_identity(zip_code, birth_date)
        now = self.engine.clock()
        with self.engine.database.begin() as tx:
            found = invitations.identifiable(tx, token, now, lock=True)
            record = self.registry.load(tx, found.patient, now=now)
            known = record.fields(now, self.settings)
            wrong_zip = not _is_same_zip(known["zip_code"], zip_code)
            wrong_birth = parse_day(known["birth_date"]) != born
            if not (wrong_zip or wrong_birth):
                _require_unanswered(tx, found)
                return invitations.proof_of_identity(self.settings.secret_key, found, now)
            locked = link_marks.count_wrong_try(tx, found, now, zip_code=wrong_zip, birth_date=wrong_birth)
        if locked:
            # After the commit: the case is locked before the invitation everywhere else. A sweep repairs a crash.
            self.links.close(found.token_hash)
            raise LinkClosed(LinkState.LOCKED)
        raise WrongIdentity(found.tries_left - 1)

    def opened(self, token: str) -> None:
        """Record that something that runs the page has opened it, not only fetched it. Raises `NotFound`."""
        with self.engine.database.begin() as tx:
            found = invitations.by_token(tx, token, lock=True)
            link_marks.mark_opened(tx, found, self.engine.clock())

    def respond(
        self, token: str, proof: str, answer: Answer, *, until: date | None = None, terms: str = ""
    ) -> PortalStatus:
        """
        Record the patient's answer and mark the link as used. Status, answer and history change together.

        Args:
            token: The token of the link.
            proof: The result of `identify`.
            answer: The patient's answer.
            until: For defer: tomorrow at the earliest, a year ahead at most, by the practice's calendar; None: in
                `DEFER_DAYS`.
            terms: For accept: version of the terms the patient was shown, see `TERMS_VERSION`.

        Returns:
            The new portal status.

        Raises:
            InvalidSubmission: ``until`` does not fit, or the proof is too old (``answer``): identify again.
            AlreadyAnswered: The link was used before, perhaps by the first of two clicks.
            NotAllowed: The patient's record stands against it. Staff see why in the case; the patient does not.
            LinkClosed: The link does not work any more.
            NotFound: Nobody was given this link.
        """
        now = self.engine.clock()
        status, day = STATUS_AFTER[answer], _checked_until(answer, until, self.settings.calendar.day_of(now))
        with self.engine.database.begin() as tx:
            found = invitations.identifiable(tx, token, now)
            if not invitations.is_proof(self.settings.secret_key, found, proof, now):
                reason = "Too much time has passed. Open the link in the mail once more."
                raise InvalidSubmission(reason, fields={"answer": reason})
            self._hold(tx, found)
            _require_unanswered(tx, invitations.identifiable(tx, token, now, lock=True))
            refusal = self._refusal(self.registry.load(tx, found.patient, now=now), now)
            if refusal is None:
                details = {"response": status.value, "until": day.isoformat() if day else None, "terms": terms or None}
                self.engine.steps.record(found.instance, RESPONSE_ADDED, details, actor=PATIENT, transaction=tx)
                invitations.mark_used(tx, found.token_hash, now)
                portal_status.add_response(
                    tx, found.patient, status.value, until=day, terms=terms, now=now, instance=found.instance
                )
            else:
                self._record_refusal(tx, found.instance, {"refused": status.value, "reason": refusal})
        if refusal is not None:
            raise NotAllowed(REFUSED)
        tell_status_changed(self.engine, found.patient, status.value)
        return status

    def _hold(self, tx: Transaction, found: Invitation) -> None:
        instance_rows.lock(tx, found.instance)
        portal_status.hold(tx, found.patient)

    def _refusal(self, record: PatientRecord, now: datetime) -> str | None:
        """Why the answer of this patient does not count. An opt-out from e-mail is no reason: the portal is no mail."""
        barred = record.barred(now, self.settings)
        if barred is not None:
            return barred
        # Not Enrolled is right as well: the patient was faster than the job that reports the mail.
        return None if record.status in INVITABLE else f"The portal status has become “{record.status}” meanwhile."

    def _record_refusal(self, tx: Transaction, case: str, details: dict[str, str]) -> None:
        """Record why an answer was refused, once: a patient who tries again adds nothing."""
        events = (event for step in activity_rows.steps_of(tx, case) for event in step.events)
        if not any(e.get("name") == RESPONSE_REFUSED and e.get("details") == details for e in events):
            self.engine.steps.record(case, RESPONSE_REFUSED, details, actor=PATIENT, transaction=tx)

    def opt_out(self, token: str) -> None:
        """Put the address of a mail on the opt-out list; works for old links too. Raises `NotFound`."""
        now = self.engine.clock()
        with self.engine.database.begin() as tx:
            found = invitations.find_by_token(tx, token) or sent_mails.by_token(tx, token)
            self.engine.steps.record(found.instance, OPTED_OUT, {}, actor=PATIENT, transaction=tx)
            entry = portal_status.opt_out_address(tx, found.address, by=PATIENT.name, now=now)
            if entry and found.patient:
                about = {"subject": found.patient, "business_key": found.patient}
                self.engine.audit.record("OptOutSet", entry, actor=PATIENT, transaction=tx, **about)


def _require_unanswered(tx: Transaction, found: Invitation) -> None:
    if found.used_at is None:
        return
    answer = portal_status.answer_at(tx, found.patient, found.instance, found.used_at)
    raise AlreadyAnswered(answer) if answer else LinkClosed(LinkState.ANSWERED)


def _checked_identity(zip_code: str, birth_date: str) -> date:
    born = parse_day(without_invisible(birth_date))
    wrong = {} if trimmed(zip_code) else {"zip_code": "Enter your ZIP code."}
    if born is None:
        wrong["birth_date"] = "Enter your full date of birth."
    if born is None or wrong:
        raise InvalidSubmission("Please enter your ZIP code and your date of birth.", fields=wrong)
    return born


def _checked_until(answer: Answer, until: date | None, today: date) -> date | None:
    if answer is not Answer.DEFER:
        return None
    if until is None:
        return today + timedelta(days=DEFER_DAYS)
    if not today < until <= today + timedelta(days=MAX_DEFER_DAYS):
        reason = "Choose a day from tomorrow on, within a year."
        raise InvalidSubmission(reason, fields={"until": reason})
    return until


def _is_same_zip(known: str, typed: str) -> bool:
    ours, theirs = _plain_zip(known), _plain_zip(typed)
    return bool(ours) and hmac.compare_digest(ours.encode(), theirs.encode())


def _plain_zip(text: str) -> str:
    """Letters and digits only, of any width; the first five of a ZIP+4."""
    plain = re.sub(r"\W", "", unicodedata.normalize("NFKC", text)).upper()
    return plain[:5] if re.fullmatch(r"\d{9}", plain) else plain
