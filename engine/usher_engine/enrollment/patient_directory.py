"""The interface to the patient directory, which a FHIR server can implement instead of patient_registry.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from ..core.canonical import Json
from ..settings import Settings
from ..store import Transaction
from . import fhir_contacts
from .eligibility import refusal
from .patient_corrections import read_fields
from .statuses import RESPONSES, PortalStatus
from .timestamps import iso, iso_or_none


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """The patient's answer in force: Declined, or Deferred until a day."""

    status: str
    at: datetime
    until: date | None = None

    def to_json(self) -> dict[str, Json]:
        return {"status": self.status, "at": iso(self.at), "until": self.until.isoformat() if self.until else None}


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientRecord:
    """
    A patient as known now: the FHIR R4 Patient, portal status and opt-outs.

    ``opted_out`` is the practice's flag on the patient; ``address_opted_out`` means that the e-mail address is on the
    opt-out list. ``version`` grows with every change.
    """

    id: str
    resource: dict[str, Any]
    version: int
    status: str
    requested_at: datetime | None = None
    requested_by: str | None = None
    sends: int = 0
    response: Response | None = None
    opted_out: bool = False
    address_opted_out: bool = False
    #: A message if the row was altered outside Usher; such a patient is not invited.
    altered: str = ""
    #: Ids of others in force with the same name and date of birth.
    alike: tuple[str, ...] = ()

    def fields(self, now: datetime, settings: Settings) -> dict[str, str]:
        return read_fields(self.resource, settings.calendar.local(now), settings.birth_sex_sources)

    def spelled_email(self, now: datetime, settings: Settings) -> str:
        """The e-mail address letter for letter as it stands in the record: what the opt-out list is asked about."""
        return fhir_contacts.spelled_email(self.resource, settings.calendar.local(now))

    def guard(self, now: datetime, settings: Settings) -> str | None:
        """Why this patient must not be invited, in one plain sentence; None when nothing stands against it."""
        barred = self.barred(now, settings)
        if barred is not None:
            return barred
        if self.opted_out:
            return "The patient has opted out of e-mail from the practice."
        if self.address_opted_out:
            return "The e-mail address is on the opt-out list."
        return None

    def barred(self, now: datetime, settings: Settings) -> str | None:
        """Why this patient must not enrol, even without an e-mail: the part of `guard` that no opt-out belongs to."""
        return self.altered or refusal(self.resource, settings.calendar.day_of(now), settings.minimum_age)

    def to_json(self, now: datetime, settings: Settings) -> dict[str, Json]:
        """The patient as diagrams see it (operator `patient/load`)."""
        return {
            "id": self.id,
            "status": self.status,
            "guard": self.guard(now, settings),
            "requested_at": iso_or_none(self.requested_at),
            "requested_by": self.requested_by,
            "sends": self.sends,
            "response": self.response.to_json() if self.response and self.status in RESPONSES else None,
            "fields": dict(self.fields(now, settings)),
            "version": self.version,
        }


def unavailable(patient: str) -> PatientRecord:
    """The empty record of a patient while the directory does not respond."""
    return PatientRecord(id=patient, resource={}, version=0, status=PortalStatus.UNAVAILABLE.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """
    The fields an update changed, by key, and the version of the record after it.

    *before* and *after* are the FHIR Patient around the update, for `PatientDirectory.put_back`; empty if none changed.
    """

    changed: tuple[str, ...]
    version: int
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


class PatientDirectory(Protocol):
    """Reads and corrects patients inside the step's transaction; an outside directory must respond quickly."""

    def load(self, tx: Transaction, patient: str, *, now: datetime) -> PatientRecord:
        """The patient; raises `NotFound`, or `ServiceError` when the directory does not respond."""

    def update(
        self, tx: Transaction, patient: str, values: Mapping[str, object], *, by: str, now: datetime
    ) -> Correction:
        """Write fields (keys of `patient_fields.FIELDS`); raises `InvalidSubmission`, `Conflict` or `NotFound`."""

    def put_back(
        self, tx: Transaction, patient: str, correction: Correction, *, by: str, now: datetime
    ) -> int:
        """Undo *correction*; return the record's version. Raises `Conflict` if it was changed since, or `NotFound`."""
