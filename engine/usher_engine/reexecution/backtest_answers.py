"""Answers of services in a backtest: computed, recorded, recalled or assumed, in this order; never guessed.

A recorded or recalled answer counts only while the case has changed the data that its operator reads as the recorded
case had by then (`Operator.reads`, `Operator.changes`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from ..core import events as e
from ..core import faults
from ..core.canonical import Json, as_stored_json
from ..core.errors import BusinessError, EngineError, Fault
from ..core.shapes import value_problems
from ..core.state import place
from ..services import Call, Mode, Operator, Recalled, Services, checked_answer
from .assumptions import MAX_ASSUMED, Assumption, Assumptions, Question
from .recorded_case import RecordedCall, Recording
from .recorded_services import Unanswered

#: Why an answer of the record does not count.
OTHER_CHANGES = "by then the case has changed other things than when it ran"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownAnswer:
    """An answer that the case did not get there: known from Usher's own record of *since* (ISO 8601)."""

    element: str
    operator: str
    since: str


class Answers:
    """
    The answers for one case. ``known`` and ``assumed`` collect what its way rests on beside its own record.

    ``happened`` are the events on the other package before the present step, ``step`` those in it, set by the player.
    """

    def __init__(self, recording: Recording, services: Services, assumptions: Assumptions) -> None:
        self.known: list[KnownAnswer] = []
        self.assumed: list[Question] = []
        self.happened: list[e.Event] = []
        self.step: list[e.Event] = []
        #: Operators computed by another version of their package than when the case ran, in words.
        self.other_packages: list[str] = []
        self._services = services
        self._assumptions = assumptions
        self._calls = recording.calls
        self._places = {(call.place, call.operator): at for at, call in enumerate(self._calls)}
        self._last: dict[str, Json] = {}
        self._altered_at: int | None = None

    def answer(self, operator: Operator, values: dict[str, Any], call: Call) -> Json:
        """The answer of *operator*; raises `Unanswered`, or what the operator raised when the case ran."""
        at = self._places.pop((place(call.element, call.visit), operator.name), None)
        recorded = None if at is None else self._calls[at]
        if operator.mode is Mode.DERIVED:
            return self._compute(operator, values, call, recorded)
        counts = at is not None and self._is_as_recorded(operator, self._calls[:at])
        found = recorded if counts else None
        if operator.mode is Mode.READ:
            found = self._read(operator, values, call, found)
        if found is None or found.event is None:
            return self._assume(operator, call, recorded)
        if found.event.error:
            raise BusinessError(found.event.error, str(found.event.result or ""))
        return self.learn(operator.name, found.event.result)

    def _compute(
        self, operator: Operator, values: dict[str, Any], call: Call, recorded: RecordedCall | None
    ) -> Json:
        """The answer of a DERIVED operator now; notes where another version of its package answers otherwise."""
        try:
            answer = checked_answer(operator, values, replace(call, transaction=None))
        except EngineError:
            raise
        except Exception as error:  # an operator of an installed package may fail in any way
            reference = faults.report(error, where="operator", at=f"{operator.name} at {call.element}")
            raise Fault(f"“{operator.title}” failed", reference=reference) from error
        was = None if recorded is None or recorded.event is None else recorded.event.result
        if recorded is not None and recorded.package != str(operator.origin or "") and as_stored_json(answer) != was:
            now, then = operator.origin or "Usher", recorded.package or "Usher"
            self.other_packages.append(f"{operator.name} is computed by {now} instead of {then}")
        return answer

    def counts(self, here: str, name: str) -> bool:
        """Whether the recorded report of the service that *here* has requested counts."""
        at, known = self._places.get((here, name)), name in self._services
        if at is None or not known:
            return True
        asked = (n for n, one in enumerate(self.happened) if _is_request(one) and place(one.element, one.visit) == here)
        return self._is_as_recorded(self._services.get(name), self._calls[:at], self.happened[: next(asked)])

    def report_took(self, here: str, name: str, reported: datetime) -> timedelta | None:
        """How long the service took that *here* requested when the case ran; None if that is not recorded."""
        at = self._places.get((here, name))
        return None if at is None else reported - self._calls[at].at

    def learn(self, operator: str, result: Json) -> Json:
        """Keep *result* as what is last known from *operator*."""
        self._last[operator] = result
        return result

    def alter(self) -> None:
        """From now on the case changes the outside with other values than when it ran."""
        if self._altered_at is None:
            self._altered_at = len(self.happened)

    def assumption(self, question: Question) -> Assumption | None:
        """The assumption for *question*, noted as taken; None where there is none, or the case took too many."""
        found = self._assumptions.get(question.key)
        if found is None or len(self.assumed) >= MAX_ASSUMED:
            return None
        self.assumed.append(question)
        return found

    def assumed_result(self, operator: Operator, element: str, assumption: Assumption, known: Json) -> Json:
        """
        The assumed result, completed by what is *known*.

        Raises `BusinessError` where a refusal is assumed, and `Unanswered` where the result is not whole.
        """
        if assumption.refused:
            raise BusinessError(assumption.refused, "assumed")
        result = as_stored_json(assumption.on(self._last.get(operator.name) if known is None else known))
        problems = value_problems(operator.result, result, where="the assumed answer", most=1)
        if problems:
            raise Unanswered(element, operator.name, problems[0].removesuffix("."))
        return self.learn(operator.name, result)

    def _assume(self, operator: Operator, call: Call, recorded: RecordedCall | None) -> Json:
        found = self.assumption(Question(element=call.element, operator=operator.name))
        if found is None:
            raise Unanswered(call.element, operator.name, OTHER_CHANGES if recorded else "")
        known = recorded.event.result if recorded and recorded.event and not recorded.event.error else None
        return self.assumed_result(operator, call.element, found, known)

    # what the record says

    def _read(
        self, operator: Operator, values: dict[str, Any], call: Call, recorded: RecordedCall | None
    ) -> RecordedCall | None:
        """The *recorded* call if it was at that moment; else what the operator recalls, or the recorded one."""
        if recorded is not None and recorded.at == call.now:
            return recorded
        before = [one for one in self._calls if one.at <= call.now]
        recalled = self._recall(operator, values, call) if self._is_as_recorded(operator, before) else None
        if recalled is not None:
            self._note(call, operator, recalled.since)
            event = e.ServiceCalled(call.element, call.visit, operator.name, "", as_stored_json(recalled.answer))
            return RecordedCall(call.now, place(call.element, call.visit), operator.name, event)
        if recorded is not None:
            self._note(call, operator, recorded.at)
        return recorded

    def _recall(self, operator: Operator, values: dict[str, Any], call: Call) -> Recalled | None:
        if operator.recall is None or call.transaction is None:
            return None
        try:
            recalled = operator.recall(values, call)
        except EngineError:  # what the record does not hold, or no longer holds whole, is not known
            return None
        except Exception as error:  # noqa: BLE001 - the same
            faults.report(error, where="operator", at=f"recall of {operator.name}")
            return None
        fits = recalled is not None and not value_problems(operator.result, recalled.answer, where="", most=1)
        return recalled if fits else None

    def _note(self, call: Call, operator: Operator, since: datetime) -> None:
        self.known.append(KnownAnswer(element=call.element, operator=operator.name, since=since.isoformat()))

    def _is_as_recorded(
        self, operator: Operator, before: Sequence[RecordedCall], events: Sequence[e.Event] | None = None
    ) -> bool:
        """Whether the case has changed of what *operator* reads what the recorded calls *before* had changed."""
        data = operator.data_read
        recorded = self._changes(data, (one for one in before if one.event is None or not one.event.error))
        happened = [*self.happened, *self.step] if events is None else events
        if self._changes(data, _calls_in(happened)) != recorded:
            return False
        return self._altered_at is None or not self._changes(data, _calls_in(happened[self._altered_at :]))

    def _changes(self, data: frozenset[str], calls: Iterable[RecordedCall]) -> Counter[str]:
        """How often each operator was called that changes some of *data*."""
        names = (one.operator for one in calls)
        return Counter(name for name in names if not data.isdisjoint(self._data_changed(name)))

    def _data_changed(self, operator: str) -> frozenset[str]:
        if operator in self._services:
            return self._services.get(operator).data_changed
        return frozenset({operator.partition("/")[0]})  # an operator that is no longer installed


def _is_request(event: e.Event) -> TypeGuard[e.ServiceRequested]:
    return isinstance(event, e.ServiceRequested)


def _calls_in(happened: Iterable[e.Event]) -> Iterable[RecordedCall]:
    """The calls in *happened* that were answered or requested; their time does not matter."""
    never = datetime.min.replace(tzinfo=UTC)
    for event in happened:
        if isinstance(event, e.ServiceCalled) and not event.error:
            yield RecordedCall(never, place(event.element, event.visit), event.operator, event)
        elif isinstance(event, e.ServiceRequested):
            yield RecordedCall(never, place(event.element, event.visit), event.operator)
