"""Checks whether the conditions of a gateway without a default cover every case, and which case has no way out."""

from __future__ import annotations

from collections.abc import Iterable

from usher_engine.core.canonical import Json
from usher_engine.core.errors import InvalidDefinition
from usher_engine.definitions import Flow
from usher_engine.expressions import Case, case_of, moment
from usher_engine.forms import Field, deployed_form

from .process_graph import PEOPLE, Sheet


def uncovered_case(sheet: Sheet, flows: list[Flow]) -> str | None:
    """Return the case in which none of *flows* is taken, in words; "" if unknown, None if they cover all cases."""
    cases = [case_of(flow.condition or "") for flow in flows]
    readable = [case for case in cases if case is not None]
    if len(readable) != len(cases) or len({case.path for case in readable}) != 1:
        return ""
    path = readable[0].path
    open_ended = [case for case in readable if case.otherwise]
    named = {k: value for case in readable if not case.otherwise for k, value in _by_meaning(case.values).items()}
    if open_ended:
        # “Anything but a” excludes a; another flow must name the values that all such conditions exclude.
        excluded = [_by_meaning(case.values) for case in open_ended]
        left = {k: value for k, value in excluded[0].items() if k not in named and all(k in one for one in excluded)}
        return _describe(path, left.values()) if left else None
    domain = _domain(sheet, readable[0])
    if domain is None:
        return f"{path} is none of {_list_values(named.values())}"
    left = {key: value for key, value in _by_meaning(domain).items() if key not in named}
    return _describe(path, left.values()) if left else None


def _by_meaning(values: Iterable[Json]) -> dict[tuple[bool, object], Json]:
    """Return *values* by what makes them equal in a condition: true is not 1, and one moment has many spellings."""
    return {(type(v) is bool, (moment(v) or v) if isinstance(v, str) else v): v for v in values}


def _domain(sheet: Sheet, case: Case) -> set[Json] | None:
    """Return every value that the form field tested by *case* can have, or None if no form limits it."""
    for node in sheet.process.nodes:
        form = node.properties.get("form", "")
        variable, _, key = case.path.partition(".")
        if node.kind not in PEOPLE or form not in sheet.package.files:
            continue
        if variable == (node.properties.get("resultVariable") or node.id):
            try:
                field = deployed_form(sheet.package.text(form)).field(key)
            except InvalidDefinition:
                return None
            return _values(field) if field else None
    return None


def _values(field: Field) -> set[Json] | None:
    if field.kind == "checkbox":
        return {True} if field.required else {True, False}
    if field.kind in ("select", "radio"):
        options: set[Json] = {value for value, _ in field.options}
        return options if field.required else options | {""}
    return None


def _describe(path: str, values: Iterable[Json]) -> str:
    return f"{path} is {_list_values(values)}"


def _list_values(values: Iterable[Json]) -> str:
    return " or ".join(sorted("empty" if value == "" else f"“{value}”" for value in values))
