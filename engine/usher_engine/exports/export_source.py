"""The source of every format: the selected cases, page by page, and their diagrams.

Each page has its own read transaction, so a slow reader holds none open; steps and packages never change.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..bpmn import Diagram, compile_diagram
from ..core.actor import Actor
from ..core.canonical import parse_canonical
from ..core.errors import Corrupt, EngineError
from ..engine import Engine
from ..store import Row, export_rows, tombstones, version_rows
from ..store.export_rows import ExportedEvent, ExportedStep, Selection
from ..store.step_codec import MAX_STEP
from ..store.tombstones import Tombstone

CASES_AT_ONCE = 100
EVENTS_AT_ONCE = 500

#: Called with (cases written, cases in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One export: the selection, who exports when, and the rows that the formats read."""

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
        """Yield every selected case with its steps, in the order of case numbers."""
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

    def purged(self) -> Iterator[tuple[Row, Tombstone, list[ExportedStep]]]:
        """Yield what is left of every purged case in the selection: its row, its tombstone, the hashes of its steps."""
        after = ""
        while True:
            with self.engine.database.read() as tx:
                found = export_rows.page(tx, self.selection, after, CASES_AT_ONCE, purged=True)
                left = [(row, tombstones.find(tx, row.id), steps) for row, steps in found]
            if not found:
                return
            yield from ((row, tombstone, steps) for row, tombstone, steps in left if tombstone is not None)
            after = found[-1][0].id

    def events(self) -> Iterator[ExportedEvent]:
        """Yield the audit events about the selection, in the order of their numbers."""
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
        """Return the diagram with this content hash, or None if it is missing or unreadable."""
        if definition not in self._diagrams:
            try:
                with self.engine.database.read() as tx:
                    self._diagrams[definition] = compile_diagram(version_rows.content(tx, definition))
            except EngineError:
                self._diagrams[definition] = None
        return self._diagrams[definition]


def step_text(row: Row, step: ExportedStep) -> bytes:
    """Return the text of a step as it was hashed; raise `Corrupt`."""
    try:
        return zlib.decompressobj().decompress(step.body, MAX_STEP)
    except (TypeError, zlib.error) as error:
        raise _unreadable(row, step) from error


def read_step(row: Row, step: ExportedStep) -> dict[str, Any]:
    """Return the contents of a step; raise `Corrupt`."""
    try:
        body: dict[str, Any] = parse_canonical(step_text(row, step))
    except ValueError as error:
        raise _unreadable(row, step) from error
    return body


def _unreadable(row: Row, step: ExportedStep) -> Corrupt:
    return Corrupt(
        f"Step {step.revision} of case {row.id} cannot be read; it was altered. Nothing was exported. "
        "Find out more with: usher verify --all"
    )
