"""Size limits of a package and its processes: the cost of checking and compiling them grows with their elements."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.core.errors import InvalidDefinition
from usher_engine.definitions import BPMN, FLOW_NODES, Package, parse_as_written

from ..definitions.lint_finding import Finding
from .process_graph import Sheet

MAX_NODES = 300  # a longer one exhausts the engine's parser
MAX_FLOWS = 1_000
MAX_PACKAGE_NODES = 3_000  # checked in about a second


def package_size_findings(package: Package) -> Iterator[Finding]:
    """A finding on the largest process if the package is too large to check."""
    sizes = [size for file in package.diagrams() for size in _sizes(package.files[file], file)]
    total = sum(size for size, _, _ in sizes)
    if total > MAX_PACKAGE_NODES:
        _, file, process = max(sizes)
        message = (
            f"A package has at most {MAX_PACKAGE_NODES:,} elements in all its processes; this one has {total:,}. "
            "Split it into several packages; nothing else was checked."
        )
        yield Finding(file=file, element=process, rule="size", message=message)


def process_size_findings(sheet: Sheet) -> Iterator[Finding]:
    nodes, flows = len(sheet.process.nodes), len(sheet.process.flows)
    if nodes > MAX_NODES:
        message = f"A process has at most {MAX_NODES} elements; this one has {nodes}. Move parts into called processes."
        yield sheet.finding(sheet.process.id, "size", message)
    elif flows > MAX_FLOWS:
        message = f"A process has at most {MAX_FLOWS} flows; this one has {flows}. Move parts into called processes."
        yield sheet.finding(sheet.process.id, "size", message)


def _sizes(content: bytes, file: str) -> Iterator[tuple[int, str, str]]:
    """Yield the number of elements, the file and the id of each process in a file."""
    try:
        root = parse_as_written(content, file).getroot()
    except InvalidDefinition:
        return  # another rule reports it
    for process in root.iter(f"{{{BPMN}}}process"):
        nodes = (str(element.tag).rpartition("}")[2] in FLOW_NODES for element in process.iter(f"{{{BPMN}}}*"))
        yield sum(nodes), file, process.get("id") or ""
