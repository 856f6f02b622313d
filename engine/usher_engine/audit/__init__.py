"""The audit log of what people did outside the steps of cases: sign-ins, views, refused attempts, changes, exports."""

from ..store.audit_rows import AuditEvent
from .audit_log import KINDS, AuditKind, AuditLog, Look

__all__ = [
    "KINDS",
    "AuditEvent",
    "AuditKind",
    "AuditLog",
    "Look",
]
