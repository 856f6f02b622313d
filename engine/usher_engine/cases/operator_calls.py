"""Calls the operators that run inside a step, and notes what an undo needs to put back what they changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..core import faults
from ..core.canonical import Json
from ..core.errors import EngineError, Fault
from ..core.events import Event, ServiceCalled, ServiceRequested
from ..services import Call, Operator, Services, checked_answer
from ..store import DATABASE_ERRORS


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """A call of a WRITE operator in a step, and the *note* with which the operator can put back what it changed."""

    operator: str
    element: str
    visit: int
    note: Json


def answers(writes: list[Write]) -> Callable[[Operator, dict[str, Any], Call], Json]:
    """What answers for operators in one step, and adds to *writes*; in a re-execution the record answers instead."""

    def ask(operator: Operator, values: dict[str, Any], call: Call) -> Json:
        def remember(note: Json) -> None:
            writes.append(Write(operator=operator.name, element=call.element, visit=call.visit, note=note))

        try:
            return checked_answer(operator, values, replace(call, remember=remember))
        except (EngineError, *DATABASE_ERRORS):
            raise
        except Exception as error:  # an operator may fail in any way
            reference = faults.report(error, where="operator", at=f"{operator.name} at {call.element}")
            raise Fault(f"“{operator.title}” failed", reference=reference) from error

    return ask


def packages_called(services: Services, happened: Iterable[Event]) -> dict[str, Json]:
    """The packages, with their versions, of the operators that a step called and that are not Usher's own."""
    names = {event.operator for event in happened if isinstance(event, ServiceCalled | ServiceRequested)}
    return {name: str(origin) for name in names if name in services and (origin := services.get(name).origin)}
