"""Operators with every way to the outside cut: a re-execution takes their answers from the record, or stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.canonical import Json
from ..services import Call, Services

#: How long a step that is carried out again may run: a slow machine must not give other results.
NO_LIMIT_S = float("inf")


class Unanswered(Exception):
    """The diagram asks a service for an answer the record does not hold."""

    def __init__(self, element: str, operator: str) -> None:
        super().__init__(f"{element} asks {operator}")
        self.element = element
        self.operator = operator


def switched_off(services: Services) -> Services:
    """What *services* declare, with every operator's way to the outside cut."""
    return Services(tuple(replace(operator, call=_off) for operator in services))


def _off(_values: Mapping[str, Any], call: Call) -> Json:
    raise Unanswered(call.element, "a service")
