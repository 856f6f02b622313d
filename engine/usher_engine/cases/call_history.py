"""
Which call of a process each visit belongs to, folded from the events of a case: a process may be called repeatedly.

Events count the visits of an element over all calls. A token is followed from element to element: it stays in its call.
Where several calls of one process run at once, tokens leave an element in the order they entered it (decisions/0031).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal

from ..store import Step
from .call_plan import CallPlan
from .history_pages import ALTERED

#: Calls that ended are kept up to this number, the newest; the sums over all calls are in the state of the case.
KEPT = 40

_ENTRIES = ("ElementEntered", "ElementPassed")
_LEFT = ("ElementCompleted", "ElementCancelled")
_TRIGGERED = ("TimerFired", "MessageReceived")
_OVER = ("InstanceFinished", "InstanceCancelled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """
    One call: the visit number *visit* of the call activity *activity*, from step *first* to *last* (0: it runs).

    *parent* is the place (``activity:visit``) of the call that contains it, empty in the main process. *visits* and
    *flows* count what this call alone has visited and taken.
    """

    activity: str
    visit: int
    process: str
    parent: str
    first: int
    last: int = 0
    visits: Mapping[str, int] = field(default_factory=dict)
    flows: Mapping[str, int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.activity}:{self.visit}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A visit in a call that no flow has left yet, and the place of that call; *done*: it may leave."""

    element: str
    visit: int
    within: str
    done: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CallHistory:
    """
    The calls of a case after a step, by place, oldest first.

    *definition* is the hash of the package the case runs on. *tokens* are the visits in calls that have not been left,
    in the order of their entry, *unstarted* maps a process or sub-process to the calls that are about to start in it,
    *touched* an element to the call in which something happened to it last.
    """

    definition: str = ""
    calls: Mapping[str, Called] = field(default_factory=dict)
    tokens: tuple[Token, ...] = ()
    unstarted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    touched: Mapping[str, str] = field(default_factory=dict)

    def within(self, place: str) -> str:
        """The place of the call in which the token at *place* rests; empty in the main process, or if unknown."""
        element, _, visit = place.rpartition(":")
        found = (one.within for one in self.tokens if (one.element, str(one.visit)) == (element, visit))
        return next(found, self.touched.get(element, ""))


#: Gives the plan of the package with a hash.
Plans = Callable[[str], CallPlan]


def follow_calls(before: CallHistory, step: Step, plans: Plans) -> CallHistory:
    """The calls after *step*. An altered step changes nothing; in a package without calls there is nothing to do."""
    try:
        return _follow(before, step, plans)
    except ALTERED:
        return before


def calls_after(steps: Iterable[Step], plans: Plans) -> CallHistory:
    """The calls after all *steps* of a case."""
    return reduce(lambda history, step: follow_calls(history, step, plans), steps, CallHistory())


def _follow(before: CallHistory, step: Step, plans: Plans) -> CallHistory:
    definition = _definition(before.definition, step.events)
    plan = plans(definition) if definition else None
    if plan is None or not (plan.calls or before.calls):
        return before if definition == before.definition else replace(before, definition=definition)
    return _Follower(replace(before, definition=definition), plan, step.revision).follow(step.events)


def _definition(before: str, events: Iterable[Mapping[str, Any]]) -> str:
    found = [str(event["definition"]) for event in events if event["kind"] in ("InstanceStarted", "InstanceMigrated")]
    return found[-1] if found else before


