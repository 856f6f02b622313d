"""What windows are told when cases have changed: the rows of their tasks, why a task is gone, and new counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template, url_for
from usher_engine import Actor, Step, UserTask
from usher_engine.cases import Onlookers, is_held_by_another

from ..casework.visibility import may_work_on
from ..site import site
from ..words.case_narrative import line_of
from ..words.element_names import names_of
from .list_query import STAND_IN_VIEW, Column, View
from .task_list import priority_words, rows_of

#: The reader of a row that no person's own words stand in; no account has this name.
NOBODY = Actor(name=" ", role="staff")


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """A person with open windows; *works* is whether the person has an inbox."""

    actor: Actor
    works: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """
    What has happened to a few cases, read and rendered once for any number of windows.

    *tasks* are the open ones of each case; *rows* maps (task id, whose eyes) to the row; *last* is the last thing that
    happened in a case, in words; *given* are the steps that gave tasks to people who listen, by task id.
    """

    onlookers: Onlookers
    tasks: Mapping[str, tuple[UserTask, ...]]
    rows: Mapping[tuple[str, str], str]
    last: Mapping[str, str]
    given: Mapping[str, Step]

    def for_window(self, viewer: Viewer, watched: frozenset[str], since: datetime) -> dict[str, Any] | None:
        """
        The message for a window that shows the cases *watched*, opened at *since*; None if none of it concerns it.

        ``cases``: of each watched case the rows of its tasks, by task id, and what happened. ``fresh``: ids of tasks
        in other cases that the person may see and that were opened since. ``notices``: what a browser may tell of
        while no page is in view, see `_notices`.
        """
        seen = self.onlookers.seen_by(viewer.actor)
        cases = {number: self._case(number, viewer) for number in sorted(watched & seen.keys())}
        fresh = [
            task.id
            for number in sorted(seen.keys() - watched)
            for task in self.tasks.get(number, ())
            if viewer.works and task.created >= since and may_work_on(viewer.actor, task)
        ]
        if not (cases or fresh or (viewer.works and seen)):
            return None
        return {"cases": cases, "fresh": fresh, "notices": self._notices(seen, viewer, since) if viewer.works else []}

    def _notices(self, seen: Iterable[str], viewer: Viewer, since: datetime) -> list[dict[str, str]]:
        """Tasks given to the person by others, and free ones of high priority that were opened, both since *since*."""
        name, found = viewer.actor.name, []
        for task in (task for number in sorted(seen) for task in self.tasks.get(number, ())):
            step, kind = self.given.get(task.id), ""
            if task.assignee == name and step is not None and step.actor != name and step.at >= since:
                kind = f"given:{step.revision}"
            elif not task.assignee and task.created >= since and priority_words(task.priority) == "high":
                kind = "urgent" if may_work_on(viewer.actor, task) else ""
            if kind:
                address = url_for("inbox.task", task_id=task.id)
                found.append({"key": f"{task.id}:{kind}", "kind": kind.partition(":")[0], "url": address})
        return found

    def _case(self, number: str, viewer: Viewer) -> dict[str, Any]:
        name = viewer.actor.name
        visible = [task for task in self.tasks.get(number, ()) if viewer.works and may_work_on(viewer.actor, task)]
        rows = {task.id: self.rows.get((task.id, name)) or self.rows[task.id, ""] for task in visible}
        others = [task for task in visible if is_held_by_another(viewer.actor, task)]
        owners = {task.id: task.assignee for task in others} | {t.id: name for t in visible if t.assignee == name}
        return {"rows": rows, "owners": owners, "last": self.last.get(number, "")}


def changes(instances: frozenset[str], viewers: Iterable[Viewer], watched: frozenset[str]) -> Changes:
    """Read what has become of *instances*; render the rows of those that some window shows (*watched*)."""
    here = site()
    tasks = here.engine.inbox.of_cases(instances)
    readers = {viewer.actor.name: viewer.actor for viewer in viewers}
    shown = [task for number in sorted(instances & watched) for task in tasks.get(number, ())]
    rows = {(task.id, ""): html for task, html in _rendered(shown, NOBODY)}
    for name, reader in sorted(readers.items()):
        own = [task for task in shown if task.assignee and not is_held_by_another(reader, task)]
        rows |= {(task.id, name): html for task, html in _rendered(own, reader)}
    return Changes(
        onlookers=here.engine.search.onlookers(instances),
        tasks=tasks,
        rows=rows,
        last={number: _last(number) for number in sorted(instances & watched)},
        given=dict(_given([task for found in tasks.values() for task in found if task.assignee in readers])),
    )


def counts(actors: Collection[Actor]) -> dict[Actor, dict[str, int]]:
    """How many tasks each person has, as the tabs of the inbox and the rail show it, stopped cases, and mentions."""
    stopped = {actor: site().engine.search.count_stopped(actor) for actor in actors}
    mentioned = {actor: len(found) for actor, found in site().engine.comments.unseen(actors).items()}
    return {
        actor: {
            str(View.ALL): found.all,
            str(View.MINE): found.mine,
            str(View.OVERDUE): found.overdue,
            str(View.LATER): found.put_off,
            "inbox": found.all + stopped[actor] + mentioned[actor],
            "stopped": stopped[actor],
            "mentioned": mentioned[actor],
            **{f"{STAND_IN_VIEW}{name}": number for name, number in found.stood_in.items()},
        }
        for actor, found in site().engine.inbox.count_each_of(actors).items()
    }


def _rendered(tasks: list[UserTask], reader: Actor) -> Iterable[tuple[UserTask, str]]:
    for task, row in zip(tasks, rows_of(tasks, reader), strict=True):
        yield task, render_template("inbox_row.html", row=row, current="", columns=tuple(Column))


def _given(tasks: Iterable[UserTask]) -> Iterable[tuple[str, Step]]:
    """The last step that gave each of *tasks* to who has it; none for those that people claimed."""
    for task in tasks:
        for step in reversed(site().engine.queries.history(task.instance)):
            here = (task.element, task.visit)
            kinds = {one["kind"] for one in step.events if (one.get("element"), one.get("visit")) == here}
            if "UserTaskAssigned" in kinds:
                yield task.id, step
            if kinds & {"UserTaskAssigned", "UserTaskClaimed", "UserTaskReleased", "UserTaskOpened"}:
                break


def _last(number: str) -> str:
    """The newest thing worth telling in the history of a case, in words."""
    names = names_of(number)
    for step in reversed(site().engine.queries.history(number)):
        line = line_of(step, names)
        if line and line.words:
            return line.addressed_to(NOBODY.name)
    return ""
