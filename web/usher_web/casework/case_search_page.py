"""The page of a search of cases: the choices, the results, and the links to the neighbouring pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from usher_engine import NotFound
from usher_engine.cases import Facets

from .. import auth
from ..site import site
from ..words.presentation import element_words
from .case_list import as_listed
from .patient_labels import describe
from .search_query import STATUSES, CaseSearch, parse_search, summary

PAGE = 50

#: The groups of elements in the choice of one.
TASKS, ENDS, OTHERS = "Tasks", "Ends", "Decisions and events"


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a parameter's field, for the list of errors."""

    key: str
    label: str


LABELS = (
    Label("patient", "Patient"),
    Label("status", "Status"),
    Label("version", "Version"),
    Label("started_from", "Started from"),
    Label("started_to", "Started up to"),
    Label("ended_from", "Ended from"),
    Label("ended_to", "Ended up to"),
)


def search_page() -> dict[str, Any]:
    """Everything `cases.html` shows for the requested address."""
    search, facets = parse_search(request.args), site().engine.search.facets()
    names = _names(facets)
    whom = describe(search.patients[0]).name if len(search.patients) == 1 else ""
    return {
        "search": search,
        "heading": summary(search, {element: name for element, (name, _) in names.items()}, whom),
        "labels": LABELS,
        "statuses": tuple(STATUSES),
        "facets": facets,
        "people": _people(),
        "elements": _element_groups(facets, names),
        "outcomes": _name_pairs(sorted({outcome for _, outcome in facets.outcomes}), names),
        "without_status": {name: value for name, value in search.given.items() if name != "status"},
        **_results(search),
    }


def _results(search: CaseSearch) -> dict[str, Any]:
    if search.errors:
        return {"listed": [], "newer_url": "", "older_url": ""}
    after, before = request.args.get("after") or None, request.args.get("before") or None
    page = site().engine.search.find(
        search.wanted, actor=auth.actor(), after=None if before else after, before=before, limit=PAGE
    )
    given: dict[str, Any] = {**search.given}
    ends = (page.cases[0].id, page.cases[-1].id) if page.cases else ("", "")
    return {
        "listed": as_listed(page.cases),
        "newer_url": url_for("cases.show", **given, before=ends[0]) if page.newer and page.cases else "",
        "older_url": url_for("cases.show", **given, after=ends[1]) if page.older and page.cases else "",
    }


def _names(facets: Facets) -> dict[str, tuple[str, str]]:
    """(name, tag) of the elements of every process, from the version in force."""
    found: dict[str, tuple[str, str]] = {}
    for process in facets.processes:
        try:
            drawn = site().engine.versions.diagram(process).elements.values()
        except NotFound:
            continue
        found |= {element.id: (element.name, element.tag) for element in drawn}
    return found


def _element_groups(facets: Facets, names: dict[str, tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The named elements that cases have reached, grouped for a choice; also those that no version draws any more."""
    groups: dict[str, list[str]] = {TASKS: [], OTHERS: [], ENDS: []}
    for element in sorted({element for _, element in facets.elements}):
        name, tag = names.get(element, (element_words(element), ""))
        if name:
            groups[TASKS if tag.endswith("Task") else ENDS if tag == "endEvent" else OTHERS].append(element)
    return [(group, list(_name_pairs(elements, names))) for group, elements in groups.items() if elements]


def _name_pairs(elements: list[str], names: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    labelled = ((element, names.get(element, ("", ""))[0] or element_words(element)) for element in elements)
    return sorted(labelled, key=lambda pair: pair[1].lower())


def _people() -> Iterator[str]:
    """Names to choose from: people and programs, including disabled ones."""
    accounts = site().accounts
    return iter(sorted({*(user.name for user in accounts.users()), *(token.name for token in accounts.tokens())}))
