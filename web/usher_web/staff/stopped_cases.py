"""Cases that have stopped, in the inbox of the people who can do something about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from usher_engine import Actor, Instance

from ..casework.patient_labels import Subject, subjects
from ..site import site
from ..words.element_names import names_of

#: Rows above the tasks; all the others are a link away.
SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedCase:
    """A row of the inbox with its way out. *what* names the element that stopped."""

    case: Instance
    patient: Subject | None
    about: str
    what: str


def stopped_cases(actor: Actor, beside: Sequence[str] = ()) -> tuple[StoppedCase, ...]:
    """
    The newest of the cases that have stopped and that *actor* may act on.

    *beside* are the patients on the same page: all are read at once.
    """
    found = site().engine.search.stopped(actor, limit=SHOWN)
    patients = subjects([*(case.business_key for case in found), *beside])
    return tuple(_row(case, patients.get(case.business_key)) for case in found)


def _row(case: Instance, patient: Subject | None) -> StoppedCase:
    names = names_of(case.id)
    what = " and ".join(names.of(element) for element in case.at) or names.process
    return StoppedCase(case=case, patient=patient, about=patient.name if patient else case.business_key, what=what)
