"""What the form editor can set and Usher does not do: each attribute is done here or refused by name, none in silence.

Only a form that is to be deployed is held to this (`parse_form`); versions deployed before run as they did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from .field import Field
from .field_values import Unfit, clean

#: Attributes of every component; the layout is the page's.
_EVERYWHERE = {"type", "id", "layout", "conditional", "readonly", "disabled"}
_INPUT = {"key", "label", "description", "validate", "properties", "defaultValue"}
#: The attributes that Usher does, by type of component. Those of other parsers' checks are among them.
DONE: Mapping[str, set[str]] = {
    "textfield": _INPUT,
    "textarea": _INPUT,
    "number": _INPUT | {"decimalDigits", "serializeToString"},
    "datetime": _INPUT | {"dateLabel", "subtype"},
    "select": _INPUT | {"values", "valuesKey", "valuesExpression"},
    "radio": _INPUT | {"values", "valuesKey", "valuesExpression"},
    "checkbox": _INPUT,
    "text": {"text", "label"},
    "button": {"label", "action", "key"},
    "spacer": {"height"},
    "separator": set(),
}
#: What to do instead of an attribute; others are only to be removed.
_INSTEAD = {
    "appearance.prefixAdorner": "Write the unit into the label, like “Dose (mg)”",
    "appearance.suffixAdorner": "Write the unit into the label, like “Dose (mg)”",
    "increment": "Limit the number by its minimum, maximum and decimal digits",
    "searchable": "The list of options is always shown whole; switch it off",
    "timeLabel": "A field asks for a date alone; ask for the time in a text field",
    "timeInterval": "A field asks for a date alone; ask for the time in a text field",
    "timeSerializingFormat": "A field asks for a date alone; ask for the time in a text field",
    "use24h": "A field asks for a date alone; ask for the time in a text field",
    "disallowPassedDates": "Set the custom property “earliest” to today instead, on a date",
    "decimalDigits": "Only numbers have decimal digits",
    "values": "Only a select or radio field has options",
    "verticalAlignment": "The page lays fields out by itself",
}
_TEXT_RULES = {"pattern", "patternErrorMessage", "minLength", "maxLength"}
_RULES: Mapping[str, set[str]] = {
    "textfield": {"required", "validationType", *_TEXT_RULES},
    "textarea": {"required", *_TEXT_RULES},
    "number": {"required", "min", "max"},
}
_TEXT_PROPERTIES = {"autocomplete", "patternHint"}
_PROPERTIES: Mapping[str, set[str]] = {
    "textfield": _TEXT_PROPERTIES,
    "textarea": _TEXT_PROPERTIES,
    "datetime": {"autocomplete", "earliest", "latest"},
}
#: A day on which a default is tried, if the field's bounds do not depend on the day.
_ANY_DAY = date(2000, 1, 1)


def attribute_problems(component: Mapping[str, Any]) -> Iterator[str]:
    """What is set on *component*, of a supported type, and would be ignored."""
    kind = str(component.get("type"))
    done = _EVERYWHERE | DONE.get(kind, set())
    for name, value in _flat(component):
        if name not in done and _is_set(value):
            advice = _INSTEAD.get(name, "Remove it")
            yield f"“{name[:40]}” does nothing on a {kind}. {advice}."
    if _is_set(component.get("dateLabel")) and _is_set(component.get("label")) and kind == "datetime":
        yield "“label” does nothing beside “dateLabel”. Remove it."
    for part, known, what in (("validate", _RULES, "rule"), ("properties", _PROPERTIES, "property")):
        fallback = {"required"} if part == "validate" else {"autocomplete"}
        values = component.get(part)
        for name, value in values.items() if isinstance(values, dict) else ():
            if kind in DONE and name not in known.get(kind, fallback) and _is_set(value):
                yield f"The {what} “{name[:40]}” does nothing on a {kind}. Remove it."


def _flat(component: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The attributes of *component*; those of its appearance one by one, as the editor shows them."""
    for name, value in component.items():
        if name == "appearance" and isinstance(value, dict):
            yield from ((f"appearance.{part}", setting) for part, setting in value.items())
        else:
            yield name, value


def _is_set(value: Any) -> bool:
    return value not in (None, False, "", [], {})


def field_problems(field: Field) -> Iterator[str]:
    """What can never be in *field*: limits that exclude each other, a default that no answer could be."""
    limits = (
        ("minimum", field.minimum, "maximum", field.maximum),
        ("minimum length", field.min_length, "maximum length", field.max_length),
        ("earliest day", _day(field.earliest), "latest day", _day(field.latest)),
    )
    for low, least, high, most in limits:
        if least is not None and most is not None and least > most:  # type: ignore[operator]  # of one kind each
            yield f"The {low} is above the {high}; no answer fits. Change one of them."
    yield from _default_problems(field)


def _day(bound: str) -> date | None:
    return date.fromisoformat(bound) if bound and bound != "today" else None


def _default_problems(field: Field) -> Iterator[str]:
    value = field.default
    if value is None or value == "" or (field.kind == "date" and "today" in (field.earliest, field.latest)):
        return
    if field.kind == "checkbox":
        if not isinstance(value, bool):
            yield "The default must be true or false."
        return
    if field.kind != "number" and not isinstance(value, str):
        yield "The default must be text."
        return
    try:
        clean(field, value, _ANY_DAY)
    except Unfit as unfit:
        yield f"The default is no answer that the field takes: {unfit.reason}"
