"""Finds which single change of a package moved a case: the one without which the case goes on as it was recorded.

That is tried, not concluded: the case runs on the package without that change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..bpmn import Diagram, compile_diagram
from ..core.errors import InvalidDefinition
from ..definitions import Package
from ..store import Transaction
from ..store.stored_cases import Record
from .case_backtest import Compared, Kind, Trial, compare

#: How many cases that parted at one place may be tried without result before the next one is not.
VAIN_TRIES = 3


class Alternative(Protocol):
    """A package without one change; *title* names the change, *elements* are what it touches."""

    @property
    def title(self) -> str: ...
    @property
    def elements(self) -> frozenset[str]: ...
    @property
    def without(self) -> Package: ...


#: Takes a recorded package and the other one; returns the latter without each of the changes between them.
Alternatives = Callable[[Package, Package], Sequence[Alternative]]


@dataclass(frozen=True, slots=True)
class Origins:
    """The packages that the cases ran on, by hash, and what takes their difference to another one apart."""

    packages: Mapping[str, Package]
    alternatives: Alternatives


class Causes:
    """Tries cases on packages without one change; compiles each package once."""

    def __init__(self, origins: Origins, trial: Trial) -> None:
        self._origins = origins
        self._trial = trial
        self._alternatives: dict[str, Sequence[Alternative]] = {}
        self._diagrams: dict[tuple[str, str], Diagram | None] = {}
        self._last: dict[tuple[str, ...], str] = {}
        self._vain: Counter[tuple[str, ...]] = Counter()

    def of(self, record: Record, compared: Compared, transaction: Transaction | None) -> str:
        """The title of the change that moved a case; "" where no single one did, or none is known."""
        if compared.kind in (Kind.SAME, Kind.UNREADABLE):
            return ""
        parting = (compared.definition, compared.kind, compared.element, compared.recorded_element)
        if self._vain[parting] >= VAIN_TRIES:
            return ""
        for one in self._likely_first(compared, parting):
            diagram = self._diagram(compared.definition, one)
            if diagram is None:
                continue
            again = compare(record, replace(self._trial, diagram=diagram), transaction)
            if _goes_on(again, compared):
                self._last[parting] = one.title
                return one.title
        self._vain[parting] += 1
        return ""

    def _likely_first(self, compared: Compared, parting: tuple[str, ...]) -> list[Alternative]:
        """The changes, those first that moved such a case before, then those at the place where the ways part."""
        last, at = self._last.get(parting), compared.differs_at
        flows = {way.flows[at] for way in (compared.recorded, compared.draft) if at is not None and at < len(way.flows)}
        near = {compared.element, compared.recorded_element, *flows}
        return sorted(
            self._of_version(compared.definition),
            key=lambda one: (one.title != last, near.isdisjoint(one.elements)),
        )

    def _of_version(self, definition: str) -> Sequence[Alternative]:
        if definition not in self._alternatives:
            before = self._origins.packages.get(definition)
            after = self._trial.diagram.package
            self._alternatives[definition] = () if before is None else self._origins.alternatives(before, after)
        return self._alternatives[definition]

    def _diagram(self, definition: str, one: Alternative) -> Diagram | None:
        key = (definition, one.title)
        if key not in self._diagrams:
            try:
                self._diagrams[key] = compile_diagram(one.without)
            except InvalidDefinition:
                self._diagrams[key] = None  # this change cannot be undone alone
        return self._diagrams[key]


def _goes_on(again: Compared, compared: Compared) -> bool:
    """Whether the case, without the change, goes on as recorded where it parted with it."""
    if again.kind is Kind.SAME:
        return True
    if compared.differs_at is None or again.kind is Kind.FAILED:
        return False
    return again.differs_at is None or again.differs_at > compared.differs_at
