"""A backtest for people: its summary sentence, the bar, the parts, the questions, and the ways to paint. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from usher_engine.cases import Batch, BatchCase, questions
from usher_engine.reexecution import Question

WORDS = {
    "different": "take another way",
    "needs_answer": "need an answer nobody gave",
    "failed": "would stop with an incident",
    "not_comparable": "cannot be compared",
}
#: The segments of the bar, in their order, with their tone.
TONES = {"same": "same", "different": "other", "needs_answer": "asks", "failed": "fails", "not_comparable": "unread"}
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NO_SINGLE_CHANGE = "No single change"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """
    Cases that part from their record at one place for one cause; *kind* is one of the keys of `WORDS`.

    *key* selects them, "" in runs of Usher 0.2 and earlier. *was*, *goes* and *end* are words; *assumed* cases rest on
    an assumption.
    """

    cases: int
    kind: str
    element: str
    change: str
    was: str
    goes: str
    end: str
    key: str = ""
    assumed: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the bar: from *x* on, *width* of 1000; *hatched* where it rests on an assumption."""

    tone: str
    x: float
    width: float
    hatched: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question that *cases* ask; *assumed* is the answer that was taken for all of them, None if there is none."""

    question: Question
    cases: int
    words: str
    assumed: Mapping[str, Any] | None


def sentence(run: Batch) -> tuple[str, str]:
    """The summary, as number and rest: how many cases take the same way, how many do not, and why."""
    kinds = run.tally.get("kinds", {})
    same = kinds.get("same", 0)
    if not run.done:
        return "No case", "was looked at yet."
    moved = kinds.get("different", 0) + kinds.get("failed", 0)
    rest = [f"{moved:,} {'differs' if moved == 1 else 'differ'}{_because(run)}"] if moved else []
    for kind in ("needs_answer", "not_comparable"):
        if kinds.get(kind):
            verb = WORDS[kind].replace("need an", "needs an") if kinds[kind] == 1 else WORDS[kind]
            rest.append(f"{kinds[kind]:,} {verb}")
    tail = f"; {'; '.join(rest)}." if rest else "."
    return f"{same:,} of {run.done:,}", f"recorded cases {'takes' if same == 1 else 'take'} the same way{tail}"


def _because(run: Batch) -> str:
    parts = run.tally.get("partings", {}).values()
    causes = {part["cause"] for part in parts if part["kind"] in ("different", "failed")}
    if not causes or "" in causes:
        return ""
    number = _SMALL[len(causes)] if len(causes) < len(_SMALL) else str(len(causes))
    return f", because of {number} change{'' if len(causes) == 1 else 's'}"


def segments(run: Batch) -> list[Segment]:
    """The bar; what rests on an assumption is hatched, behind the rest of its kind."""
    kinds, assumed, at, found = run.tally.get("kinds", {}), run.tally.get("assumed", {}), 0.0, []
    for kind, tone in TONES.items():
        for cases, hatched in ((kinds.get(kind, 0) - assumed.get(kind, 0), False), (assumed.get(kind, 0), True)):
            width = 1000 * cases / max(run.done, 1)
            if width:
                found.append(Segment(tone, round(at, 1), round(max(width, 6), 1), hatched))
                at += width
    return found


def parts(run: Batch, names: Mapping[str, str]) -> list[Part]:
    """The parts, largest first."""
    lines = [_part(key, part, names) for key, part in run.tally.get("partings", {}).items()]
    lines += _older(run, names)
    unread = run.tally.get("kinds", {}).get("not_comparable", 0)
    if unread:
        words = "Purged, or their record cannot be read; verify says which."
        lines.append(
            Part(cases=unread, kind="not_comparable", element="", change="–", was="–", goes="–", end=words)
        )
    return sorted(lines, key=lambda line: -line.cases)


def _part(key: str, part: Mapping[str, Any], names: Mapping[str, str]) -> Part:
    was_end, _, end = max(part["ends"], key=lambda ends: part["ends"][ends]).partition("|")
    return Part(
        key=key,
        cases=part["cases"],
        assumed=part["assumed"],
        kind=part["kind"],
        element=part["element"],
        change=part["cause"] or NO_SINGLE_CHANGE,
        was=_name(part["recorded_element"], names) or "went no further",
        goes=_goes(part["kind"], part["element"], part["recorded_element"], names),
        end=_end(part["kind"], was_end, end, names),
    )


def _older(run: Batch, names: Mapping[str, str]) -> list[Part]:
    """The parts of a run of Usher 0.2 or earlier, which knew no causes."""
    counted: dict[tuple[str, ...], int] = {}
    for key, cases in run.tally.get("groups", {}).items():
        kind, element, was, was_end, end = key.split("|")
        about = (kind, element, was, _end(kind, was_end, end, names))
        counted[about] = counted.get(about, 0) + cases
    return [
        Part(
            cases=cases, kind=kind, element=element, change="–", end=end, goes=_goes(kind, element, was, names),
            was=_name(was, names) or "went no further",
        )
        for (kind, element, was, end), cases in counted.items()
    ]  # fmt: skip


def _goes(kind: str, element: str, was: str, names: Mapping[str, str]) -> str:
    here = _name(element, names) or "the diagram"
    if kind == "needs_answer":
        return f"{here}: nobody was asked this"
    if kind == "failed":
        return f"{here} would fail"
    return "goes no further" if element == was else here


def _end(kind: str, was: str, end: str, names: Mapping[str, str]) -> str:
    if kind == "needs_answer":
        return "stands there"
    if kind == "failed":
        return "incident"
    if end and end == was:
        return "as recorded"
    return _name(end, names) or "stands elsewhere"


def _name(element: str, names: Mapping[str, str]) -> str:
    return names.get(element, element)


def asked(run: Batch, names: Mapping[str, str]) -> list[Asked]:
    """The questions nobody answered, those of most cases first, with what was assumed for them."""
    taken = {_key(one): one for one in run.details.get("assume", [])}
    counted = {question.key: (question, cases) for question, cases in questions(run.tally)}
    for key, one in taken.items():  # assumed, and no case came there
        question = Question(element=one["element"], operator=one.get("operator", ""), form=one.get("form", ""))
        counted.setdefault(key, (question, 0))
    return [
        Asked(question=question, cases=cases, words=_asks(question, cases, names), assumed=taken.get(key))
        for key, (question, cases) in counted.items()
    ]


def _key(one: Mapping[str, Any]) -> str:
    return Question(element=one["element"], operator=one.get("operator", ""), form=one.get("form", "")).key


def _asks(question: Question, cases: int, names: Mapping[str, str]) -> str:
    number = f"{cases:,} case{'' if cases == 1 else 's'} {'reaches' if cases == 1 else 'reach'}"
    what = "whose answer nobody recorded" if question.operator else "which nobody answered"
    return f"{number} {_name(question.element, names)}, {what}."


def case_words(one: BatchCase, names: Mapping[str, str]) -> tuple[str, str]:
    """What the list says of a case: where it went as recorded, and where it would go."""
    d = one.details
    was, was_end, end = d["recorded_element"], d["recorded"]["end"], d["draft"]["end"]
    then = [was, was_end] if was and was_end and was != was_end else [was or was_end]
    recorded = ", then ".join(_name(element, names) for element in then if element)
    stands = ", ".join(_name(element, names) for element in d["draft"]["at"])
    return recorded or "–", _name(end, names) or stands or "–"


def ways(run: Batch) -> dict[str, dict[str, Any]]:
    """What each side's diagram paints: the shared way, and where cases leave it, with how many cases."""
    tally = run.tally
    first = _first_difference(run)
    return {
        side: {**_way(tally.get("shared", {}), tally.get(side, {})), "first": first.get(side, "")}
        for side in ("recorded", "draft")
    }


