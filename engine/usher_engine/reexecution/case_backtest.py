"""Backtests one recorded case on another package: where would the same start, times, answers and results have led?

Start with `compare`. It calls nothing outside and writes nothing. `case_player` plays the case, `backtest_answers`
finds the answers of services. Questions that were never answered are reported, or assumed where the analyst says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from ..bpmn import Diagram
from ..core import faults
from ..core.canonical import as_stored_json
from ..core.errors import BusinessError, Corrupt, ElementFailed, EngineError, LimitExceeded
from ..services import Services
from ..store import Transaction
from ..store.stored_cases import Record
from . import difference_messages
from .assumptions import Assumptions, Question
from .backtest_answers import OTHER_CHANGES, Answers, KnownAnswer
from .case_player import Lacking, Player
from .hash_chain import read_chain
from .recorded_case import Recording, Way, read_recording, way
from .recorded_services import Unanswered


class Kind(StrEnum):
    #: The same elements in the same order.
    SAME = "same"
    #: Another element somewhere; `Compared.element` is the first.
    DIFFERENT = "different"
    #: The other package asks for an answer that the record does not have.
    NEEDS_ANSWER = "needs_answer"
    #: The other package raises an incident where the recorded case had none.
    FAILED = "failed"
    #: The record itself cannot be read.
    UNREADABLE = "not_comparable"


NOWHERE = Way()


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """
    The result of one case on the other package.

    ``element`` is the first that differs, asks, or fails, ``recorded_element`` the one the case entered instead, and
    ``differs_at`` its index in the paths. ``data`` names the variables that differ at the end of the same path.
    ``question`` is what needs an answer, or got none before its time was over; ``known`` and ``assumed`` say what the
    way rests on beside the case's record.
    ``definition`` is the hash of the package that the case ran on last, ``cause`` the change that moved it (`causes`)
    or the package of an operator that computes otherwise now.
    """

    instance: str
    kind: Kind
    message: str = ""
    element: str = ""
    recorded_element: str = ""
    differs_at: int | None = None
    recorded: Way = NOWHERE
    draft: Way = NOWHERE
    data: tuple[str, ...] = ()
    question: Question | None = None
    known: tuple[KnownAnswer, ...] = ()
    assumed: tuple[Question, ...] = ()
    definition: str = ""
    cause: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What cases are tried on: a *diagram* as if until *now*; *services* come from `disable_outside`."""

    diagram: Diagram
    services: Services
    now: datetime
    assumptions: Assumptions


def compare(record: Record, trial: Trial, transaction: Transaction | None = None) -> Compared:
    """Re-execute a case as *trial* says; operators recall in *transaction*, and nothing without one."""
    instance = record.row.id
    recording = _recording(record)
    if isinstance(recording, str):
        return Compared(instance=instance, kind=Kind.UNREADABLE, message=recording)
    answers = Answers(recording, trial.services, trial.assumptions)
    player = Player(instance, recording, trial.diagram, trial.services, answers, trial.now, transaction)
    found = _Comparison(recording, player).compare()
    known, assumed = tuple(answers.known), tuple(dict.fromkeys(answers.assumed))
    cause = next(iter(answers.other_packages), "") if found.kind in (Kind.DIFFERENT, Kind.FAILED) else ""
    return replace(found, known=known, assumed=assumed, definition=recording.definition, cause=cause)


def _recording(record: Record) -> Recording | str:
    """The recording of the case, or why it cannot be read."""
    if record.steps and not record.steps[0][1]:
        return "The case was purged; its inputs are no longer stored."
    steps, findings = read_chain(record)
    if findings or not steps:
        return findings[0].message if findings else "The case has no history."
    try:
        return read_recording(steps)
    except Corrupt as error:
        return error.message
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        faults.report(error, where="checks", at=f"case {record.row.id}")
        return f"The history is malformed ({type(error).__name__})."


