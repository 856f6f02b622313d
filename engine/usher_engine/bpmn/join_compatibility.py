"""Checks that the joins ahead of a case's tokens would wait for the same branches on another diagram.

A join waits for one token on each of its ways in (BPMN 2.0.2, 13.4.1). If a token moved into a branch whose sister
never started, the join would wait forever. So the tokens must reach each join ahead by all its ways in, or by exactly
those by which they reach it on the old diagram.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .compiled_diagram import Diagram
from .token_reader import Scope, Token


def require_same_joins(scope: Scope, source: Any, target: Diagram, mapped: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the problems of moving the tokens of *scope*, and of every sub-process inside."""
    return _problems(scope, source, target.spec, target, mapped)


def _problems(
    scope: Scope, source: Any, spec: Any, target: Diagram, mapped: Mapping[str, str]
) -> list[tuple[str, str]]:
    problems = [
        (token.element, f"{mapped[token.element]} does not lie in the same sub-process in this version.")
        for token in scope.tokens
        if _find(spec, mapped[token.element]) is None
    ]
    if problems:
        return problems
    before = _reached(source, [token.element for token in scope.tokens])
    after = _reached(spec, [mapped[token.element] for token in scope.tokens])
    for join, ways in after.items():
        every = _ways_in(spec, join)
        same = before.get(join) == [_origins(reached, mapped) for reached in ways] and _ways_in(
            source, join
        ) == _origins(every, mapped)
        if not all(reached in (set(), every) for reached in ways) and not same:
            name = target.elements[join].name or join
            problems.append((join, f"The join {name} would wait for a branch that was never started."))
    problems += _overtaking(scope.tokens, source, spec, mapped)
    for token in scope.tokens:
        if token.inside is not None:
            nested = target.subprocess_specs[_find(spec, mapped[token.element]).spec]
            problems += _problems(token.inside, token.inside.spec, nested, target, mapped)
    return problems


def _overtaking(tokens: Iterable[Token], source: Any, spec: Any, mapped: Mapping[str, str]) -> list[tuple[str, str]]:
    """Problems of parallel tokens that would be one behind the other: the path between them would be taken twice."""
    elements = [token.element for token in tokens]
    problems = []
    for one in elements:
        ahead_before = _before_joins(source, one)
        ahead_now = _before_joins(spec, mapped[one])
        problems += [
            (other, f"{other} would come after {one}, which is under way beside it.")
            for other in elements
            if mapped[other] in ahead_now and other not in ahead_before
        ]
    return problems


def _reached(spec: Any, elements: Iterable[str]) -> dict[str, list[set[str]]]:
    """For each join ahead: the ways in by which each of *elements* leads to it without passing the join."""
    found = list(elements)
    joins = {join for element in found for join in _ahead(spec, element) if _is_join(_find(spec, join))}
    reached: dict[str, list[set[str]]] = {}
    for join in sorted(joins):
        ways = [
            {way.name for way in _find(spec, join).inputs if way.name in ahead}
            for ahead in (_names_ahead(spec, element, frozenset({join})) for element in found)
        ]
        reached[join] = ways
    return reached


def _is_join(task_spec: Any) -> bool:
    return len(task_spec.inputs) > 1 and hasattr(task_spec, "_check_threshold_unstructured")


def _ahead(spec: Any, element: str) -> set[str]:
    """Return the drawn elements that can follow *element*."""
    return {spec.task_specs[name].bpmn_id for name in _names_ahead(spec, element, frozenset())} - {element, None}


def _before_joins(spec: Any, element: str) -> set[str]:
    """Return the drawn elements that can follow *element* before any join."""
    joins = frozenset(one.bpmn_id for one in spec.task_specs.values() if one.bpmn_id and _is_join(one))
    return {spec.task_specs[name].bpmn_id for name in _names_ahead(spec, element, joins)} - {element, None}


def _names_ahead(spec: Any, element: str, stops: frozenset[str]) -> set[str]:
    """Return the names of *element*'s spec, its boundary events and all specs that can follow, up to *stops*."""
    first = _find(spec, element)
    split = spec.task_specs.get(f"{first.name}.BoundaryEventSplit")
    pending = [first, *(split.outputs if split is not None else ())]
    seen: set[str] = set()
    while pending:
        one = pending.pop()
        if one.name not in seen and one.bpmn_id not in stops:
            seen.add(one.name)
            pending += one.outputs
    return seen


def _find(spec: Any, element: str) -> Any:
    return next((one for one in spec.task_specs.values() if one.bpmn_id == element), None)


def _ways_in(spec: Any, join: str) -> set[str]:
    return {way.name for way in _find(spec, join).inputs}


def _origins(ways: set[str], mapped: Mapping[str, str]) -> set[str]:
    """Return the names on the source diagram for ways in of the target."""
    sources = {new: old for old, new in mapped.items()}
    return {sources.get(way, way) for way in ways}
