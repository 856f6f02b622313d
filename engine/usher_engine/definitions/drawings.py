"""The diagrams of a package as people look at them: which one is the main one, and which call leads into which.

A file that cannot be read is listed with its problem and hides no other: drafts are shown while they are broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from usher_engine.core.errors import InvalidDefinition

from .bpmn_file import Process, read_diagram
from .flow_node_types import SUB_PROCESSES
from .safe_xml import BPMN, XmlTree, parse_xml

#: The namespace of the diagram interchange, BPMN 2.0.2 clause 12.
DI = "http://www.omg.org/spec/BPMN/20100524/DI"


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """
    One diagram: a BPMN file, or one of several pages of a file that draw different processes.

    ``key`` names it in addresses: the path of the file, then ``#`` and the page if it is not the first. ``page`` is
    the id of its ``BPMNDiagram``, empty for the first one. ``calls`` maps each call activity to the key of the diagram
    that draws the called process. ``problem`` says why the file cannot be read; such a drawing has no processes.
    """

    key: str
    file: str
    page: str = ""
    name: str
    processes: tuple[Process, ...] = ()
    calls: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def draws(self, process: str) -> bool:
        return any(one.id == process for one in self.processes)


def main_processes(processes: Iterable[Process]) -> list[Process]:
    """The executable processes that no executable process calls; a package that can be deployed has exactly one."""
    executable = {one.id: one for one in processes if one.executable}
    called = {node.called for one in executable.values() for node in one.nodes if node.kind == "callActivity"}
    return [one for key, one in executable.items() if key not in called]


def read_drawings(files: Mapping[str, bytes]) -> tuple[Drawing, ...]:
    """
    The diagrams of the BPMN files in *files*: the main one, those it calls in the order of the calls, the others.

    The main one draws the process that a case starts. In a draft with several such processes it is the first of them.
    """
    found = [one for path in sorted(files) if path.endswith(".bpmn") for one in _of_file(path, files[path])]
    homes = {process.id: one.key for one in reversed(found) for process in one.processes}
    linked = [_with_calls(one, homes) for one in found]
    mains = main_processes([process for one in linked for process in one.processes])
    first = [one for main in mains[:1] for one in linked if one.draws(main.id)]
    return tuple(_in_order_of_calls([*first, *linked], {one.key: one for one in linked}))


def _of_file(path: str, content: bytes) -> Iterator[Drawing]:
    try:
        tree = parse_xml(content, path)
    except InvalidDefinition as error:
        yield Drawing(key=path, file=path, name=path, problem=error.problems[0][1] if error.problems else error.message)
        return
    processes = read_diagram(tree, path).processes
    pages = _pages(tree, processes) or [("", tuple(processes))]
    for number, (page, drawn) in enumerate(pages):
        # Processes that no page draws are listed with the first one, so that a call of them leads somewhere.
        undrawn = [one for one in processes if not any(one in others for _, others in pages)]
        shown = (*drawn, *undrawn) if number == 0 else drawn
        key = f"{path}#{page}" if number else path
        yield Drawing(key=key, file=path, page=page if number else "", name=_name(shown) or path, processes=shown)


def _pages(tree: XmlTree, processes: Sequence[Process]) -> list[tuple[str, tuple[Process, ...]]]:
    """(id of the page, processes on it) for each page of processes; pages of single sub-processes open from those."""
    root = tree.getroot()
    pools = {
        str(one.get("id")): [pool.get("processRef") for pool in one.iter(f"{{{BPMN}}}participant")]
        for one in root.iter(f"{{{BPMN}}}collaboration")
    }
    inner = {element.get("id") for kind in SUB_PROCESSES for element in root.iter(f"{{{BPMN}}}{kind}")}
    found = []
    for page in root.iter(f"{{{DI}}}BPMNDiagram"):
        plane = page.find(f"{{{DI}}}BPMNPlane")
        of = plane.get("bpmnElement") or "" if plane is not None else ""
        if of not in inner:
            shown = pools.get(of, [of])
            found.append((page.get("id") or "", tuple(one for one in processes if one.id in shown)))
    return found


def _name(processes: Sequence[Process]) -> str:
    """The name of the process that runs; of several, those that the others do not call."""
    shown = main_processes(processes) or [one for one in processes if one.nodes] or processes
    return ", ".join(one.name or one.id for one in shown)


def _with_calls(one: Drawing, homes: Mapping[str, str]) -> Drawing:
    calls = {
        node.id: homes[node.called]
        for process in one.processes
        for node in process.nodes
        if node.kind == "callActivity" and node.called in homes
    }
    return replace(one, calls=calls)


def _in_order_of_calls(listed: Sequence[Drawing], by_key: Mapping[str, Drawing]) -> list[Drawing]:
    """Each drawing once: as listed, each followed by those it calls, nearest calls first."""
    ordered: dict[str, Drawing] = {}
    for start in listed:
        waiting = [start]
        for one in waiting:
            if one.key not in ordered:
                ordered[one.key] = one
                waiting += [by_key[key] for key in dict.fromkeys(one.calls.values())]
    return list(ordered.values())
