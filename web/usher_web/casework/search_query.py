"""A search of cases as address parameters: parse, validate, and describe it in words.

The page of cases and the API read the same parameters. The address alone describes a page of results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from usher_engine import NotFound
from usher_engine.cases import CaseFilter
from usher_engine.core import whole_number
from usher_engine.enrollment import PatientRecord

from ..site import site
from ..words.date_range import begin_of, check_way, day_of, end_of
from ..words.presentation import element_words, joined, period_words

STATUSES = {
    "waiting": "still waiting",
    "incident": "stopped by an incident",
    "finished": "finished",
    "cancelled": "cancelled",
}

#: The parameters of a search in the address.
PARAMETERS = (
    "patient", "who", "element", "status", "outcome", "process", "version", "incident",
    "started_from", "started_to", "ended_from", "ended_to",
)  # fmt: skip

#: The most patients a name may match before the person must type more of it.
MOST_PATIENTS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseSearch:
    """A search: *given* as typed (without empty values), the filter *wanted*, *errors* by parameter."""

    given: dict[str, str]
    wanted: CaseFilter
    patients: tuple[PatientRecord, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether there are no criteria, so all cases are shown."""
        return not self.given


def parse_search(args: Mapping[str, str]) -> CaseSearch:
    """Parse the search in *args*; unreadable values are reported in ``errors`` and left out."""
    given = {name: args[name].strip()[:200] for name in PARAMETERS if args.get(name, "").strip()}
    errors: dict[str, str] = {}
    days = {name: day_of(given.get(name, ""), name, errors) for name in PARAMETERS if name.endswith(("_from", "_to"))}
    for what in ("started", "ended"):
        check_way(days[f"{what}_from"], days[f"{what}_to"], f"{what}_to", errors)
    if given.get("status", "waiting") not in STATUSES:
        errors["status"] = f"Known are {joined(list(STATUSES))}."
    if "version" in given and whole_number(given["version"]) is None:
        errors["version"] = "A version is a whole number."
    patients = _patients(given.get("patient", ""), errors)
    return CaseSearch(given=given, wanted=_filter(given, days, patients, errors), patients=patients, errors=errors)


def _filter(
    given: dict[str, str],
    days: dict[str, date | None],
    patients: tuple[PatientRecord, ...],
    errors: dict[str, str],
) -> CaseFilter:
    started, until = days["started_from"], days["started_to"]
    ended, last = days["ended_from"], days["ended_to"]
    return CaseFilter(
        process=given.get("process"),
        version=whole_number(given.get("version", "")),
        statuses=frozenset({given["status"]} if "status" in given and "status" not in errors else ()),
        outcome=given.get("outcome"),
        element=given.get("element"),
        stopped="incident" in given,
        actor=given.get("who"),
        about=frozenset({*(record.id for record in patients), given["patient"]}) if "patient" in given else None,
        started_from=begin_of(started) if started else None,
        started_until=end_of(until) if until else None,
        ended_from=begin_of(ended) if ended else None,
        ended_until=end_of(last) if last else None,
    )


def _patients(text: str, errors: dict[str, str]) -> tuple[PatientRecord, ...]:
    """The patients that match *text*: an id matches one; a name, record number or birth date may match several."""
    if not text:
        return ()
    try:
        return (site().enrollment.patient(text),)
    except NotFound:
        found = site().enrollment.finder.find(text, closed=None, limit=MOST_PATIENTS)
    if found.total > MOST_PATIENTS:
        errors["patient"] = f"{found.total:,} patients fit this. Type more of the name, or a record number."
        return ()
    return found.records


def summary(search: CaseSearch, names: Mapping[str, str], patient: str = "") -> str:
    """
    The search in words: "Cases bob worked on, ended at Cancelled, in May 2026".

    *names* are the names of elements; *patient* is the patient's name if the search is for one person.
    """
    given = search.given
    parts = [f"{given['who']} worked on"] if "who" in given else []
    if "element" in given:
        parts.append(f"that came to {names.get(given['element']) or element_words(given['element'])}")
    if "outcome" in given:
        parts.append(f"ended at {names.get(given['outcome']) or element_words(given['outcome'])}")
    if "status" in given and "status" not in search.errors:
        parts.append(STATUSES[given["status"]])
    if "incident" in given:
        parts.append("with an incident")
    version, process = given.get("version"), given.get("process")
    if version or process:
        parts.append(f"of {' of '.join(word for word in (f'version {version}' if version else '', process) if word)}")
    for what in ("started", "ended"):
        words = period_words(given.get(f"{what}_from", ""), given.get(f"{what}_to", ""))
        if words:
            parts.append(f"{what} {words}")
    whom = f" of {patient or '“' + given['patient'] + '”'}" if "patient" in given else ""
    return f"Cases{whom}{' ' if parts else ''}{', '.join(parts)}"
