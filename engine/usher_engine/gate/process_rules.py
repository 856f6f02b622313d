"""Rules for which processes of a package run: one is started and may call others; the gate reports any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from usher_engine.definitions import BPMN, Diagram, Package, Process, XmlTree, main_processes
from usher_engine.services import Services

from ..definitions.lint_finding import Finding
from .data_names import data_names
from .process_graph import Sheet, quoted

#: Elements that a file may contain instead of a process.
_INSTEAD = ("choreography", "globalChoreographyTask", "conversation", "collaboration")


@dataclass
class Drawn:
    """The readable diagrams of a package, each with its tree."""

    trees: list[tuple[XmlTree, Diagram]] = field(default_factory=list)

    @property
    def executable(self) -> dict[str, Process]:
        return {p.id: p for _, diagram in self.trees for p in diagram.processes if p.executable}

    @property
    def checked(self) -> dict[str, Process]:
        """The processes to check: the executable ones or, if there are none, all with elements."""
        return self.executable or {p.id: p for _, diagram in self.trees for p in diagram.processes if p.nodes}

    def sheets(self, package: Package, services: Services) -> dict[str, Sheet]:
        """Return a sheet for each process to check, by its id."""
        checked = self.checked
        names = data_names(checked.values())
        return {
            process.id: Sheet(diagram.file, process, package, services, checked, names)
            for _, diagram in self.trees
            for process in diagram.processes
            if checked.get(process.id) is process
        }


def process_findings(drawn: Drawn) -> Iterator[Finding]:
    """Findings about processes that never run, and about a missing or ambiguous main process."""
    executable = drawn.executable
    if not drawn.trees:
        message = "The package has no .bpmn file."
        yield Finding(file="", element="", rule="main-process", message=message)
    elif not any(diagram.processes for _, diagram in drawn.trees):
        yield from _no_process(drawn)
    empty = not drawn.checked  # then report at least the pools
    for _, diagram in drawn.trees:
        for process in diagram.processes:
            if process.executable or not (process.nodes or empty or len(diagram.processes) == 1):
                continue
            yield _not_executable(diagram.file, process, others=bool(executable))
    if executable:
        yield from _main(drawn, executable)


def _no_process(drawn: Drawn) -> Iterator[Finding]:
    for tree, diagram in drawn.trees:
        root = tree.getroot()
        found = next((e for kind in _INSTEAD for e in root.iter(f"{{{BPMN}}}{kind}")), root)
        what = str(found.tag).rpartition("}")[2]
        message = f"The file has no process, only a {what}; there is nothing to run. Draw a process."
        yield Finding(file=diagram.file, element=found.get("id") or "", rule="main-process", message=message)


def _not_executable(file: str, process: Process, *, others: bool) -> Finding:
    if others:
        message = "The process is not executable and will never run. Set isExecutable, or remove it."
        return Finding(file=file, element=process.id, rule="executable", message=message, severity="warning")
    message = (
        "The process is not marked as executable, so it cannot be started. Set Executable in its properties "
        "(isExecutable). The gate checked it as if it were."
    )
    return Finding(file=file, element=process.id, rule="executable", message=message)


def _main(drawn: Drawn, executable: Mapping[str, Process]) -> Iterator[Finding]:
    mains = [process.id for process in main_processes(executable.values())]
    if len(mains) == 1:
        return
    if mains:
        names = ", ".join(map(quoted, sorted(mains)[:5]))
        message = f"Several processes could be started: {names}. Keep one executable, or call the others from it."
    else:
        message = "Every executable process is called by another one; one must be the main process."
    for _, diagram in drawn.trees:
        for process in diagram.processes:
            if process.id in (mains or executable):
                yield Finding(file=diagram.file, element=process.id, rule="main-process", message=message)
