"""What a backtest of many cases adds up to, and what is stored of each case that takes another way. Pure.

A tally is JSON, in `Batch.tally`:

- ``kinds``: how many cases by `Kind`; ``other_data``: how many go the same way with other data;
- ``assumed``: how many by kind rest on an assumption; ``known``: how many on Usher's own record of another time;
- ``partings``: by id, the cases that part at one place for one cause: ``kind``, ``element``, ``recorded_element``,
  ``cause`` (the change of the draft, "" where no single one), ``cases``, ``assumed``, and ``ends``, how many by
  “recorded end|end on the draft”; `BatchCase.part` is the id;
- ``questions``: what nobody answered, by key: ``element``, ``operator`` or ``form``, and ``cases``;
- ``shared``, ``recorded``, ``draft``: how many cases passed each element and flow before and beyond the parting.

A run of Usher 0.2 or earlier has ``groups`` instead of ``partings``: the cases by
“kind|element|recorded element|recorded end|end on the draft”.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ..reexecution import Compared, Kind, Question, Way
from ..store.batch_rows import BatchCase

_EMPTY = ("kinds", "assumed", "partings", "questions", "shared", "recorded", "draft")


class Tally:
    """Sums up a backtest; ``counted`` is its JSON."""

    def __init__(self, counted: dict[str, Any]) -> None:
        self.counted: dict[str, Any] = {**{name: {} for name in _EMPTY}, "other_data": 0, "known": 0, **counted}

    def add(self, one: Compared) -> None:
        counted = self.counted
        _count(counted["kinds"], one.kind.value)
        counted["other_data"] += bool(one.data)
        counted["known"] += bool(one.known)
        if one.assumed:
            _count(counted["assumed"], one.kind.value)
        for question in dict.fromkeys((*one.assumed, *([one.question] if one.question else []))):
            asked = counted["questions"].setdefault(question.key, {**question.to_json(), "cases": 0})
            asked["cases"] += 1
        if one.kind in (Kind.SAME, Kind.UNREADABLE):
            return
        self._add_parting(one)
        at = one.differs_at if one.differs_at is not None else len(one.draft.path)
        for name, way, part in (
            ("shared", one.draft, slice(0, at)),
            ("recorded", one.recorded, slice(at, None)),
            ("draft", one.draft, slice(at, None)),
        ):
            for passed in dict.fromkeys((*way.path[part], *filter(None, way.flows[part]))):
                _count(counted[name], passed)

    def _add_parting(self, one: Compared) -> None:
        about = {"kind": one.kind.value, "element": one.element, "recorded_element": one.recorded_element}
        empty = {**about, "cause": one.cause, "cases": 0, "assumed": 0, "ends": {}}
        parting = self.counted["partings"].setdefault(parting_of(one), empty)
        parting["cases"] += 1
        parting["assumed"] += bool(one.assumed)
        _count(parting["ends"], f"{one.recorded.end}|{one.draft.end}")


def parting_of(one: Compared) -> str:
    """The id of the cases that part where *one* does, for the same cause; "" for one that goes the same way."""
    if one.kind is Kind.SAME:
        return ""
    said = f"{one.kind.value}\n{one.element}\n{one.recorded_element}\n{one.cause}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def stored_case(one: Compared) -> BatchCase:
    """What is stored of a case that takes another way."""
    details = {
        "message": one.message,
        "recorded_element": one.recorded_element,
        "differs_at": one.differs_at,
        "recorded": _way(one.recorded),
        "draft": _way(one.draft),
        "cause": one.cause,
        "question": one.question.to_json() if one.question else None,
        "assumed": [question.to_json() for question in one.assumed],
        "known": [{"element": k.element, "operator": k.operator, "since": k.since} for k in one.known],
    }
    part = parting_of(one)
    return BatchCase(instance=one.instance, outcome=one.kind.value, element=one.element, part=part, details=details)


def _way(way: Way) -> dict[str, Any]:
    return {"path": list(way.path), "flows": list(way.flows), "at": list(way.at), "end": way.end}


def questions(tally: dict[str, Any]) -> list[tuple[Question, int]]:
    """What nobody answered in a run with *tally*, and how many cases ask it, most first."""
    found = [
        (Question(element=one["element"], operator=one.get("operator", ""), form=one.get("form", "")), one["cases"])
        for one in tally.get("questions", {}).values()
    ]
    return sorted(found, key=lambda one: (-one[1], one[0].key))


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
