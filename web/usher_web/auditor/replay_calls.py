"""What replay and evidence show of calls: what each step adds to them, and in which of them it lies. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from usher_engine import Step
from usher_engine.cases import CallHistory, HistoryPage, Plans, follow_calls
from usher_engine.definitions import Drawing

from ..casework.call_views import call_view, call_views, homes_of, inside, new_visits
from ..words.case_narrative import Names
from ..words.effect_status import Followed

_ENTRIES = ("ElementEntered", "ElementPassed")

#: The diagrams of the package with a hash.
Versions = Callable[[str], Sequence[Drawing]]


def call_histories(window: HistoryPage[Followed], plans: Plans) -> list[CallHistory]:
    """The calls after each step of a window; a step that is lost changes nothing."""
    history, found = window.carried.calls, []
    for seen in window.seen:
        history = follow_calls(history, seen.step, plans) if seen.step else history
        found.append(history)
    return found


def marked_calls(
    window: HistoryPage[Followed], histories: Sequence[CallHistory], names: Names, versions: Versions
) -> Iterator[dict[str, Any]]:
    """
    For each step of a window: the calls that it changed, what it did *inside* of each, and where it *lies*.

    ``lies`` is the element and the call that a viewer should show: where something failed, or where the step came to.
    """
    before = window.carried.calls
    for seen, after in zip(window.seen, histories, strict=True):
        homes = homes_of(versions(after.definition)) if after.calls else {}
        changed = [one for place, one in after.calls.items() if before.calls.get(place) is not one]
        here: dict[str, dict[str, Any]] = dict(inside(after, seen.after))
        for one in changed:
            here[one.place] = {"at": [], "incident": [], **here.get(one.place, {}), "step": new_visits(
                before.calls.get(one.place), one
            )}  # fmt: skip
        yield {
            "calls": [call_view(one, homes[one.process], names) for one in changed if one.process in homes],
            "inside": here,
            "lies": _lies(seen.step, after),
        }
        before = after


def calls_before(window: HistoryPage[Followed], names: Names, versions: Versions) -> list[dict[str, Any]]:
    """The calls before a window, as `marked_calls` goes on from them."""
    history = window.carried.calls
    return call_views(history, window.before, versions(history.definition) if history.calls else (), names)


def _lies(step: Step | None, after: CallHistory) -> dict[str, str]:
    events = [event for event in step.events if event.get("element")] if step else []
    failed = [event for event in events if event["kind"] == "IncidentRaised"]
    entered = [event for event in events if event["kind"] in _ENTRIES]
    last = next((found[-1] for found in (failed, entered, events) if found), None)
    element = str(last["element"]) if last else ""
    return {"element": element, "call": after.touched.get(element, "")}
