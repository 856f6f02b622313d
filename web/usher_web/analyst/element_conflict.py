"""Elements of a diagram that two people changed differently: what each made of them, for the choice between. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from usher_engine import InvalidDefinition
from usher_engine.definitions import (
    MINE,
    THEIRS,
    CannotMerge,
    ElementFacts,
    MergedDiagram,
    merge_diagrams,
    parse_xml,
    read_element_facts,
)

#: Begins the name of the field that holds the choice for one element.
PICK = "e."


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One fact about an element; empty where that side does not have it."""

    name: str
    before: str
    theirs: str
    mine: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementConflict:
    """One element; a side that removed it says so."""

    id: str
    title: str
    facts: tuple[Said, ...]
    removed_by: str = ""


def merged_with(
    base: bytes | None, theirs: bytes, mine: bytes, path: str, picks: Mapping[str, str] | None = None
) -> MergedDiagram | None:
    """The merge of the two, or the elements in conflict; None where they cannot be merged by element."""
    if base is None or not path.endswith(".bpmn"):
        return None
    try:
        return merge_diagrams(base, theirs, mine, path, picks)
    except CannotMerge:
        return None


def picks_of(form: Mapping[str, str]) -> dict[str, str]:
    """The choices a form sent, by element."""
    chosen = {name.removeprefix(PICK): value for name, value in form.items() if name.startswith(PICK)}
    return {element: value for element, value in chosen.items() if value in (MINE, THEIRS)}


def conflicts_between(
    base: bytes, theirs: bytes, mine: bytes, path: str, elements: Iterable[str]
) -> list[ElementConflict]:
    """What the two made of *elements*; an element that only an attached part of is in conflict has no facts."""
    before, there, here = (_facts(content, path) for content in (base, theirs, mine))
    return [_conflict(element, before.get(element), there.get(element), here.get(element)) for element in elements]


def _facts(content: bytes, path: str) -> Mapping[str, ElementFacts]:
    try:
        return read_element_facts(parse_xml(content, path))
    except InvalidDefinition:
        return {}


def _conflict(
    element: str, before: ElementFacts | None, theirs: ElementFacts | None, mine: ElementFacts | None
) -> ElementConflict:
    known = before or theirs or mine
    title = f"{known.kind.capitalize()} “{known.name or known.key}”" if known else f"“{element}”"
    old, there, here = (dict(one.facts) if one else {} for one in (before, theirs, mine))
    names = [name for name in dict.fromkeys([*old, *there, *here]) if there.get(name, "") != here.get(name, "")]
    facts = tuple(
        Said(name=name, before=old.get(name, ""), theirs=there.get(name, ""), mine=here.get(name, ""))
        for name in names
        if name != "kind"
    )
    removed = THEIRS if before and not theirs else MINE if before and not mine else ""
    return ElementConflict(id=element, title=title, facts=facts, removed_by=removed)
