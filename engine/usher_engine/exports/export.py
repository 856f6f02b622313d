"""One export: checks the request, records it in the audit stream, and yields the file piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..checkpoints import take
from ..core.actor import Actor
from ..core.errors import InvalidSubmission, NotFound
from ..core.practice_calendar import Calendar
from ..engine import Engine
from ..store import export_rows
from ..store.export_rows import MAX_NAMED, Selection
from .csv_table import table_lines
from .export_source import Progress, Source
from .fhir_audit_events import fhir_lines
from .jsonl_history import history_lines
from .ocel import ocel_pieces
from .xes import xes_lines


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """
    One format: its purpose, file ending and media type, and whether its files always or optionally hold patient data.

    ``title`` and ``purpose`` are shown to people who choose; `FORMATS` is the list of all.
    """

    name: str
    title: str
    purpose: str
    ending: str
    media: str
    write: Callable[[Source], Iterator[bytes]]
    holds_data: bool = False
    takes_data: bool = True


_ALL = (
    Format(
        name="jsonl",
        title="JSON Lines with proof",
        purpose="Everything that was recorded, with the proof. Can be checked on any machine with the public key.",
        ending=".jsonl",
        media="application/x-ndjson",
        write=history_lines,
        holds_data=True,
    ),
    Format(
        name="xes",
        title="XES for process mining",
        purpose="The path of every case, for process mining (IEEE 1849).",
        ending=".xes",
        media="application/xml",
        write=xes_lines,
    ),
    Format(
        name="ocel",
        title="OCEL 2.0 for process mining",
        purpose="The same by cases, patients, tasks and invitations, for process mining (OCEL 2.0).",
        ending=".json",
        media="application/json",
        write=ocel_pieces,
    ),
    Format(
        name="fhir",
        title="FHIR AuditEvent",
        purpose="Who did or saw what about which patient, for an audit repository (FHIR R4, IHE BALP).",
        ending=".ndjson",
        media="application/fhir+ndjson",
        write=fhir_lines,
        takes_data=False,
    ),
    Format(
        name="csv",
        title="CSV for a spreadsheet",
        purpose="One row for each event, for a spreadsheet.",
        ending=".csv",
        media="text/csv",
        write=table_lines,
    ),
)
FORMATS = {one.name: one for one in _ALL}


class Export:
    """
    The cases of a selection in one format.

    Args:
        engine: The engine with the cases.
        form: A key of `FORMATS`.
        selection: The cases to export.
        actor: Who exports, for the audit stream.
        with_data: Include the data of the cases; without it, formats other than `jsonl` name patients by id only.
        with_audit: Include the audit events about the cases; FHIR always does.
        recorded_as: Name of the format in the audit stream, if not *form*.
        progress: Called after each hundred cases.

    Raises:
        InvalidSubmission: The format or the selection is invalid.
        NotFound: A case does not exist, or the selection is empty.
    """

    def __init__(
        self,
        engine: Engine,
        form: str,
        selection: Selection,
        *,
        actor: Actor,
        with_data: bool = False,
        with_audit: bool = False,
        recorded_as: str = "",
        progress: Progress | None = None,
    ) -> None:
        if form not in FORMATS:
            raise _invalid("format", f"“{form[:20]}” is not a format. The formats are: {', '.join(FORMATS)}.")
        self.format = FORMATS[form]
        if with_data and not (self.format.takes_data or self.format.holds_data):
            raise _invalid("data", f"{self.format.title} cannot contain case data; leave the option out.")
        if with_audit and form != "jsonl":
            raise _invalid("audit", "Only JSON Lines takes this option; FHIR AuditEvent always includes audit events.")
        self.cases, self.steps = _count(engine, selection)
        self._engine, self._recorded_as = engine, recorded_as or form
        self._source = Source(
            engine=engine,
            selection=selection,
            actor=actor,
            at=engine.clock(),
            total=self.cases,
            with_data=with_data or self.format.holds_data,
            with_audit=with_audit,
            progress=progress,
        )

    @property
    def file_name(self) -> str:
        """A name for the file, with the time but never a patient."""
        named = self._source.selection.cases
        about = f"case-{named[0]}" if len(named) == 1 else "cases"
        return f"usher-{about}-{self._source.at:%Y%m%d-%H%M%S}{self.format.ending}"

    def pieces(self) -> Iterator[bytes]:
        """
        Return the file. First record the export in the audit stream and, for a proof, sign all new records.

        Raises:
            Corrupt: The records no longer match their proof, now or while the pieces are read.
            Misconfigured: The signing key or the checkpoint file cannot be used.
        """
        source = self._source
        details = {
            "format": self._recorded_as,
            "cases": self.cases,
            "steps": self.steps,
            "data": source.with_data,
            "audit": source.with_audit,
            "selection": {**source.selection.as_json, "cases": list(source.selection.cases[:50])},
        }
        subject = source.selection.cases[0] if len(source.selection.cases) == 1 else ""
        with self._engine.database.read() as tx:
            about = export_rows.business_key(tx, subject)
        self._engine.audit.record("Exported", details, actor=source.actor, subject=subject, business_key=about)
        if self.format.name == "jsonl":
            take(self._engine.database, self._engine.settings, source.at)
        return self.format.write(source)


def _count(engine: Engine, selection: Selection) -> tuple[int, int]:
    """Return the numbers of cases and steps; raise `InvalidSubmission` or `NotFound`."""
    if selection.since is not None and selection.until is not None and selection.since >= selection.until:
        raise _invalid("from", "The period ends before it begins. Exchange its first and its last day.")
    if len(selection.cases) > MAX_NAMED:
        raise _invalid("cases", f"At most {MAX_NAMED} cases can be named; choose a period instead.")
    with engine.database.read() as tx:
        known = export_rows.existing_cases(tx, selection.cases, engine.settings.calendar) if selection.cases else set()
        missing = sorted(set(selection.cases) - known)
        if missing:
            raise NotFound(f"No case has the number {missing[0][:20]}.")
        cases, steps = export_rows.count(tx, selection)
    if not cases:
        raise NotFound("No case was started in this selection; nothing was exported. Choose another period or process.")
    return cases, steps


def _invalid(field: str, message: str) -> InvalidSubmission:
    return InvalidSubmission(message, fields={field: message})


def period(first: str, last: str, calendar: Calendar) -> tuple[datetime | None, datetime | None]:
    """
    Return (from, before) of the period from day *first* to day *last*, both whole days of *calendar*; empty is open.

    Raises:
        InvalidSubmission: One is not a day (``from``, ``to``), or the period ends before it begins.
    """
    since, until = _day("from", first), _day("to", last)
    if since is not None and until is not None and since > until:
        raise _invalid("from", f"The period ends ({last}) before it begins ({first}). Exchange the two days.")
    try:
        after = until + timedelta(days=1) if until else None
    except OverflowError:
        after = None
    return (_begin(since, calendar), _begin(after, calendar))


def _day(field: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise _invalid(field, f"“{text[:20]}” is not a day. Write it as 2026-05-31.") from None


def _begin(day: date | None, calendar: Calendar) -> datetime | None:
    return calendar.begin_of(day) if day else None
