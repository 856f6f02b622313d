"""The portal's own data about a patient and who changed it: status, enrolment request, answers, opt-outs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, insert, or_, select, update

from ..core.email_address import comparable_email_address
from ..core.errors import Conflict
from ..store import Transaction, from_text, to_text, upserts
from ..store.tampered_rows import moment, plausible_values
from . import patient_registry
from .enrollment_tables import email_opt_out, patient_response
from .patient_directory import Response
from .statuses import INVITABLE, PortalStatus
from .timestamps import parse_day


@dataclass(frozen=True, kw_only=True, slots=True)
class PastAnswer:
    """An answer a patient gave; *removed_at* is set once it is no longer in force."""

    status: str
    at: datetime
    until: date | None
    terms: str
    removed_at: datetime | None
    removed_by: str
    removed_reason: str


def hold(tx: Transaction, patient: str) -> None:
    """
    Lock the patient until the transaction ends.

    All code takes locks in the same order: instance, patient, invitation. Other orders deadlock on PostgreSQL.
    """
    patient_registry.find(tx, patient, lock=True)


def set_status(
    tx: Transaction, row: Row[Any], status: str | None, *, by: str, now: datetime, **columns: object
) -> None:
    """
    Change the portal status (None: no longer known) and other *columns* of a patient read with a lock.

    The history of the case that changed it has the reason.
    """
    at = to_text(now)
    patient_registry.change(tx, row, by=by, now=now, portal_status=status, portal_status_at=at, **columns)


def record_request(
    tx: Transaction, patient: str, *, by: str, requested_by: str, now: datetime, answered: bool = False
) -> tuple[str, datetime]:
    """
    Record that an invitation was sent: the patient becomes Pending.

    A repeated send keeps time and name of the first request. If the patient *answered*, or the practice changed the
    status, before the mail was reported, their change stays in force.

    Returns:
        The status and the time of the request.
    """
    row = patient_registry.find(tx, patient, lock=True)
    status = row.portal_status or PortalStatus.UNAVAILABLE.value
    if answered or status not in INVITABLE:
        return status, from_text(row.requested_at) if row.requested_at else now
    again = row.portal_status == PortalStatus.PENDING.value and row.requested_at is not None
    requested_at = row.requested_at if again else to_text(now)
    asked = {"requested_at": requested_at, "requested_by": row.requested_by if again else requested_by}
    set_status(tx, row, PortalStatus.PENDING.value, by=by, now=now, sends=row.sends + 1, **asked)
    return PortalStatus.PENDING.value, from_text(requested_at)


def add_response(
    tx: Transaction, patient: str, status: str, *, until: date | None, terms: str, now: datetime, instance: str
) -> None:
    """Store the patient's own answer permanently, and set the new status."""
    values = {
        "patient": patient,
        "status": status,
        "at": to_text(now),
        "until": until.isoformat() if until else None,
        "terms": terms or None,
        "instance": instance or None,
    }
    tx.execute(insert(patient_response).values(**values))
    set_status(tx, patient_registry.find(tx, patient, lock=True), status, by="patient", now=now)


def remove_response(tx: Transaction, patient: str, *, reason: str, by: str, now: datetime) -> Response | None:
    """
    Remove the answer in force: it stays in the history with *reason*, and the status becomes Not Enrolled.

    Returns:
        The removed answer; None if no answer is in force, and then nothing changes.
    """
    row = patient_registry.find(tx, patient, lock=True)
    standing = patient_registry.standing_response(tx, row)
    if standing is None:
        return None
    marks = {"removed_at": to_text(now), "removed_by": by, "removed_reason": reason}
    ours = patient_response.c
    tx.execute(update(patient_response).where(ours.patient == patient, ours.removed_at.is_(None)).values(**marks))
    set_status(tx, row, PortalStatus.NOT_ENROLLED.value, by=by, now=now)
    return standing


def reopen(tx: Transaction, patient: str, *, by: str, now: datetime) -> datetime | None:
    """Set Locked or Expired back to Not Enrolled; return since when it was so, or None where the status is another."""
    row = patient_registry.find(tx, patient, lock=True)
    if row.portal_status != PortalStatus.LOCKED.value:
        return None
    set_status(tx, row, PortalStatus.NOT_ENROLLED.value, by=by, now=now)
    return from_text(row.portal_status_at)


def close_again(
    tx: Transaction, patient: str, *, since: datetime, reopened_at: datetime, by: str, now: datetime
) -> None:
    """Undo `reopen`. Raises `Conflict` if the portal status has changed meanwhile."""
    row = _require_not_enrolled_since(tx, patient, reopened_at)
    values = {"portal_status": PortalStatus.LOCKED.value, "portal_status_at": to_text(since)}
    patient_registry.change(tx, row, by=by, now=now, **values)


