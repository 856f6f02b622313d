"""The figures of a report as tables for people: elements, funnel, times, ways. Pure; `charts` draws some."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from usher_engine.enrollment import MILESTONES
from usher_engine.reporting import OF_ALL, Period, Spread, Tally, Variant

from ..words.case_narrative import Names
from ..words.charts import heat

#: Below this many cases, a single one moves a share or a median a lot.
FEW = 20
MOST_VARIANTS = 50

#: Characters that make a spreadsheet read a cell as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: The labels of milestones.
STAGES = {
    "start": "Triggered",
    "invited": "Invited",
    "answered": "Answered",
    "completed": "Completed",
    "declined": "Declined",
    "deferred": "Deferred",
}

#: The upper edges of the bars of times, in seconds, and the label of each bar.
EDGES = (
    (60, "under 1 min"), (3_600, "1 min to 1 h"), (14_400, "1 to 4 h"), (86_400, "4 h to 1 day"),
    (3 * 86_400, "1 to 3 days"), (7 * 86_400, "3 to 7 days"), (14 * 86_400, "1 to 2 weeks"),
    (30 * 86_400, "2 weeks to 30 days"), (90 * 86_400, "30 to 90 days"), (float("inf"), "over 90 days"),
)  # fmt: skip

#: Languages practices meet most, by their BCP 47 code; others show their code.
LANGUAGES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "so": "Somali",
    "tl": "Tagalog", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table as it is shown and downloaded; the first *words* columns hold words, the others numbers."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def to_csv(self) -> str:
        """RFC 4180; text a spreadsheet would take for a formula gets an apostrophe before it."""
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow(self.head)
        writer.writerows([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row] for row in self.rows)
        return written.getvalue()


def elements(found: Tally, names: Names, diagrams: Mapping[str, str]) -> Table:
    """
    How often each element was visited, and how long cases waited there.

    *diagrams* names the diagram of each element; it is empty, and the column missing, where there is only one.
    """
    order = sorted(found.visits, key=lambda element: (-found.visits[element], names.of(element)))
    nothing = Spread()
    rows = []
    for element in order:
        wait = found.waits.get(element, nothing)
        over = str(wait.number) if wait.number else ""
        resting = str(found.resting[element]) if found.resting[element] else ""
        where = (diagrams.get(element, ""),) if diagrams else ()
        rows.append((names.of(element), *where, str(found.visits[element]), over, *_typical(wait), resting))
    words = ("Element", "Diagram") if diagrams else ("Element",)
    head = (*words, "Visits", "Waits over", "Median wait", "9 of 10 within", "Still waiting")
    return Table(name="elements", title="Elements", head=head, rows=tuple(rows), words=len(words))


def heat_of(found: Tally, *, by_wait: bool) -> dict[str, dict[str, Any]]:
    """The colours of the diagrams: a class for each element (by visits or by median wait) and each flow; the visits."""
    if by_wait:
        values = {element: spread.median or 0 for element, spread in found.waits.items()}
        words = {element: seconds_words(value) for element, value in values.items()}
    else:
        values = dict(found.visits)
        words = {element: f"{value:,}" for element, value in values.items()}
    most, busiest = max(values.values(), default=0), max(found.flows.values(), default=0)
    flows = {} if by_wait else found.flows
    return {
        "elements": {one: {"level": heat(value, most), "words": words[one]} for one, value in values.items()},
        "flows": {flow: {"level": heat(value, busiest)} for flow, value in flows.items()},
        "visits": dict(found.visits),
    }


def funnel(reached: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """(stage, cases, words) from triggered to the answers."""
    started = reached.get("start", 0)
    return [(STAGES[stage], reached.get(stage, 0), _with_share(reached.get(stage, 0), started)) for stage in MILESTONES]


def by_month(period: Period) -> Table:
    rows = [
        _funnel_row(f"{month:%B %Y}", tally.groups.get(OF_ALL, Counter())) for month, tally in period.by_month().items()
    ]
    head = ("Month of the trigger", *STAGES.values())
    return Table(name="funnel-by-month", title="By month", head=head, rows=tuple(rows))


def by_language(found: Tally) -> Table:
    """Those without a language on record are a group of their own, last."""
    groups = [(key, reached) for key, reached in found.groups.items() if key != OF_ALL]
    groups.sort(key=lambda group: (not group[0], -group[1]["start"], group[0]))
    rows = tuple(_funnel_row(language_words(key), reached) for key, reached in groups)
    head = ("Preferred language", *STAGES.values())
    return Table(name="funnel-by-language", title="By language", head=head, rows=rows)


def _funnel_row(name: str, reached: Mapping[str, int]) -> tuple[str, ...]:
    return (name, *(str(reached.get(stage, 0)) for stage in MILESTONES))


def times(name: str, title: str, spread: Spread) -> Table:
    """How many cases took how long; the typical times come last."""
    rows, below = [], 0
    for edge, words in EDGES:
        until = spread.below(edge)
        rows.append((words, str(until - below), _share(until - below, spread.number)))
        below = until
    return Table(name=name, title=title, head=("Took", "Cases", "Share"), rows=tuple(rows))


def typical(spread: Spread) -> str:
    """The sentence above a chart of times."""
    if not spread.number:
        return "None so far."
    median, most = _typical(spread)
    return f"{spread.number:,} case{'' if spread.number == 1 else 's'}: half within {median}, 9 of 10 within {most}."


def variants(found: Tally, names: Names) -> list[tuple[Variant, tuple[str, ...]]]:
    """The ways ended cases took, the most frequent first, each with its row."""
    order = sorted(found.variants.values(), key=lambda one: (-one.count, one.more + len(one.way), one.way))
    ended = sum(one.count for one in order)
    rows: list[tuple[Variant, tuple[str, ...]]] = []
    for place, one in enumerate(order[:MOST_VARIANTS], start=1):
        share, median = _share(one.count, ended), seconds_words(one.times.median)
        rows.append((one, (str(place), way_words(one, names), str(one.count), share, median)))
    return rows


def variants_table(listed: Sequence[tuple[Variant, tuple[str, ...]]]) -> Table:
    head = ("Rank", "Way", "Cases", "Share", "Median time")
    return Table(name="ways", title="Ways", head=head, rows=tuple(row for _, row in listed), words=2)


def way_words(variant: Variant, names: Names) -> str:
    """The named elements in order; all elements if none has a name."""
    way = [names.of(element) for element in variant.way if names.elements.get(element) or not names.elements]
    more = f" → and {variant.more} more" if variant.more else ""
    return f"{' → '.join(way)}{more}"


def language_words(code: str) -> str:
    """ "Spanish (es-MX)"; the code if we have no name for it."""
    if not code:
        return "Unknown"
    name = LANGUAGES.get(code.partition("-")[0].lower())
    return f"{name} ({code})" if name else code


def _typical(spread: Spread) -> tuple[str, str]:
    return seconds_words(spread.median), seconds_words(spread.percentile(90))


def _with_share(number: int, whole: int) -> str:
    return f"{number:,} · {_share(number, whole)}" if whole else f"{number:,}"


def _share(number: int, whole: int) -> str:
    return f"{100 * number / whole:.0f} %" if whole else ""


def seconds_words(seconds: float | None) -> str:
    """ "40 s", "12 min", "3.5 h", "12 days": two significant digits."""
    if seconds is None:
        return ""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            number = f"{seconds / size:.1f}".removesuffix(".0") if seconds < 10 * size else f"{seconds / size:.0f}"
            return f"{number} {'day' if unit == 'days' and number == '1' else unit}"
    return f"{seconds:.0f} s" if seconds else "under 1 s"


def span_words(first: date, last: date) -> str:
    return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"
