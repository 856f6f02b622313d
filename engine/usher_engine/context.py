"""The context shared by all parts of the engine: settings, services, clock, database and compiled diagrams."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from .bpmn import Diagram, compile_diagram
from .services import Services
from .settings import Settings
from .store import Database, Transaction, version_rows

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Context:
    """`engine.Engine` passes it to each part; parts read it and never replace its members."""

    def __init__(
        self, settings: Settings, services: Services, clock: Clock = utc_now, database: Database | None = None
    ) -> None:
        self.settings = settings
        self.services = services
        self.clock = clock
        self.database = database or Database(settings.database_url)
        self._diagrams: dict[str, Diagram] = {}

    @property
    def seal_key(self) -> bytes:
        """The key that seals stored states, so that loading detects an altered one."""
        return b"state:" + self.settings.secret_key.encode()

    def diagram(self, tx: Transaction, definition: str) -> Diagram:
        """The compiled package with the hash *definition*; each process compiles it once. Raises `NotFound`."""
        diagram = self._diagrams.get(definition)
        if diagram is None:
            diagram = compile_diagram(version_rows.content(tx, definition))
            self._diagrams[definition] = diagram
        return diagram
