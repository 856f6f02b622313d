"""Translates user tasks: who may do them, which form they show, when they are due."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...core.candidate_groups import groups_of
from ..safe_xml import XmlElement
from . import embedded_expressions
from .form_fields import form_of
from .translation_context import TranslationContext, bpmn, kind_of, spiff
from .vendor_extensions import ENGINES, ZEEBE

_DURATION = re.compile(r"P(?=[0-9T])[0-9WDTHMS.]*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_KNOWN = ("form", "candidateGroups", "dueIn", "priority", "initialValues", "resultVariable")
_PREFIX = re.compile(r"^(?:camunda-forms:(?:deployment|bpmn|app):|embedded:(?:deployment|app):|deployment:|app:)")


def translate_user_tasks(context: TranslationContext) -> None:
    for task in list(context.root.iter(bpmn("userTask"))):
        _attributes(context, task)
        _zeebe(context, task)
        _potential_owners(context, task)
        _embedded_form(context, task)
        if not _NAME.fullmatch(str(task.get("id"))):
            _name_answer(context, task)


def _name_answer(context: TranslationContext, task: XmlElement) -> None:
    """Set a result variable if the task's id, the default, is not a valid variable name."""
    changed, context.changed = context.changed, False
    variable = result_variable(context, task)
    if context.changed:
        context.report(task, f"Its answer is stored as “{variable}”.")
    context.changed |= changed


def _attributes(context: TranslationContext, task: XmlElement) -> None:
    for namespace in ENGINES:
        given = {
            name: str(task.get(f"{{{namespace}}}{name}"))
            for name in (*_PERSONS, "candidateGroups", "dueDate", "priority", "formKey", "formRef")
            if task.get(f"{{{namespace}}}{name}") is not None
        }
        for name, value in given.items():
            if _setting(context, task, name, value.strip()):
                context.drop_attributes(task, f"{{{namespace}}}{name}")
        _properties(context, task, namespace)


_PERSONS = ("assignee", "candidateUsers")


def _setting(context: TranslationContext, task: XmlElement, name: str, value: str) -> bool:
    """Translate one setting; return True if it was handled and can be removed."""
    match name:
        case "assignee" | "candidateUsers":
            message = (
                f"It is assigned to {value[:80]}. In Usher a group sees the task and a member claims it; set the group."
            )
            context.report(task, message, "warning")
            return True
        case "candidateGroups":
            return _group(context, task, value)
        case "dueDate":
            return _due(context, task, value)
        case "priority":
            return _priority(context, task, value)
    return _form(context, task, value)


def _group(context: TranslationContext, task: XmlElement, value: str) -> bool:
    if embedded_expressions.translator_for(value) or "${" in value:
        context.refuse(task, f"The groups “{value[:80]}” are computed. Name them, several between commas.")
        return False
    names = groups_of(value)
    if names:
        context.set_property(task, "candidateGroups", ", ".join(names))
        context.report(task, f"It is for the group{'s' * (len(names) > 1)} “{'”, “'.join(names)[:80]}”.")
    return True


def _due(context: TranslationContext, task: XmlElement, value: str) -> bool:
    plain = value.removeprefix("=").strip().strip('"')
    if _DURATION.fullmatch(plain):
        context.set_property(task, "dueIn", plain)
        context.report(task, f"It is due {plain} after it opens.")
    else:
        message = f"The due date “{value[:80]}” is not translated: in Usher a task is due a fixed time after it opens."
        context.report(task, f"{message} Set dueIn, like P2D.", "warning")
    return True


def _priority(context: TranslationContext, task: XmlElement, value: str) -> bool:
    plain = value.removeprefix("=").strip()
    if plain.isascii() and plain.isdigit() and len(plain) <= 3 and int(plain) <= 100:
        context.set_property(task, "priority", plain)
        context.report(task, f"Its priority is {plain}.")
    else:
        context.report(task, f"The priority “{value[:80]}” is not a number from 0 to 100 and was left out.", "warning")
    return True


def _form(context: TranslationContext, task: XmlElement, value: str) -> bool:
    if embedded_expressions.translator_for(value):
        context.refuse(task, f"The form “{value[:80]}” is computed. Name one form, or draw one task for each.")
        return False
    name = _form_file(context.files, _PREFIX.sub("", value).rpartition("/")[2])
    context.set_property(task, "form", name)
    _lift(context, task, name)
    context.report(task, f"It shows the form {name} (was “{value[:80]}”).")
    return True


def _form_file(files: Mapping[str, bytes], reference: str) -> str:
    """The form file that *reference* means, by name or by the id inside; else the name it should have."""
    name = reference if reference.endswith(".form") else f"{reference.removesuffix('.html')}.form"
    if name in files:
        return name
    forms = (file for file in files if file.endswith(".form"))
    return next((file for file in forms if _schema(files, file).get("id") == reference), name)


