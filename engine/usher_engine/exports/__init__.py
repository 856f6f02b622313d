"""Exports of the history: JSON Lines with proof, XES, OCEL 2.0, FHIR AuditEvent and CSV (engine/exports.md).

`Export` checks what is asked, tells the audit stream, and gives the file piece by piece; `verify_export` checks one
without a database, `evidence` is what the bundle of one case carries.
"""

from ..store.export_rows import Selection
from .atomic_file import write_file
from .evidence_bundle import Evidence, evidence, sealed, verify_file
from .export import FORMATS, Export, Format, period
from .offline_verifier import verify_export

__all__ = [
    "FORMATS",
    "Evidence",
    "Export",
    "Format",
    "Selection",
    "evidence",
    "period",
    "sealed",
    "verify_export",
    "verify_file",
    "write_file",
]
