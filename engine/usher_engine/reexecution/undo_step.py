"""The events of an undo: from the state after a step back to the state before it. Pure.

The command (`cases.undo`) and verify make them with the same function; the history keeps both steps (decisions/0042).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core import events as e
from ..core.errors import Corrupt
from ..core.state import InstanceState

#: The commands that can be undone.
UNDOABLE = frozenset({"start", "complete", "cancel_task"})

#: The reason in the history of a case whose start is undone.
START_UNDONE = "The start was undone before the mail left."


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoneStep:
    """
    A step to be undone: its number, who took it, its events as recorded, and the case before it: its *state*, and its
    serialized *workflow* as text.
    """

    revision: int
    actor: str
    events: tuple[dict[str, Any], ...]
    state: InstanceState
    workflow: str = "null"

    @classmethod
    def of(cls, revision: int, body: Mapping[str, Any], state: InstanceState, workflow: str) -> UndoneStep:
        """The step recorded in *body*."""
        events = tuple(body["events"])
        return cls(revision=revision, actor=body["actor"]["name"], events=events, state=state, workflow=workflow)

    @property
    def is_start(self) -> bool:
        return self.revision == 1

    @property
    def answer(self) -> e.UserTaskCompleted | e.UserTaskCancelled:
        """The event that ended the task; raises `Corrupt` where there is none."""
        for record in self.events:
            if record.get("kind") in ("UserTaskCompleted", "UserTaskCancelled"):
                found = e.from_json(record)
                if isinstance(found, e.UserTaskCompleted | e.UserTaskCancelled):
                    return found
        raise Corrupt(f"Step {self.revision} ended no task.")


def undo_events(step: UndoneStep, now: InstanceState) -> list[e.Event]:
    """
    The events that lead from *now* back to the state before *step*, its task claimed by who had ended it.

    An undone start ends the case: there is nothing before it.
    """
    if step.is_start:
        return [e.InstanceCancelled(START_UNDONE)]
    answer, before = step.answer, step.state
    closing: list[e.Event] = [e.ElementCancelled(*_split(here)) for here in _gone(now.at, before.at)]
    closing += [e.WaitEnded(*_split(here)) for here in _gone(now.waits, before.waits)]
    undone = e.StepUndone(step.revision, answer.element, answer.visit, before.to_json())
    return [*closing, undone, *_opened_again(step, now, answer), *_awaited_again(now, before)]


def repeat_undo(last: UndoneStep | None, body: Mapping[str, Any], now: InstanceState) -> list[e.Event] | None:
    """The events of the undo recorded in *body*, if *last* is the step it names; None if it is not."""
    if last is None or body["command"].get("step") != last.revision or body["actor"]["name"] != last.actor:
        return None
    put_back = [e.from_json(record) for record in body["events"] if record.get("kind") == "ServiceUndone"]
    return [*put_back, *undo_events(last, now)]


def undone_revisions(steps: Iterable[tuple[int, Mapping[str, Any], bytes]]) -> frozenset[int]:
    """The steps that later ones have undone, except a start: what came of them counts no more."""
    commands = (body["command"] for _, body, _ in steps)
    return frozenset(int(one["step"]) for one in commands if one.get("kind") == "undo" and one["step"] > 1)


def _opened_again(
    step: UndoneStep, now: InstanceState, answer: e.UserTaskCompleted | e.UserTaskCancelled
) -> Iterable[e.Event]:
    for here, task in step.state.tasks.items():
        if here in now.tasks:
            continue
        yield _from_record(task.opened)
        element, visit = _split(here)
        own = (element, visit) == (answer.element, answer.visit)
        assignee = task.assignee or (step.actor if own else "")
        if assignee:
            yield e.UserTaskClaimed(element, visit, assignee)


def _awaited_again(now: InstanceState, before: InstanceState) -> Iterable[e.Event]:
    return (_from_record(wait) for here, wait in before.waits.items() if here not in now.waits)


def _from_record(record: Mapping[str, Any]) -> e.Event:
    return e.from_json(dict(record))


def _gone(now: Iterable[str], before: Iterable[str]) -> list[str]:
    kept = set(before)
    return [here for here in dict.fromkeys(now) if here not in kept]


def _split(here: str) -> tuple[str, int]:
    element, _, visit = here.rpartition(":")
    return element, int(visit)
