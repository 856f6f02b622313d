"""How the engine's own tables follow from the audit events, and why the others need no fold."""

from __future__ import annotations

from . import batch_tables, comment_tables, draft_tables, substitution_table, tally_tables, task_draft_table
from . import engine_tables as t
from . import record_tables as r
from .folds import Happened, State, Told, always_told, fold, no_fold


def _versions(state: State, event: Happened) -> None:
    if event.kind != "Deployed" or event.carries_rows:
        return
    details = event.details
    by, signer = details.get("deployed_by") or event.actor, details.get("signed_off_by") or ""
    values = {"hash": details["hash"], "note": details["note"], "deployed_by": by, "signed_off_by": signer}
    event.tell(state, (event.subject, int(details["version"])), **values)


def _sign_offs(state: State, event: Happened) -> None:
    key = (event.subject,)
    if event.carries_rows:
        return
    match event.kind:
        case "SignOffAsked":
            event.tell(state, key, etag=event.details["hash"], note=event.details["note"], asked_by=event.actor)
        case "SignOffSentBack" | "DraftDiscarded":
            state.pop(key, None)
        case "Deployed" if key in state:
            state[key] = Told(values=state[key].values, seq=state[key].seq, perhaps=True)


def _holds(state: State, event: Happened) -> None:
    """Older events do not say the number of a hold; of a patient there is one at a time."""
    key = event.business_key
    mine = [one for one in state if one[:2] == ("", key)]
    if event.kind == "HoldSet" and not event.carries_rows:
        values = {"business_key": key, "reason": event.why, "set_by": event.actor}
        event.tell(state, ("", key, len(mine)), **values, lifted_at="", lifted_by="", lifted_reason="")
    elif event.kind == "HoldLifted" and mine and state[mine[-1]].values["lifted_at"] == "":
        if event.carries_rows:
            del state[mine[-1]]
        else:
            event.tell(state, mine[-1], lifted_at=..., lifted_by=event.actor, lifted_reason=event.why)


def _pauses(state: State, event: Happened) -> None:
    if event.carries_rows:
        return
    if event.kind == "ProcessPaused":
        event.tell(state, (event.subject, int(event.details["version"])), by=event.actor, reason=event.why)
    elif event.kind == "ProcessResumed":
        state.pop((event.subject, int(event.details["version"])), None)


def _checks(state: State, event: Happened) -> None:
    if event.kind == "Verified" and event.subject.startswith("check ") and not event.carries_rows:
        number, details = int(event.subject.removeprefix("check ")), event.details
        event.tell(state, (number,), by=event.actor, checked=details["cases"], equal=details["equal"])


fold(t.version, _versions)
fold(t.sign_off, _sign_offs)
fold(r.legal_hold, _holds)
fold(r.pause, _pauses)
fold(
    r.check_run,
    _checks,
    digested=frozenset({"findings"}),
    untold=lambda row: row["finished_at"] is None,  # it runs, or its process died
)
fold(r.working_calendar, always_told)
fold(substitution_table.substitution, always_told)

no_fold("A chain of its own, signed by checkpoints.", t.step, t.audit_event, t.leaf, t.checkpoint)
no_fold("Compared with the steps of the case.", t.instance, t.user_task, t.job, t.case_actor)
no_fold(
    "Compared with the comments in the steps of the case, all but when somebody saw it (reexecution.comment_check).",
    comment_tables.case_mention,
)
no_fold("Compared with the SHA-256 and size in the steps of the case, and with its content.", comment_tables.case_file)
# Procrastinate's tables are its own and not in our metadata: they say when a job is tried next, and `job` what it is.
no_fold("Stored under a number made from its content; the cases name it.", t.case_kind)
no_fold("Sealed with the secret, so that a case does not go on with an altered one.", t.instance_state)
no_fold("Read by its hash, which versions and cases name.", t.package)
no_fold("Compared with the audit event of its purge, which it names.", r.tombstone)
no_fold("Compared with the audit events, row by row.", r.audit_patient)
no_fold("Compared with the keys of the signed heads.", r.signing_key)
no_fold("Sealed with the secret; a report counts a day again whose seal does not fit.", r.day_figures)
no_fold("Says which versions upgraded the database; nothing is decided from it.", r.release)
no_fold("Figures beside the lists of the inbox, counted from the open tasks by triggers.", tally_tables.task_tally)
no_fold("Remembers for a retry which case a request started; the case names its request in its first step.", t.request)
no_fold(
    "Work that is not finished: what comes of it is a version or a step, with its own proof.",
    t.draft, t.set_aside, draft_tables.draft_point, draft_tables.draft_content, draft_tables.deploy_note,
    task_draft_table.task_draft, batch_tables.batch, batch_tables.batch_case, batch_tables.batch_task,
)  # fmt: skip
