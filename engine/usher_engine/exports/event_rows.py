"""The steps of a case flattened: one value for each event, with who, when and where. What tables and logs are made of.

General over kinds: an event that names an element is told with it, whatever its kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from ..store import Row
from ..store.export_rows import ExportedStep
from .export_source import Source, read

#: What an event of this kind is in the standard life cycle of an activity (IEEE 1849-2023, lifecycle extension).
LIFECYCLE = {
    "ElementEntered": "start",
    "ElementPassed": "complete",
    "ElementCompleted": "complete",
    "ElementCancelled": "ate_abort",
    "UserTaskOpened": "schedule",
    "UserTaskClaimed": "assign",
    "UserTaskReleased": "reassign",
    "UserTaskCancelled": "withdraw",
    "IncidentRaised": "suspend",
    "IncidentResolved": "resume",
    "FactRecorded": "complete",
    "InstanceCancelled": "pi_abort",
}

#: Told by another event of the same step, or about no activity; a table has them, a log for process mining does not.
BESIDE = frozenset({
    "InstanceStarted", "InstanceFinished", "FlowTaken", "DataChanged", "UserTaskCompleted", "ServiceCalled",
    "ServiceRequested", "ServiceCompleted", "ServiceRefused", "ServiceFailed",
})  # fmt: skip

#: Fields of events that are ids, names of the diagram or counts; every other field may hold what a record says.
PLAIN = ("element", "visit", "flow", "group", "operator", "attempt", "outcome", "code", "due", "retry_at", "by")


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """
    One event of a step. *number* counts the events of the step from 1; *activity* is what people call the element.

    *record* is the event as it was written; *beside* are the events of its step a log does not tell of, with the last
    one it tells of.
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
    beside: tuple[Mapping[str, Any], ...] = ()

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
        """Whether a log for process mining tells of it: what is known to, and whatever else names an element."""
        return self.kind in LIFECYCLE or (self.kind not in BESIDE and self.element != "")

    @property
    def data(self) -> dict[str, Any]:
        """The fields that may hold what a record says."""
        return {name: value for name, value in self.record.items() if name not in PLAIN and name != "kind"}

    @property
    def log_data(self) -> dict[str, Any]:
        """`data`, and what stands beside it."""
        return {**self.data, **({"beside": list(self.beside)} if self.beside else {})}


def told_in_log(source: Source, row: Row, steps: Sequence[ExportedStep]) -> Iterator[Happened]:
    """The events of the steps a log for process mining tells of, in order; raises `Corrupt`."""
    for _, group in groupby(happened(source, row, steps), key=attrgetter("revision")):
        found = list(group)
        told = [one for one in found if one.is_activity]
        yield from told[:-1]
        if told:
            yield replace(told[-1], beside=tuple(one.record for one in found if not one.is_activity))


def happened(source: Source, row: Row, steps: Sequence[ExportedStep]) -> Iterator[Happened]:
    """Every event of the steps, in order; raises `Corrupt`."""
    diagram = source.diagram(row.definition)
    names = {element.id: element.name for element in diagram.elements.values() if element.name} if diagram else {}
    for step in steps:
        body = read(row, step)
        for number, record in enumerate(body["events"], start=1):
            yield Happened(
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
