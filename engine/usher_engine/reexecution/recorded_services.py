"""Operators that cannot call anything: a re-execution takes their answers from the record, or stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.canonical import Json
from ..services import Call, Services

#: Time limit of a re-executed step: a slow machine must not change results.
NO_LIMIT_S = float("inf")


class Unanswered(Exception):
    """The diagram calls a service for an answer that the record does not have."""

    def __init__(self, element: str, operator: str) -> None:
        super().__init__(f"{element} asks {operator}")
        self.element = element
        self.operator = operator


def disable_calls(services: Services) -> Services:
    """Return *services* with their declarations, but with operators that cannot be called."""
    return Services(tuple(replace(operator, call=_off) for operator in services))


def _off(_values: Mapping[str, Any], call: Call) -> Json:
    raise Unanswered(call.element, "a service")
