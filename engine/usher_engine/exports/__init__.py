"""Exports of the history: JSON Lines with proof, XES, OCEL 2.0, FHIR AuditEvent and CSV (engine/exports.md).

`Export` checks the request, records it in the audit stream, and yields the file piece by piece; `verify_export` checks
a file without a database; `evidence` collects the contents of the evidence bundle for one case.
"""

from ..store.export_rows import Selection
from .atomic_file import write_file
from .csv_table import csv_row
from .evidence_bundle import Evidence, evidence, seal, verify_file
from .export import FORMATS, Export, Format, period
from .offline_verifier import verify_export

__all__ = [
    "FORMATS",
    "Evidence",
    "Export",
    "Format",
    "Selection",
    "csv_row",
    "evidence",
    "period",
    "seal",
    "verify_export",
    "verify_file",
    "write_file",
]
