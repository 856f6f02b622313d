"""Merges two people's changes of one form by its fields, or of one decision table by its rows.

Fields or rows that only one of them changed go together. One that both changed, another order and every other change
are left to a person (None), as `definitions/diagram_merge.py` does for diagrams.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy

from ..core.errors import InvalidDefinition
from ..definitions import Package, XmlElement, XmlTree, parse_xml, xml_text
from .change import Change, ChangeKind
from .package_changes import compare
from .single_changes import with_field


def merge_form(base: bytes, theirs: bytes, mine: bytes, path: str) -> bytes | None:
    """The form with the fields that *theirs* and *mine* changed of *base*; None where a person has to choose."""
    keys = _changed_apart(base, theirs, mine, path, "field")
    if keys is None:
        return None
    form, own = (json.loads(content.decode("utf-8-sig")) for content in (theirs, mine))
    for key in keys:
        form = with_field(key, own, form)
    return f"{json.dumps(form, indent=2, ensure_ascii=False)}\n".encode()


def merge_table(base: bytes, theirs: bytes, mine: bytes, path: str) -> bytes | None:
    """The decision tables with the rows that *theirs* and *mine* changed of *base*; None as for `merge_form`."""
    keys = _changed_apart(base, theirs, mine, path, "row")
    if keys is None:
        return None
    tree, own = parse_xml(theirs, path), parse_xml(mine, path)
    there, here = _rules(tree), _rules(own)
    if any(key not in there and key not in here for key in keys):
        return None  # a row without an id
    for key in keys:
        _take_rule(key, there, here)
    return xml_text(tree)


def _changed_apart(base: bytes, theirs: bytes, mine: bytes, path: str, thing: str) -> list[str] | None:
    """What *mine* changed of *base*; None where it, or *theirs*, is more than fields or rows, or one is of both."""
    try:
        there, here = (_changes(base, content, path) for content in (theirs, mine))
    except InvalidDefinition:
        return None
    if not _only(thing, [*there, *here]) or {one.key for one in there} & {one.key for one in here}:
        return None
    return [one.key for one in here]


def _changes(base: bytes, content: bytes, path: str) -> tuple[Change, ...]:
    return tuple(compare(Package({path: base}), Package({path: content})).changes)


def _only(thing: str, changes: Iterable[Change]) -> bool:
    return all(one.thing == thing and one.kind is not ChangeKind.MOVED for one in changes)


def _rules(tree: XmlTree) -> dict[str, XmlElement]:
    found = (one for one in tree.getroot().iter() if one.tag.endswith("}rule"))
    return {str(one.get("id")): one for one in found if one.get("id")}


def _take_rule(key: str, there: dict[str, XmlElement], here: Mapping[str, XmlElement]) -> None:
    """Make the row *key* of *there* what it is in *here*: changed, gone, or new behind the same row."""
    present, wanted = there.get(key), here.get(key)
    if wanted is None:
        if present is not None:
            _table(present).remove(there.pop(key))
        return
    copied = deepcopy(wanted)
    if present is not None:
        _table(present).replace(present, copied)
    else:
        _insert(copied, wanted, there)
    there[key] = copied


def _insert(new: XmlElement, wanted: XmlElement, there: Mapping[str, XmlElement]) -> None:
    before = [one.get("id") for one in wanted.itersiblings(preceding=True)]
    behind = next((there[str(one)] for one in before if str(one) in there), None)
    if behind is not None:
        behind.addnext(new)
        return
    after = next((there[str(one.get("id"))] for one in wanted.itersiblings() if str(one.get("id")) in there), None)
    if after is not None:
        after.addprevious(new)


def _table(rule: XmlElement) -> XmlElement:
    table = rule.getparent()
    if table is None:
        raise ValueError("rule")
    return table
