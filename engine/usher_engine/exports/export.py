"""One export: what is asked for is checked and told in the audit stream, then the file comes piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..checkpoints import take
from ..core.actor import Actor
from ..core.errors import InvalidSubmission, NotFound
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
    One format: what it is for, how its file ends, its media type, and whether it always holds patients' data.

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
        engine: Whose cases.
        form: A key of `FORMATS`.
        selection: Which cases.
        actor: Who asks; the audit stream tells of it.
        with_data: Also what the data of the cases says; without it the other formats name patients by id only.
        with_audit: Also the audit events that belong to them; FHIR has them in any case.
        told_as: What the audit stream calls the format, where it is not its name.
        progress: Told after each hundred cases.

    Raises:
        InvalidSubmission: The format or the selection cannot be.
        NotFound: A case is not there, or none is in the selection.
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
        told_as: str = "",
        progress: Progress | None = None,
    ) -> None:
        if form not in FORMATS:
            raise _refused("format", f"“{form[:20]}” is no format. Known are: {', '.join(FORMATS)}.")
        self.format = FORMATS[form]
        if with_data and not (self.format.takes_data or self.format.holds_data):
            raise _refused("data", f"{self.format.title} takes no data of cases; leave it out.")
        if with_audit and form != "jsonl":
            raise _refused("audit", "Audit events come with JSON Lines; FHIR AuditEvent has them in any case.")
        self.cases, self.steps = _counted(engine, selection)
        self._engine, self._told_as = engine, told_as or form
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
        """A name for the file; it says when, never whom."""
        named = self._source.selection.cases
        about = f"case-{named[0]}" if len(named) == 1 else "cases"
        return f"usher-{about}-{self._source.at:%Y%m%d-%H%M%S}{self.format.ending}"

    def pieces(self) -> Iterator[bytes]:
        """
        The file. Before its first byte the audit stream is told, and for a proof all that is new is signed.

        Raises:
            Corrupt: What is to be proven does not fit the record any more, now or while the pieces are read.
            Misconfigured: The signing key or the checkpoint file cannot be used.
        """
        source = self._source
        told = {
            "format": self._told_as,
            "cases": self.cases,
            "steps": self.steps,
            "data": source.with_data,
            "audit": source.with_audit,
            "selection": {**source.selection.told, "cases": list(source.selection.cases[:50])},
        }
        subject = source.selection.cases[0] if len(source.selection.cases) == 1 else ""
        with self._engine.database.read() as tx:
            about = export_rows.business_key(tx, subject)
        self._engine.audit.record("Exported", told, actor=source.actor, subject=subject, business_key=about)
        if self.format.name == "jsonl":
            take(self._engine.database, self._engine.settings, source.at)
        return self.format.write(source)


def _counted(engine: Engine, selection: Selection) -> tuple[int, int]:
    """How many cases and steps; raises `InvalidSubmission` and `NotFound`."""
    if selection.since is not None and selection.until is not None and selection.since >= selection.until:
        raise _refused("from", "The period ends before it begins. Exchange its first and its last day.")
    if len(selection.cases) > MAX_NAMED:
        raise _refused("cases", f"At most {MAX_NAMED} cases can be named; choose a period instead.")
    with engine.database.read() as tx:
        missing = sorted(set(selection.cases) - export_rows.known(tx, selection.cases)) if selection.cases else []
        if missing:
            raise NotFound(f"No case has the number {missing[0][:20]}.")
        cases, steps = export_rows.count(tx, selection)
    if not cases:
        raise NotFound("No case was started in this selection; nothing was exported. Choose another period or process.")
    return cases, steps


def _refused(field: str, message: str) -> InvalidSubmission:
    return InvalidSubmission(message, fields={field: message})


def period(first: str, last: str, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """
    (from, before) of a period from the day *first* to the day *last*, both whole days in *zone*; empty is open.

    Raises:
        InvalidSubmission: One is no day (``from``, ``to``), or the period ends before it begins.
    """
    since, until = _day("from", first), _day("to", last)
    if since is not None and until is not None and since > until:
        raise _refused("from", f"The period ends ({last}) before it begins ({first}). Exchange the two days.")
    try:
        after = until + timedelta(days=1) if until else None
    except OverflowError:
        after = None
    return (_midnight(since, zone), _midnight(after, zone))


def _day(field: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise _refused(field, f"“{text[:20]}” is no day. Write it as 2026-05-31.") from None


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone) if day else None
