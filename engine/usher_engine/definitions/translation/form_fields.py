"""Converts form fields embedded in a diagram (Camunda 7, Flowable, Activiti) into a form-js form."""

from __future__ import annotations

from typing import Any

from ..safe_xml import XmlElement
from .translation_context import name_of

_TYPES = {
    **dict.fromkeys(("string", "", "text"), "textfield"),
    **dict.fromkeys(("long", "integer", "int", "double", "number"), "number"),
    "boolean": "checkbox",
    "date": "datetime",
    "enum": "select",
}
_LENGTHS = {"minlength": "minLength", "maxlength": "maxLength", "min": "min", "max": "max"}


def form_of(task: XmlElement, fields: list[XmlElement]) -> tuple[dict[str, Any], str]:
    """Return the form and "", or an empty form and the reason why a field is not supported."""
    components: list[dict[str, Any]] = []
    for field in fields:
        component, problem = _component(field)
        if problem:
            return {}, f"the field “{field.get('id')}” {problem}"
        components.append(component)
    title = {"type": "text", "id": "title", "text": f"# {task.get('name') or task.get('id')}"}
    form = {"type": "default", "schemaVersion": 16, "id": str(task.get("id"))}
    return {**form, "components": [title, *components]}, ""


def _component(field: XmlElement) -> tuple[dict[str, Any], str]:
    kind = _TYPES.get((field.get("type") or "").lower())
    if kind is None:
        return {}, f"is of the type “{field.get('type')}”"
    if field.get("writable") == "false" or field.get("expression"):
        return {}, "is only shown or computed"
    key = field.get("id") or ""
    component: dict[str, Any] = {"type": kind, "key": key, "id": f"field_{key}"}
    component["label"] = field.get("label") or field.get("name") or key
    if kind == "datetime":
        component |= {"subtype": "date", "dateLabel": component.pop("label")}
    if kind == "select":
        values = [value for value in field if name_of(value.tag)[1] == "value"]
        component["values"] = [{"value": v.get("id") or "", "label": v.get("name") or v.get("id")} for v in values]
    default = field.get("defaultValue") or field.get("default")
    if default and ("${" in default or "#{" in default):
        return {}, "has a computed default"
    if default:
        component["defaultValue"] = default == "true" if kind == "checkbox" else default
    rules, problem = _rules(field)
    return ({**component, "validate": rules} if rules else component), problem


def _rules(field: XmlElement) -> tuple[dict[str, Any], str]:
    rules: dict[str, Any] = {"required": True} if field.get("required") == "true" else {}
    for constraint in field.iter():
        if name_of(constraint.tag)[1] != "constraint":
            continue
        name, config = constraint.get("name") or "", constraint.get("config") or ""
        if name == "required":
            rules["required"] = config != "false"
        elif name in _LENGTHS and config.lstrip("-").isdigit():
            rules[_LENGTHS[name]] = int(config)
        else:
            return {}, f"has the rule “{name}”"
    return rules, ""
