"""Translates other products' conditions, timers, loops and scripts into Usher's language, in place."""

from __future__ import annotations

from lxml import etree

from ..safe_xml import XmlElement
from . import feel, juel
from .translation_context import TranslationContext, Translator, bpmn, kind_of, name_of
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
#: Counter variables of foreign engines.
_COUNTERS = ("nrOfInstances", "nrOfActiveInstances", "nrOfCompletedInstances")


def translate_expressions(context: TranslationContext) -> None:
    """Translate every expression and script in BPMN's standard elements."""
    for element in list(context.root.iter(*(bpmn(name) for name in _EXPRESSIONS))):
        _expression(context, element)
    for element in list(context.root.iter(bpmn("multiInstanceLoopCharacteristics"))):
        _repetition(context, element)
    for element in list(context.root.iter(bpmn("scriptTask"))):
        _script_task(context, element)


def translator_for(source: str) -> Translator | None:
    """The function that translates *source*; None if it is not in another product's language."""
    if juel.is_juel(source):
        return juel.juel
    return feel.feel if feel.is_feel(source) else None


def _expression(context: TranslationContext, element: XmlElement) -> None:
    source = element.text or ""
    if any(counter in source for counter in _COUNTERS):
        context.refuse(element, "It uses a loop counter of the other product. Use the collected results instead.")
        return
    translator = translator_for(source)
    if translator is not None:
        text = context.translate_expression(element, source, _EXPRESSIONS[kind_of(element)], translator)
        if text is not None:
            element.text = _unquote_time(text) if kind_of(element).startswith("time") else text
            context.drop_attributes(element, "language")
    language = (element.get("language") or "").lower()
    if language and language not in _OURS and source.strip():
        message = f"The text is marked as {language[:40]} but read as Usher's language. Check that it means the same."
        context.drop_attributes(element, "language")
        context.report(element, message, "warning")


def _unquote_time(text: str) -> str:
    """Strip the quotes around a time written as a quoted text."""
    plain = text[1:-1]
    return plain if text[:1] == text[-1:] == '"' and '"' not in plain and "\\" not in plain else text


def _repetition(context: TranslationContext, element: XmlElement) -> None:
    for namespace in ENGINES:
        collection = element.get(f"{{{namespace}}}collection")
        variable = element.get(f"{{{namespace}}}elementVariable") or ""
        if collection and _write_collection(context, element, collection, variable, juel.juel):
            context.drop_attributes(element, f"{{{namespace}}}collection", f"{{{namespace}}}elementVariable")
    extensions = element.find(bpmn("extensionElements"))
    found = None if extensions is None else extensions.find(f"{{{ZEEBE}}}loopCharacteristics")
    if extensions is None or found is None:
        return
    if found.get("outputCollection") or found.get("outputElement"):
        context.refuse(
            element, "Collecting results (outputCollection) is not translated. Set it in the properties panel."
        )
    elif _write_collection(
        context, element, found.get("inputCollection") or "", found.get("inputElement") or "", feel.feel
    ):
        context.remove(found)


def _write_collection(
    context: TranslationContext, element: XmlElement, collection: str, variable: str, translator: Translator
) -> bool:
    """Write the list to loop over, and the name of one item, as standard BPMN."""
    foreign = translator_for(collection) is not None
    name = context.translate_expression(element, collection, "The list", translator) if foreign else collection
    if name is None:
        return False
    if not name.isidentifier():
        context.refuse(
            element, f"The list to loop over must be a variable, not “{name[:80]}”. Set one in a script task."
        )
        return False
    after = [child for child in element if kind_of(child) in ("documentation", "extensionElements", "loopCardinality")]
    place = element.index(after[-1]) + 1 if after else 0
    if element.find(bpmn("loopDataInputRef")) is None:
        reference = etree.Element(bpmn("loopDataInputRef"))
        reference.text = name
        element.insert(place, reference)
        if variable:
            item = {"id": context.free_id(variable), "name": variable}
            element.insert(place + 1, etree.Element(bpmn("inputDataItem"), item))
    context.report(element, f"It is repeated for each item of “{name}”, which is called “{variable or '(none)'}”.")
    return True


def _script_task(context: TranslationContext, element: XmlElement) -> None:
    language = (element.get("scriptFormat") or "").lower()
    script = element.find(bpmn("script"))
    result = _result_variable(element)
    extensions = element.find(bpmn("extensionElements"))
    zeebe = None if extensions is None else extensions.find(f"{{{ZEEBE}}}script")
    if zeebe is not None and script is None:
        text = context.translate_expression(element, zeebe.get("expression") or "", "The expression", feel.feel)
        if text is not None:
            etree.SubElement(element, bpmn("script")).text = f"{zeebe.get('resultVariable') or 'result'} = {text}"
            context.remove(zeebe)
        return
    if script is None:
        return
    if result and not _is_one_value(script.text or ""):
        context.refuse(element, "The script's last value becomes its result. Write “name = value” in the script.")
    elif result:
        script.text = f"{result[1]} = {_value(context, element, script.text or '')}"
        context.drop_attributes(element, result[0])
        context.report(element, f"The script sets “{result[1]}”.", "warning")
    if language and language not in (*_OURS, "text/x-python", "application/x-python"):
        message = f"The script is {language[:40]} but read as Usher's language. Check that it means the same."
        context.drop_attributes(element, "scriptFormat")
        context.report(element, message, "warning")


def _value(context: TranslationContext, element: XmlElement, source: str) -> str:
    text = source.strip().rstrip(";")
    translator = translator_for(text)
    return (context.translate_expression(element, text, "The script", translator) or text) if translator else text


def _result_variable(element: XmlElement) -> tuple[str, str] | None:
    """Name and value of the attribute that names a script's result variable."""
    for name, value in element.attrib.items():
        namespace, local = name_of(name)
        if namespace in ENGINES and local == "resultVariable" and str(value).isidentifier():
            return str(name), str(value)
    return None


def _is_one_value(script: str) -> bool:
    text = script.strip().rstrip(";")
    plain = text.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", "")
    return bool(text) and "\n" not in text and ";" not in text and "=" not in plain
