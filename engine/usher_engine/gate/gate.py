"""The gate: run every rule on every file of a package and sort the findings in the order a person would fix them.

The same rules lint a package on every save and refuse it at deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from usher_engine.bpmn import compile_diagram
from usher_engine.core.errors import InvalidDefinition
from usher_engine.definitions import Package, parse_xml, process_element, read_diagram, translation_of
from usher_engine.forms import parse_form
from usher_engine.services import Services

from ..definitions.lint_finding import Finding, Rule, Severity
from .certain_load import load_findings
from .data_findings import DataFlow, follow_data
from .decision_rules import decision_findings, decision_task_findings
from .duplicate_catchers import catcher_findings
from .event_rules import event_findings
from .example_rules import example_findings
from .expression_rules import text_findings
from .file_rules import drawing_findings, file_findings, is_bpmn
from .finding_order import sort_findings, with_original_ids
from .following_rules import following_findings
from .link_rules import link_findings
from .loop_rules import loop_findings
from .mail_rules import mail_findings
from .offered_names import offered_names, proposed_start
from .process_graph import Sheet
from .process_rules import Drawn, process_findings
from .root_element_rules import root_findings
from .size_limits import package_size_findings, process_size_findings
from .soundness import soundness_findings
from .start_rules import start_findings
from .structure_rules import reference_findings, structure_findings
from .supported_elements import allowed_findings
from .unsupported_features import unsupported_findings

MAX_FINDINGS = 200

#: Rules whose errors leave the graph whole, so that the data can be followed.
_BESIDE_DATA = frozenset({"decision", "expression", "form", "group", "name", "service"})
#: Rules that rely on resolved references come after the rule that checks references.
_PROCESS_RULES: tuple[Callable[[Sheet], Iterable[Finding]], ...] = (
    allowed_findings,
    reference_findings,
    text_findings,
    following_findings,
    decision_task_findings,
    event_findings,
    catcher_findings,
    link_findings,
    structure_findings,
    loop_findings,
    start_findings,
)


def check_package(package: Package, services: Services) -> list[Finding]:
    """
    Return the findings that concern deploying *package*; it may run if none has severity ``error``.

    Hostile and broken files yield findings, never exceptions.

    Args:
        package: The files to check.
        services: The operators available when the package runs.
    """
    return admit(package, services)[1]


def admit(package: Package, services: Services) -> tuple[Package, list[Finding]]:
    """Return *package* as it would be deployed, vendor extensions translated, with all findings."""
    checked = _checked(package, services, names=False)
    return checked.package, checked.findings


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """
    What the gate found: the *package* as it would be deployed, and its *findings*.

    *names* are those that each element may read, *start* those that a case must begin with (`offered_names.py`); both
    empty if the data could not be followed.
    """

    package: Package
    findings: list[Finding]
    names: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    start: list[dict[str, Any]] = field(default_factory=list)


def check_draft(package: Package, services: Services) -> Checked:
    """Check *package* as `check_package` does, and tell what an editor offers at each element."""
    return _checked(package, services, names=True)


def _checked(package: Package, services: Services, *, names: bool) -> Checked:
    too_large = list(package_size_findings(package))
    if too_large:
        return Checked(package=package, findings=too_large)
    translation = translation_of(package)
    translated = translation.package
    drawn = Drawn()
    data: list[DataFlow] = []
    findings = [*_diagrams(translated, services, drawn, data), *decision_findings(translated)]
    sheets = drawn.sheets(translated, services).values()
    findings += [*_forms(translated), *mail_findings(translated, sheets, services)]
    if len(drawn.trees) == len(translated.diagrams()):  # what an unreadable diagram asks is not known
        findings += example_findings(translated, services, drawn.checked.values())
    if not _has_error([*translation.findings, *findings]):
        findings += _completeness(translated)
    found = [*translation.findings, *with_original_ids(findings, translation.written)]
    diagrams = [diagram for _, diagram in drawn.trees]
    return Checked(
        package=translated,
        findings=_limit(sort_findings(found, diagrams, translation.written)),
        names=offered_names(data[0], translation.written) if data and names else {},
        start=proposed_start(data[0]) if data and names else [],
    )


def _limit(findings: list[Finding]) -> list[Finding]:
    rest = findings[MAX_FINDINGS:]
    if not rest:
        return findings
    severity: Severity = "error" if _has_error(rest) else "warning"
    message = f"There are {len(rest)} more findings; fix these first."
    return [*findings[:MAX_FINDINGS], Finding(file="", element="", rule="more", message=message, severity=severity)]


def _has_error(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _diagrams(package: Package, services: Services, drawn: Drawn, data: list[DataFlow]) -> Iterator[Finding]:
    """Findings about the diagrams; adds each readable one to *drawn*, and how the data flow through them to *data*."""
    ids: dict[str, str] = {}
    broken = False
    for file in package.diagrams():
        try:
            tree = parse_xml(package.files[file], file)
        except InvalidDefinition as error:
            yield from _from_error(error, file, "safe-xml")
            continue
        findings = list(file_findings(file, tree, ids))
        yield from findings
        broken |= _has_error(findings)
        if is_bpmn(tree):
            drawn.trees.append((tree, read_diagram(tree, file)))
            yield from root_findings(file, tree)
    if len(drawn.trees) == len(package.diagrams()):
        yield from process_findings(drawn)
    sheets = drawn.sheets(package, services)
    found: list[Finding] = []
    for tree, diagram in drawn.trees:
        drawable: list[str] = []
        for process in diagram.processes:
            sheet = sheets.get(process.id)
            if sheet is not None and sheet.process is process:
                found += unsupported_findings(diagram.file, process_element(tree, process.id))
                drawable += [node.id for node in process.nodes] + [flow.id for flow in process.flows]
                found += _process(sheet, playable=not broken)
        found += drawing_findings(diagram.file, tree, drawable)
    yield from found
    if not broken and not _has_error(found):
        yield from load_findings(sheets)
    if not broken and not any(one.severity == "error" and one.rule not in _BESIDE_DATA for one in found):
        data.append(follow_data(sheets))
        yield from data[0].findings


def _process(sheet: Sheet, *, playable: bool) -> Iterator[Finding]:
    """Findings about one process; *playable* means that its ids are unique, which the token game requires."""
    too_large = list(process_size_findings(sheet))
    if too_large:
        yield from too_large
        return
    findings = [finding for rule in _PROCESS_RULES for finding in rule(sheet)]
    yield from findings
    if playable and not _has_error(findings):
        yield from soundness_findings(sheet)


def _forms(package: Package) -> Iterator[Finding]:
    for file in package.forms():
        try:
            parse_form(package.text(file))
        except InvalidDefinition as error:
            yield from _from_error(error, file, "form")


def _completeness(package: Package) -> Iterator[Finding]:
    """Completeness: a finding for every drawn element that the compiled diagram lacks."""
    try:
        compiled = compile_diagram(package)
    except InvalidDefinition as error:
        yield from _from_error(error, package.drawings[0].file, "engine")
        return
    flows = set(compiled.flows.values())
    for file in package.diagrams():
        for process in read_diagram(parse_xml(package.files[file], file), file).processes:
            if not process.executable:
                continue
            lost = [node.id for node in process.nodes if node.id not in compiled.elements]
            lost += [flow.id for flow in process.flows if flow.id not in flows]
            for key in lost:
                message = "The engine would silently drop this element. Replace it with a different one."
                yield Finding(file=file, element=key, rule="completeness", message=message)


def _from_error(error: InvalidDefinition, file: str, rule: Rule) -> Iterator[Finding]:
    for element, reason in error.problems or [("", error.message)]:
        where = "" if element in (file, "package", "form") else element
        yield Finding(file=file, element=where, rule=rule, message=reason)