def _first_difference(run: Batch) -> dict[str, str]:
    """The element at which most cases leave the shared way, on each side; empty where none does."""
    partings = [one for one in run.tally.get("partings", {}).values() if one["element"]]
    if not partings:
        return {}
    most = max(partings, key=lambda one: int(one["cases"]))
    return {"recorded": most["recorded_element"] or most["element"], "draft": most["element"]}


def ways_of(cases: Iterable[BatchCase]) -> dict[str, dict[str, Any]]:
    """The same for some cases."""
    shared: dict[str, int] = {}
    parted: dict[str, dict[str, int]] = {"recorded": {}, "draft": {}}
    for one in cases:
        for side, counts in parted.items():
            way, cut = one.details[side], _cut(one, side)
            for passed in dict.fromkeys((*way["path"][cut:], *filter(None, way["flows"][cut:]))):
                counts[passed] = counts.get(passed, 0) + 1
            shared |= dict.fromkeys((*way["path"][:cut], *filter(None, way["flows"][:cut])), 1)
    return {side: _way(shared, counts) for side, counts in parted.items()}


def focus(one: BatchCase) -> str:
    """The last element before the ways part and the first of each way beyond: both diagrams open there."""
    cut = _cut(one, "draft")
    shared, both = one.details["draft"]["path"][:cut], (one.details["recorded"]["path"], one.details["draft"]["path"])
    return " ".join([*shared[-1:], *(element for path in both for element in path[cut : cut + 1])])


def _cut(one: BatchCase, side: str) -> int:
    at = one.details["differs_at"]
    return len(one.details[side]["path"]) if at is None else int(at)


def _way(shared: Mapping[str, int], parted: Mapping[str, int]) -> dict[str, Any]:
    most = max(parted.values(), default=1)
    heat = {key: {"cases": cases, "heat": 1 + round(2 * cases / most)} for key, cases in parted.items()}
    return {"shared": sorted(shared), "parted": heat}


def way_of_case(one: BatchCase, side: str) -> dict[str, Any]:
    """What the diagram of *side* paints for one case."""
    way, at = one.details[side], one.details["differs_at"]
    cut = len(way["path"]) if at is None else at
    first = way["path"][cut] if cut < len(way["path"]) else ""
    return {**ways_of([one])[side], "at": way["at"], "first": first}
