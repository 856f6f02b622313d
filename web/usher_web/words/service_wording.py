"""The wording of the enrolment's services and facts in the narrative of a case. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from usher_engine.enrollment import FIELDS, STATUS_CHANGED, in_sentence

from .presentation import joined

INVITATION, MAIL = "invitation/send", "mail/send"
#: The services that send mail.
MAILS = frozenset({INVITATION, MAIL})
ANSWER = "Patient Enrollment Response Added"
#: The facts about a link that may set the portal status.
LINK_FACTS = frozenset({"Enrollment Link Locked", "Enrollment Link Expired", "Invitation Withdrawn"})
REFUSED_ANSWER = "Patient Enrollment Response Refused"

#: Sentences while an effect waits for its turn, and when it is done.
QUEUED = {INVITATION: "The invitation e-mail is queued to be sent.", MAIL: "The e-mail is queued to be sent."}
DONE = {
    INVITATION: "The mail server accepted the invitation e-mail.",
    MAIL: "The mail server accepted the e-mail.",
}
#: Beginnings of the sentence with the reason of a failure.
FAILED = {INVITATION: "The invitation e-mail was not accepted", MAIL: "The e-mail was not accepted"}

#: Sentences when what a service had changed is put back by an undo.
PUT_BACK = {
    "patient/update": "The patient's record is as it was before.",
    "patient/remove-response": "The patient's answer is in force again.",
    "patient/reopen": "The portal status is what it was before.",
}

ANSWERS = {"Completed": "accepted", "Declined": "declined", "Deferred": "decided to answer later"}


def result_sentence(operator: str, result: Any) -> str | None:
    """A sentence on the result of a service inside the step: empty if not worth one, None without own words."""
    given = result if isinstance(result, dict) else {}
    match operator:
        case "patient/update":
            changed = [_field(key) for key in given.get("changed") or ()]
            return f"The patient's record was corrected: {joined(changed)}." if changed else ""
        case "patient/remove-response":
            removed = given.get("removed")
            return f"The answer {_answer(removed)} was removed." if isinstance(removed, dict) else ""
        case "patient/reopen":
            reopened = "The portal status was set back to Not Enrolled."
            return reopened if given.get("reopened") else f"The portal status stays {given.get('status')}."
        case "patient/record-pending":
            return "" if given.get("status") == "Pending" else f"The portal status stays {given.get('status')}."
        case _:
            return None


def _field(key: str) -> str:
    known = FIELDS.get(key)
    return in_sentence(known.title) if known else key.replace("_", " ")


def fact_sentence(name: str, details: Mapping[str, Any]) -> str | None:
    """A fact in the history of a case as a sentence; None if it has no words of its own."""
    match name:
        case _ if name == ANSWER:
            response = ANSWERS.get(str(details.get("response")), f"answered {details.get('response')}")
            until = f", not before {day_of(details['until'])}" if details.get("until") else ""
            terms = f" and agreed to the terms, version {details['terms']}" if details.get("terms") else ""
            return f"The patient {response}{until}{terms}."
        case _ if name == REFUSED_ANSWER:
            response = ANSWERS.get(str(details.get("refused")), f"answered {details.get('refused')}")
            return f"The patient {response}, but the answer was refused: {details.get('reason')}"
        case "Enrollment Link Locked":
            return f"The link was locked after {details.get('wrong_tries')} wrong tries.{_now_is(details)}"
        case "Enrollment Link Expired":
            return f"The link has expired without an answer.{_now_is(details)}"
        case "Invitation Withdrawn":
            return f"Withdrew the invitation: {details.get('reason')}.{_now_is(details)}".replace("..", ".")
        case "New Invitation Asked For":
            return "The patient asked for a new link."
        case "Email Opt Out Added":
            return "The patient asked for no more e-mail to this address."
        case "Comment Added" if details.get("mentions"):
            return f"Commented and mentioned {joined([str(who) for who in details['mentions']])}."
        case "Comment Added":
            return "Commented."
        case "Comment Corrected":
            return "Corrected a comment."
        case "Comment Withdrawn":
            return "Withdrew a comment."
        case "Patient Record Corrected":
            fields = [_field(str(key)) for key in details.get("changed") or ()]
            return f"The patient's record was corrected: {joined(fields)}."
        case _:
            return None


def _now_is(details: Mapping[str, Any]) -> str:
    """The portal status that a fact set, as a sentence of its own."""
    return f" The portal status became {details['status']}." if details.get("status") else ""


def wait_sentence(event: Mapping[str, Any], name: str) -> str:
    """A sentence on what a case waits for or received; empty for events of another kind."""
    match event["kind"]:
        case "TimerStarted":
            return f"{name} is set for {day_of(event['due'])}."
        case "TimerFired":
            return f"The time of {name} has come."
        case "MessageAwaited" if event["name"] == STATUS_CHANGED:
            return ""  # as every task of the enrolment does
        case "MessageReceived" if event["name"] == STATUS_CHANGED:
            return f"The portal status has become {event['payload'].get('status', 'another')} meanwhile."
        case "MessageAwaited":
            return f"{name} waits for the message “{event['name']}”."
        case "MessageReceived":
            return f"Delivered the message “{event['name']}”."
        case "RepetitionStarted" if event.get("total") is not None:
            total = event["total"]
            return f"{name} is to be done for {total} item{'' if total == 1 else 's'}."
        case _:
            return ""


def _answer(removed: Mapping[str, Any]) -> str:
    until = f", until {day_of(removed['until'])}," if removed.get("until") else ""
    return f"{removed.get('status')} of {day_of(removed.get('at'))}{until}"


def day_of(text: object) -> str:
    """ "4 May 2026" of a date or a moment in ISO 8601; other text as it is."""
    try:
        day: date = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    return f"{day.day} {day:%B %Y}"