def _schema(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        schema = json.loads(files.get(name, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return schema if isinstance(schema, dict) else {}


def _lift(context: TranslationContext, task: XmlElement, form: str) -> None:
    """Copy each form field to its own variable in a script after the task, as the other engines do."""
    components = _schema(context.files, form).get("components")
    keys = [c.get("key") for c in components if isinstance(c, dict)] if isinstance(components, list) else []
    lift_fields(context, task, [key for key in keys if isinstance(key, str)])


def lift_fields(context: TranslationContext, task: XmlElement, keys: list[str]) -> None:
    extensions = task.find(bpmn("extensionElements"))
    if extensions is not None and extensions.find(spiff("postScript")) is not None:
        return
    variable = result_variable(context, task)
    for key in keys:
        if key.isidentifier():
            context.add_script(task, "postScript", f"{key} = {variable}.{key}")


def result_variable(context: TranslationContext, task: XmlElement) -> str:
    """The variable of a task's answer; sets one if the task's id is not a valid variable name."""
    extensions = task.find(bpmn("extensionElements"))
    found = [] if extensions is None else extensions.iterfind(f"{spiff('properties')}/{spiff('property')}")
    for prop in found:
        if prop.get("name") == "resultVariable":
            return str(prop.get("value"))
    key = str(task.get("id"))
    name = f"answer_{re.sub('[^A-Za-z0-9_]', '_', key)}"[:64]
    context.set_property(task, "resultVariable", name)
    return name


def _properties(context: TranslationContext, task: XmlElement, namespace: str) -> None:
    extensions = task.find(bpmn("extensionElements"))
    holder = None if extensions is None else extensions.find(f"{{{namespace}}}properties")
    for prop in [] if holder is None else list(holder):
        name, value = prop.get("name") or "", prop.get("value") or ""
        if name in _KNOWN:
            context.set_property(task, name, value)
            context.remove(prop)
            context.report(task, f"The property {name} is “{value[:80]}”.")
    if holder is not None and not len(holder):
        context.remove(holder)


def _zeebe(context: TranslationContext, task: XmlElement) -> None:
    extensions = task.find(bpmn("extensionElements"))
    for found in [] if extensions is None else list(extensions):
        tag = str(found.tag)
        if not tag.startswith(f"{{{ZEEBE}}}"):
            continue
        done = True
        match tag.rpartition("}")[2]:
            case "assignmentDefinition":
                for name in (*_PERSONS, "candidateGroups"):
                    value = (found.get(name) or "").strip()
                    if value.startswith('="') and value.endswith('"'):
                        value = value[2:-1]
                    done &= not value or _setting(context, task, name, value)
            case "formDefinition":
                value = found.get("formId") or found.get("formKey") or found.get("externalReference") or ""
                done = _form(context, task, value)
            case "taskSchedule":
                done = not found.get("dueDate") or _due(context, task, str(found.get("dueDate")))
            case "priorityDefinition":
                done = _priority(context, task, found.get("priority") or "")
            case _:
                done = False
        if done:
            context.remove(found)


def _potential_owners(context: TranslationContext, task: XmlElement) -> None:
    """Translate BPMN's own resource roles."""
    owners = [child for child in task if kind_of(child) in ("potentialOwner", "humanPerformer", "performer")]
    for owner in owners:
        text = " ".join("".join(str(part) for part in owner.itertext()).split())
        group = re.fullmatch(r"group\((.*)\)|([^()]*)", text)
        person = re.fullmatch(r"user\((.*)\)", text)
        if person or kind_of(owner) != "potentialOwner":
            _setting(context, task, "assignee", person[1] if person else text)
            context.remove(owner)
        elif group and _group(context, task, (group[1] or group[2] or "").strip()):
            context.remove(owner)


def _embedded_form(context: TranslationContext, task: XmlElement) -> None:
    """Move a form embedded in the diagram to a form file of the package."""
    extensions = task.find(bpmn("extensionElements"))
    if extensions is None:
        return
    for namespace in ENGINES:
        data = extensions.find(f"{{{namespace}}}formData")
        listed = list(data) if data is not None else extensions.findall(f"{{{namespace}}}formProperty")
        if not listed:
            continue
        form, problem = form_of(task, listed)
        if problem:
            context.refuse(
                task, f"The form in the diagram cannot be translated: {problem}. Draw it in the form editor."
            )
            continue
        name = f"{re.sub('[^A-Za-z0-9_-]', '-', str(task.get('id')))}.form"
        context.added[name] = json.dumps(form, ensure_ascii=False, indent=2).encode()
        context.set_property(task, "form", name)
        lift_fields(context, task, [component["key"] for component in form["components"] if "key" in component])
        for element in [data] if data is not None else listed:
            context.remove(element)
        context.report(task, f"The form in the diagram was written to {name}.")
