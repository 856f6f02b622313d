"""Deployed versions of processes, their packages and compiled diagrams. Changes nothing."""

from __future__ import annotations

from ..bpmn import Diagram
from ..context import Context
from ..definitions import Package
from ..store import Version, version_rows


class Versions:
    """Reads deployed versions."""

    def __init__(self, context: Context) -> None:
        self.context, self.database = context, context.database

    def all(self, process: str | None = None) -> list[Version]:
        """Deployed versions, newest first."""
        with self.database.read() as tx:
            return version_rows.versions(tx, process)

    def package(self, process: str, number: int | None = None) -> Package:
        """The package of a version, or of the one in force; raises `NotFound`."""
        return self.diagram(process, number).package

    def diagram(self, process: str, number: int | None = None) -> Diagram:
        """The compiled diagram of a version, or of the one in force; raises `NotFound`."""
        with self.database.read() as tx:
            found = version_rows.latest(tx, process) if number is None else version_rows.find(tx, process, number)
            return self.context.diagram(tx, found.hash)

    def diagram_with(self, definition: str) -> Diagram:
        """The compiled diagram of the package with the hash *definition*; raises `NotFound`."""
        with self.database.read() as tx:
            return self.context.diagram(tx, definition)
