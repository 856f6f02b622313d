"""Gateways without a default: do their conditions cover every case, and if not, which one finds no way out?"""

from __future__ import annotations

from collections.abc import Iterable

from usher_engine.core.canonical import Json
from usher_engine.core.errors import InvalidDefinition
from usher_engine.definitions import Flow
from usher_engine.expressions import Case, case_of, moment
from usher_engine.forms import Field, parse_form

from .process_graph import PEOPLE, Sheet


def uncovered(sheet: Sheet, flows: list[Flow]) -> str | None:
    """The case in which none of *flows* is taken, in words; "" where it cannot be told, None where there is none."""
    cases = [case_of(flow.condition or "") for flow in flows]
    told = [case for case in cases if case is not None]
    if len(told) != len(cases) or len({case.path for case in told}) != 1:
        return ""
    open_ended = [case for case in told if case.otherwise]
    named = {key: value for case in told if not case.otherwise for key, value in _by_meaning(case.values).items()}
    if open_ended:
        # “Anything but a” leaves a; what all of them leave out must be named by another flow.
        kept = [_by_meaning(case.values) for case in open_ended]
        left = {key: value for key, value in kept[0].items() if key not in named and all(key in one for one in kept)}
        return _words(told[0].path, left.values()) if left else None
    domain = _domain(sheet, told[0])
    if domain is None:
        return f"{told[0].path} is none of {_listed(named.values())}"
    left = {key: value for key, value in _by_meaning(domain).items() if key not in named}
    return _words(told[0].path, left.values()) if left else None


def _by_meaning(values: Iterable[Json]) -> dict[tuple[bool, object], Json]:
    """*values* by what makes them equal in a condition: true is not 1, and a moment has many names."""
    return {(type(v) is bool, (moment(v) or v) if isinstance(v, str) else v): v for v in values}


def _domain(sheet: Sheet, case: Case) -> set[Json] | None:
    """Every value the form field behind *case* can have; None where no form says so."""
    for node in sheet.process.nodes:
        form = node.properties.get("form", "")
        variable, _, key = case.path.partition(".")
        if node.kind not in PEOPLE or form not in sheet.package.files:
            continue
        if variable == (node.properties.get("resultVariable") or node.id):
            try:
                field = parse_form(sheet.package.text(form)).field(key)
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


def _words(path: str, values: Iterable[Json]) -> str:
    return f"{path} is {_listed(values)}"


def _listed(values: Iterable[Json]) -> str:
    return " or ".join(sorted("empty" if value == "" else f"“{value}”" for value in values))
