"""A backtest for people: its summary sentence, its groups, and the ways to paint. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from usher_engine.cases import Batch, BatchCase

WORDS = {
    "different": "take another way",
    "needs_answer": "need an answer nobody gave",
    "failed": "would stop with an incident",
    "not_comparable": "cannot be compared",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Cases that differ from their record in the same way; *kind* is one of the keys of `WORDS`."""

    cases: int
    kind: str
    element: str
    text: str


def sentence(run: Batch, names: Mapping[str, str]) -> tuple[str, str]:
    """The summary, as number and rest: how many cases take the same way, and what happens to the others."""
    kinds = run.tally.get("kinds", {})
    same = kinds.get("same", 0)
    if not run.done:
        return "No case", "was looked at yet."
    others = [kind for kind in ("needs_answer", "failed", "not_comparable") if kinds.get(kind)]
    rest = [*_ends(run, names), *(f"{kinds[kind]:,} {_verb(kind, kinds[kind])}" for kind in others)]
    tail = f"; {_joined(rest)}." if rest else "."
    verb = "takes" if same == 1 else "take"
    return f"{same:,} of {run.done:,}", f"recorded cases {verb} the same way{tail}"


def _ends(run: Batch, names: Mapping[str, str]) -> list[str]:
    """The cases on another way, counted by where they would end."""
    ends: dict[str, int] = {}
    for key, cases in run.tally.get("groups", {}).items():
        kind, _, _, was, end = key.split("|")
        if kind == "different":
            words = f"end in {names.get(end, end)}" if end else "stand elsewhere"
            if end and end == was:
                words = f"reach {names.get(end, end)} another way"
            ends[words] = ends.get(words, 0) + cases
    return [f"{cases:,} would {words}" for words, cases in sorted(ends.items(), key=lambda one: -one[1])]


def _verb(kind: str, cases: int) -> str:
    return WORDS[kind].replace("need an", "needs an") if cases == 1 else WORDS[kind]


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def group_lines(run: Batch, names: Mapping[str, str]) -> list[Group]:
    """The groups, largest first."""
    counted: dict[tuple[str, str, str], int] = {}
    for key, cases in run.tally.get("groups", {}).items():
        kind, element, was, _, end = key.split("|")
        text = _difference(kind, names, element, was, end)
        counted[kind, element, text] = counted.get((kind, element, text), 0) + cases
    unread = run.tally.get("kinds", {}).get("not_comparable", 0)
    if unread:
        text = "They were purged, or their record cannot be read; verify says which."
        counted["not_comparable", "", text] = unread
    lines = [Group(cases=cases, kind=k, element=element, text=t) for (k, element, t), cases in counted.items()]
    return sorted(lines, key=lambda line: -line.cases)


def _difference(kind: str, names: Mapping[str, str], element: str, was: str, end: str) -> str:
    here, there = names.get(element, element) or "the diagram", names.get(was, was)
    if kind == "needs_answer":
        return f"At {here}: nobody was ever asked this."
    if kind == "failed":
        return f"{here} would fail."
    instead = f"{here} instead of {there}" if there and there != here else f"the way ends before {here}"
    return f"{instead[:1].upper()}{instead[1:]}{f', then to {names.get(end, end)}' if end else ''}."


def ways(run: Batch) -> dict[str, dict[str, Any]]:
    """What each side's diagram paints: the shared way, and where cases leave it, with how many cases."""
    tally = run.tally
    first = _first_difference(tally.get("groups", {}))
    return {
        side: {**_way(tally.get("shared", {}), tally.get(side, {})), "first": first.get(side, "")}
        for side in ("recorded", "draft")
    }


def _first_difference(groups: Mapping[str, int]) -> dict[str, str]:
    """The element at which the largest group of cases leaves the shared way, on each side."""
    parted = {key: cases for key, cases in groups.items() if key.split("|")[1]}
    if not parted:
        return {}
    _, element, was, _, _ = max(parted, key=lambda key: parted[key]).split("|")
    return {"recorded": was or element, "draft": element}


def _way(shared: Mapping[str, int], parted: Mapping[str, int]) -> dict[str, Any]:
    most = max(parted.values(), default=1)
    heat = {key: {"cases": cases, "heat": 1 + round(2 * cases / most)} for key, cases in parted.items()}
    return {"shared": sorted(shared), "parted": heat}


def way_of_case(one: BatchCase, side: str) -> dict[str, Any]:
    """What the diagram of *side* paints for one case."""
    way, at = one.details[side], one.details["differs_at"]
    cut = len(way["path"]) if at is None else at
    shared = {*way["path"][:cut], *filter(None, way["flows"][:cut])}
    parted = {*way["path"][cut:], *filter(None, way["flows"][cut:])}
    return {
        "shared": sorted(shared),
        "parted": {key: {"cases": 1, "heat": 3} for key in sorted(parted)},
        "at": way["at"],
        "first": way["path"][cut] if cut < len(way["path"]) else "",
    }
