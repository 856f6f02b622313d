"""The changes between two versions in words, and the marks on the two diagrams. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from usher_engine.differences import Change, ChangeKind, Comparison

from ..words.presentation import joined

#: The label of each kind of change, and the sign next to it.
WORDS = {
    ChangeKind.ADDED: ("Added", "+"),
    ChangeKind.REMOVED: ("Removed", "−"),
    ChangeKind.CHANGED: ("Changed", "≠"),
    ChangeKind.REROUTED: ("Leads elsewhere", "↷"),
    ChangeKind.MOVED: ("Only moved", "↔"),
}
_DID = {
    ChangeKind.CHANGED: "changed",
    ChangeKind.ADDED: "added",
    ChangeKind.REMOVED: "removed",
    ChangeKind.REROUTED: "rerouted",
    ChangeKind.MOVED: "only moved",
}
#: Things that are not elements of a diagram, with their singular and plural.
_THINGS = {
    "form": ("form", "forms"),
    "field": ("form field", "form fields"),
    "decision": ("decision", "decisions"),
    "input column": ("table column", "table columns"),
    "output column": ("table column", "table columns"),
    "row": ("table row", "table rows"),
    "file": ("file", "files"),
}
_ELEMENTS = ("element", "elements")


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeLine:
    """
    One change as the page lists it.

    *element* is its id in a diagram, empty if no diagram draws it; *shown* is whether the page shows that diagram.
    """

    change: Change
    word: str
    sign: str
    title: str
    element: str
    shown: bool

    @property
    def only_moved(self) -> bool:
        return self.change.kind is ChangeKind.MOVED


def sentence(comparison: Comparison) -> str:
    """All changes counted: “4 elements changed, 1 added, 1 removed and 2 form fields changed.”"""
    counted = Counter((_noun(change), change.kind) for change in comparison.changes)
    if not counted:
        return "The two are the same."
    parts: list[str] = []
    before: tuple[str, str] | None = None
    nouns = [_ELEMENTS, *dict.fromkeys(_THINGS.values())]
    for noun in nouns:
        for kind, did in _DID.items():
            count = counted[noun, kind]
            if count:
                called = "" if noun == before else f" {noun[count > 1]}"
                parts.append(f"{count}{called} {did}")
                before = noun
    return f"{joined(parts)}."


def change_lines(comparison: Comparison, diagrams: Collection[str], shown: str) -> list[ChangeLine]:
    """The changes as the page lists them; *diagrams* are the files that are drawn, *shown* the one on the page."""
    return [
        ChangeLine(
            change=change,
            word=WORDS[change.kind][0],
            sign=WORDS[change.kind][1],
            title=_title(change),
            element=change.key if _is_element(change) and change.file in diagrams and "→" not in change.key else "",
            shown=change.file == shown,
        )
        for change in comparison.changes
    ]


def changed_elements(comparison: Comparison) -> Counter[str]:
    """How many elements of each diagram changed in meaning; those that only moved do not count."""
    relevant = (change for change in comparison.changes if change.kind is not ChangeKind.MOVED)
    return Counter(change.file for change in relevant if _is_element(change))


def first_drawn(listed: Iterable[ChangeLine], most: int = 20) -> str:
    """The ids of the first changes that can be seen on the diagram shown, with spaces between; changes before moves."""
    seen = sorted((one for one in listed if one.element and one.shown), key=lambda one: one.only_moved)
    return " ".join(one.element for one in seen[:most])


def marks(comparison: Comparison, file: str) -> dict[str, dict[str, list[str]]]:
    """The elements the diagram *file* marks, by side and kind; a flow that leads elsewhere is marked as changed."""
    found: dict[str, dict[str, list[str]]] = {"before": {}, "after": {}}
    for change in comparison.changes:
        if not _is_element(change) or change.file != file:
            continue
        kind = "changed" if change.kind is ChangeKind.REROUTED else change.kind.value
        if change.kind is not ChangeKind.ADDED:
            found["before"].setdefault(kind, []).append(change.key)
        if change.kind is not ChangeKind.REMOVED:
            found["after"].setdefault(kind, []).append(change.key)
    return found


def _is_element(change: Change) -> bool:
    return change.thing not in _THINGS


def _noun(change: Change) -> tuple[str, str]:
    return _THINGS.get(change.thing, _ELEMENTS)


def _title(change: Change) -> str:
    if change.thing in ("file", "form"):
        return f"{change.thing.capitalize()} {change.key}"
    called = change.name if change.thing == "row" else f"“{change.name or change.key}”"
    of = f" of {change.part_of if change.thing == 'field' else f'“{change.part_of}”'}" if change.part_of else ""
    return f"{change.thing.capitalize()} {called}{of}"


def lines_of(change: Change) -> list[dict[str, Any]]:
    """The lines of a text file, each as added, removed, kept, or a position in the file."""
    became = {"+": "added", "-": "removed", "@": "place"}
    return [
        {"became": became.get(line[:1], "kept"), "text": line if line.startswith("@") else line[1:]}
        for line in change.lines
    ]
