"""What every format is written from: the cases selected, page by page, and the names their diagrams give elements.

Each page is a read transaction of its own, so that a slow reader holds nothing open; steps and packages never change.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..bpmn import Diagram, compile_diagram
from ..core.actor import Actor
from ..core.canonical import parsed
from ..core.errors import Corrupt, EngineError
from ..engine import Engine
from ..store import Row, export_rows, version_rows
from ..store.export_rows import ExportedEvent, ExportedStep, Selection
from ..store.step_codec import MAX_STEP

CASES_AT_ONCE = 100
EVENTS_AT_ONCE = 500

#: Told (cases written, of how many).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One export: what is selected, who asked for it when, and what the formats read."""

    engine: Engine
    selection: Selection
    actor: Actor
    at: datetime
    total: int
    with_data: bool = False
    with_audit: bool = False
    progress: Progress | None = None
    _diagrams: dict[str, Diagram | None] = field(default_factory=dict)

    def cases(self) -> Iterator[tuple[Row, list[ExportedStep]]]:
        """Every case selected with its steps, in the order of their numbers."""
        after, done = "", 0
        while True:
            with self.engine.database.read() as tx:
                found = export_rows.page(tx, self.selection, after, CASES_AT_ONCE)
            if not found:
                return
            yield from found
            after, done = found[-1][0].id, done + len(found)
            if self.progress is not None:
                self.progress(done, self.total)

    def events(self) -> Iterator[ExportedEvent]:
        """The audit events that belong to the selection, in the order of their numbers."""
        after = 0
        while True:
            with self.engine.database.read() as tx:
                found = export_rows.events(tx, self.selection, after, EVENTS_AT_ONCE)
            if not found:
                return
            for event in found:
                if type(event.body) is not bytes or type(event.hash) is not bytes:  # an altered row may hold anything
                    raise Corrupt(f"Audit event {event.seq} was altered. Nothing was exported.")
                yield event
            after = found[-1].seq

    def diagram(self, definition: str) -> Diagram | None:
        """The diagram with this content hash; None where it is not there or cannot be read any more."""
        if definition not in self._diagrams:
            try:
                with self.engine.database.read() as tx:
                    self._diagrams[definition] = compile_diagram(version_rows.content(tx, definition))
            except EngineError:
                self._diagrams[definition] = None
        return self._diagrams[definition]


def unpacked(row: Row, step: ExportedStep) -> bytes:
    """The text of a step as it was hashed; raises `Corrupt`."""
    try:
        return zlib.decompressobj().decompress(step.body, MAX_STEP)
    except (TypeError, zlib.error) as error:
        raise _unreadable(row, step) from error


def read(row: Row, step: ExportedStep) -> dict[str, Any]:
    """What a step says; raises `Corrupt`."""
    try:
        body: dict[str, Any] = parsed(unpacked(row, step))
    except ValueError as error:
        raise _unreadable(row, step) from error
    return body


def _unreadable(row: Row, step: ExportedStep) -> Corrupt:
    return Corrupt(
        f"Step {step.revision} of case {row.id} cannot be read; it was altered. Nothing was exported. "
        "Find out more with: usher verify --all"
    )
