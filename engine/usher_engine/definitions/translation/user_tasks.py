"""User tasks of other products: who may do them, which form they show, when they are due."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...core.candidate_groups import groups_of
from ..safe_xml import XmlElement
from . import embedded_expressions
from .form_fields import form_of
from .translation_context import Page, bpmn, kind_of, spiff
from .vendor_extensions import ENGINES, ZEEBE

_DURATION = re.compile(r"P(?=[0-9T])[0-9WDTHMS.]*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_KNOWN = ("form", "candidateGroups", "dueIn", "priority", "initialValues", "resultVariable")
_PREFIX = re.compile(r"^(?:camunda-forms:(?:deployment|bpmn|app):|embedded:(?:deployment|app):|deployment:|app:)")


def translate_user_tasks(page: Page) -> None:
    for task in list(page.root.iter(bpmn("userTask"))):
        _attributes(page, task)
        _zeebe(page, task)
        _potential_owners(page, task)
        _embedded_form(page, task)
        if not _NAME.fullmatch(str(task.get("id"))):
            _name_answer(page, task)


def _name_answer(page: Page, task: XmlElement) -> None:
    """An answer is kept under the task's id unless a name is set; this id can be none."""
    changed, page.changed = page.changed, False
    variable = result_variable(page, task)
    if page.changed:
        page.read_as(task, f"Its answer is kept as “{variable}”.")
    page.changed |= changed


def _attributes(page: Page, task: XmlElement) -> None:
    for namespace in ENGINES:
        given = {
            name: str(task.get(f"{{{namespace}}}{name}"))
            for name in (*_PERSONS, "candidateGroups", "dueDate", "priority", "formKey", "formRef")
            if task.get(f"{{{namespace}}}{name}") is not None
        }
        for name, value in given.items():
            if _setting(page, task, name, value.strip()):
                page.drop(task, f"{{{namespace}}}{name}")
        _properties(page, task, namespace)


_PERSONS = ("assignee", "candidateUsers")


def _setting(page: Page, task: XmlElement, name: str, value: str) -> bool:
    """Translate one setting; True when it is told of and may go."""
    match name:
        case "assignee" | "candidateUsers":
            message = f"It is meant for {value[:80]}. Here a group sees a task and one of it claims it; set the group."
            page.read_as(task, message, "warning")
            return True
        case "candidateGroups":
            return _group(page, task, value)
        case "dueDate":
            return _due(page, task, value)
        case "priority":
            return _priority(page, task, value)
    return _form(page, task, value)


def _group(page: Page, task: XmlElement, value: str) -> bool:
    if embedded_expressions.reading_of(value) or "${" in value:
        page.refuse(task, f"The groups “{value[:80]}” are computed. Name them, several between commas.")
        return False
    names = groups_of(value)
    if names:
        page.set_property(task, "candidateGroups", ", ".join(names))
        page.read_as(task, f"It is for the group{'s' * (len(names) > 1)} “{'”, “'.join(names)[:80]}”.")
    return True


def _due(page: Page, task: XmlElement, value: str) -> bool:
    plain = value.removeprefix("=").strip().strip('"')
    if _DURATION.fullmatch(plain):
        page.set_property(task, "dueIn", plain)
        page.read_as(task, f"It is due in {plain} after it was opened.")
    else:
        message = f"The due date “{value[:80]}” is not translated: a task is due a fixed time after it was opened."
        page.read_as(task, f"{message} Set dueIn, like P2D.", "warning")
    return True


def _priority(page: Page, task: XmlElement, value: str) -> bool:
    plain = value.removeprefix("=").strip()
    if plain.isascii() and plain.isdigit() and len(plain) <= 3 and int(plain) <= 100:
        page.set_property(task, "priority", plain)
        page.read_as(task, f"Its priority is {plain}.")
    else:
        page.read_as(task, f"The priority “{value[:80]}” is not a number from 0 to 100 and was left out.", "warning")
    return True


def _form(page: Page, task: XmlElement, value: str) -> bool:
    if embedded_expressions.reading_of(value):
        page.refuse(task, f"The form “{value[:80]}” is computed. Name one form, or draw one task for each.")
        return False
    name = _form_file(page.files, _PREFIX.sub("", value).rpartition("/")[2])
    page.set_property(task, "form", name)
    _lift(page, task, name)
    page.read_as(task, f"It shows the form {name} (was “{value[:80]}”).")
    return True


