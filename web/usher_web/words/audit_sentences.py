"""Audit events as sentences, each with its mark. Actor and time have columns of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from usher_engine.audit import AuditEvent

from .date_range import day_of_stored
from .presentation import case_no, element_words, joined
from .setting_sentences import setting_sentence

#: Labels of event kinds in the filter.
CALLED: Mapping[str, str] = {
    "LoggedIn": "Sign-ins",
    "LogInFailed": "Failed sign-ins",
    "LockedOut": "Lock-outs",
    "LoggedOut": "Sign-outs",
    "PatientViewed": "Views of a patient",
    "CaseViewed": "Views of a case",
    "FileViewed": "Downloads of attached files",
    "TaskViewed": "Views of a task",
    "PatientsListed": "Lists with patients",
    "TrailViewed": "Views of a trail",
    "Refused": "Refused attempts",
    "Deployed": "Deployments",
    "DraftStarted": "Drafts begun",
    "DraftDiscarded": "Drafts thrown away",
    "SignOffAsked": "Sign-offs asked for",
    "SignOffSentBack": "Sign-offs sent back",
    "Exported": "Exports",
    "Imported": "Imports",
    "SettingChanged": "Changed settings",
    "Verified": "Checks of the record",
    "LogReviewed": "Log reviews",
    "HoldSet": "Legal holds",
    "HoldLifted": "Lifted holds",
    "Purged": "Purged cases",
    "CaseCancelled": "Cases ended by administrators",
    "ProcessPaused": "Paused processes",
    "ProcessResumed": "Resumed processes",
    "CaseRepaired": "Repaired cases",
    "ClaimReleased": "Claimed tasks given back",
    "RunStarted": "Started backtests and moves",
    "RunStopped": "Stopped backtests and moves",
    "OptOutSet": "Opt-outs from e-mail",
    "OptOutLifted": "Undone opt-outs",
    "SampleMailSent": "Samples of mails",
    "ImportConflictDecided": "Decided conflicts of imports",
    "LookAlikeSeen": "Seen warnings of look-alikes",
    "EvidenceRepaired": "Repairs of the evidence",
}

#: The reason of a refusal, by status.
REFUSED = {
    403: "not allowed for this role, or claimed by somebody else",
    404: "not there, or not for them",
    409: "somebody was faster, or it cannot be done any more",
    410: "it was purged",
    422: "what was sent needed another look",
}

#: Names of pages, by the first part of their endpoint.
PLACES = {
    "inbox": "the inbox", "starts": "the start page", "cases": "the cases", "triggers": "the patients",
    "search": "the search", "outcomes": "what became of acts", "live": "a page that follows changes",
    "conflicts": "the conflicts of imports", "invitations": "an invitation", "bulk": "many tasks at once",
    "desk": "the inbox", "views": "views of the inbox", "palette": "the search", "workload": "the workload",
    "replay": "a replay", "api": "the API", "admin": "administration", "operating": "administration",
    "portal_standing": "administration", "installed_operators": "administration", "working_days": "administration",
    "processes": "the processes", "compare": "a comparison of versions", "modeler": "the editor", "drafts": "a draft",
    "deployments": "deployments", "history": "what a draft was", "imports": "an import", "backtests": "backtests",
    "migrations": "moves to another version",
    "assumptions": "assumptions of a backtest",
    "tryout": "the try-out", "reports": "the reports", "exports": "the exports", "audit": "the audit page",
    "trails": "a trail", "searches": "saved searches", "outbox": "the caught mail", "retention": "retention",
    "patient": "an invitation", "sign_in": "the sign-in page", "profile": "their profile", "samples": "a mail",
    "task_drafts": "the inbox", "session_end": "the session", "comments": "the comments of a case",
}  # fmt: skip

#: Kinds whose subject is a case or a task of one.
OF_A_CASE = frozenset(
    {"CaseViewed", "TaskViewed", "FileViewed", "Refused", "Purged", "CaseCancelled", "CaseRepaired", "ClaimReleased"}
)

ALARMS = frozenset({"Refused", "LogInFailed", "LockedOut"})
#: Marks of the other kinds.
MARKS = dict.fromkeys(("Verified", "LogReviewed"), "done")
MARKS |= dict.fromkeys(("Purged", "CaseCancelled", "ProcessPaused"), "refuse")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """*kind* is the mark: idle, done, refuse or alarm; *case* and *patient* are link targets, or empty."""

    words: str
    kind: str
    case: str = ""
    patient: str = ""


def kind_label(kind: str) -> str:
    return CALLED.get(kind) or element_words(kind)


def sentence_of(event: AuditEvent) -> Sentence:
    """Describe *event*, without actor and time."""
    if event.altered:
        return Sentence(words=event.altered, kind="alarm", patient=event.business_key)
    say = WORDS.get(event.kind)
    words = say(event) if say else f"{element_words(event.kind)}{': ' + event.subject if event.subject else ''}."
    return Sentence(words=words, kind=_mark(event), case=_case(event), patient=event.business_key)


def _mark(event: AuditEvent) -> str:
    if event.kind in ALARMS or (event.kind == "Verified" and event.details.get("findings")):
        return "alarm"
    return MARKS.get(event.kind, "idle")


def _case(event: AuditEvent) -> str:
    """The case that the event concerns; empty if none."""
    if event.kind not in OF_A_CASE:
        return ""
    number = event.subject.partition(":")[0]
    return number if len(number) == 12 and number.isalnum() and number.isupper() else ""


def _place(event: AuditEvent) -> str:
    page = str(event.details.get("page") or "")
    return PLACES.get(page.partition(".")[0], page or "a page")


def _refusal(event: AuditEvent) -> str:
    why = REFUSED.get(event.details.get("status", 0)) or f"status {event.details.get('status')}"
    tried = "open" if event.details.get("method") in ("GET", "HEAD") else "do"
    return f"Tried to {tried} something in {_place(event)} and was refused: {why}."


def _listing(event: AuditEvent) -> str:
    number = len(event.details.get("patients") or ())
    return f"Saw the names of {number} patient{'s' * (number != 1)} in {_place(event)}."


def _failed_sign_in(event: AuditEvent) -> str:
    whom = f"the account {event.subject}" if event.subject else "an account that does not exist"
    why = f": {event.details['reason']}" if event.details.get("reason") else ""
    return f"A sign-in to {whom} failed, from {event.details.get('from') or 'an unknown address'}{why}."


def _lock_out(event: AuditEvent) -> str:
    whom = f" The account is {event.subject}." if event.subject else ""
    asked = event.details.get("from") or "an unknown address"
    return f"Too many refused tries from {asked}. Locked for a while: {event.details.get('what')}.{whom}"


def _check(event: AuditEvent) -> str:
    details = event.details
    if details.get("failure"):
        return f"A check of the record broke off: {details['failure']}"
    found = f"{details['findings']} findings" if details.get("findings") else "all as it was written"
    return f"Checked {details.get('cases')} cases, audit events and checkpoints: {found}."


def _review(event: AuditEvent) -> str:
    since, until = (day_of_stored(str(event.details.get(name, ""))) for name in ("since", "until"))
    return f"Signed off the audit events from {since} until {until}: {event.why}"


def _purge(event: AuditEvent) -> str:
    return f"Purged case {case_no(event.subject)}; the proof of its {event.details.get('steps')} steps is kept."


def _opt_out(event: AuditEvent) -> str:
    if event.details.get("scope") == "address":
        did = "Put the patient's address on" if event.kind == "OptOutSet" else "Took the patient's address off"
        return f"{did} the opt-out list{f': {event.why}' if event.why else ' with the link in a mail.'}"
    did = "Opted the patient out of" if event.kind == "OptOutSet" else "Opted the patient in again for"
    return f"{did} e-mail from the practice: {event.why}"


def _import(event: AuditEvent) -> str:
    details = event.details
    told = [f"{details.get(name, 0)} {name}" for name in ("new", "changed")]
    told += [f"{details['kept']} with corrections that stay"] if details.get("kept") else []
    told += [f"{details['conflicts']} to be decided"] if details.get("conflicts") else []
    return f"Imported patients: {', '.join(told)}."


def _decision(event: AuditEvent) -> str:
    thing = str(event.details.get("field", "")).replace("_", " ")
    if event.details.get("take") == "ehr":
        return f"Took the EHR's {thing} instead of the one staff had corrected."
    return f"Kept the {thing} that staff had corrected instead of the EHR's."


def _look_alike(event: AuditEvent) -> str:
    number = len(event.details.get("others") or ())
    others = "another patient has" if number == 1 else f"{number} other patients have"
    return f"Saw that {others} the same name and birth date, and went on with this one."


def _repair(event: AuditEvent) -> str:
    parts = [f"the peaks of checkpoint {number}" for number in event.details.get("peaks") or ()]
    parts += [f"the trigger {name}" for name in event.details.get("triggers") or ()]
    parts += [f"the checkpoint file with {heads} heads"] if (heads := event.details.get("heads")) else []
    return f"Put right {joined(parts)}: {event.why}"


def _version_of(event: AuditEvent) -> str:
    number = event.details.get("version")
    return f"version {number} of {event.subject}" if number else f"all of {event.subject}"


def _run_start(event: AuditEvent) -> str:
    cases = f"{event.details.get('cases')} cases of {event.subject}"
    match event.details.get("kind"):
        case "backtest":
            return f"Started a backtest of {cases}."
        case "tasks":
            return f"Started to {event.details.get('act', 'work')} {event.details.get('cases')} tasks together."
        case "trial":
            return f"Started to try a move of {cases} to another version."
        case _:
            return f"Started to move {cases} to another version."


def _run_stop(event: AuditEvent) -> str:
    return f"Stopped a run of {event.subject} after {event.details.get('done')} of {event.details.get('of')} cases."


def _export(event: AuditEvent) -> str:
    form = event.details.get("format")
    return f"Exported {event.subject or 'the history'}{f' as {form}' if form else ''}."


WORDS: Mapping[str, Callable[[AuditEvent], str]] = {
    "LoggedIn": lambda event: f"Signed in from {event.details.get('from') or 'an unknown address'}.",
    "LogInFailed": _failed_sign_in,
    "LockedOut": _lock_out,
    "LoggedOut": lambda _: "Signed out.",
    "PatientViewed": lambda _: "Looked at the patient.",
    "FileViewed": lambda event: f"Downloaded a file attached to case {case_no(event.subject)}.",
    "CaseViewed": lambda event: f"Looked at case {case_no(event.subject)}.",
    "TaskViewed": lambda event: f"Looked at a task of case {case_no(event.subject.partition(':')[0])}.",
    "PatientsListed": _listing,
    "TrailViewed": lambda event: f"Looked at the trail of {event.details.get('of')} {event.subject}.",
    "Refused": _refusal,
    "Deployed": lambda event: f"Deployed version {event.details.get('version')} of {event.subject}.",
    "DraftStarted": lambda event: f"Began a draft of {event.subject}.",
    "DraftDiscarded": lambda event: f"Threw away the draft of {event.subject}.",
    "SignOffAsked": lambda event: f"Asked for a sign-off of the draft of {event.subject}.",
    "SignOffSentBack": lambda event: f"Sent the draft of {event.subject} back instead of signing it off.",
    "Exported": _export,
    "Imported": _import,
    "SettingChanged": setting_sentence,
    "Verified": _check,
    "LogReviewed": _review,
    "HoldSet": lambda event: f"Put a legal hold on the patient: {event.why}",
    "HoldLifted": lambda event: f"Lifted the legal hold on the patient: {event.why}",
    "Purged": _purge,
    "CaseCancelled": lambda event: f"Cancelled case {case_no(event.subject)}: {event.why}",
    "ProcessPaused": lambda event: f"Paused {_version_of(event)}: {event.why}",
    "ProcessResumed": lambda event: f"Let {_version_of(event)} go on: {event.why}",
    "CaseRepaired": lambda event: f"Repaired case {case_no(event.subject)} from its history.",
    "ClaimReleased": lambda event: (
        f"Gave a task of case {case_no(event.subject.partition(':')[0])} that "
        f"{event.details.get('of')} had claimed back to its group: {event.why}"
    ),
    "RunStarted": _run_start,
    "RunStopped": _run_stop,
    "OptOutSet": _opt_out,
    "OptOutLifted": _opt_out,
    "SampleMailSent": lambda event: f"Sent themselves a sample of {event.subject}, of {event.details.get('process')}.",
    "ImportConflictDecided": _decision,
    "LookAlikeSeen": _look_alike,
    "EvidenceRepaired": _repair,
}
