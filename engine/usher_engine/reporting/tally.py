"""Counts cases: visits, waits, paths, milestones. Tallies can be added, so that days make a period. Pure.

Durations are stored as counts of seconds rounded to three figures (at most half a per cent off), so that the size of
a tally depends on the variety of its cases, not on their number, and every percentile can be computed.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: How many elements of a path are stored by id; later ones are only counted.
WAY = 60

#: The group of all cases.
OF_ALL = "*"

ENTERED = ("ElementEntered", "ElementPassed")
LEFT = ("ElementCompleted", "ElementCancelled")

#: An event of a case, with its time.
TimedEvent = tuple[datetime, Mapping[str, Any]]


@dataclass(slots=True)
class Spread:
    """How often each duration in seconds (rounded) occurred."""

    counts: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        self.counts[rounded(seconds)] += 1

    @property
    def number(self) -> int:
        return self.counts.total()

    def percentile(self, per_cent: float) -> int | None:
        """The shortest duration that *per_cent* of all do not exceed (nearest rank); None if there are none."""
        rank, seen = math.ceil(self.number * per_cent / 100), 0
        for seconds in sorted(self.counts):
            seen += self.counts[seconds]
            if seen >= max(rank, 1):
                return seconds
        return None

    @property
    def median(self) -> int | None:
        return self.percentile(50)

    def below(self, seconds: float) -> int:
        """How many were shorter."""
        return sum(count for value, count in self.counts.items() if value < seconds)


@dataclass(slots=True)
class Variant:
    """Ended cases that took the same path: its first elements (*way*), how many follow (*more*), one *example* case."""

    way: tuple[str, ...]
    more: int
    example: str
    times: Spread = field(default_factory=Spread)

    @property
    def count(self) -> int:
        return self.times.number


@dataclass(slots=True)
class Tally:
    """
    The figures of some cases.

    ``waits`` are durations from entering an element to leaving it in a later step; ``resting`` counts open ones.
    ``times`` are durations from the start to each milestone, including *end*; ``groups`` counts milestones by group.
    """

    cases: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    flows: Counter[str] = field(default_factory=Counter)
    resting: Counter[str] = field(default_factory=Counter)
    waits: dict[str, Spread] = field(default_factory=dict)
    times: dict[str, Spread] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    groups: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, case: str, events: Sequence[TimedEvent], milestones: Mapping[str, datetime], group: str) -> None:
        """Add one case, with its events in order, the times of its milestones and its group."""
        if not events:
            return
        start, ended = events[0][0], None
        status, way = "waiting", []
        entered: dict[tuple[Any, Any], datetime] = {}
        for at, event in events:
            kind, here = event.get("kind"), (event.get("element"), event.get("visit"))
            if kind in ENTERED:
                way.append(str(event["element"]))
            if kind == "ElementEntered":
                entered[here] = at
            elif kind in LEFT and here in entered:
                self._add_wait(str(event["element"]), entered.pop(here), at)
            if event.get("flow"):
                self.flows[str(event["flow"])] += 1
            if kind in ("InstanceFinished", "InstanceCancelled"):
                status, ended = ("finished" if kind == "InstanceFinished" else "cancelled"), at
                entered.clear()
        self.cases += 1
        self.statuses[status] += 1
        self.visits.update(way)
        self.resting.update(str(element) for element, _ in entered)
        reached = {**milestones, **({"end": ended} if ended else {})}
        for name, at in reached.items():
            self.times.setdefault(name, Spread()).add((at - start).total_seconds())
        for key in (OF_ALL, group):
            self.groups.setdefault(key, Counter()).update(["start", *reached])
        if ended:
            self._add_variant(way, case, (ended - start).total_seconds())

    def _add_wait(self, element: str, since: datetime, until: datetime) -> None:
        if until > since:
            self.waits.setdefault(element, Spread()).add((until - since).total_seconds())

    def _add_variant(self, way: list[str], case: str, seconds: float) -> None:
        key = hashlib.sha256("\n".join(way).encode()).hexdigest()[:16]
        first = Variant(way=tuple(way[:WAY]), more=max(len(way) - WAY, 0), example=case)
        self.variants.setdefault(key, first).times.add(seconds)

    def add(self, other: Tally) -> None:
        """Add the figures of other cases."""
        self.cases += other.cases
        for ours, theirs in (
            (self.statuses, other.statuses),
            (self.visits, other.visits),
            (self.flows, other.flows),
            (self.resting, other.resting),
        ):
            ours.update(theirs)
        for spreads, added in ((self.waits, other.waits), (self.times, other.times)):
            for key, spread in added.items():
                spreads.setdefault(key, Spread()).counts.update(spread.counts)
        for key, variant in other.variants.items():
            first = Variant(way=variant.way, more=variant.more, example=variant.example)
            self.variants.setdefault(key, first).times.counts.update(variant.times.counts)
        for key, reached in other.groups.items():
            self.groups.setdefault(key, Counter()).update(reached)

    def to_json(self) -> dict[str, Any]:
        return {
            "cases": self.cases,
            **{name: dict(getattr(self, name)) for name in ("statuses", "visits", "flows", "resting")},
            **{name: {key: _pairs(one) for key, one in getattr(self, name).items()} for name in ("waits", "times")},
            "variants": {
                key: [list(one.way), one.more, one.example, _pairs(one.times)] for key, one in self.variants.items()
            },
            "groups": {key: dict(reached) for key, reached in self.groups.items()},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Tally:
        return cls(
            cases=record["cases"],
            statuses=Counter(record["statuses"]),
            visits=Counter(record["visits"]),
            flows=Counter(record["flows"]),
            resting=Counter(record["resting"]),
            waits={key: _spread(one) for key, one in record["waits"].items()},
            times={key: _spread(one) for key, one in record["times"].items()},
            variants={
                key: Variant(way=tuple(way), more=more, example=example, times=_spread(times))
                for key, (way, more, example, times) in record["variants"].items()
            },
            groups={key: Counter(reached) for key, reached in record["groups"].items()},
        )


def _pairs(spread: Spread) -> list[int]:
    """Value, count, value, count …"""
    return [number for pair in sorted(spread.counts.items()) for number in pair]


def _spread(pairs: Sequence[int]) -> Spread:
    return Spread(Counter(dict(zip(pairs[::2], pairs[1::2], strict=True))))


def rounded(seconds: float) -> int:
    """Whole seconds; long durations are rounded to three figures."""
    whole = max(round(seconds), 0)
    return round(whole, min(3 - len(str(whole)), 0))


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them added up."""
    found = Tally()
    for tally in tallies:
        found.add(tally)
    return found
