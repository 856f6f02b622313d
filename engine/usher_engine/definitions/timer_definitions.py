"""Timers and loops of a BPMN file, as drawn."""

from __future__ import annotations

from dataclasses import dataclass

from .safe_xml import BPMN, XmlElement

_TAG = f"{{{BPMN}}}"

#: The property that decides what happens to the times of a cycle that passed while Usher was down: fire all of them,
#: or skip them.
MISSED, MISSED_ALL, MISSED_SKIP = "missed", "all", "skip"


@dataclass(frozen=True, kw_only=True)
class Timer:
    """When a timer event is due: *form* is the element name (``timeDate``, …), *text* its content."""

    form: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """
    The loop of an activity; settings missing from the file are empty.

    It runs for each element of *collection*, or *cardinality* times. *item* names each instance's input, *result* its
    output, which is collected in the list *output*. *condition* is a loop's condition or a multi-instance's completion
    condition. With *in_turn*, instances run one after the other; with *test_before*, a loop may not run at all.
    """

    collection: str = ""
    cardinality: str = ""
    item: str = ""
    output: str = ""
    result: str = ""
    condition: str = ""
    maximum: str = ""
    in_turn: bool = False
    test_before: bool = False


def read_timer(event: XmlElement) -> Timer | None:
    """The timer of an event; None if it has none."""
    for form in ("timeDate", "timeDuration", "timeCycle"):
        found = event.find(f"{_TAG}timerEventDefinition/{_TAG}{form}")
        if found is not None:
            return Timer(form=form, text=(found.text or "").strip())
    return None


def read_repeat(activity: XmlElement) -> Repeat | None:
    """The loop of *activity*; None if it runs once."""
    loop = activity.find(f"{_TAG}standardLoopCharacteristics")
    if loop is not None:
        return Repeat(
            condition=_text(loop, "loopCondition"),
            maximum=loop.get("loopMaximum") or "",
            test_before=loop.get("testBefore") in ("true", "1"),
        )
    several = activity.find(f"{_TAG}multiInstanceLoopCharacteristics")
    if several is None:
        return None
    return Repeat(
        collection=_text(several, "loopDataInputRef"),
        cardinality=_text(several, "loopCardinality"),
        item=_name(several, "inputDataItem"),
        output=_text(several, "loopDataOutputRef"),
        result=_name(several, "outputDataItem"),
        condition=_text(several, "completionCondition"),
        in_turn=several.get("isSequential") in ("true", "1"),
    )


def _text(element: XmlElement, tag: str) -> str:
    return (element.findtext(f"{_TAG}{tag}") or "").strip()


def _name(element: XmlElement, tag: str) -> str:
    """The variable of a data item: its name, or its id if it has no name."""
    item = element.find(f"{_TAG}{tag}")
    return "" if item is None else item.get("name") or item.get("id") or ""