def _form_file(files: Mapping[str, bytes], reference: str) -> str:
    """The form file *reference* means: by name, by the id inside, else the name it should have."""
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


def _lift(page: Page, task: XmlElement, form: str) -> None:
    """Foreign engines put each field into a variable of its own; a script after the task does the same here."""
    components = _schema(page.files, form).get("components")
    keys = [c.get("key") for c in components if isinstance(c, dict)] if isinstance(components, list) else []
    lift_fields(page, task, [key for key in keys if isinstance(key, str)])


def lift_fields(page: Page, task: XmlElement, keys: list[str]) -> None:
    extensions = task.find(bpmn("extensionElements"))
    if extensions is not None and extensions.find(spiff("postScript")) is not None:
        return
    variable = result_variable(page, task)
    for key in keys:
        if key.isidentifier():
            page.add_script(task, "postScript", f"{key} = {variable}.{key}")


def result_variable(page: Page, task: XmlElement) -> str:
    """The name of a task's answer; one that is no id of ours is set."""
    extensions = task.find(bpmn("extensionElements"))
    found = [] if extensions is None else extensions.iterfind(f"{spiff('properties')}/{spiff('property')}")
    for prop in found:
        if prop.get("name") == "resultVariable":
            return str(prop.get("value"))
    key = str(task.get("id"))
    name = f"answer_{re.sub('[^A-Za-z0-9_]', '_', key)}"[:64]
    page.set_property(task, "resultVariable", name)
    return name


def _properties(page: Page, task: XmlElement, namespace: str) -> None:
    extensions = task.find(bpmn("extensionElements"))
    holder = None if extensions is None else extensions.find(f"{{{namespace}}}properties")
    for prop in [] if holder is None else list(holder):
        name, value = prop.get("name") or "", prop.get("value") or ""
        if name in _KNOWN:
            page.set_property(task, name, value)
            page.remove(prop)
            page.read_as(task, f"The property {name} is “{value[:80]}”.")
    if holder is not None and not len(holder):
        page.remove(holder)


def _zeebe(page: Page, task: XmlElement) -> None:
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
                    done &= not value or _setting(page, task, name, value)
            case "formDefinition":
                value = found.get("formId") or found.get("formKey") or found.get("externalReference") or ""
                done = _form(page, task, value)
            case "taskSchedule":
                done = not found.get("dueDate") or _due(page, task, str(found.get("dueDate")))
            case "priorityDefinition":
                done = _priority(page, task, found.get("priority") or "")
            case _:
                done = False
        if done:
            page.remove(found)


def _potential_owners(page: Page, task: XmlElement) -> None:
    """BPMN's own way to say who may do a task."""
    owners = [child for child in task if kind_of(child) in ("potentialOwner", "humanPerformer", "performer")]
    for owner in owners:
        text = " ".join("".join(str(part) for part in owner.itertext()).split())
        group = re.fullmatch(r"group\((.*)\)|([^()]*)", text)
        person = re.fullmatch(r"user\((.*)\)", text)
        if person or kind_of(owner) != "potentialOwner":
            _setting(page, task, "assignee", person[1] if person else text)
            page.remove(owner)
        elif group and _group(page, task, (group[1] or group[2] or "").strip()):
            page.remove(owner)


def _embedded_form(page: Page, task: XmlElement) -> None:
    """A form written into the diagram becomes a form of the package."""
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
            page.refuse(task, f"The form in the diagram cannot be translated: {problem}. Draw it in the form editor.")
            continue
        name = f"{re.sub('[^A-Za-z0-9_-]', '-', str(task.get('id')))}.form"
        page.added[name] = json.dumps(form, ensure_ascii=False, indent=2).encode()
        page.set_property(task, "form", name)
        lift_fields(page, task, [component["key"] for component in form["components"] if "key" in component])
        for element in [data] if data is not None else listed:
            page.remove(element)
        page.read_as(task, f"The form in the diagram was written to {name}.")
