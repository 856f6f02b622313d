"""Timers and repetitions of a BPMN file, as they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from .safe_xml import BPMN, XmlElement

_TAG = f"{{{BPMN}}}"

#: The property that says what becomes of the times of a cycle that passed while nothing ran: all of them are made up
#: for, or they are skipped.
MISSED, MISSED_ALL, MISSED_SKIP = "missed", "all", "skip"


@dataclass(frozen=True, kw_only=True)
class Timer:
    """When a timer event is due: *form* is the element (``timeDate``, …), *text* what stands in it."""

    form: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """
    How an activity is done several times; what the file does not say is empty.

    *collection* is gone through, or it is done *cardinality* times; *item* names what each is given, *result* what
    each gives back into the list *output*. *condition* is a loop's condition or what completes a multi-instance;
    *in_turn* tells that items are done one after the other.
    """

    collection: str = ""
    cardinality: str = ""
    item: str = ""
    output: str = ""
    result: str = ""
    condition: str = ""
    maximum: str = ""
    in_turn: bool = False


def read_timer(event: XmlElement) -> Timer | None:
    """The timer of an event, None where it has none."""
    for form in ("timeDate", "timeDuration", "timeCycle"):
        found = event.find(f"{_TAG}timerEventDefinition/{_TAG}{form}")
        if found is not None:
            return Timer(form=form, text=(found.text or "").strip())
    return None


def read_repeat(activity: XmlElement) -> Repeat | None:
    """How *activity* is repeated, None where it is done once."""
    loop = activity.find(f"{_TAG}standardLoopCharacteristics")
    if loop is not None:
        return Repeat(condition=_text(loop, "loopCondition"), maximum=loop.get("loopMaximum") or "")
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
    """The variable a data item stands for: its name, or its id where it has none."""
    item = element.find(f"{_TAG}{tag}")
    return "" if item is None else item.get("name") or item.get("id") or ""
