"""Conditions, timers, repetitions and scripts of other products, read into Usher's language where they are written."""

from __future__ import annotations

from lxml import etree

from ..safe_xml import XmlElement
from . import feel, juel
from .translation_context import Page, Reading, bpmn, kind_of, name_of
from .vendor_extensions import ENGINES, ZEEBE

_EXPRESSIONS = {
    "conditionExpression": "The condition",
    "completionCondition": "The condition to stop",
    "loopCardinality": "The number of rounds",
    "loopCondition": "The condition of the loop",
    "condition": "The condition",
    "timeDuration": "The duration",
    "timeDate": "The date",
    "timeCycle": "The cycle",
}
_OURS = {"", "python", "usher", "http://www.w3.org/1999/xpath", "http://www.java.com/javatypes"}
#: Names a foreign engine counts rounds by.
_COUNTERS = ("nrOfInstances", "nrOfActiveInstances", "nrOfCompletedInstances")


def translate_texts(page: Page) -> None:
    """Every text of the standard elements that is written in another language."""
    for element in list(page.root.iter(*(bpmn(name) for name in _EXPRESSIONS))):
        _expression(page, element)
    for element in list(page.root.iter(bpmn("multiInstanceLoopCharacteristics"))):
        _repetition(page, element)
    for element in list(page.root.iter(bpmn("scriptTask"))):
        _script_task(page, element)


def reading_of(source: str) -> Reading | None:
    """How *source* is to be read; None when it is no text of another product."""
    if juel.is_juel(source):
        return juel.juel
    return feel.feel if feel.is_feel(source) else None


def _expression(page: Page, element: XmlElement) -> None:
    source = element.text or ""
    if any(counter in source for counter in _COUNTERS):
        page.refuse(element, "It counts rounds with a name of the foreign product. Ask the collected results instead.")
        return
    reading = reading_of(source)
    if reading is not None:
        text = page.expression(element, source, _EXPRESSIONS[kind_of(element)], reading)
        if text is not None:
            element.text = _unwrapped(text) if kind_of(element).startswith("time") else text
            page.drop(element, "language")
    language = (element.get("language") or "").lower()
    if language and language not in _OURS and source.strip():
        message = f"The text is marked as {language[:40]} and read as Usher's language. Look whether it says the same."
        page.drop(element, "language")
        page.read_as(element, message, "warning")


def _unwrapped(text: str) -> str:
    """A time given as a quoted text, without its quotes."""
    plain = text[1:-1]
    return plain if text[:1] == text[-1:] == '"' and '"' not in plain and "\\" not in plain else text


def _repetition(page: Page, element: XmlElement) -> None:
    for namespace in ENGINES:
        collection = element.get(f"{{{namespace}}}collection")
        variable = element.get(f"{{{namespace}}}elementVariable") or ""
        if collection and _collected(page, element, collection, variable, juel.juel):
            page.drop(element, f"{{{namespace}}}collection", f"{{{namespace}}}elementVariable")
    extensions = element.find(bpmn("extensionElements"))
    found = None if extensions is None else extensions.find(f"{{{ZEEBE}}}loopCharacteristics")
    if extensions is None or found is None:
        return
    if found.get("outputCollection") or found.get("outputElement"):
        page.refuse(element, "Collecting results (outputCollection) is not translated. Set it in the properties panel.")
    elif _collected(page, element, found.get("inputCollection") or "", found.get("inputElement") or "", feel.feel):
        page.remove(found)


def _collected(page: Page, element: XmlElement, collection: str, variable: str, reading: Reading) -> bool:
    """Write the list to repeat over, and the name of one item, as BPMN itself does."""
    foreign = reading_of(collection) is not None
    name = page.expression(element, collection, "The list", reading) if foreign else collection
    if name is None:
        return False
    if not name.isidentifier():
        page.refuse(element, f"What is repeated over must be a variable, not “{name[:80]}”. Set one in a script task.")
        return False
    after = [child for child in element if kind_of(child) in ("documentation", "extensionElements", "loopCardinality")]
    place = element.index(after[-1]) + 1 if after else 0
    if element.find(bpmn("loopDataInputRef")) is None:
        reference = etree.Element(bpmn("loopDataInputRef"))
        reference.text = name
        element.insert(place, reference)
        if variable:
            item = {"id": page.free_id(variable), "name": variable}
            element.insert(place + 1, etree.Element(bpmn("inputDataItem"), item))
    page.read_as(element, f"It is repeated for each item of “{name}”, which is called “{variable or '(none)'}”.")
    return True


def _script_task(page: Page, element: XmlElement) -> None:
    language = (element.get("scriptFormat") or "").lower()
    script = element.find(bpmn("script"))
    result = _result_variable(element)
    extensions = element.find(bpmn("extensionElements"))
    zeebe = None if extensions is None else extensions.find(f"{{{ZEEBE}}}script")
    if zeebe is not None and script is None:
        text = page.expression(element, zeebe.get("expression") or "", "The expression", feel.feel)
        if text is not None:
            etree.SubElement(element, bpmn("script")).text = f"{zeebe.get('resultVariable') or 'result'} = {text}"
            page.remove(zeebe)
        return
    if script is None:
        return
    if result and not _is_one_value(script.text or ""):
        page.refuse(element, "The script's last value is its result. Write it as “name = value” in the script.")
    elif result:
        script.text = f"{result[1]} = {_value(page, element, script.text or '')}"
        page.drop(element, result[0])
        page.read_as(element, f"The script sets “{result[1]}”.", "warning")
    if language and language not in (*_OURS, "text/x-python", "application/x-python"):
        message = f"The script is {language[:40]} and is read as Usher's language. Look whether it says the same."
        page.drop(element, "scriptFormat")
        page.read_as(element, message, "warning")


def _value(page: Page, element: XmlElement, source: str) -> str:
    text = source.strip().rstrip(";")
    reading = reading_of(text)
    return (page.expression(element, text, "The script", reading) or text) if reading else text


def _result_variable(element: XmlElement) -> tuple[str, str] | None:
    """Name and value of the attribute that takes a script's result."""
    for name, value in element.attrib.items():
        namespace, local = name_of(name)
        if namespace in ENGINES and local == "resultVariable" and str(value).isidentifier():
            return str(name), str(value)
    return None


def _is_one_value(script: str) -> bool:
    text = script.strip().rstrip(";")
    plain = text.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", "")
    return bool(text) and "\n" not in text and ";" not in text and "=" not in plain
