"""Imports FHIR R4 Patients from NDJSON: good lines are stored, bad ones reported by number.

Each is merged with what was imported before and what staff corrected since (`import_merge`, decisions/0040).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from ..core.canonical import check_input
from ..core.errors import InvalidSubmission
from ..store import Database
from .import_merge import ImportedPatient
from .patient_registry import Registry
from .redaction import redact

MAX_LINE_BYTES = 1_000_000
BATCH = 500

#: Called after each batch with the lines read and the bad ones among them.
Progress = Callable[[int, int], None]

#: FHIR R4, datatype id.
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class BadLine:
    number: int
    reason: str


@dataclass(kw_only=True, slots=True)
class ImportReport:
    """
    The results of an import; ``bad`` is in order of line number. Blank lines do not count.

    ``kept`` are the patients with a correction that the file would have undone, ``conflicts`` those of them for whom
    the EHR has changed the same thing. ``told`` has what happens to each patient that is not new or the same.
    """

    lines: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    kept: int = 0
    conflicts: int = 0
    bad: list[BadLine] = field(default_factory=list)
    told: list[ImportedPatient] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        told = {"kept": self.kept, "conflicts": self.conflicts, "refused": len(self.bad)}
        return {"new": self.new, "changed": self.changed, "same": self.same, **told}


def import_patients(
    database: Database,
    registry: Registry,
    lines: Iterable[str | bytes],
    *,
    by: str,
    now: datetime,
    progress: Progress | None = None,
    dry: bool = False,
) -> ImportReport:
    """
    Store the Patient of each line; a patient already known keeps the portal status and what staff corrected.

    Each `BATCH` lines are one transaction: an interrupted import keeps whole batches and can be repeated. With *dry*
    nothing is stored; a patient who is in the file twice is then compared twice with the record as it is.
    """
    report = ImportReport()
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    for batch in _batches(numbered):
        patients = [patient for number, line in batch if (patient := _read_or_report(number, line, report)) is not None]
        with database.read() if dry else database.begin() as tx:
            for patient in patients:
                plan = registry.plan_import(tx, patient, now=now) if dry else None
                _count(report, plan or registry.import_one(tx, patient, by=by, now=now))
        report.lines += len(batch)
        if progress is not None:
            progress(report.lines, len(report.bad))
    return report


def _count(report: ImportReport, done: ImportedPatient) -> None:
    report.new += done.outcome == "new"
    report.changed += done.outcome == "changed"
    report.same += done.outcome == "same"
    if done.merged is not None:
        report.kept += bool(done.merged.kept)
        report.conflicts += bool(done.merged.conflicts)
        if done.outcome == "changed" or done.merged.kept:
            report.told.append(done)


def read_patient(line: str | bytes) -> dict[str, Any]:
    """The Patient on a line, ready to store; raises `InvalidSubmission` with a reason that quotes no content."""
    if len(line) > MAX_LINE_BYTES:
        raise InvalidSubmission(f"is longer than {MAX_LINE_BYTES // 1_000_000} MB")
    try:
        found = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidSubmission("is not JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise InvalidSubmission("is not a JSON object")
    if found.get("resourceType") != "Patient":
        raise InvalidSubmission("is not a FHIR Patient (resourceType)")
    if not isinstance(found.get("id"), str) or not _ID.fullmatch(found["id"]):
        raise InvalidSubmission("has no usable id (1 to 64 letters, digits, “-” or “.”)")
    try:
        patient = redact(found)
    except RecursionError:
        raise InvalidSubmission("is nested too deeply") from None
    check_input(patient, where="Patient")
    return patient


def _read_or_report(number: int, line: str | bytes, report: ImportReport) -> dict[str, Any] | None:
    try:
        return read_patient(line)
    except InvalidSubmission as error:
        report.bad.append(BadLine(number=number, reason=error.message))
        return None


def _batches(lines: Iterable[tuple[int, str | bytes]]) -> Iterator[list[tuple[int, str | bytes]]]:
    source = iter(lines)
    while batch := list(islice(source, BATCH)):
        yield batch


def _no_constant(name: str) -> None:
    raise ValueError(name)
