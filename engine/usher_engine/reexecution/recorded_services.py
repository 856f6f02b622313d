"""Operators for re-executions: they take their answers from the record and call nothing outside.

Verify calls none at all. A backtest computes DERIVED ones again, and asks READ ones what they recall
(`services.Recall`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.canonical import Json
from ..services import Call, Mode, Services

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
    return Services(tuple(replace(operator, call=_off, recall=None) for operator in services))


def disable_outside(services: Services) -> Services:
    """Return *services* for a backtest: only DERIVED operators can be called, and only READ ones recall."""
    return Services(tuple(one if one.mode is Mode.DERIVED else replace(one, call=_off) for one in services))


def _off(_values: Mapping[str, Any], call: Call) -> Json:
    raise Unanswered(call.element, "a service")
