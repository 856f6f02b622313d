"""What the editors of a package complete an expression with: names in the data, words of the language, column types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from usher_engine.core.errors import InvalidDefinition
from usher_engine.definitions import Decision, Node, Package, parse_xml, read_decisions, read_diagram
from usher_engine.dmn import OFFERED_TYPES
from usher_engine.expressions import WORDS
from usher_engine.forms import parse_form

from ..gate.data_names import assigned_names

_ANSWERED = frozenset({"userTask", "manualTask", "receiveTask"})
#: Catching events store the message they receive under their own id or the property resultVariable.
_CATCHING = frozenset({"intermediateCatchEvent", "boundaryEvent", "startEvent"})


@dataclass(frozen=True, kw_only=True, slots=True)
class DataName:
    """
    A name that an element of the package sets in the data of a case.

    Attributes:
        name: As expressions write it.
        title: What sets it, for people: the name of the element.
        kind: record, text, number, list or any.
        fields: The fields of a record as far as they are known, each a `DataName` without fields of its own.
        perhaps: Whether a case may come to an expression without it.
    """

    name: str
    title: str
    kind: str = "any"
    fields: tuple[DataName, ...] = ()
    perhaps: bool = False


def vocabulary_of(package: Package) -> dict[str, Any]:
    """Return ``{"names": […], "words": […], "types": […]}`` as JSON; files that cannot be read add no names."""
    return {
        "names": [asdict(name) for name in data_names(package)],
        "words": [asdict(word) for word in WORDS],
        "types": list(OFFERED_TYPES),
    }


def names_with_shapes(package: Package, offered: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """
    The names of `vocabulary_of`, with the kind, fields and values that the data flow knows, and those it alone knows.

    *offered* are the names at each element, as `Checked.names` has them.
    """
    known: dict[str, dict[str, Any]] = {}
    for one in chain.from_iterable(offered.values()):
        if len(one) > len(known.get(one["name"], ())):
            known[one["name"]] = one
    found = {name.name: asdict(name) for name in data_names(package)}
    for name, one in known.items():
        shape: dict[str, Any] = {key: one[key] for key in ("kind", "fields", "enum") if key in one}
        found[name] = {**found.get(name, {"name": name, "title": one.get("title", "")}), **shape}
    return [found[name] for name in sorted(found)]


def names_by_place(offered: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """
    What each element may read, as ``{"pool": […], "at": {element: […]}}`` of places in the pool, certain names first.

    *offered* are the names at each element, as `Checked.names` has them. What is equal stands in the pool once, and
    ``fields`` are places in it too: most elements read the same records, a few know more of one field.
    """
    pool: dict[str, int] = {}
    entries: list[dict[str, Any]] = []

    def place(name: dict[str, Any]) -> int:
        entry = {**name, "fields": [place(field) for field in name["fields"]]} if "fields" in name else name
        key = json.dumps(entry, sort_keys=True, default=str)
        if key not in pool:
            pool[key] = len(entries)
            entries.append(entry)
        return pool[key]

    return {"at": {element: [place(name) for name in names] for element, names in offered.items()}, "pool": entries}


def data_names(package: Package) -> list[DataName]:
    """Return the names the elements of *package* set, each once, by name."""
    decisions = {decision.id: decision for decision in _decisions(package)}
    found: dict[str, DataName] = {}
    for node in _nodes(package):
        for name in _names_set_by(node, package, decisions):
            known = found.get(name.name)
            if name.name.isidentifier() and (known is None or (name.fields and not known.fields)):
                found[name.name] = name
    return [found[name] for name in sorted(found)]


def _names_set_by(node: Node, package: Package, decisions: dict[str, Decision]) -> Iterator[DataName]:
    title = node.name or node.kind
    if node.kind in _ANSWERED or (node.kind in _CATCHING and "message" in node.events):
        variable = node.properties.get("resultVariable") or node.id
        yield DataName(name=variable, title=title, kind="record", fields=_form_fields(node, package))
    if node.service and node.service.variable:
        yield DataName(name=node.service.variable, title=title)
    if decided := decisions.get(node.extensions.get("calledDecisionId", "").strip()):
        yield from _decided(node.properties.get("resultVariable", ""), title, decided)
    if node.repeat:
        for name in (node.repeat.item, node.repeat.output, node.repeat.result):
            if name:
                yield DataName(name=name, title=title)
    for name in sorted(assigned_names(node)):
        yield DataName(name=name, title=title)


def _decided(variable: str, title: str, decision: Decision) -> Iterator[DataName]:
    outputs = decision.table.outputs if decision.table else ()
    answers = tuple(DataName(name=output.text, title=output.label or title) for output in outputs)
    if not variable:
        yield from answers
    elif len(answers) > 1:
        yield DataName(name=variable, title=title, kind="record", fields=answers)
    else:
        yield DataName(name=variable, title=title)


def _form_fields(node: Node, package: Package) -> tuple[DataName, ...]:
    file = node.properties.get("form", "")
    if file not in package.files:
        return ()
    try:
        form = parse_form(package.text(file))
    except InvalidDefinition:
        return ()
    kinds = {"number": "number", "checkbox": "yes or no", "date": "date"}
    return tuple(DataName(name=one.key, title=one.label, kind=kinds.get(one.kind, "text")) for one in form.fields)


def _nodes(package: Package) -> Iterator[Node]:
    for file in package.diagrams():
        try:
            diagram = read_diagram(parse_xml(package.files[file], file), file)
        except InvalidDefinition:
            continue
        for process in diagram.processes:
            yield from process.nodes


def _decisions(package: Package) -> Iterator[Decision]:
    for file in package.files:
        if file.endswith(".dmn"):
            try:
                yield from read_decisions(parse_xml(package.files[file], file), file).decisions
            except InvalidDefinition:
                continue
