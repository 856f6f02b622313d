"""Operators for re-executions: they take their answers from the record and call nothing outside.

Verify calls none at all. A backtest computes DERIVED ones again, and asks READ ones what they recall
(`services.Recall`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.canonical import Json
from ..services import Call, Mode, Operator, Services

#: Time limit of a re-executed step: a slow machine must not change results.
NO_LIMIT_S = float("inf")


class Unanswered(Exception):
    """The diagram calls a service for an answer that the record does not have; *why* is a clause on what is known."""

    def __init__(self, element: str, operator: str, why: str = "") -> None:
        super().__init__(f"{element} asks {operator}")
        self.element = element
        self.operator = operator
        self.why = why


def disable_calls(services: Services) -> Services:
    """Return *services* with their declarations, but with operators that cannot be called."""
    off = (replace(operator, call=_off, recall=None, check=None, result_of=None) for operator in services)
    free = (replace(operator, takes_anything=operator.takes_anything or bool(operator.origin)) for operator in off)
    return Services(tuple(free), refused=services.refused)


def disable_outside(services: Services) -> Services:
    """Return *services* for a backtest: only DERIVED operators can be called, and only READ ones recall."""
    needed = (replace(one, check=None, result_of=None) for one in services)
    return Services(tuple(one if one.mode is Mode.DERIVED else replace(one, call=_off) for one in needed))


def as_recorded(services: Services, body: Mapping[str, Any]) -> Services:
    """
    Return *services* with the operators of packages as the recorded step *body* shows them.

    A package may be gone, or be of another version, which declares its operators otherwise; what a step recorded does
    not change with it. Usher's own operators stay as they are declared.
    """
    packages = body.get("packages") or {}
    found: dict[str, Operator] = {}
    for event in body["events"]:
        name = event.get("operator")
        mode = _MODES.get(str(event.get("kind")))
        if mode is None or not isinstance(name, str):
            continue
        if name not in services or name in packages:
            found[name] = Operator(name=name, title=name, mode=mode, call=_off, takes_anything=True)
    if not found:
        return services
    return Services(tuple({**{one.name: one for one in services}, **found}.values()))


def package_notes(recorded: Any, services: Services) -> set[str]:
    """Sentences on the operators in the packages *recorded* of a step that *services* has not, or otherwise."""
    notes = set()
    for name, package in recorded.items() if isinstance(recorded, dict) else ():
        origin = services.get(name).origin if name in services else None
        if str(origin) != package:
            here = f"{origin} is" if origin is not None else "the package is not"
            notes.add(f"Answers of {name} ({package}) are taken as recorded; {here} installed here.")
    return notes


#: When an operator ran, by the event of its call. A step does not tell its other modes apart.
_MODES = {"ServiceCalled": Mode.READ, "ServiceRequested": Mode.EFFECT}


def _off(_values: Mapping[str, Any], call: Call) -> Json:
    raise Unanswered(call.element, "a service")
