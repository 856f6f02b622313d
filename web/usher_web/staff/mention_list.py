"""Comments that mention the reader, in their inbox until they have opened the case."""

from __future__ import annotations

from dataclasses import dataclass

from usher_engine.cases import Mention

from ..casework.comment_views import unseen_mentions
from ..casework.patient_labels import Subject, subjects


@dataclass(frozen=True, kw_only=True, slots=True)
class MentionRow:
    """A row above the tasks. *about* is what the case is about: the patient's name, else its business key."""

    mention: Mention
    patient: Subject | None
    about: str


def mention_list(open_case: str = "") -> tuple[MentionRow, ...]:
    """What mentions the reader, newest first; not in *open_case*, which is beside the list and being read."""
    found = [one for one in unseen_mentions() if one.instance != open_case]
    patients = subjects(one.business_key for one in found) if found else {}
    return tuple(_row(one, patients.get(one.business_key)) for one in found)


def _row(mention: Mention, patient: Subject | None) -> MentionRow:
    return MentionRow(mention=mention, patient=patient, about=patient.name if patient else mention.business_key)
