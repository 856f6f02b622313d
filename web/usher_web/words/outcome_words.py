"""What has become of an act, in one sentence and a few facts. Pure; `staff.outcomes` reads, templates format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from usher_engine import Instance, Step

from .case_narrative import Names
from .mail_status import Posted, mailing
from .service_wording import INVITATION, MAILS


class OutcomeKind(StrEnum):
    """How far it is: on its way, done, nothing more to do, or stopped until somebody does something."""

    WAY = "way"
    DONE = "done"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """*facts* are short; *mail_at* is when the mail server accepted it, *again_at* when Usher tries the next time."""

    kind: OutcomeKind
    say: str
    facts: tuple[str, ...] = ()
    mail_at: datetime | None = None
    again_at: datetime | None = None
    #: Whether a mail stopped it, which another address may get going.
    is_mail: bool = False


def outcome_of(instance: Instance, steps: Sequence[Step], names: Names, *, who: str, task: str = "") -> Outcome:
    """
    What has become of an act on *instance* since its first step among *steps*.

    Args:
        instance: The case as it is now.
        steps: Its steps from the act on.
        names: The vocabulary of its diagram.
        who: Who it is about: a patient's name, or what else the case is called.
        task: The open task of the case that the reader may work on, in words; empty if there is none.
    """
    posted = mailing(steps, names)
    last = posted[-1] if posted else None
    what = "The invitation" if _is_invitation(steps, names) else "The e-mail"
    if instance.incident:
        return _stopped(instance, last, what, who, task)
    if last and last.kind == "done":
        say = f"{who} is invited." if what == "The invitation" else f"The e-mail to {who} was sent."
        return Outcome(kind=OutcomeKind.DONE, say=say, facts=("mail accepted",), mail_at=last.at)
    if last and last.again_at:
        reason = last.words.removeprefix("Failed: ")
        say = f"{what} to {who} has not gone out yet."
        return Outcome(kind=OutcomeKind.WAY, say=say, facts=(reason,), again_at=last.again_at)
    if last and last.kind == "wait":
        return Outcome(kind=OutcomeKind.WAY, say=f"{what} to {who} is on its way.")
    return _without_mail(instance, names, who, task)


def _stopped(instance: Instance, last: Posted | None, what: str, who: str, task: str) -> Outcome:
    reason = str(instance.incident)
    if last and last.kind == "alarm":
        say = f"{who} was not invited." if what == "The invitation" else f"The e-mail to {who} was not sent."
        return Outcome(kind=OutcomeKind.BAD, say=say, facts=(reason,), is_mail=True)
    kept = (f"{task} is still open, and what you typed is kept.",) if task else ()
    return Outcome(kind=OutcomeKind.BAD, say=f"It did not work for {who}.", facts=(reason, *kept))


def _without_mail(instance: Instance, names: Names, who: str, task: str) -> Outcome:
    if instance.status == "cancelled":
        return Outcome(kind=OutcomeKind.NOTE, say=f"The case of {who} was cancelled.")
    if instance.ended_at:
        say = f"Nothing more is to be done for {who}."
        end = names.of(instance.outcome) if instance.outcome else ""
        return Outcome(kind=OutcomeKind.NOTE, say=say, facts=tuple(filter(None, (instance.explanation or end,))))
    if task:
        return Outcome(kind=OutcomeKind.NOTE, say=f"{task} is open for {who}.")
    at = " and ".join(names.of(element) for element in instance.at)
    return Outcome(kind=OutcomeKind.WAY, say=f"The case of {who} goes on by itself{f': {at}' if at else ''}.")


def _is_invitation(steps: Sequence[Step], names: Names) -> bool:
    """Whether the newest mail among *steps* is an invitation."""
    operators = [
        operator
        for step in steps
        for event in step.events
        if (operator := names.operators.get(event.get("element", ""))) in MAILS
    ]
    return not operators or operators[-1] == INVITATION
