"""Compares two versions of a form field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .change import Aspect, Change, ChangeKind, Facts, changes_of
from .list_order import out_of_order

#: Maximum nesting of field groups; a deeper form is compared as text.
MAX_DEPTH = 20


def fields_of(text: str) -> dict[str, dict[str, str]] | None:
    """Return the facts about each field by key, and about the form under ""; None if the text is not a form."""
    try:
        form = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(form, dict) or not isinstance(form.get("components"), list):
        return None
    found: dict[str, dict[str, str]] = {}
    rest = {key: value for key, value in form.items() if key != "components"}
    found[""] = dict(_flatten(rest))
    return found if _collect_fields(form["components"], "", found, 0) else None


def form_changes(file: str, before: Facts, after: Facts) -> Iterator[Change]:
    """Yield the changes of the fields of one form, and of the form itself."""

    def make(kind: ChangeKind, key: str, aspects: tuple[Aspect, ...]) -> Change:
        facts = after.get(key) or before[key]
        name = facts.get("label", "")
        if not key:
            return Change(kind=kind, file=file, thing="form", key=file, aspects=aspects)
        return Change(kind=kind, file=file, thing="field", key=key, name=name, part_of=file, aspects=aspects)

    yield from changes_of(before, after, make, out_of_order(list(before), list(after)))


def _collect_fields(components: list[Any], group: str, found: dict[str, dict[str, str]], depth: int) -> bool:
    for place, component in enumerate(components):
        if not isinstance(component, dict) or depth > MAX_DEPTH:
            return False
        key = str(component.get("key") or component.get("id") or f"{group}/{place}")
        inner = component.get("components")
        facts = {name: value for name, value in component.items() if name not in ("key", "components", "layout")}
        found[key] = dict(_flatten(facts)) | ({"inside": group} if group else {})
        if isinstance(inner, list) and not _collect_fields(inner, key, found, depth + 1):
            return False
    return True


def _words(name: Any) -> str:
    """Write ``maxLength`` as “max length”."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(name)).lower()


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (label, value) for each value below *value*; lists become JSON, one line per element."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flatten(part, f"{path}, {_words(name)}" if path and path != "validate" else _words(name))
    elif isinstance(value, list):
        yield path, "\n".join(json.dumps(part, ensure_ascii=False, sort_keys=True) for part in value)
    elif isinstance(value, bool):
        yield path, "yes" if value else "no"
    elif value is not None:
        yield path, str(value)
