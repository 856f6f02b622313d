"""Merges two people's changes of one diagram, element by element, against the diagram that both began from.

Elements are matched by id, their shapes by the element they draw. Changes of different elements go together; an element
that both changed differently is a conflict, which the caller lets a person decide. Where shapes and lines lie is never
one. The result is built from both, so that it does not matter who saved first (decisions/0029).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace

from lxml import etree

from usher_engine.core.errors import InvalidDefinition

from .diagram_records import Document, Record, document_of, token_rank
from .safe_xml import BPMN, XmlElement

#: Choices of a person for an element in conflict.
MINE, THEIRS = "mine", "theirs"


class CannotMerge(InvalidDefinition):
    """The two diagrams cannot be merged element by element."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MergedDiagram:
    """*content* is None while elements are left that both changed: *conflicts* holds their ids."""

    content: bytes | None
    conflicts: tuple[str, ...] = ()


def merge_diagrams(
    base: bytes, theirs: bytes, mine: bytes, name: str, picks: Mapping[str, str] | None = None
) -> MergedDiagram:
    """
    Merge *theirs* and *mine*, which both began as *base*.

    Args:
        base: The diagram before either change.
        theirs: The one that was saved first.
        mine: The other one.
        name: The file's path, for messages.
        picks: For elements in conflict, whose version to take: `MINE` or `THEIRS`.

    Raises:
        CannotMerge: One of them cannot be read, has comments, or names two elements alike.
    """
    try:
        old, there, here = (document_of(content, name) for content in (base, theirs, mine))
    except InvalidDefinition as error:
        raise CannotMerge(problems=error.problems) from error
    if any(there.prefixes.get(prefix, uri) != uri for prefix, uri in here.prefixes.items()):
        raise CannotMerge(problems=[(name, "The two files name their XML namespaces differently.")])
    merge = _Merge(old, there, here, picks or {})
    merged = merge.records()
    if merge.conflicts:
        return MergedDiagram(content=None, conflicts=tuple(sorted(merge.conflicts)))
    content = _written(merged, {**here.prefixes, **there.prefixes})
    document_of(content, name)  # what was built can be read again
    return MergedDiagram(content=content)


def take_elements(present: bytes, kept: bytes, elements: Collection[str], name: str) -> bytes:
    """
    *present* with *elements*, and where they are drawn, as *kept* has them: changed, there again, or gone.

    It is a merge with *kept* on the base where these elements are as in *present* and all others as in *kept*.

    Raises:
        CannotMerge: A file cannot be read, or what stays names what would go.
    """
    try:
        there, here = (document_of(content, name) for content in (present, kept))
    except InvalidDefinition as error:
        raise CannotMerge(problems=error.problems) from error
    keys = dict.fromkeys([*there.records, *here.records])
    chosen = frozenset(elements)
    sides = {key: there if (there.records.get(key) or here.records[key]).owner in chosen else here for key in keys}
    old = {
        key: replace(side.records[key], members=_base_members(key, there, here, chosen))
        for key, side in sides.items()
        if key in side.records
    }
    merge = _Merge(Document(records=old, prefixes={}), there, here, {})
    merged = merge.records()
    if merge.conflicts:
        reason = f"It hangs together with {', '.join(f'“{one}”' for one in sorted(merge.conflicts)[:5])}."
        raise CannotMerge(problems=[(one, reason) for one in sorted(merge.conflicts)])
    content = _written(merged, {**here.prefixes, **there.prefixes})
    document_of(content, name)
    return content


def _base_members(key: str, there: Document, here: Document, chosen: Collection[str]) -> frozenset[tuple[str, str]]:
    """The names of others that leave each as *there* has it, but those of *chosen* as *here* has them."""
    now, then = (
        side.records[key].members if key in side.records else frozenset[tuple[str, str]]() for side in (there, here)
    )
    return frozenset(one for one in now | then if one in (now if one[1] in chosen else then))


