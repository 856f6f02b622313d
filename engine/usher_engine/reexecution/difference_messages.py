"""Describes events, and where two runs of a step diverge, in plain words; names elements, never patients' data."""

from __future__ import annotations

from typing import Any

from ..bpmn import Diagram
from ..core.canonical import canonical

COMMANDS = {
    "start": "start",
    "retry": "try again",
    "complete": "complete a task",
    "cancel_task": "cancel a task",
    "finish_job": "a service's report",
    "fail_job": "a service's failure",
    "fire_timer": "a timer that was due",
    "deliver_message": "a message",
    "claim": "claim",
    "release": "release",
    "assign": "assign",
    "set_due": "set a due date",
    "put_off": "put off",
    "cancel": "cancel the case",
    "record": "a fact",
    "migrate": "move to another version",
    "repair": "repair the case",
    "undo": "undo a step",
}

DESCRIPTIONS = {
    "InstanceStarted": "the case was started",
    "ElementEntered": "{} was entered",
    "ElementPassed": "{} was passed",
    "ElementCompleted": "{} was completed",
    "ElementCancelled": "{} was ended from outside",
    "FlowTaken": "the flow {} was taken",
    "UserTaskOpened": "the task {} was opened",
    "UserTaskClaimed": "the task {} was claimed",
    "UserTaskReleased": "the task {} was released",
    "UserTaskAssigned": "the task {} was assigned",
    "UserTaskDueSet": "the due date of the task {} was set",
    "UserTaskPutOff": "the task {} was put off",
    "UserTaskCompleted": "the task {} was answered",
    "UserTaskCancelled": "the task {} was cancelled",
    "ServiceCalled": "{} got its answer",
    "ServiceRequested": "{} asked for its service",
    "ServiceCompleted": "the service of {} was done",
    "ServiceRefused": "the service of {} refused",
    "ServiceFailed": "the service of {} failed",
    "DecisionMade": "{} was decided",
    "TimerStarted": "the timer of {} was started",
    "TimerFired": "the timer of {} was due",
    "MessageAwaited": "{} waited for its message",
    "MessageReceived": "{} got its message",
    "WaitEnded": "the wait of {} was over",
    "RepetitionStarted": "the rounds of {} began",
    "ItemGiven": "{} was given its item",
    "IncidentRaised": "{} failed",
    "IncidentResolved": "the incident at {} was resolved",
    "DataChanged": "the data changed",
    "FactRecorded": "a fact was recorded",
    "InstanceFinished": "the case ended at {}",
    "InstanceCancelled": "the case was cancelled",
    "InstanceMigrated": "the case was moved to another version",
    "InstanceRepaired": "the state of the case was made again from its history",
    "StepUndone": "the step that had ended the task {} was undone",
    "ServiceUndone": "what {} had changed was put back",
}


def command_name(kind: str) -> str:
    return COMMANDS.get(kind, "an unknown command")


def element_name(element: str, diagram: Diagram) -> str:
    """Return the name of the element, or its id if it has no name."""
    known = diagram.elements.get(element)
    return (known.name if known else "") or element or "the diagram"


def describe_event(event: dict[str, Any], diagram: Diagram) -> str:
    """Return *event* as a clause: “Send invitation was entered”."""
    where = str(event.get("element") or event.get("flow") or event.get("outcome") or "")
    return DESCRIPTIONS.get(str(event.get("kind")), "something unknown happened").format(element_name(where, diagram))


def _describe_course(event: dict[str, Any], diagram: Diagram) -> str:
    if event["kind"] in ("ElementEntered", "ElementPassed"):
        return f"the diagram goes to {element_name(str(event['element']), diagram)}"
    return describe_event(event, diagram)


def first_difference(
    revision: int, recorded: list[dict[str, Any]], made: list[dict[str, Any]], diagram: Diagram
) -> tuple[str, str, str]:
    """Return (message, element, kind) of the first event that differs; the message is empty if all are equal."""
    for was, now in zip(recorded, made, strict=False):
        if _same(was, now):
            continue
        element = str(was.get("element") or now.get("element") or "")
        if was.get("kind") == now["kind"] and was.get("element") == now.get("element"):
            return _contents(revision, was, now, diagram), element, "data"
        then, now_goes = describe_event(was, diagram), _describe_course(now, diagram)
        return f"Step {revision} recorded that {then}; run again, {now_goes}.", element, "path"
    if len(recorded) > len(made):
        extra = recorded[len(made)]
        message = f"Step {revision} recorded that {describe_event(extra, diagram)}; run again, nothing more happens."
        return message, str(extra.get("element", "")), "path"
    if len(made) > len(recorded):
        extra = made[len(recorded)]
        message = f"Step {revision} recorded nothing more; run again, {_describe_course(extra, diagram)}."
        return message, str(extra.get("element", "")), "path"
    return "", "", "path"


def _same(was: Any, now: Any) -> bool:
    try:
        return canonical(was) == canonical(now)
    except ValueError:
        return bool(was == now)


def _contents(revision: int, was: dict[str, Any], now: dict[str, Any], diagram: Diagram) -> str:
    fields = [name for name in sorted({*was, *now}) if not _same(was.get(name), now.get(name))]
    names = []
    for name in fields:
        before, after = was.get(name), now.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            names += [key for key in sorted({*before, *after}) if not _same(before.get(key), after.get(key))]
        else:
            names.append(name)
    then = describe_event(was, diagram)
    return f"Step {revision} recorded that {then}; run again, this differs in: {', '.join(names)}."
