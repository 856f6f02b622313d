"""The calls of a case for the viewer: each call of a process with its own way, apart from the others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from usher_engine.cases import Called, CallHistory, InstanceState
from usher_engine.definitions import Drawing

from ..words.case_narrative import Names


def call_views(
    history: CallHistory, state: InstanceState, drawings: Iterable[Drawing], names: Names
) -> list[dict[str, Any]]:
    """The calls after a step, oldest first, each with where it stands in *state*."""
    here, homes = inside(history, state), homes_of(drawings)
    return [
        call_view(one, homes[one.process], names) | here.get(one.place, {})
        for one in history.calls.values()
        if one.process in homes
    ]


def call_view(one: Called, key: str, names: Names) -> dict[str, Any]:
    """One call: the key of the diagram it goes through, what called it and when, and what it visited and took."""
    return {
        "place": one.place,
        "key": key,
        "activity": one.activity,
        "parent": one.parent,
        "name": names.of(one.activity),
        "first": one.first,
        "visited": [{"element": element, "visits": count} for element, count in one.visits.items()],
        "flows": dict(one.flows),
    }


def homes_of(drawings: Iterable[Drawing]) -> dict[str, str]:
    """The key of the diagram of each process."""
    return {process.id: one.key for one in drawings for process in one.processes}


def inside(history: CallHistory, state: InstanceState) -> dict[str, dict[str, list[str]]]:
    """For each call with a token in it, by its place: where its tokens rest, and the elements with an incident."""
    found: dict[str, dict[str, list[str]]] = {}
    for what, places in (("at", state.at), ("incident", state.incidents)):
        for place in places:
            within = history.within(place)
            if within:
                found.setdefault(within, {"at": [], "incident": []})[what].append(place.rpartition(":")[0])
    return found


def new_visits(before: Called | None, after: Called) -> Mapping[str, list[str]]:
    """What one step added to a call: the elements it came to, and the flows it took."""
    visits, flows = (before.visits, before.flows) if before else ({}, {})
    return {
        "elements": [element for element, count in after.visits.items() if count != visits.get(element, 0)],
        "flows": [flow for flow, count in after.flows.items() if count != flows.get(flow, 0)],
    }
