"""What is known of a draft before it is deployed, in words: examples and their ways, coverage, running cases. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from usher_engine.authoring import DraftTrial
from usher_engine.definitions import Package
from usher_engine.differences import Aspect, Change, ChangeKind, Comparison
from usher_engine.examples import Outcome

from ..words.presentation import joined
from .diff_view import ChangeLine, change_lines

#: Steps of a way that are shown before two ways part, and after.
BEFORE, AFTER = 2, 5
#: Changes and elements listed at most.
LISTED = 12
NAMED = 4
#: Longest value shown inside a sentence.
LONGEST = 60

EXAMPLES = "examples/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """One element of a way: *mark* is ``same`` as on the other way, ``off`` it or ``on`` the new one."""

    label: str
    mark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoWays:
    """
    An example whose way changed; a way that is cut begins or ends with “…”.

    *stopped* says that it ends where its next action does not fit, for the reason *problem*.
    """

    file: str
    name: str
    before: tuple[Stop, ...]
    after: tuple[Stop, ...]
    problem: str = ""
    acceptable: bool = False
    stopped: bool = False
    #: Services whose answers were made up.
    made_up: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Running cases that wait at one element, and where they could go on in the draft; *goal* is empty if nowhere."""

    version: int
    element: str
    cases: int
    goal: str
    moved: bool


def lede(*, following: str, errors: int, failing: int, same: bool) -> tuple[str, str]:
    """The first sentence, as the strong part and the rest; *following* is the next version, like “v8”."""
    if same:
        return "There is nothing to deploy.", "The draft is the same as the version in force."
    if errors:
        return (
            f"{number(errors)} {_plural(errors, 'error stands', 'errors stand')} in the way of {following}.",
            "Put the errors right first; examples are run after that.",
        )
    if failing:
        return (
            f"{number(failing)} {_plural(failing, 'example stands', 'examples stand')} in the way of {following}.",
            "The rest was checked on exactly this content.",
        )
    return f"Nothing stands in the way of {following}.", "All of it was checked on exactly this content."


def number(count: int) -> str:
    """A small number as a word at the beginning of a sentence."""
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return words[count] if count < len(words) else str(count)


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


# what changes


def changes_of(comparison: Comparison, diagrams: Iterable[str]) -> list[ChangeLine]:
    """The changes that mean something, without those of examples: these are shown as ways."""
    lines = change_lines(comparison, list(diagrams), "")
    return [line for line in lines if not line.only_moved and not line.change.file.startswith(EXAMPLES)]


def only_moved(comparison: Comparison) -> int:
    return sum(1 for change in comparison.changes if change.kind is ChangeKind.MOVED)


def aspects_in_words(change: Change) -> str:
    """What changed of an element that is there in both: “due in: P5D → P2D”."""
    if change.kind not in (ChangeKind.CHANGED, ChangeKind.REROUTED):
        return ""
    return "; ".join(f"{aspect.name}: {_value(aspect.before)} → {_value(aspect.after)}" for aspect in _few(change))


def _few(change: Change) -> Sequence[Aspect]:
    return change.aspects[:NAMED]


def _value(text: str) -> str:
    line = " ".join(text.split())
    return (line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…") or "nothing"


# examples


def failing(trial: DraftTrial, names: Mapping[str, str]) -> list[TwoWays]:
    """The examples that take another way than they promise."""
    return [
        _two_ways(outcome, outcome.expected, outcome.path, names)
        for outcome in trial.report.outcomes
        if outcome.problem
    ]


def rewritten(trial: DraftTrial, before: Package | None, names: Mapping[str, str]) -> list[TwoWays]:
    """The examples that keep their promise, and promised another way in the version in force."""
    found = []
    for outcome in trial.report.outcomes:
        promised = promise_of(before, outcome.file)
        if not outcome.problem and promised is not None and promised != outcome.path:
            found.append(_two_ways(outcome, promised, outcome.path, names))
    return found


def promise_of(package: Package | None, file: str) -> tuple[str, ...] | None:
    """The path that an example of *package* promises; None where there is no such example."""
    if package is None or file not in package.files:
        return None
    try:
        path = json.loads(package.files[file])["path"]
        return tuple(path) if all(isinstance(element, str) for element in path) else None
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _two_ways(
    outcome: Outcome, before: tuple[str, ...], after: tuple[str, ...], names: Mapping[str, str]
) -> TwoWays:
    pairs = enumerate(zip(before, after, strict=False))
    parts = next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))
    return TwoWays(
        file=outcome.file,
        name=outcome.name,
        before=_stops(before, parts, "off", names),
        after=_stops(after, parts, "on", names),
        problem=outcome.problem.rstrip(".") + "." if outcome.problem else "",
        acceptable=outcome.acceptable,
        stopped=outcome.stopped,
        made_up=tuple(sorted(outcome.made_up)),
    )


def _stops(path: tuple[str, ...], parts: int, mark: str, names: Mapping[str, str]) -> tuple[Stop, ...]:
    """The part of a way around the place where it parts from the other."""
    labels = _visits(path, names)
    first, last = max(0, parts - BEFORE), parts + AFTER
    stops = [Stop(label=labels[at], mark="same" if at < parts else mark) for at in range(first, min(last, len(path)))]
    cut = Stop(label="…", mark="same")
    return (*([cut] if first else []), *stops, *([cut] if last < len(path) else []))


def _visits(path: tuple[str, ...], names: Mapping[str, str]) -> list[str]:
    """The labels of a way; an element that is passed again says how often."""
    seen: Counter[str] = Counter()
    labels = []
    for element in path:
        seen[element] += 1
        again = f" ({seen[element]}×)" if seen[element] > 1 else ""
        labels.append(f"{names.get(element, element)}{again}")
    return labels


# coverage


def coverage(trial: DraftTrial, names: Mapping[str, str]) -> dict[str, Any]:
    """How many elements and flows the examples pass, and the names of those that none does."""
    elements, flows = set(trial.diagram.elements), set(trial.diagram.flows.values())
    missed = set(trial.report.missed)
    ends = {flow: ends for ends, flow in trial.diagram.flows.items()}
    flow_names = trial.diagram.flow_names
    unwalked = [
        f"“{flow_names[flow]}”" if flow in flow_names else " → ".join(names.get(end, end) for end in ends[flow])
        for flow in sorted(missed & flows)
    ]
    unseen = [names.get(element, element) for element in sorted(missed & elements)]
    return {
        "elements": (len(elements - missed), len(elements)),
        "flows": (len(flows - missed), len(flows)),
        "missed": _first_of([*unseen, *unwalked]),
    }


def _first_of(names: list[str]) -> str:
    """The first names, and how many more there are; empty where there are none."""
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return joined([*names[:NAMED], *more]) if names else ""


# running cases


def standing(
    version: int, waiting: Mapping[str, int], places: Mapping[str, str], names: Mapping[str, str]
) -> list[Standing]:
    """Where the running cases of *version* wait, and where the draft would take them up."""
    return [
        Standing(
            version=version,
            element=names.get(element, element),
            cases=cases,
            goal=names.get(goal, goal) if (goal := places.get(element, "")) else "",
            moved=bool(goal) and goal != element,
        )
        for element, cases in waiting.items()
    ]
