"""Converts one form-js component to a `Field`.

Custom properties (`properties` in form-js) hold what form-js has no attribute for: ``autocomplete``, ``patternHint``,
``earliest`` and ``latest`` (an ISO date or ``today``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeAlias

from usher_engine.core.canonical import is_reserved

from .field import Field, Kind
from .pattern_matching import pattern_problem

#: Key or id of the component, and its fault.
Problem: TypeAlias = tuple[str, str]

FIELD_TYPES: dict[str, Kind] = {
    "textfield": "text",
    "textarea": "textarea",
    "number": "number",
    "datetime": "date",
    "select": "select",
    "radio": "radio",
    "checkbox": "checkbox",
}
MAX_OPTIONS = 300

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_VALIDATION_KINDS: dict[str, Kind] = {"email": "email", "phone": "tel", "custom": "text", "": "text"}
_VALIDATION = {
    *("required", "validationType", "pattern", "patternErrorMessage"),
    *("minLength", "maxLength", "min", "max"),
}
_PROPERTIES = {"autocomplete", "patternHint", "earliest", "latest"}


def read_field(component: Mapping[str, Any], problems: list[Problem]) -> Field | None:
    """Return the field for *component*, None if it is not an input; adds its faults to *problems*."""
    kind = FIELD_TYPES.get(str(component.get("type")))
    if kind is None:
        return None
    key = str(component.get("key") or "")
    name = key or str(component.get("id") or component["type"])
    found = [*_key_problems(key), *_shape_problems(component)]
    if found:
        problems += [(name, reason) for reason in found]
        return None
    rules: Mapping[str, Any] = component.get("validate") or {}
    found = [*_rule_problems(component, rules), *_option_problems(component, kind), *_kind_problems(component)]
    problems += [(name, reason) for reason in found]
    return None if found else _field(component, key, kind, rules)


def _field(component: Mapping[str, Any], key: str, kind: Kind, rules: Mapping[str, Any]) -> Field:
    properties: Mapping[str, Any] = component.get("properties") or {}
    return Field(
        key=key,
        label=_label(component),
        kind=_VALIDATION_KINDS[rules.get("validationType") or ""] if kind == "text" else kind,
        required=rules.get("required") is True,
        help=component.get("description") or "",
        options=tuple((str(o["value"]), str(o.get("label") or o["value"])) for o in component.get("values") or ()),
        pattern=rules.get("pattern") or "",
        pattern_hint=rules.get("patternErrorMessage") or properties.get("patternHint") or "",
        min_length=_whole(rules.get("minLength")),
        max_length=_whole(rules.get("maxLength")),
        minimum=_float(rules.get("min")),
        maximum=_float(rules.get("max")),
        decimals=_whole(component.get("decimalDigits")),
        earliest=properties.get("earliest") or "",
        latest=properties.get("latest") or "",
        default=component.get("defaultValue"),
        autocomplete=properties.get("autocomplete") or "",
    )


def _label(component: Mapping[str, Any]) -> str:
    return str(component.get("dateLabel") or component.get("label") or "").strip()


def _key_problems(key: str) -> list[str]:
    if not key:
        return ["The field has no key."]
    if is_reserved(key):
        return ["This key is a reserved name; choose another."]
    if not _KEY.fullmatch(key):
        return ["A key must start with a letter and contain only letters, digits and _ (at most 64)."]
    return []


def _shape_problems(component: Mapping[str, Any]) -> list[str]:
    """Faults in the types of the attributes, which the other checks rely on."""
    wrong = [n for n in ("validate", "properties") if not isinstance(component.get(n) or {}, dict)]
    wrong += [n for n in ("label", "dateLabel", "description") if not isinstance(component.get(n) or "", str)]
    wrong += [n for n in ("values",) if not _are_options(component.get(n) or [])]
    if not isinstance(component.get("defaultValue"), (type(None), str, int, float, bool)):
        wrong.append("defaultValue")
    return [f"“{name}” does not have the type that form-js uses." for name in wrong]


def _are_options(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(v, dict) and isinstance(v.get("value"), (str, int)) and isinstance(v.get("label") or "", str)
        for v in values
    )


def _rule_problems(component: Mapping[str, Any], rules: Mapping[str, Any]) -> list[str]:
    properties: Mapping[str, Any] = component.get("properties") or {}
    problems = [f"The rule “{name}” is not supported." for name in rules if name not in _VALIDATION]
    problems += [f"The property “{name}” is not supported." for name in properties if name not in _PROPERTIES]
    problems += [f"The property “{n}” must be text." for n, v in properties.items() if not isinstance(v, str)]
    problems += [
        f"The rule “{name}” must be a number."
        for name in ("minLength", "maxLength", "min", "max")
        if rules.get(name) not in (None, "") and _float(rules[name]) is None
    ]
    if not isinstance(rules.get("required", False), bool):
        problems.append("The rule “required” must be true or false.")
    if str(rules.get("validationType") or "") not in _VALIDATION_KINDS:
        problems.append("The validation type must be email, phone or custom.")
    if problems:
        return problems
    return [*_pattern_problems(rules), *_bound_problems(properties)]


def _pattern_problems(rules: Mapping[str, Any]) -> list[str]:
    texts = [rules.get("pattern") or "", rules.get("patternErrorMessage") or ""]
    if not all(isinstance(text, str) for text in texts):
        return ["The pattern must be text."]
    problem = pattern_problem(texts[0]) if texts[0] else ""
    return [problem] if problem else []


def _bound_problems(properties: Mapping[str, str]) -> list[str]:
    return [
        f"The property “{name}” must be a date like 1900-01-01, or today."
        for name in ("earliest", "latest")
        if properties.get(name) and properties[name] != "today" and not _is_date(properties[name])
    ]


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _option_problems(component: Mapping[str, Any], kind: Kind) -> list[str]:
    if kind not in ("select", "radio"):
        return []
    values = [str(option["value"]) for option in component.get("values") or ()]
    if not values or "" in values:
        return ["The field needs options (values), each with a value that is not empty."]
    if len(values) != len(set(values)):
        return ["Two options have the same value."]
    return [f"The field has more than {MAX_OPTIONS} options."] if len(values) > MAX_OPTIONS else []


def _kind_problems(component: Mapping[str, Any]) -> list[str]:
    problems = []
    if not _label(component):
        problems.append("The field has no label; people would not know what to enter.")
    if component["type"] == "datetime" and component.get("subtype", "date") != "date":
        problems.append("Only dates are supported (subtype date).")
    if component.get("decimalDigits") is not None and _whole(component["decimalDigits"]) is None:
        problems.append("“decimalDigits” must be a whole number.")
    return problems


def _float(value: Any) -> float | None:
    """Parse a number as form-js writes it: a JSON number or a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None


def _whole(value: Any) -> int | None:
    number = _float(value)
    return int(number) if number is not None and number == int(number) and number >= 0 else None
