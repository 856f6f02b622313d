"""Compares two versions of a package: diagrams by element, forms by field, decisions by row, other files by line."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.errors import InvalidDefinition
from ..definitions import Package
from .change import Change, ChangeKind, Comparison
from .diagram_changes import diagram_changes, read_diagrams
from .form_changes import fields_of, form_changes
from .table_changes import decision_changes, decisions_of
from .text_changes import text_changes


def compare(before: Package, after: Package) -> Comparison:
    """
    Return the changes from *before* to *after*. Either may be broken: an unreadable file is compared line by line.

    Changes come in reading order: diagrams and decisions first, then forms, then other texts.
    """
    return Comparison(changes=tuple(_changes(before, after)))


def _changes(before: Package, after: Package) -> Iterator[Change]:
    old, new = read_diagrams(before), read_diagrams(after)
    unreadable = (set(before.diagrams()) - old.keys()) | (set(after.diagrams()) - new.keys())
    for file in unreadable:
        old.pop(file, None)
        new.pop(file, None)
    found = list(diagram_changes(old, new))
    yield from found
    reported = {change.file for change in found}
    for file in sorted(set(before.files) | set(after.files), key=_reading_order):
        if before.files.get(file) == after.files.get(file):
            continue
        if file not in {*old, *new}:
            yield from _file_changes(file, before, after)
        elif file not in reported:
            yield _whole_file_change(file, before, after)


def _whole_file_change(file: str, before: Package, after: Package) -> Change:
    """The change of a whole file: added, removed, or equal in meaning but with other notation or positions."""
    kind = ChangeKind.MOVED if file in before.files else ChangeKind.ADDED
    return Change(kind=kind if file in after.files else ChangeKind.REMOVED, file=file, thing="file", key=file)


def _reading_order(file: str) -> tuple[int, str]:
    endings = (".bpmn", ".dmn", ".form")
    return next((place for place, ending in enumerate(endings) if file.endswith(ending)), len(endings)), file


def _file_changes(file: str, before: Package, after: Package) -> Iterator[Change]:
    found = _structured_changes(file, before, after) if file in before.files and file in after.files else None
    if found is None:
        yield from text_changes(file, before.files.get(file), after.files.get(file))
    else:
        yield from found or [_whole_file_change(file, before, after)]


def _structured_changes(file: str, before: Package, after: Package) -> list[Change] | None:
    """The changes within a form or DMN file; None if it is neither or unreadable."""
    if file.endswith(".dmn"):
        old, new = decisions_of(before, file), decisions_of(after, file)
        return None if old is None or new is None else list(decision_changes(file, old, new))
    if file.endswith(".form"):
        was, now = fields_of(_text(before, file)), fields_of(_text(after, file))
        return None if was is None or now is None else list(form_changes(file, was, now))
    return None


def _text(package: Package, file: str) -> str:
    try:
        return package.text(file)
    except InvalidDefinition:
        return ""
