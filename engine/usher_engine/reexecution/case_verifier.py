"""Verifies one case at a time: its hash chain, row and definition, and its re-execution."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from ..bpmn import Diagram, compile_diagram
from ..core import faults
from ..core.errors import Corrupt, EngineError, NotFound
from ..core.events import from_json
from ..core.findings import Finding
from ..core.state import LIVE, InstanceState, fold
from ..services import Services
from ..store import Row, Transaction, instance_rows, tombstones, version_rows
from ..store.stored_cases import Record
from .comment_check import check_files, check_mentions, check_thread
from .continuation_check import check_continuation
from .hash_chain import ReadStep, finding_about, read_chain
from .migration_step import Versions, initial_version, runs_on
from .projection_check import check_projections
from .recorded_services import disable_calls, package_notes
from .rerun import Difference, Rerun
from .search_index_check import check_index


class Verifier:
    """Compiles each definition once. With *seal_key*, also checks that the seal lets Usher resume the stored state."""

    def __init__(self, services: Services, seal_key: bytes | None = None) -> None:
        self._services = disable_calls(services)
        self._seal_key = seal_key
        #: What could not be compared with the record because a package is not installed, or is of another version.
        self.notes: set[str] = set()
        self._definitions: dict[tuple[str, int, str], Diagram | str] = {}

    def check(self, tx: Transaction, record: Record) -> list[Finding]:
        """
        Return the findings about one case; none if its record and re-execution agree.

        For a purged case, only its proof is left to check.
        """
        tombstone = tombstones.find(tx, record.row.id) if record.steps and not record.steps[0][1] else None
        if tombstone is not None:
            return tombstones.check(tx, tombstone)
        process = record.row.process
        steps, state, findings = self.compare(record, lambda *version: self._definition(tx, process, *version))
        if len(steps) == len(record.steps):
            findings += check_projections(record, steps, state) if state else ()
            findings += check_mentions(record, steps)
            findings += check_files(tx, record, steps)
            findings += self._check_state(record.row, steps)
        if state is not None and not findings:
            newest = self._definition(tx, process, record.row.version, record.row.definition)
            findings += check_continuation(record.row, newest, state, steps[-1][0])
        return findings or check_index(tx, record, steps)

    def compare(self, record: Record, versions: Versions) -> tuple[list[ReadStep], InstanceState | None, list[Finding]]:
        """
        Return the readable steps of a case, the state they lead to, and the findings about them and its row.

        *versions* returns the diagrams the case ran on, or why one is invalid. The state is None if re-execution
        stopped. This does not check other rows of the case.
        """
        steps, findings = read_chain(record)
        row, state = record.row, None
        newest, first = versions(row.version, row.definition), versions(*initial_version(row, steps))
        if isinstance(newest, str) or isinstance(first, str):
            findings.append(finding_about(row, None, "definition", newest if isinstance(newest, str) else str(first)))
        else:
            state, difference = self._run_again(row, Rerun(first, row, self._services, versions), steps)
            findings += difference
        if len(steps) == len(record.steps):
            findings += _check_row(record.row, steps, state or _fold(steps))
            findings += check_thread(row, steps)
        return steps, state, findings

    def _definition(self, tx: Transaction, process: str, version: int, definition: str) -> Diagram | str:
        """Return the diagram of a version, or why it is invalid."""
        key = (process, version, definition)
        if key not in self._definitions:
            self._definitions[key] = _compile(tx, *key)
        return self._definitions[key]

    def _run_again(self, row: Row, rerun: Rerun, steps: list[ReadStep]) -> tuple[InstanceState | None, list[Finding]]:
        for revision, body, written in steps:
            self.notes |= package_notes(body.get("packages"), self._services)
            try:
                rerun.step(revision, body, written)
            except Difference as difference:
                return None, [finding_about(row, revision, difference.kind, difference.message, difference.element)]
            except Corrupt as error:
                message = f"Step {revision} cannot be run again: {error}"
                return None, [finding_about(row, revision, "unreadable", message)]
            except Exception as error:  # noqa: BLE001 - an altered body may be anything; its contents must not be shown
                faults.report(error, where="checks", at=f"step {revision} of case {row.id}")
                why = f"it is not a valid step, or Usher has a bug ({type(error).__name__}, see the log)"
                message = f"Step {revision} cannot be run again: {why}."
                return None, [finding_about(row, revision, "unreadable", message)]
        return rerun.state, []

    def _check_state(self, row: Row, steps: list[ReadStep]) -> list[Finding]:
        """Check that the stored state is the one recorded by the newest step, with a seal of this system."""
        last = steps[-1][0] if steps else None
        digest = steps[-1][1].get("state") if steps else None
        if row.state is None:
            missing = digest is not None
            return [finding_about(row, last, "state", "The stored state of this case was removed.")] if missing else []
        if hashlib.sha256(str(row.state).encode()).hexdigest() != digest:
            return [finding_about(row, last, "state", "The stored state is not the one recorded by the newest step.")]
        if self._seal_key is not None and not _is_sealed(self._seal_key, row):
            words = "The seal of the stored state was altered, or USHER_SECRET_KEY was changed; the case cannot go on."
            return [finding_about(row, last, "seal", words)]
        return []


def _is_sealed(key: bytes, row: Row) -> bool:
    seal = row.seal if isinstance(row.seal, bytes) else b""
    return hmac.compare_digest(instance_rows.seal(key, row.state or ""), seal)


def _compile(tx: Transaction, process: str, version: int, definition: str) -> Diagram | str:
    try:
        if version_rows.find(tx, process, version).hash != definition:
            return f"Version {version} of {process} is not the package this case runs on."
        return compile_diagram(version_rows.content(tx, definition))
    except (NotFound, Corrupt) as error:
        return error.message
    except EngineError as error:
        return f"The package this case runs on cannot be read: {error.message}"
    except Exception as error:  # noqa: BLE001 - an altered archive may break in any way
        faults.report(error, where="checks", at=f"version {version} of {process}")
        why = f"it was altered, or Usher has a bug ({type(error).__name__}, see the log)"
        return f"The package this case runs on cannot be read: {why}."


def _fold(steps: list[ReadStep]) -> InstanceState | None:
    """Return the state that the recorded events lead to, or None if they are malformed."""
    try:
        return fold(InstanceState(), [from_json(event) for _, body, _ in steps for event in body["events"]])
    except (Corrupt, KeyError, TypeError, ValueError, AttributeError):
        return None


def _check_row(row: Row, steps: list[ReadStep], state: InstanceState | None) -> list[Finding]:
    """Check that the columns people search by match the history."""
    if not steps or state is None:
        return []
    expected = {"status": state.status, "outcome": state.outcome, "explanation": state.explanation, **_start(steps)}
    expected["ended_at"] = None if state.status in LIVE else _end(steps)
    wrong = {name: (getattr(row, name), value) for name, value in expected.items() if getattr(row, name) != value}
    return [finding_about(row, steps[-1][0], "row", _row_message(name, *pair)) for name, pair in wrong.items()]


def _row_message(column: str, stored: Any, expected: Any) -> str:
    if column in ("explanation", "business_key"):  # may name a patient
        return f"The case's {column.replace('_', ' ')} does not match its history."
    return f"The case's {column.replace('_', ' ')} is {stored or 'empty'}; by its history it is {expected or 'empty'}."


def _start(steps: list[ReadStep]) -> dict[str, Any]:
    body = steps[0][1]
    try:
        started = body["events"][0]
        version, definition = runs_on(steps)
        return {
            "started_at": body["at"],
            "business_key": started.get("business_key", ""),
            "process": started["process"],
            "version": version,
            "definition": definition,
        }
    except (KeyError, IndexError, TypeError, AttributeError):
        return {}


def _end(steps: list[ReadStep]) -> Any:
    """Return the time of the step that ended the case; facts may follow it."""
    ends = {"InstanceFinished", "InstanceCancelled"}
    for _, body, _ in steps:
        if any(event.get("kind") in ends for event in body["events"]):
            return body["at"]
    return None
