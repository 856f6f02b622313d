"""Findings about data: names that nothing sets, fields and values that do not exist, kinds that do not go together."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from usher_engine.core.errors import InvalidDefinition
from usher_engine.core.shapes import ANYTHING, Shape, kinds
from usher_engine.definitions import Node, Process
from usher_engine.dmn import Decisions, read_package
from usher_engine.expressions import (
    Doubt,
    Inferred,
    KnownData,
    close_to,
    did_you_mean,
    either,
    parsed_expression,
    path_of,
)  # fmt: skip
from usher_engine.forms import deployed_form

from ..definitions.lint_finding import DATA_RULES, Finding, Severity
from .data_flow import ProcessFlow
from .data_readings import Reading, result_name
from .decision_readings import decision_data_findings
from .known_at_start import first_data
from .process_graph import PEOPLE, Sheet
from .remedies import remedy_of
from .shape_fit import Mismatch, mismatches


@dataclass
class DataFlow:
    """
    The data of all processes of a package, followed from the main process into those it calls.

    ``wanted`` maps each name that the first data must hold to the shape that its readers ask for; ``asked`` are names
    they may hold.
    """

    sheets: Mapping[str, Sheet]
    flows: dict[str, ProcessFlow] = field(default_factory=dict)
    wanted: dict[str, Shape] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def follow_data(sheets: Mapping[str, Sheet]) -> DataFlow:
    """Follow the data through the processes *sheets*, which have no errors of other rules."""
    found = DataFlow(sheets)
    if not sheets:
        return found
    decisions = read_package(next(iter(sheets.values())).package)
    order = _callers_first(sheets)
    called = {name for sheet in sheets.values() for name in _called_by(sheet.process)}
    left: dict[str, KnownData] = {}
    for key in (key for key in reversed(order) if key in called):
        left[key] = ProcessFlow(sheets[key], decisions, left).run(KnownData())
    begins: dict[str, KnownData] = {}
    for key in order:
        flow = ProcessFlow(sheets[key], decisions, left)
        flow.run(begins.get(key) or first_data(sheets[key]))
        found.flows[key] = flow
        for node in sheets[key].process.nodes:
            if node.kind == "callActivity" and node.id in flow.entered and node.called in sheets:
                given = flow.entered[node.id]
                begins[node.called] = either(begins[node.called], given) if node.called in begins else given
    for key in order:
        found.findings += _Report(found, found.flows[key], decisions).findings()
    return found


def _callers_first(sheets: Mapping[str, Sheet]) -> list[str]:
    """The processes, each before those it calls; no process calls itself, as the rule `loop` demands."""
    order: list[str] = []

    def visit(key: str) -> None:
        if key in sheets and key not in order:
            for called in _called_by(sheets[key].process):
                visit(called)
            order.append(key)

    for key in sheets:
        visit(key)
    return order[::-1]


def _called_by(process: Process) -> Iterator[str]:
    return (node.called for node in process.nodes if node.kind == "callActivity")


@dataclass
class _Report:
    """The findings of one process."""

    data: DataFlow
    flow: ProcessFlow
    decisions: Decisions

    def __post_init__(self) -> None:
        self.sheet = self.flow.sheet
        self.spellings = frozenset(self.sheet.names.set - {node.id for node in self.sheet.process.nodes})
        self.readings: list[Reading] = []

    def findings(self) -> Iterator[Finding]:
        for node in self.sheet.process.nodes:
            if node.id in self.flow.entered:
                self.readings.clear()
                self.flow.through(node, self.flow.entered[node.id], {}, self.readings.append)
                for reading in self.readings:
                    yield from self._reading(node, reading)
                yield from decision_data_findings(node, self.decisions, self.flow.entered[node.id])
        for way in self.sheet.process.flows:
            data = self.flow.left.get(way.source)
            if way.condition and data is not None:
                reading = Reading(
                    element=way.id, what="the condition", source=way.condition, form="expression", data=data
                )
                yield from self._reading(None, reading)

    def _reading(self, node: Node | None, reading: Reading) -> Iterator[Finding]:
        found = reading.inferred(self.spellings)
        for doubt in found.doubts:
            yield self._finding(reading, doubt)
        yield from self._first(reading, found)
        if reading.wanted and node is not None:
            for mismatch in mismatches(found.shape, reading.wanted):
                yield from self._mismatch(node, reading, mismatch)

    def _finding(self, reading: Reading, doubt: Doubt) -> Finding:
        where = f"In {reading.what}, line {doubt.line}:" if doubt.line > 1 else f"In {reading.what}:"
        severity: Severity = "error" if doubt.certain else "warning"
        found = self.sheet.finding(reading.element, DATA_RULES[doubt.about], f"{where} {doubt.message}", severity)
        return replace(found, remedy=remedy_of(reading, doubt))

    def _first(self, reading: Reading, found: Inferred) -> Iterator[Finding]:
        """Findings on names that only the first data can hold; notes them."""
        self.data.asked |= found.asked
        for name, shape in found.wanted:
            asked = reading.wanted if reading.source.strip() == name else shape
            if not kinds(self.data.wanted.get(name, ANYTHING)):
                self.data.wanted[name] = asked
            shown = [known for known in reading.data.names if reading.data.names[known].first]
            close = close_to(name, {*self.spellings, *reading.data.names} - {name})
            late = name in self.spellings
            if not (shown or late or close):
                continue
            message = f"In {reading.what}: nothing sets “{name}” before this place"
            message += ", and no example begins with it" if shown else ""
            hint = did_you_mean(close) or " The case must begin with it, or the step fails here."
            slip = Doubt(about="unset", message=message, name=name, old=name, new=close)
            finding = self.sheet.finding(reading.element, "data-unset", f"{message}.{hint}", "warning")
            yield replace(finding, remedy=remedy_of(reading, slip))

    def _mismatch(self, node: Node, reading: Reading, mismatch: Mismatch) -> Iterator[Finding]:
        operator = node.service.operator if node.service else ""
        tree = parsed_expression(reading.source)
        path = path_of(tree) if tree is not None else ()
        if mismatch.misfit == "null" and (not path or self._tested(path, reading.data)):
            return
        about = {"unknown": "field", "lacking": "field"}.get(mismatch.misfit, mismatch.misfit)
        rule = DATA_RULES[about]
        severity: Severity = "warning" if mismatch.misfit == "null" else "error"
        taker = f"{operator} in {reading.what}" if operator else reading.what
        form = self._form_of(path, mismatch.path) if mismatch.path else ""
        if form:
            name = mismatch.path[-1]
            message = f"“{name}” {mismatch.message.replace('not taken', f'not taken by {taker}', 1)}."
            yield Finding(file=form, element=name, rule=rule, message=message, severity=severity)
            return
        name = ".".join(mismatch.path) or (ast.unparse(tree)[:80] if tree is not None else "")
        message = f"In {reading.what}: “{name}” {mismatch.message}."
        yield self.sheet.finding(reading.element, rule, message, severity)

    def _tested(self, path: Sequence[str], data: KnownData) -> bool:
        known = data.names.get(path[0])
        return known is None or known.tested

    def _form_of(self, path: Sequence[str], fields: Sequence[str]) -> str:
        """The form whose answer *path* reads, if the first of *fields* is one of its fields."""
        for node in self.sheet.process.nodes if len(path) == 1 else ():
            form = node.properties.get("form", "")
            if node.kind in PEOPLE and result_name(node) == path[0] and form in self.sheet.package.files:
                try:
                    known = deployed_form(self.sheet.package.text(form)).field(fields[0])
                except InvalidDefinition:
                    continue
                if known is not None:
                    return form
        return ""