class _Comparison:
    """Compares the way of one case with its recorded way."""

    def __init__(self, recording: Recording, player: Player) -> None:
        self.recording = recording
        self.player = player
        self.diagram = player.diagram

    def compare(self) -> Compared:
        try:
            self.player.play()
        except Lacking as lacking:
            return self._result(Kind.NEEDS_ANSWER, lacking.message, lacking.element, lacking.question)
        except Unanswered as asked:
            return self._unanswered(asked)
        except (ElementFailed, LimitExceeded, EngineError) as failure:
            return self._result_of_failure(failure)
        return self._compare_ways()

    def _unanswered(self, asked: Unanswered) -> Compared:
        if not self.recording.way.path:  # its start failed, which recorded no answers of services
            return self._same(self.recording.way)
        name = difference_messages.element_name(asked.element, self.diagram)
        message = f"{name} asks {asked.operator}, which was not asked there when the case ran."
        if asked.why:
            message = f"{name} asks {asked.operator}: {asked.why}."
        question = Question(element=asked.element, operator=asked.operator)
        return self._result(Kind.NEEDS_ANSWER, message, asked.element, question)

    # comparing

    def _compare_ways(self) -> Compared:
        """Compare at the end of the run, or where the record has no more inputs for it."""
        asked = self.player.open_questions()
        if asked:
            question = self.player.question_at(asked[0])
            return self._result(Kind.NEEDS_ANSWER, self._never_answered(asked[0]), question.element, question)
        differs = self._first_difference()
        if differs is not None:
            assumed = self.player.answers.assumed
            asked_in_vain = (question for question in self.player.unanswered if question not in assumed)
            return self._result(Kind.DIFFERENT, "", None, next(asked_in_vain, None))
        return self._same(self._way(), self._other_data())

    def _same(self, draft: Way, data: tuple[str, ...] = ()) -> Compared:
        return Compared(
            instance=self.player.instance, kind=Kind.SAME, recorded=self.recording.way, draft=draft, data=data
        )

    def _has_incident_at(self, element: str) -> bool:
        """Whether the recorded case has an incident at the same element."""
        return any(here.rpartition(":")[0] == element for here in self.recording.state.incidents)

    def _never_answered(self, here: str) -> str:
        element, requests = here.rpartition(":")[0], self.player.state.requests
        name = difference_messages.element_name(element, self.diagram)
        if here in requests and not self.player.answers.counts(here, requests[here]):
            return f"{name} asks {requests[here]}: {OTHER_CHANGES}."
        if here in requests:
            return f"{name} asks {requests[here]}, which never answered there when the case ran."
        known = any(given.event.element == element for given in self.recording.inputs)
        return f"{name} is asked {'once more than it was answered' if known else 'and was never answered'}."

    def _result_of_failure(self, failure: EngineError) -> Compared:
        element = failure.element if isinstance(failure, ElementFailed) else ""
        if self._has_incident_at(element or self.recording.started.process):
            return self._same(self.recording.way)
        refusal = failure.cause if isinstance(failure, ElementFailed) else None
        why = f"fails: {failure.message}"
        if isinstance(refusal, BusinessError):  # the message of a service may name a patient
            why = f"was refused ({refusal.code}), and this package draws no way for that."
        return self._result(Kind.FAILED, f"{difference_messages.element_name(element, self.diagram)} {why}", element)

    def _result(self, kind: Kind, message: str, element: str | None, question: Question | None = None) -> Compared:
        recorded, draft, at = self.recording.way, self._way(), self._first_difference()
        was = recorded.path[at] if at is not None and at < len(recorded.path) else ""
        goes = draft.path[at] if at is not None and at < len(draft.path) else ""
        return Compared(
            instance=self.player.instance,
            kind=kind,
            message=message or self._describe_divergence(was, goes),
            element=(goes or was) if element is None else element,
            recorded_element=was,
            differs_at=at,
            recorded=recorded,
            draft=draft,
            question=question,
        )

    def _describe_divergence(self, was: str, goes: str) -> str:
        there = f"went to {difference_messages.element_name(was, self.diagram)}" if was else "went no further"
        here = f"goes to {difference_messages.element_name(goes, self.diagram)}" if goes else "goes no further"
        return f"The case {there}; this package {here}."

    def _first_difference(self) -> int | None:
        """Return the index at which the paths diverge, or None if they are equal."""
        was, goes = self.recording.way.path, self._way().path
        pairs = enumerate(zip(was, goes, strict=False))
        parted = next((at for at, (one, other) in pairs if one != other), None)
        return parted if parted is not None or len(was) == len(goes) else min(len(was), len(goes))

    def _way(self) -> Way:
        found = way(self.player.happened, self.player.state)
        return replace(found, at=found.path[-1:]) if self.player.interrupted else found

    def _other_data(self) -> tuple[str, ...]:
        was, now = self.recording.state.data, self.player.state.data
        names = sorted({*was, *now})
        return tuple(name for name in names if name not in was or name not in now or not _equal(was[name], now[name]))


def _equal(one: Any, other: Any) -> bool:
    return bool(as_stored_json(one) == as_stored_json(other))
