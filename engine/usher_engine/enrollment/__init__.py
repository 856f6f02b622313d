"""The domain: enrolling patients in the portal. The engine below knows nothing of patients.

Start with `enrollment.py` (the front door) and `enrollment_operators.py` (what a diagram may ask for).
"""

from .days_in_words import day_in_words
from .enrollment import Enrollment, enrollment_services, open_enrollment
from .enrollment_operators import operators
from .funnel import MILESTONES, open_figures
from .invitations import Invitation, LinkClosed, LinkState
from .link_timeline import LinkEvent, LinkMoment, life_of
from .link_watch import LinkWatch
from .mail import preview_mail, sample_values
from .mail_operators import NOT_ELIGIBLE
from .patient_directory import Correction, PatientDirectory, PatientRecord, Response
from .patient_fields import FIELDS, in_sentence
from .patient_registry import Registry
from .patient_response import TERMS, TERMS_VERSION, AlreadyAnswered, Answer, OpenLink, WrongIdentity
from .patients_import import BadLine, ImportReport
from .portal_standing import MAX_REASON, Change, OptOutScope, Standing
from .portal_status import PastAnswer
from .smtp import Sender, smtp_sender
from .statuses import REPORTABLE, PortalStatus, glyph
from .trigger_fields import PROCESS, Template, TriggerField

__all__ = [
    "FIELDS",
    "MAX_REASON",
    "MILESTONES",
    "NOT_ELIGIBLE",
    "PROCESS",
    "REPORTABLE",
    "TERMS",
    "TERMS_VERSION",
    "AlreadyAnswered",
    "Answer",
    "BadLine",
    "Change",
    "Correction",
    "Enrollment",
    "ImportReport",
    "Invitation",
    "LinkClosed",
    "LinkEvent",
    "LinkMoment",
    "LinkState",
    "LinkWatch",
    "OpenLink",
    "OptOutScope",
    "PastAnswer",
    "PatientDirectory",
    "PatientRecord",
    "PortalStatus",
    "Registry",
    "Response",
    "Sender",
    "Standing",
    "Template",
    "TriggerField",
    "WrongIdentity",
    "day_in_words",
    "enrollment_services",
    "glyph",
    "in_sentence",
    "life_of",
    "open_enrollment",
    "open_figures",
    "operators",
    "preview_mail",
    "sample_values",
    "smtp_sender",
]
