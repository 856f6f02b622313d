"""Flattens the steps of a case into one row for each event, with who, when and where, for tables and logs.

Independent of event kinds: the row of any event that names an element has the element.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from ..store import Row
from ..store.export_rows import ExportedStep
from .export_source import Source, read_step

#: Transition in the standard life cycle of an activity, by event kind (IEEE 1849-2023, lifecycle extension).
LIFECYCLE = {
    "ElementEntered": "start",
    "ElementPassed": "complete",
    "ElementCompleted": "complete",
    "ElementCancelled": "ate_abort",
    "UserTaskOpened": "schedule",
    "UserTaskClaimed": "assign",
    "UserTaskReleased": "reassign",
    "UserTaskAssigned": "reassign",
    "UserTaskCancelled": "withdraw",
    "IncidentRaised": "suspend",
    "IncidentResolved": "resume",
    "FactRecorded": "complete",
    "InstanceCancelled": "pi_abort",
}

#: Kinds that repeat another event of their step or concern no activity; logs for process mining leave them out.
_LEFT_OUT = frozenset({
    "InstanceStarted", "InstanceFinished", "FlowTaken", "DataChanged", "UserTaskCompleted", "ServiceCalled",
    "ServiceRequested", "ServiceCompleted", "ServiceRefused", "ServiceFailed",
})  # fmt: skip

#: Event fields that are ids, names from the diagram or counts; any other field may contain data of a patient.
_PLAIN = ("element", "visit", "flow", "group", "operator", "attempt", "outcome", "code", "due", "retry_at", "by")


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow:
    """
    One event of a step. *number* counts the events of the step from 1; *activity* is the name of the element.

    *record* is the recorded event. *left_out* are the events of its step that a log leaves out; the last event of the
    step in the log has them.
    """

    row: Row
    revision: int
    number: int
    at: str
    actor: Mapping[str, Any]
    command: str
    kind: str
    activity: str
    record: Mapping[str, Any]
    left_out: tuple[Mapping[str, Any], ...] = ()

    @property
    def element(self) -> str:
        return str(self.record.get("element") or "")

    @property
    def visit(self) -> int | None:
        visit = self.record.get("visit")
        return visit if isinstance(visit, int) else None

    @property
    def lifecycle(self) -> str:
        return LIFECYCLE.get(self.kind, "unknown")

    @property
    def is_activity(self) -> bool:
        """Whether a log for process mining includes the event: of a known kind, or of another that names an element."""
        return self.kind in LIFECYCLE or (self.kind not in _LEFT_OUT and self.element != "")

    @property
    def data(self) -> dict[str, Any]:
        """The fields that may contain data of a patient."""
        return {name: value for name, value in self.record.items() if name not in _PLAIN and name != "kind"}

    @property
    def log_data(self) -> dict[str, Any]:
        """`data`, with the events of its step that the log leaves out."""
        return {**self.data, **({"beside": list(self.left_out)} if self.left_out else {})}


def activity_rows(source: Source, row: Row, steps: Sequence[ExportedStep]) -> Iterator[EventRow]:
    """Yield the events that a log for process mining includes, in order; raise `Corrupt`."""
    for _, group in groupby(event_rows(source, row, steps), key=attrgetter("revision")):
        found = list(group)
        included = [one for one in found if one.is_activity]
        yield from included[:-1]
        if included:
            yield replace(included[-1], left_out=tuple(one.record for one in found if not one.is_activity))


def event_rows(source: Source, row: Row, steps: Sequence[ExportedStep]) -> Iterator[EventRow]:
    """Yield every event of the steps, in order; raise `Corrupt`."""
    diagram = source.diagram(row.definition)
    names = {element.id: element.name for element in diagram.elements.values() if element.name} if diagram else {}
    for step in steps:
        body = read_step(row, step)
        for number, record in enumerate(body["events"], start=1):
            yield EventRow(
                row=row,
                revision=step.revision,
                number=number,
                at=str(body["at"]),
                actor=body["actor"],
                command=str(body["command"]["kind"]),
                kind=str(record["kind"]),
                activity=_activity(record, names),
                record=record,
            )


def _activity(record: Mapping[str, Any], names: Mapping[str, str]) -> str:
    element = str(record.get("element") or "")
    if element:
        return names.get(element, element)
    if record["kind"] == "FactRecorded":
        return str(record.get("name") or "Fact")
    return {"InstanceCancelled": "Case cancelled"}.get(str(record["kind"]), str(record["kind"]))