class _Follower:
    """Follows the tokens of one step."""

    def __init__(self, before: CallHistory, plan: CallPlan, revision: int) -> None:
        self.before, self.plan, self.revision = before, plan, revision
        self.calls = dict(before.calls)
        self.tokens = list(before.tokens)
        self.unstarted = {key: list(places) for key, places in before.unstarted.items()}
        self.touched = dict(before.touched)
        self.leaving: tuple[Token, set[str]] | None = None  # leaves by several flows, and those it took
        self.passed: list[str] = []  # calls that began and ended in this step

    def follow(self, events: Iterable[Mapping[str, Any]]) -> CallHistory:
        for event in events:
            self._see(event)
        for place in self.passed:
            self._end(place)
        ended = [place for place, one in self.calls.items() if one.last]
        for place in ended[: max(len(ended) - KEPT, 0)]:
            del self.calls[place]
        return CallHistory(
            definition=self.before.definition,
            calls=self.calls,
            tokens=tuple(self.tokens),
            unstarted={key: tuple(places) for key, places in self.unstarted.items() if places},
            touched=self.touched,
        )

    def _see(self, event: Mapping[str, Any]) -> None:
        kind, element, visit = event["kind"], event.get("element", ""), event.get("visit", 0)
        flow = event.get("flow", "")
        if kind in _ENTRIES:
            self._enter(element, visit, flow, passed=kind == "ElementPassed")
        elif kind in ("FlowTaken", "RepetitionStarted"):
            target = element or self.plan.ends.get(flow, ("", ""))[1]
            within = self._arrive(target, flow)
            self.touched |= {target: within} if within else {}
        elif kind == "InstanceMigrated":
            self._move(event.get("places", {}))
        elif kind in _OVER:
            for place in list(self.calls):
                self._end(place)
            self.tokens, self.unstarted = [], {}
        elif element:
            self._touch(element, visit, kind)

    def _enter(self, element: str, visit: int, flow: str, *, passed: bool) -> None:
        within = self._arrive(element, flow)
        if within:
            self.touched[element] = within
            self._count(within, "visits", element)
        if within and (not passed or self.plan.leaving.get(element)):
            self.tokens.append(Token(element=element, visit=visit, within=within, done=passed))
        inside, place = self.plan.inside(element), f"{element}:{visit}"
        if element in self.plan.calls:
            self.calls[place] = Called(
                activity=element, visit=visit, process=inside, parent=within, first=self.revision
            )
            self.passed += [place] if passed else []
        if inside:
            self.unstarted.setdefault(inside, []).append(place if element in self.plan.calls else within)

    def _arrive(self, element: str, flow: str) -> str:
        """The call that a token is in which comes to *element* by *flow*, or without one."""
        within = self._leave(flow) if flow else self._begin(element)
        running = self._running(self.plan.owners.get(element, self.plan.main))
        if within not in running:
            within = (running or [""])[-1]
        if flow:
            self._count(within, "flows", flow)
        return within

    def _running(self, process: str) -> list[str]:
        """The calls of *process* that have not ended, oldest first; the main process is in none."""
        if process == self.plan.main:
            return [""]
        return [place for place, one in self.calls.items() if one.process == process and not one.last]

    def _begin(self, element: str) -> str | None:
        """The call of an entry without a flow: of a start, a boundary event, an item, a join; None if unknown."""
        node = self.plan.nodes.get(element)
        if node and node.kind == "startEvent" and self.unstarted.get(node.scope):
            return self.unstarted[node.scope].pop(0)
        return self.touched.get(node.attached_to if node and node.attached_to else element)

    def _leave(self, flow: str) -> str | None:
        """The call of the token that leaves by *flow*; None if no token could."""
        source = self.plan.ends.get(flow, ("", ""))[0]
        alone = source in self.plan.nodes and self.plan.nodes[source].default == flow  # no other flow is taken with it
        if self.leaving and self.leaving[0].element == source and flow not in self.leaving[1] and not alone:
            self.leaving[1].add(flow)
            return self.leaving[0].within
        here = [one for one in self.tokens if one.element == source]
        found = next((one for one in here if one.done), here[0] if here else None)
        if found is None:
            return None
        items = self.plan.repeats(source)  # the items of a repeated activity leave together
        self.tokens = [
            one for one in self.tokens
            if one is not found and not (items and one.done and (one.element, one.within) == (source, found.within))
        ]  # fmt: skip
        self.leaving = (found, {flow}) if self.plan.forks(source) and not alone else None
        return found.within

    def _touch(self, element: str, visit: int, kind: str) -> None:
        """Something happened at a place: it is left, or a time or message has come there."""
        self.leaving = None
        node = self.plan.nodes.get(element)
        # A boundary event is armed with its host: its number there is the visit of the host.
        at = node.attached_to if node and node.attached_to and kind in _TRIGGERED else element
        found = next((one for one in self.tokens if (one.element, one.visit) == (at, visit)), None)
        if found is not None:
            self.touched[at] = found.within
            if kind in _LEFT:
                self.tokens.remove(found)
            if kind == "ElementCompleted" and self.plan.leaving.get(element):
                self.tokens.insert(0, replace(found, done=True))
        if kind in _LEFT:
            self._end(f"{element}:{visit}")

    def _end(self, place: str) -> None:
        """The call at *place*, if there is one, and everything in it are over."""
        if place not in self.calls or self.calls[place].last:
            return
        self.calls[place] = replace(self.calls[place], last=self.revision)
        self.tokens = [one for one in self.tokens if one.within != place]
        for key, waiting in self.unstarted.items():
            self.unstarted[key] = [one for one in waiting if one != place]

    def _count(self, within: str, what: Literal["visits", "flows"], key: str) -> None:
        one = self.calls.get(within)
        if one is not None and what == "visits":
            self.calls[within] = replace(one, visits={**one.visits, key: one.visits.get(key, 0) + 1})
        elif one is not None:
            self.calls[within] = replace(one, flows={**one.flows, key: one.flows.get(key, 0) + 1})

    def _move(self, places: Mapping[str, str]) -> None:
        """The case was migrated: tokens, and calls that run, have other places."""

        def moved(place: str) -> str:
            return places.get(place, place)

        def split(place: str) -> tuple[str, int]:
            element, _, visit = moved(place).rpartition(":")
            return element, int(visit)

        for number, one in enumerate(self.tokens):
            element, visit = split(f"{one.element}:{one.visit}")
            self.tokens[number] = replace(one, element=element, visit=visit, within=moved(one.within))
        calls = [
            replace(one, activity=split(place)[0], visit=split(place)[1], parent=moved(one.parent))
            for place, one in self.calls.items()
        ]
        self.calls = {one.place: replace(one, process=self.plan.calls.get(one.activity, one.process)) for one in calls}
        self.unstarted = {key: [moved(place) for place in waiting] for key, waiting in self.unstarted.items()}
        self.touched = {element: moved(place) for element, place in self.touched.items()}
