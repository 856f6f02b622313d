"""The run of a try-out, made from form fields: its beginning, each step, and the example saved from it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from usher_engine import InvalidDefinition, InvalidSubmission
from usher_engine.definitions import Package
from usher_engine.examples import Tried

from .. import strict_json

_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """An example of the package that a run may begin with."""

    file: str
    name: str
    start: Mapping[str, Any]
    services: Mapping[str, Any]


def process_name(package: Package, process: str) -> str:
    try:
        return package.name
    except InvalidDefinition:
        return process


def choices(package: Package) -> list[Choice]:
    """The readable examples of the package."""
    found = []
    for file in sorted(name for name in package.files if name.startswith("examples/")):
        try:
            example = json.loads(package.files[file])
        except (ValueError, RecursionError):
            continue
        if not isinstance(example, dict):
            continue
        start, services = example.get("start", {}), example.get("services", {})
        if isinstance(start, dict) and isinstance(services, dict):
            found.append(Choice(file=file, name=str(example.get("name", file)), start=start, services=services))
    return found


def new_run(package: Package, example: str, start: str, services: str) -> dict[str, Any]:
    """A run from the inputs of *example*, or from typed ones; raises `InvalidSubmission`."""
    if example:
        chosen = next((choice for choice in choices(package) if choice.file == example), None)
        if chosen is None:
            raise InvalidSubmission("There is no such example.", fields={"example": "Choose one of the list."})
        moment = json.loads(package.files[example]).get("now")
        return {
            "start": dict(chosen.start), "services": dict(chosen.services), "do": [],
            **({"now": moment} if isinstance(moment, str) else {}),
        }  # fmt: skip
    given = {name: strict_json.field(text or "{}", name) for name, text in (("start", start), ("services", services))}
    return {**given, "do": [], "asks": True, "order": []}


def sent_run(text: str) -> dict[str, Any]:
    """The run as the page sent it back; raises `InvalidSubmission` if it is not one."""
    try:
        run = strict_json.loads(text)
        strict_json.storable(run)
    except (strict_json.NotJson, InvalidSubmission):
        run = None
    if not isinstance(run, dict) or not _is_run(run):
        raise InvalidSubmission("The run was lost on the way. Begin again.", fields={"run": "is not there"})
    return run


def _is_run(run: Mapping[str, Any]) -> bool:
    kinds = {"start": dict, "services": dict, "do": list, "order": list, "now": str, "asks": bool}
    if any(name not in kinds or not isinstance(value, kinds[name]) for name, value in run.items()):
        return False
    answers = run.get("services", {}).values()
    deeds = [*run.get("do", []), *(answer for known in answers if isinstance(known, list) for answer in known)]
    return (
        all(isinstance(known, list) for known in answers)
        and all(isinstance(deed, dict) for deed in deeds)
        and all(isinstance(name, str) for name in run.get("order", []))
    )


def without_last(run: dict[str, Any]) -> dict[str, Any]:
    """The run without its last step."""
    order, done, services = list(run.get("order", [])), list(run.get("do", [])), dict(run.get("services", {}))
    last = order.pop() if order else "do"
    if last == "do":
        done = done[:-1]
    elif isinstance(services.get(last), list):
        services[last] = services[last][:-1]
    return {**run, "do": done, "services": services, "order": order}


def with_step(run: dict[str, Any], sent: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return *run* with one more step; *fields* come from the submitted form."""
    element, act, done = sent.get("try.element", ""), sent.get("try.act", ""), list(run.get("do", []))
    order = [*run.get("order", []), "do"]
    match act:
        case "complete":
            done.append({"complete": element, "with": {k: v for k, v in fields.items() if v != ""}})
        case "cancel":
            done.append({"cancel": element, "reason": sent.get("reason", "").strip() or "Tried out"})
        case "fire":
            done.append({"fire": element})
        case "message":
            done.append({"message": element, "with": strict_json.field(sent.get("with", "") or "{}", "with")})
        case "answer" | "refuse":
            operator = sent.get("try.operator", "")
            answer = _refusal(sent) if act == "refuse" else strict_json.field(sent.get("answer", ""), "answer")
            services = dict(run.get("services", {}))
            services[operator] = [*services.get(operator, []), answer]
            return {**run, "services": services, "order": [*run.get("order", []), operator]}
        case _:
            raise InvalidSubmission("This step is not known.", fields={"act": "is not known"})
    return {**run, "do": done, "order": order}


def _refusal(sent: Mapping[str, str]) -> dict[str, Any]:
    code = sent.get("code", "").strip()
    if not code:
        raise InvalidSubmission("Say with which code it refuses.", fields={"code": "Say with which code it refuses."})
    return {"error": {"code": code, "message": sent.get("message", "").strip()}}


def example_file(
    name: str, run: Mapping[str, Any], tried: Tried, files: Mapping[str, bytes]
) -> tuple[str, bytes]:
    """Path and content of *run* as an example called *name*; raises `InvalidSubmission` if the name is taken."""
    plain = _NAME.sub("-", name.lower()).strip("-")[:60]
    if not plain:
        raise InvalidSubmission("Give the example a name.", fields={"name": "Give the example a name."})
    path = f"examples/{plain}.json"
    if path in files:
        raise InvalidSubmission(f"{path} is there already. Choose another name.", fields={"name": "is taken"})
    example = {"name": name, **{k: run[k] for k in ("now", "start", "services", "do") if k in run}}
    example |= {"path": list(tried.path), "end": tried.outcome}
    return path, (json.dumps(example, ensure_ascii=False, indent=2) + "\n").encode()
