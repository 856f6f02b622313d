"""Processes that start by themselves after an operator has done its work elsewhere (`startsAfter`; decisions/0030)."""

from __future__ import annotations

import logging
from typing import Any

from ..core.actor import SYSTEM
from ..core.canonical import Json
from ..core.errors import EngineError, Unavailable
from ..definitions import STARTS_AFTER, Package, parse_xml, read_diagram
from ..engine import Engine
from ..store import Job

log = logging.getLogger(__name__)


class FollowingProcesses:
    """Starts a case of every process whose start event says that it follows an operator."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._followed: dict[str, str] = {}  # operator by hash of the package, which never changes

    def start(self, job: Job, result: Json) -> None:
        """
        Start the cases that follow *job*, each once over all attempts.

        A case is about what the case of *job* is about. It begins with the operator's parameters and ``cause``: the
        number of the case, the operator and its *result*. A case that itself follows starts no others, so that two
        processes cannot set each other off for ever. A process that cannot be started, for example because it is
        paused, is logged and keeps no mail and no other case waiting.

        Raises:
            Unavailable: The database does not answer; to be tried again.
        """
        following = self._following(job.operator)
        if not following:
            return
        case = self.engine.queries.instance(job.instance)
        if self._operator_of(self.engine.queries.package_of(job.instance)):
            return
        given = {name: value for name, value in job.parameters.items() if value is not None}
        cause: dict[str, Any] = {"case": job.instance, "operator": job.operator, "result": result}
        for process in following:
            try:
                self.engine.starts.start(
                    process,
                    {**given, "cause": cause},
                    actor=SYSTEM,
                    key=f"{job.instance}:{job.element}:{job.visit}",
                    source=f"after:{process}",
                    business_key=case.business_key,
                    keeps_others=True,
                )
            except Unavailable:
                raise
            except EngineError as error:
                log.warning("%s was not started after case %s: %s", process, job.instance, error.message)

    def _following(self, operator: str) -> list[str]:
        """The processes whose version in force follows *operator*."""
        latest = {version.process: version for version in reversed(self.engine.versions.all())}
        return [
            process
            for process, version in sorted(latest.items())
            if self._operator_of(self.engine.versions.diagram(process).package, version.hash) == operator
        ]

    def _operator_of(self, package: Package, definition: str = "") -> str:
        """The operator that the main process of *package* follows; empty for none."""
        known = definition or package.hash
        if known not in self._followed:
            self._followed[known] = _followed_operator(package)
        return self._followed[known]


def _followed_operator(package: Package) -> str:
    for path in package.diagrams():
        for process in read_diagram(parse_xml(package.files[path], path), path).processes:
            if process.id == package.key:
                starts = [node for node in process.nodes if node.kind == "startEvent" and node.scope == process.id]
                return next((node.properties.get(STARTS_AFTER, "").strip() for node in starts), "")
    return ""
