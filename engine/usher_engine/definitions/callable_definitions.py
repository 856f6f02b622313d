"""Lists what elements of a package can call, for selection lists: decisions, and executable processes."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.core.errors import InvalidDefinition

from .bpmn_file import Process, read_diagram
from .dmn_file import read_decisions
from .package import Package
from .safe_xml import parse_xml


def decision_names(package: Package) -> list[tuple[str, str]]:
    """Return (id, name) of each decision in the package's .dmn files; skips unreadable files."""
    found: list[tuple[str, str]] = []
    for path in package.files:
        if path.endswith(".dmn"):
            try:
                file = read_decisions(parse_xml(package.files[path], path), path)
            except InvalidDefinition:
                continue
            found += [(decision.id, decision.name) for decision in file.decisions if decision.id]
    return found


def decision_callers(package: Package, path: str) -> list[str]:
    """Return the ids of the elements, in any diagram, that take a decision of the file *path*."""
    taken = {decision for decision, _ in decision_names(Package({path: package.files[path]}))}
    return [
        node.id
        for process in _processes(package)
        for node in process.nodes
        if node.extensions.get("calledDecisionId", "").strip() in taken
    ]


def _processes(package: Package) -> Iterator[Process]:
    for path in package.diagrams():
        try:
            yield from read_diagram(parse_xml(package.files[path], path), path).processes
        except InvalidDefinition:
            continue


def process_names(package: Package) -> list[tuple[str, str, str]]:
    """Return (id, name, file) of each executable process in the package's diagrams; skips unreadable files."""
    found: list[tuple[str, str, str]] = []
    for path in package.diagrams():
        try:
            diagram = read_diagram(parse_xml(package.files[path], path), path)
        except InvalidDefinition:
            continue
        runs = [process for process in diagram.processes if process.executable and process.id]
        found += [(process.id, process.name, path) for process in runs]
    return found
