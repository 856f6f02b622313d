"""The engine's tables; the modules of store/ read and write them.

Times are ISO 8601 text in UTC with microseconds, so that both databases sort them alike; JSON is text for the same
reason. `step`, `audit_event`, `leaf` and `checkpoint` are append-only: triggers refuse UPDATE and DELETE in both.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from . import append_only
from .column_types import Bytes

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

package = Table(
    "package",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("content", Bytes, nullable=False),
)

version = Table(
    "version",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), ForeignKey("package.hash"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("deployed_at", String(27), nullable=False),
    Column("deployed_by", String(200), nullable=False),
    #: The second analyst, if the setting requires four eyes.
    Column("signed_off_by", String(200), nullable=False, server_default=""),
)

#: Drafts, at most one for each process. *etag* is the hash of the content, *files* is JSON: the hash of each file, and
#: who changed it last and when.
draft = Table(
    "draft",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("content", Bytes, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("based_on", Integer),
    Column("changed_at", String(27), nullable=False),
    Column("changed_by", String(200), nullable=False),
    Column("files", Text, nullable=False),
)

#: Saves of a file that someone else had changed meanwhile: stored until an analyst decides.
set_aside = Table(
    "set_aside",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("process", String(200), nullable=False),
    Column("path", String(200), nullable=False),
    Column("content", Bytes, nullable=False),
    Column("seen", String(64), nullable=False),
    Column("saved_at", String(27), nullable=False),
    Column("saved_by", String(200), nullable=False),
    Index("ix_set_aside_process", "process", "saved_at"),
)

#: A draft whose deployment waits for a second analyst; *etag* is that of the draft at the time of the request.
sign_off = Table(
    "sign_off",
    metadata,
    Column("process", String(200), primary_key=True),
    Column("etag", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("asked_at", String(27), nullable=False),
    Column("asked_by", String(200), nullable=False),
)

_ENDED = text("ended_at IS NOT NULL")

instance = Table(
    "instance",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("process", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("definition", String(64), nullable=False),
    Column("business_key", String(200), nullable=False),
    Column("status", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("head", Bytes, nullable=False),
    Column("started_at", String(27), nullable=False),
    Column("ended_at", String(27)),
    Column("outcome", String(200), nullable=False),
    Column("explanation", Text, nullable=False),
    #: Its signature in `case_kind`; 0 until it is indexed (store/case_signatures.py).
    Column("kind", BigInteger, nullable=False, server_default="0"),
    Index("ix_instance_started", "started_at", "id"),
    Index("ix_instance_kind_started", "kind", "started_at", "id"),
    Index("ix_instance_ended", "ended_at", "id", sqlite_where=_ENDED, postgresql_where=_ENDED),
    Index("ix_instance_kind_ended", "kind", "ended_at", "id", sqlite_where=_ENDED, postgresql_where=_ENDED),
    Index("ix_instance_business_key", "business_key", "process"),
    Index(
        "ix_instance_live",
        "status",
        "started_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

#: The sealed serialized state of a live instance; a separate table, so that its pages are reused.
instance_state = Table(
    "instance_state",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("content", Text, nullable=False),
    Column("seal", Bytes, nullable=False),
)

_BY_A_PERSON = text("actor <> ''")

step = Table(
    "step",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    #: The canonical JSON that was hashed, deflated (RFC 1950).
    Column("body", Bytes, nullable=False),
    Column("hash", Bytes, nullable=False),
    #: The person who made the step, and when; indexed. Empty for the system and for patients.
    Column("actor", String(200), nullable=False, server_default=""),
    Column("at", String(27), nullable=False, server_default=""),
    Index(
        "ix_step_actor_at",
        "actor",
        "at",
        "instance",
        "revision",
        sqlite_where=_BY_A_PERSON,
        postgresql_where=_BY_A_PERSON,
    ),
)

#: Case signatures: the searchable attributes many cases share, stored once (store/case_signatures.py). *elements* and
#: *groups* are names separated by line feeds; *id* is computed from all the other columns.
case_kind = Table(
    "case_kind",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("process", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("outcome", String(200), nullable=False),
    Column("stopped", Integer, nullable=False),
    Column("elements", Text, nullable=False),
    Column("groups", Text, nullable=False),
)

#: Who made steps in which case; *kind* and *started_at* repeat those of the case, so that one index is enough.
case_actor = Table(
    "case_actor",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("actor", String(200), primary_key=True),
    Column("kind", BigInteger, nullable=False),
    Column("started_at", String(27), nullable=False),
    Index("ix_case_actor_started", "actor", "started_at", "instance", "kind"),
    Index("ix_case_actor_kind_started", "actor", "kind", "started_at", "instance"),
    sqlite_with_rowid=False,
)

_CLAIMED, _WITH_KEY, _PUT_OFF = text("assignee <> ''"), text("business_key <> ''"), text("until <> ''")

user_task = Table(
    "user_task",
    metadata,
    Column("instance", String(12), ForeignKey("instance.id"), primary_key=True),
    Column("element", String(200), primary_key=True),
    Column("visit", Integer, primary_key=True, autoincrement=False),
    Column("process", String(200), nullable=False),
    Column("business_key", String(200), nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("form", String(200), nullable=False),
    Column("candidate_group", String(200), nullable=False),
    Column("assignee", String(200), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("due_at", String(27), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("cancellable", Integer, nullable=False),
    Column("sort_key", String(280), nullable=False),
    #: The day of the practice on which a task that was put off comes back; empty otherwise.
    Column("until", String(10), nullable=False, server_default=""),
    #: 1,000 minus the priority, so that every order of the inbox is ascending.
    Column("urgency", Integer, nullable=False, server_default="0"),
    Index("ix_user_task_kind_due", "candidate_group", "process", "element", "sort_key"),
    Index("ix_user_task_kind_opened", "candidate_group", "process", "element", "created_at", "sort_key"),
    Index("ix_user_task_kind_urgent", "candidate_group", "process", "element", "urgency", "sort_key"),
    Index("ix_user_task_assignee_sort", "assignee", "sort_key", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
    Index("ix_user_task_sort", "sort_key"),
    Index("ix_user_task_business_key", "business_key", sqlite_where=_WITH_KEY, postgresql_where=_WITH_KEY),
    Index("ix_user_task_until", "until", sqlite_where=_PUT_OFF, postgresql_where=_PUT_OFF),
)

job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("instance", String(12), ForeignKey("instance.id"), nullable=False),
    Column("element", String(200), nullable=False),
    Column("visit", Integer, nullable=False),
    Column("operator", String(200), nullable=False),
    Column("parameters", Text, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("result", Text),
    Column("attempts", Integer, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("due_at", String(27)),
    Column("lease", String(32)),
    Column("reason", Text, nullable=False),
    #: What an undo of the step needs that asked for this job; null as soon as a worker has taken it.
    Column("undo", Text),
    UniqueConstraint("instance", "element", "visit"),
    Index("ix_job_operator_due", "operator", "due_at"),
)
#: The few jobs whose steps can be undone, by who took the step.
Index("ix_job_undo", job.c.actor, sqlite_where=job.c.undo.is_not(None), postgresql_where=job.c.undo.is_not(None))

request = Table(
    "request",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("body_hash", Bytes, nullable=False),
    Column("instance", String(12), ForeignKey("instance.id"), nullable=False),
)

#: What people viewed, attempted, set and exported: one chain for the whole database, like the steps of one case. The
#: columns other than *body* repeat parts of it for searches.
audit_event = Table(
    "audit_event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", Bytes, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("at", String(27), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("business_key", String(200), nullable=False),
    Index("ix_audit_event_actor", "actor", "seq"),
    Index("ix_audit_event_subject", "subject", "seq"),
    Index("ix_audit_event_business_key", "business_key", "seq"),
    Index("ix_audit_event_kind", "kind", "seq"),
    Index("ix_audit_event_at", "at", "seq"),
)
#: The newest change of an account, asked with every sign-in.
_SETTING = text("kind = 'SettingChanged'")
Index(
    "ix_audit_event_setting",
    audit_event.c.subject,
    audit_event.c.seq,
    sqlite_where=_SETTING,
    postgresql_where=_SETTING,
)

#: The leaves of the Merkle tree in order, from 0: steps and audit events (with an empty instance and their seq as the
#: revision). Only checkpoints write them.
leaf = Table(
    "leaf",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("instance", String(12), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("hash", Bytes, nullable=False),
    UniqueConstraint("instance", "revision"),
)

#: A signed tree head: *line* as in the checkpoint file, *peaks* (hex) from which the next one continues.
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("line", Text, nullable=False),
    Column("peaks", Text, nullable=False),
)

append_only.keep(step, "instance", "revision", unless=append_only.EMPTIED)
append_only.keep(audit_event, "seq")
append_only.keep(leaf, "instance", "revision")
#: The peaks follow from the leaves, and the signed root says which are right: a repair may set them.
append_only.keep(checkpoint, "number", unless="NEW.number = OLD.number AND NEW.line = OLD.line")
