"""Parses form-js JSON into a `Form`, and reports all components and features outside the subset at once, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from usher_engine.core.bounded_cache import cached_by_size
from usher_engine.core.canonical import MAX_DEPTH, is_storable
from usher_engine.core.errors import InvalidDefinition

from .attributes import DONE, attribute_problems, field_problems
from .components import FIELD_TYPES, Problem, read_field
from .form import Form

MAX_COMPONENTS = 200

_DISPLAY = {"text", "button", "spacer", "separator"}


@cached_by_size(megabytes=8, per_character=12)
def parse_form(text: str) -> Form:
    """
    Parse *text* (form-js JSON), which is to be deployed.

    Raises:
        InvalidDefinition: ``problems`` holds all faults as (key or id of the component, reason), also what is set and
            would be ignored.
    """
    return _parse(text, strict=True)


@cached_by_size(megabytes=8, per_character=12)
def deployed_form(text: str) -> Form:
    """
    Parse *text*, a form of a version that was deployed, perhaps before today's rules on what would be ignored.

    Raises:
        InvalidDefinition: As `parse_form`, for what no version could be deployed with.
    """
    return _parse(text, strict=False)


def _parse(text: str, *, strict: bool) -> Form:
    schema = _schema(text)
    components = list(_components(schema))
    problems: list[Problem] = []
    fields = []
    for component in components:
        field = read_field(component, problems)
        if field is not None:
            fields.append(field)
        if strict and str(component.get("type")) in DONE:
            found = [*attribute_problems(component), *(field_problems(field) if field else ())]
            problems += [(_name(component), reason) for reason in found]
    problems += _duplicates([field.key for field in fields])
    for component in components:
        problems += _display_problems(component)
    submits = [c for c in components if c.get("type") == "button"]
    problems += [(_name(c), "A form has one submit button; remove this one.") for c in submits[1:]]
    if problems:
        raise InvalidDefinition(problems=problems)
    texts = [str(c.get("text") or "").strip() for c in components if c.get("type") == "text"]
    title = next((text for text in texts if text.startswith("# ")), "")
    return Form(
        id=str(schema.get("id") or ""),
        title=title.removeprefix("# ").split("\n")[0].strip(),
        submit=str(submits[0].get("label") or "Done") if submits else "Done",
        fields=tuple(fields),
        texts=tuple(text for text in texts if text and text != title),
    )


def _schema(text: str) -> dict[str, Any]:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidDefinition(problems=[("form", f"The form is not JSON: {reason}.")]) from None
    if not isinstance(schema, dict) or not isinstance(schema.get("components"), list):
        raise InvalidDefinition(problems=[("form", "A form is a JSON object with a list of components (form-js).")])
    if len(schema["components"]) > MAX_COMPONENTS:
        raise InvalidDefinition(problems=[("form", f"A form has at most {MAX_COMPONENTS} components.")])
    for place, part in [*((f"component {n}", c) for n, c in enumerate(schema["components"], 1)), ("form", schema)]:
        if not all(map(is_storable, _all_texts(part))):
            reason = "A text holds a character that cannot be stored: NUL, or half of one like \\ud800."
            raise InvalidDefinition(problems=[(place, reason)])
    return schema


def _all_texts(schema: Any) -> Iterator[str]:
    """Every text in *schema*, including attribute names."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            waiting += value if isinstance(value, list) else (*value, *value.values())


def _components(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for index, component in enumerate(schema["components"]):
        if not isinstance(component, dict):
            raise InvalidDefinition(problems=[(f"component {index + 1}", "A component is a JSON object.")])
        yield component


def _duplicates(keys: list[str]) -> list[Problem]:
    return [(key, "Two fields have this key; give each its own.") for key in sorted(set(keys)) if keys.count(key) > 1]


def _display_problems(component: Mapping[str, Any]) -> Iterator[Problem]:
    kind, name = str(component.get("type")), _name(component)
    if kind not in _DISPLAY and kind not in FIELD_TYPES:
        yield name, f"The component “{kind[:40]}” is not supported. Supported are: {', '.join(_supported_types())}."
        return
    if kind == "button" and component.get("action", "submit") != "submit":
        yield name, "A button can only submit; remove this one."
    yield from ((name, reason) for reason in _feature_problems(component))


def _feature_problems(component: Mapping[str, Any]) -> Iterator[str]:
    """Features that form-js computes in the browser; the server has no FEEL and could not enforce them."""
    if component.get("conditional"):
        yield "A condition that hides a field (conditional.hide) is not supported; always show the field."
    for feature in ("valuesKey", "valuesExpression", "expression", "serializeToString"):
        if component.get(feature):
            yield f"“{feature}” is not supported; use fixed values."
    for feature in ("readonly", "disabled"):
        if component.get(feature):
            yield f"“{feature}” is not supported; put it in the task's message instead."
    if any(text.startswith("=") or "{{" in text for text in _texts(component, 0)):
        yield "Computed texts (= … or {{ … }}) are not supported in forms; use the task's message."


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif depth < MAX_DEPTH and isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item, depth + 1)


def _name(component: Mapping[str, Any]) -> str:
    return str(component.get("key") or component.get("id") or component.get("type") or "component")[:100]


def _supported_types() -> list[str]:
    return sorted(_DISPLAY | set(FIELD_TYPES))
