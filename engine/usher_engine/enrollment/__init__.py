"""The domain: enrolling patients in the portal. The engine below knows nothing of patients.

Start with `enrollment.py` (the front door) and `enrollment_operators.py` (what a diagram may ask for).
"""

from .address_slips import meant_address
from .days_in_words import day_in_words
from .eligibility import replaced_by
from .enrollment import Enrollment
from .enrollment_opening import enrollment_services, open_enrollment
from .enrollment_operators import operators
from .funnel import MILESTONES, open_figures
from .import_conflicts import ImportConflict, ImportConflicts, Take
from .import_merge import FieldConflict, ImportedPatient, group_of, members_of
from .invitations import Invitation, LinkClosed, LinkState
from .link_timeline import LinkEvent, LinkMoment, life_of
from .mail import preview_mail, sample_values
from .mail_operators import NOT_ELIGIBLE
from .minute_watch import MinuteWatch
from .patient_directory import Correction, PatientDirectory, PatientRecord, Response
from .patient_fields import FIELDS, in_sentence
from .patient_finder import LOOK_ALIKE_SEEN, PatientFinder
from .patient_index import MOST_ALIKE, FoundPatients
from .patient_registry import Registry
from .patient_response import TERMS, TERMS_VERSION, AlreadyAnswered, Answer, OpenLink, WrongIdentity
from .patients_import import BadLine, ImportReport
from .portal_standing import MAX_REASON, Change, OptOutScope, Standing
from .portal_status import PastAnswer
from .search_marks import Piece, cut, is_typed_number, marked, names_in, unmatched
from .search_terms import TypedSearch
from .smtp import Sender, smtp_sender
from .staff_mail import StaffMail
from .status_following import STATUS_CHANGED
from .statuses import REPORTABLE, PortalStatus, glyph
from .trigger_fields import PROCESS, Template, TriggerField

__all__ = [
    "FIELDS",
    "LOOK_ALIKE_SEEN",
    "MAX_REASON",
    "MILESTONES",
    "MOST_ALIKE",
    "NOT_ELIGIBLE",
    "PROCESS",
    "REPORTABLE",
    "STATUS_CHANGED",
    "TERMS",
    "TERMS_VERSION",
    "AlreadyAnswered",
    "Answer",
    "BadLine",
    "Change",
    "Correction",
    "Enrollment",
    "FieldConflict",
    "FoundPatients",
    "ImportConflict",
    "ImportConflicts",
    "ImportReport",
    "ImportedPatient",
    "Invitation",
    "LinkClosed",
    "LinkEvent",
    "LinkMoment",
    "LinkState",
    "MinuteWatch",
    "OpenLink",
    "OptOutScope",
    "PastAnswer",
    "PatientDirectory",
    "PatientFinder",
    "PatientRecord",
    "Piece",
    "PortalStatus",
    "Registry",
    "Response",
    "Sender",
    "StaffMail",
    "Standing",
    "Take",
    "Template",
    "TriggerField",
    "TypedSearch",
    "WrongIdentity",
    "cut",
    "day_in_words",
    "enrollment_services",
    "glyph",
    "group_of",
    "in_sentence",
    "is_typed_number",
    "life_of",
    "marked",
    "meant_address",
    "members_of",
    "names_in",
    "open_enrollment",
    "open_figures",
    "operators",
    "preview_mail",
    "replaced_by",
    "sample_values",
    "smtp_sender",
    "unmatched",
]
