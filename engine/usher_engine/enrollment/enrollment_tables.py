"""The tables of the enrolment: patients, answers, invitations, opt-outs, triggers. Times are text, as in store/."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from ..store.tables.engine_tables import metadata

patient = Table(
    "patient",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("resource", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sort_name", String(200), nullable=False),
    Column("search", Text, nullable=False),
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