def _require_not_enrolled_since(tx: Transaction, patient: str, at: datetime) -> Row[Any]:
    row = patient_registry.find(tx, patient, lock=True)
    if row.portal_status != PortalStatus.NOT_ENROLLED.value or row.portal_status_at != to_text(at):
        raise Conflict("The portal status has changed since, so what it was before cannot be put back.")
    return row


def restore_response(
    tx: Transaction, patient: str, status: str, *, since: str, removed_at: datetime, by: str, now: datetime
) -> None:
    """
    Put the answer back in force that `remove_response` removed at *removed_at*: *status*, as it stood *since* then.

    Raises `Conflict` if the portal status has changed meanwhile.
    """
    row = _require_not_enrolled_since(tx, patient, removed_at)
    ours = patient_response.c
    marks = {"removed_at": None, "removed_by": None, "removed_reason": None}
    which = (ours.patient == patient, ours.removed_at == to_text(removed_at))
    tx.execute(update(patient_response).where(*which).values(**marks))
    patient_registry.change(tx, row, by=by, now=now, portal_status=status, portal_status_at=since)


def answers(tx: Transaction, patient: str) -> list[PastAnswer]:
    """All answers of a patient, newest first."""
    ours = patient_response.c
    rows = tx.execute(select(patient_response).where(ours.patient == patient).order_by(ours.id.desc())).all()
    return [_answer(row) for row in rows]


def answer_at(tx: Transaction, patient: str, instance: str, at: datetime) -> PastAnswer | None:
    """The answer a patient gave in a case at a moment."""
    ours = patient_response.c
    which = (ours.patient == patient, ours.instance == instance, ours.at == to_text(at))
    row = tx.execute(select(patient_response).where(*which)).first()
    return None if row is None else _answer(row)


def answers_given(tx: Transaction, patient: str) -> list[tuple[str, str, str]]:
    """(case, status, until) of the answers a patient gave in cases, as stored."""
    ours = patient_response.c
    query = select(ours.instance, ours.status, ours.until).where(ours.patient == patient, ours.instance.is_not(None))
    return [(str(case), str(status), str(until or "")) for case, status, until in tx.execute(query)]


def forget_case(tx: Transaction, instance: str) -> None:
    """Remove the answers given in a purged case, except one still in force, on which the status depends."""
    ours = patient_response.c
    later = patient_response.alias()
    replaced = exists().where(later.c.patient == ours.patient, later.c.id > ours.id)
    which = (ours.instance == instance, or_(ours.removed_at.is_not(None), replaced))
    tx.execute(delete(patient_response).where(*which))


def set_practice_opt_out(tx: Transaction, patient: str, opted_out: bool, *, by: str, now: datetime) -> None:
    """Set the practice's own flag: no e-mail to this patient."""
    patient_registry.change(tx, patient_registry.find(tx, patient, lock=True), by=by, now=now, opted_out=opted_out)


def opt_out_address(tx: Transaction, address: str, *, by: str, now: datetime) -> dict[str, Any]:
    """Put an address on the opt-out list; return the entry for the audit event, nothing if it is there already."""
    if opted_out_since(tx, address) is not None:
        return {}
    values = {"address": comparable_email_address(address), "at": to_text(now), "by": by}
    return {"scope": "address", "entry": values["at"]} if upserts.add(tx, email_opt_out, values) else {}


def opt_in_address(tx: Transaction, address: str) -> dict[str, Any]:
    """Remove an address from the opt-out list at its owner's request; return like `opt_out_address`."""
    removed = tx.execute(delete(email_opt_out).where(_stands_for(address)).returning(email_opt_out.c.at))
    entries = [str(at) for at in removed.scalars()]
    return {"scope": "address", "entries": entries} if entries else {}


def opted_out_since(tx: Transaction, address: str) -> tuple[datetime, str] | None:
    """When an address was put on the opt-out list, and by whom; None if it is not on the list."""
    row = tx.execute(select(email_opt_out).where(_stands_for(address)).order_by(email_opt_out.c.at)).first()
    if row is None:
        return None
    values, _ = plausible_values(email_opt_out, row._mapping)
    return moment(values["at"]), str(values["by"] or "")


def _stands_for(address: str) -> ColumnElement[bool]:
    return email_opt_out.c.address.in_(sorted(patient_registry.listed_as(address)))


def _answer(row: Row[Any]) -> PastAnswer:
    values, _ = plausible_values(patient_response, row._mapping)
    return PastAnswer(
        status=values["status"],
        at=moment(values["at"]),
        until=parse_day(values["until"] or ""),
        removed_at=moment(values["removed_at"]) if values["removed_at"] else None,
        **{name: values[name] or "" for name in ("terms", "removed_by", "removed_reason")},
    )
