"""The log of what people did beside the steps of cases: who signed in, looked, tried, set or exported what."""

from ..store.audit_rows import AuditEvent
from .audit_log import KINDS, AuditKind, AuditLog, Look

__all__ = [
    "KINDS",
    "AuditEvent",
    "AuditKind",
    "AuditLog",
    "Look",
]