class _Merge:
    """One merge at work; *conflicts* collects the elements that both changed."""

    def __init__(self, old: Document, there: Document, here: Document, picks: Mapping[str, str]) -> None:
        self.old, self.there, self.here, self.picks = old, there, here, picks
        self.conflicts: set[str] = set()

    def records(self) -> dict[str, Record]:
        """The elements of the merged diagram by key."""
        keys = dict.fromkeys([*self.old.records, *self.there.records, *self.here.records])
        found = {key: record for key in keys if (record := self._record(key)) is not None}
        while orphans := [key for key, one in found.items() if one.parent and one.parent not in found]:
            for key in orphans:
                if found[key].layout or self._picked(found[key].parent):
                    del found[key]
                else:
                    self._conflict(found[key].parent)
            if self.conflicts:
                return found
        self._drop_shapes_of_nothing(found)
        merged = {key: self._with_children(key, found) for key in found}
        self._check_references(merged)
        self._check_scopes(Document(records=merged, prefixes={}))
        return merged

    def _record(self, key: str) -> Record | None:
        old, there, here = (side.records.get(key) for side in (self.old, self.there, self.here))
        if there is None and here is None:
            return None
        if old is None:
            if there is None or here is None or there.says == here.says:
                return there or here
            return self._decide(key, there, here)
        if there is None or here is None:
            left = there or here
            if left is not None and (left.says == old.says or (left.layout and not self._drawn(left))):
                return None
            return self._decide(key, there, here)
        return self._both(key, old, there, here)

    def _both(self, key: str, old: Record, there: Record, here: Record) -> Record | None:
        if here.says in (old.says, there.says):
            return there
        if there.says == old.says:
            return here
        if here.layout:  # the newest save has it, but for ends of lines that only the other one moved
            return here.joined_with(there, old)
        return self._decide(key, there, here)

    def _decide(self, key: str, there: Record | None, here: Record | None) -> Record | None:
        """The record a person chose; a conflict as long as nobody has. Of layouts, the newest stays."""
        one = there or here
        if one is not None and one.layout:
            return here
        pick = self._picked(key)
        if not pick:
            self._conflict(key)
        return here if pick == MINE else there

    def _picked(self, key: str) -> str:
        return self.picks.get(self._owner(key), "")

    def _conflict(self, key: str) -> None:
        self.conflicts.add(self._owner(key))

    def _owner(self, key: str) -> str:
        """The element with an id that *key* belongs to."""
        for side in (self.there, self.here, self.old):
            if key in side.records:
                return side.records[key].owner
        return key

    def _drawn(self, layout: Record) -> bool:
        """Whether what *layout* draws is left on both sides."""
        return all(layout.draws in side.ids for side in (self.there, self.here))

    def _drop_shapes_of_nothing(self, found: dict[str, Record]) -> None:
        ids = {one.id for one in found.values() if one.id}
        for key in [key for key, one in found.items() if one.draws and one.draws not in ids]:
            if found[key].draws in self.there.ids | self.here.ids:
                del found[key]

    def _with_children(self, key: str, found: Mapping[str, Record]) -> Record:
        """The record with the members and the order of its children merged."""
        sides = [side.records[key] for side in (self.old, self.there, self.here) if key in side.records]
        members = frozenset[tuple[str, str]]()
        if len(sides) == len((self.old, self.there, self.here)):
            old, there, here = sides
            kept = (there.members & here.members) | (there.members - old.members) | (here.members - old.members)
            members = frozenset(kept)
        else:
            members = frozenset[tuple[str, str]]().union(*(one.members for one in sides))
        present = {one.id for one in found.values() if one.id}
        known = self.there.ids | self.here.ids
        members = frozenset(one for one in members if one[1] in present or one[1] not in known)
        children = {f"key {one.tag} {child}" for child, one in found.items() if one.parent == key}
        final = children | {f"in {tag} {text}" for tag, text in members} | set(found[key].opaque)
        orders = [side.records[key].order for side in (self.there, self.here) if key in side.records]
        before = self.old.records[key].order if key in self.old.records else ()
        return replace(found[key], members=members, order=tuple(_order(before, orders, final)))

    def _check_references(self, merged: Mapping[str, Record]) -> None:
        """What names an element that the other person removed is a conflict."""
        ids = {one.id for one in merged.values() if one.id}
        lost = (self.there.ids | self.here.ids) - ids
        for key, one in merged.items():
            if not one.layout and one.references & lost:
                self._conflict(key)

    def _check_scopes(self, merged: Document) -> None:
        """A sequence flow stays in the scope of its ends, and an element in one lane of a set."""
        sides = (self.there, self.here)
        for key, one in merged.records.items():
            if one.tag != f"{{{BPMN}}}sequenceFlow" or not merged.flow_crosses(key):
                continue
            if not any(key in side.records and side.flow_crosses(key) for side in sides):
                self._conflict(key)
        for place, lanes in merged.lanes.items():
            if lanes > 1 and not any(side.lanes[place] > 1 for side in sides):
                self._conflict(place[1])


def _order(before: tuple[str, ...], orders: list[tuple[str, ...]], final: set[str]) -> list[str]:
    """The children *final* in an order that does not depend on which of *orders* comes first."""
    common = set(orders[0]).intersection(*orders[1:]) & final
    lists = [[token for token in order if token in common] for order in orders]
    kept = [token for token in before if token in common]
    reordered = [order for order in lists if [token for token in order if token in kept] != kept]
    spine = min(reordered or lists)
    after: dict[str, list[list[str]]] = {}
    placed = set(spine)
    for order in orders:
        anchor, run = "", list[str]()
        for token in order:
            if token in common:
                after.setdefault(anchor, []).append(run)
                anchor, run = token, []
            elif token in final:
                run.append(token)
        after.setdefault(anchor, []).append(run)
    result: list[str] = []
    for token in ("", *spine):
        result += [token] if token else []
        for run in sorted(after.get(token, []), key=lambda one: [(token_rank(t), t) for t in one]):
            result += [new for new in run if new not in placed]
            placed.update(run)
    result += sorted(final - placed)
    return sorted(result, key=token_rank)


def _written(records: Mapping[str, Record], prefixes: dict[str | None, str]) -> bytes:
    """The records as a file."""
    (root_key,) = [key for key, one in records.items() if not one.parent]
    root = etree.Element(records[root_key].tag, nsmap=prefixes)  # type: ignore[arg-type]  # None is the default
    _fill(root, root_key, records)
    etree.cleanup_namespaces(root, keep_ns_prefixes=[prefix for prefix in prefixes if prefix])
    etree.indent(root, "  ")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"


def _fill(node: XmlElement, key: str, records: Mapping[str, Record]) -> None:
    record = records[key]
    for name, value in record.attributes:
        node.set(name, value)
    node.text = record.text or None
    for child in record.order:
        kind, tag, rest = child.split(" ", 2)
        if kind == "key":
            _fill(etree.SubElement(node, tag), rest, records)
        elif kind == "in":
            etree.SubElement(node, tag).text = rest
        else:
            node.append(deepcopy(record.opaque[child]))
