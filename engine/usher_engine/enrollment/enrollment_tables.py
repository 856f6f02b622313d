"""The tables of the enrolment: patients, answers, invitations, opt-outs, triggers. Times are text, as in store/."""

from __future__ import annotations

from sqlalchemy import VARCHAR, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false

from ..store.tables.engine_tables import metadata
from ..store.tables.folds import Happened, State, Told, fold, no_fold

patient = Table(
    "patient",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("resource", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sort_name", String(200), nullable=False),
    #: The edition and a digest of the search keys, which are in `patient_key`; empty: not made yet.
    Column("search", Text, nullable=False),
    #: Deceased, inactive or merged into another record.
    Column("is_closed", Boolean, nullable=False, server_default=false()),
    #: The Patient as it was imported last; null in rows of Usher 0.3 and before, and for patients never imported.
    Column("imported", Text),
    #: Null: unknown; shown as Unavailable.
    Column("portal_status", String(60)),
    Column("portal_status_at", String(27), nullable=False),
    Column("requested_at", String(27)),
    Column("requested_by", String(200)),
    Column("sends", Integer, nullable=False),
    Column("opted_out", Boolean, nullable=False),
    Column("changed_at", String(27), nullable=False),
    Column("changed_by", String(200), nullable=False),
    Index("ix_patient_sort", "sort_name", "id"),
    Index("ix_patient_listed", "is_closed", "sort_name", "id"),
)

#: Ordered by code points on both databases, so that all keys with one beginning stand together.
_KEY = String(60).with_variant(VARCHAR(60, collation="C"), "postgresql")

patient_key = Table(
    "patient_key",
    metadata,
    Column("patient", String(64), ForeignKey("patient.id"), primary_key=True),
    Column("key", _KEY, primary_key=True),
    #: As in the patient's row, so that matches are counted without it.
    Column("is_closed", Boolean, nullable=False),
    Index("ix_patient_key_found", "key", "is_closed", "patient"),
    sqlite_with_rowid=False,
)

import_conflict = Table(
    "import_conflict",
    metadata,
    Column("patient", String(64), ForeignKey("patient.id"), primary_key=True),
    #: A key of `patient_fields.FIELDS`.
    Column("field", String(60), primary_key=True),
    #: The value imported before, and the one imported now; the one that staff gave stands in the record.
    Column("before", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("found_at", String(27), nullable=False),
    Index("ix_import_conflict_found", "found_at", "patient", "field"),
)

patient_response = Table(
    "patient_response",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("patient", String(64), ForeignKey("patient.id"), nullable=False, index=True),
    Column("status", String(60), nullable=False),
    Column("at", String(27), nullable=False),
    Column("until", String(10)),
    Column("terms", String(100)),
    Column("instance", String(12)),
    Column("removed_at", String(27)),
    Column("removed_by", String(200)),
    Column("removed_reason", Text),
)

email_opt_out = Table(
    "email_opt_out",
    metadata,
    Column("address", String(320), primary_key=True),
    Column("at", String(27), nullable=False),
    Column("by", String(200), nullable=False),
)

invitation = Table(
    "invitation",
    metadata,
    #: SHA-256 of the link's token; the token itself is not stored.
    Column("token_hash", String(64), primary_key=True),
    Column("patient", String(64), ForeignKey("patient.id"), nullable=False, index=True),
    Column("instance", String(12), nullable=False),
    #: The idempotency key of the send.
    Column("key", String(300), nullable=False, unique=True),
    Column("message_id", String(300), nullable=False, unique=True),
    Column("address", String(320), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("expires_at", String(27), nullable=False),
    Column("sent_at", String(27)),
    Column("used_at", String(27)),
    Column("revoked_at", String(27)),
    Column("wrong_tries", Integer, nullable=False),
    Column("locked_at", String(27)),
    #: Null in rows of Usher 0.2 and before, and until the mail is sent.
    Column("template", String(200)),
    Column("language", String(40)),
    #: Page views by something that runs the page, not by a scanner that fetches it: the first, the last, how many.
    Column("opened_at", String(27)),
    Column("opened_again_at", String(27)),
    Column("opens", Integer, nullable=False, server_default="0"),
    #: Of the wrong tries, those with a wrong ZIP code and those with a wrong birth date, and the last of any kind.
    Column("wrong_zip", Integer, nullable=False, server_default="0"),
    Column("wrong_birth", Integer, nullable=False, server_default="0"),
    Column("wrong_at", String(27)),
    Column("withdrawn_at", String(27)),
    Column("withdrawn_by", String(200)),
    Column("withdrawn_reason", Text),
    #: When the patient last asked for a new link with this one.
    Column("asked_at", String(27)),
    #: When it was recorded that the link is locked or has expired, and when staff were asked what to do.
    Column("closed_at", String(27)),
    Column("followed_at", String(27)),
)
#: The links that may still have to be closed.
Index(
    "ix_invitation_open", invitation.c.expires_at,
    sqlite_where=invitation.c.closed_at.is_(None), postgresql_where=invitation.c.closed_at.is_(None),
)  # fmt: skip

sent_mail = Table(
    "sent_mail",
    metadata,
    #: The idempotency key of the send.
    Column("key", String(300), primary_key=True),
    Column("message_id", String(300), nullable=False, unique=True),
    #: SHA-256 of the token of its opt-out link; null for a mail to somebody who is no patient.
    Column("token_hash", String(64), unique=True),
    Column("patient", String(64), ForeignKey("patient.id"), index=True),
    Column("instance", String(12), nullable=False, index=True),
    Column("address", String(320), nullable=False),
    Column("template", String(200), nullable=False),
    Column("language", String(40), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("sent_at", String(27)),
)

portal_trigger = Table(
    "portal_trigger",
    metadata,
    Column("template", String(200), primary_key=True),
    Column("field", String(200), primary_key=True),
    Column("action", String(60), nullable=False),
    Column("set_at", String(27), nullable=False),
    Column("set_by", String(200), nullable=False),
    #: The process that selecting it starts.
    Column("process", String(200), nullable=False, server_default="enrollment"),
)


# what the audit events say of these tables (store/tables/folds.py)


def _triggers(state: State, event: Happened) -> None:
    if event.carries_rows or event.setting != "trigger":
        return
    details = event.details
    key = (str(details["template"]).strip(), str(details["field"]).strip())
    if details["action"] is None:
        state.pop(key, None)
    else:
        event.tell(state, key, action=str(details["action"]).strip(), set_by=event.actor)


def _opt_outs(state: State, event: Happened) -> None:
    """No event holds an address, so a row is known by its moment and its author; until 0.2 by its author."""
    details = event.details
    if details.get("scope") != "address":
        return
    if event.kind == "OptOutSet":
        at = {"at": details["entry"]} if "entry" in details else {}
        event.tell(state, ("", event.subject, event.seq), by=event.actor, **at)
    elif event.kind == "OptOutLifted":
        for key, told in list(state.items()):
            if told.values.get("at") in details.get("entries", ()):
                del state[key]
            elif "entries" not in details and key[1] == event.subject:
                state[key] = Told(values=told.values, seq=told.seq, perhaps=True)


fold(
    portal_trigger,
    _triggers,
    untold=lambda row: row["set_by"] == "sample",  # until 0.2 the demonstration recorded no event
)
fold(
    email_opt_out,
    _opt_outs,
    free={"address": "it is a patient's, and no event holds what a patient's record says"},
    untold=lambda row: row["by"] == "patient",  # until 0.2 only a step of the case told of these
)
no_fold("What a link may do, and what became of it: its case tells of it, but the row is not compared.", invitation)
no_fold("Finds the case of a mail by its opt-out link; the case tells of the mail.", sent_mail)
no_fold("Compared with the steps of the patient's cases (decisions/0016).", patient, patient_response)
no_fold("Derived from the patients' records, which `usher db reindex` makes again.", patient_key)
no_fold("Differences between two imports, until staff decide; the decision is an audit event.", import_conflict)
