"""Two versions of a package compared: diagrams by element, forms by field, decisions by row, other files by line."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.errors import InvalidDefinition
from ..definitions import Package
from .change import Change, ChangeKind, Comparison
from .diagram_changes import diagram_changes, readable
from .form_changes import fields_of, form_changes
from .table_changes import decision_changes, decisions_of
from .text_changes import text_changes


def compare(before: Package, after: Package) -> Comparison:
    """
    What is different in *after*, which may be broken: a file that cannot be read is compared by its lines.

    Changes come in the order of a reader: what runs first (diagrams, decisions), then forms, then texts.
    """
    return Comparison(changes=tuple(_changes(before, after)))


def _changes(before: Package, after: Package) -> Iterator[Change]:
    old, new = readable(before), readable(after)
    unreadable = (set(before.diagrams()) - old.keys()) | (set(after.diagrams()) - new.keys())
    for file in unreadable:
        old.pop(file, None)
        new.pop(file, None)
    found = list(diagram_changes(old, new))
    yield from found
    told = {change.file for change in found}
    for file in sorted(set(before.files) | set(after.files), key=_reading_order):
        if before.files.get(file) == after.files.get(file):
            continue
        if file not in {*old, *new}:
            yield from _file_changes(file, before, after)
        elif file not in told:
            yield _whole(file, before, after)


def _whole(file: str, before: Package, after: Package) -> Change:
    """A file that came, went, or says the same in other words or at another place."""
    kind = ChangeKind.MOVED if file in before.files else ChangeKind.ADDED
    return Change(kind=kind if file in after.files else ChangeKind.REMOVED, file=file, thing="file", key=file)


def _reading_order(file: str) -> tuple[int, str]:
    endings = (".bpmn", ".dmn", ".form")
    return next((place for place, ending in enumerate(endings) if file.endswith(ending)), len(endings)), file


def _file_changes(file: str, before: Package, after: Package) -> Iterator[Change]:
    found = _inside(file, before, after) if file in before.files and file in after.files else None
    if found is None:
        yield from text_changes(file, before.files.get(file), after.files.get(file))
    else:
        yield from found or [_whole(file, before, after)]


def _inside(file: str, before: Package, after: Package) -> list[Change] | None:
    """The changes within a form or a file of decisions; None where it can be read as neither."""
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
