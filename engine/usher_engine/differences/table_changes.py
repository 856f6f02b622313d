"""Compares two versions of decision tables: decisions, columns, and rows cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..core.errors import InvalidDefinition
from ..definitions import Column, Decision, Package, Table, parse_xml, read_decisions
from .change import Aspect, Change, ChangeKind, Facts, changes_of
from .list_order import out_of_order


def decisions_of(package: Package, file: str) -> dict[str, Decision] | None:
    """Return the decisions of one file by id; None if the file is not readable as DMN."""
    try:
        found = read_decisions(parse_xml(package.files[file], file), file)
    except InvalidDefinition:
        return None
    return {decision.id: decision for decision in found.decisions} if found.namespace else None


def decision_changes(file: str, before: Mapping[str, Decision], after: Mapping[str, Decision]) -> Iterator[Change]:
    def make(kind: ChangeKind, key: str, aspects: tuple[Aspect, ...]) -> Change:
        name = (after.get(key) or before[key]).name
        return Change(kind=kind, file=file, thing="decision", key=key, name=name, aspects=aspects)

    facts_before = {key: _decision(decision) for key, decision in before.items()}
    yield from changes_of(facts_before, {key: _decision(decision) for key, decision in after.items()}, make)
    for key in before:
        old, new = before[key].table, after[key].table if key in after else None
        if old is not None and new is not None:
            yield from _table_changes(file, after[key].name or key, old, new)


def _decision(decision: Decision) -> dict[str, str]:
    facts = {
        "name": decision.name,
        "variable": decision.variable,
        "requires": ", ".join(decision.requires),
        "expression": decision.expression or "",
        "type": decision.type,
        "others": ", ".join(decision.others),
    }
    if decision.table is not None:
        facts["hit policy"] = f"{decision.table.hit_policy} {decision.table.aggregation}".strip()
    return {name: value for name, value in facts.items() if value}


def _table_changes(file: str, decision: str, old: Table, new: Table) -> Iterator[Change]:
    for thing, before, after in (
        ("input column", old.inputs, new.inputs),
        ("output column", old.outputs, new.outputs),
    ):
        names = {column.id: column.label or column.text for column in (*before, *after)}
        yield from _in_table(_Place(file, decision, thing, names), _columns(before), _columns(after))
    labels = _labels(old) | _labels(new)
    rows, now = _rows(old, labels), _rows(new, labels)
    numbers = {key: str(n) for facts in (rows, now) for n, key in enumerate(facts, start=1)}
    yield from _in_table(_Place(file, decision, "row", numbers), rows, now)


@dataclass(frozen=True)
class _Place:
    """Location of a table change, and the names of its columns or rows."""

    file: str
    decision: str
    thing: str
    names: Mapping[str, str]


def _in_table(place: _Place, before: Facts, after: Facts) -> Iterator[Change]:
    def make(kind: ChangeKind, key: str, aspects: tuple[Aspect, ...]) -> Change:
        name = place.names.get(key, "")
        return Change(
            kind=kind, file=place.file, thing=place.thing, key=key, name=name, part_of=place.decision, aspects=aspects
        )

    yield from changes_of(before, after, make, out_of_order(list(before), list(after)))


def _columns(columns: Iterable[Column]) -> Facts:
    return {column.id: _column(column) for column in columns}


def _column(column: Column) -> dict[str, str]:
    facts = {
        "label": column.label,
        "expression or name": column.text,
        "type": column.type,
        "values": column.values,
        "default": column.default or "",
    }
    return {name: value for name, value in facts.items() if value}


def _labels(table: Table) -> dict[str, str]:
    """The label of each column, by id."""
    sides = (("when", table.inputs), ("then", table.outputs))
    return {column.id: f"{word} {column.label or column.text}" for word, columns in sides for column in columns}


def _rows(table: Table, labels: Mapping[str, str]) -> Facts:
    """Return the cells of each row by column label; a row without an id is identified by its cells."""
    found: dict[str, dict[str, str]] = {}
    columns = (*table.inputs, *table.outputs)
    for row in table.rows:
        cells = (*row.inputs, *row.outputs)
        facts = {labels[column.id]: cell for column, cell in zip(columns, cells, strict=False) if cell not in ("", "-")}
        key = " | ".join(cells) if "_unnamed_" in row.id else row.id
        found.setdefault(key, facts | ({"note": row.description} if row.description else {}))
    return found
