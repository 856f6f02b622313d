"""What a backtest may assume where the record has no answer: one answer for all cases, for each question.

A `Question` names what was never answered: an operator at an element, or the form of a user task. An `Assumption`
answers it; an answer that is a record may hold only some fields, the others come from what is known in each case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..bpmn import Diagram
from ..core.canonical import Json, check_input
from ..core.errors import EngineError, InvalidSubmission
from ..core.shapes import value_problems
from ..forms import parse_form
from ..services import Operator, Services

#: How many assumed answers one case may take: an assumption that leads back to its own question ends there.
MAX_ASSUMED = 20
_KEYS = frozenset({"element", "operator", "form", "answer", "refused"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What has no answer: the *operator* that *element* calls, or the task *element* with its *form* ("" for none)."""

    element: str
    operator: str = ""
    form: str = ""

    @property
    def key(self) -> str:
        return f"{self.element}|{self.operator}|{self.form}"

    def to_json(self) -> dict[str, Json]:
        asks: dict[str, Json] = {"operator": self.operator} if self.operator else {"form": self.form}
        return {"element": self.element, **asks}


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumption:
    """The answer to *question* in every case; *refused* is an operator's error code instead of an answer."""

    question: Question
    answer: Json = None
    refused: str = ""

    def to_json(self) -> dict[str, Json]:
        return self.question.to_json() | ({"refused": self.refused} if self.refused else {"answer": self.answer})

    def on(self, known: Json) -> Json:
        """The answer, completed by what is *known* in the case where both are records."""
        if isinstance(known, dict) and isinstance(self.answer, dict):
            return {**known, **self.answer}
        return self.answer


#: The assumptions by the key of their question.
Assumptions = Mapping[str, Assumption]


def by_question(assumed: Iterable[Assumption]) -> Assumptions:
    return {one.question.key: one for one in assumed}


def read_assumptions(records: Any, diagram: Diagram, services: Services, *, today: date) -> tuple[Assumption, ...]:
    """
    The assumptions in *records*, a list as `Assumption.to_json` writes them, for backtests on *diagram*.

    Raises:
        InvalidSubmission: ``fields`` names each wrong entry, from 1, with what was expected.
    """
    wrong: dict[str, str] = {}
    found: dict[str, Assumption] = {}
    if not isinstance(records, list):
        raise InvalidSubmission("Assumptions are a JSON list of records with “element” and “answer”.")
    for number, record in enumerate(records, start=1):
        try:
            one = _read(record, diagram, services, today)
            if one.question.key in found:
                raise InvalidSubmission(f"“{one.question.element}” is assumed twice; keep one.")
            found[one.question.key] = one
        except EngineError as error:
            wrong[f"assumption {number}"] = error.message
    if wrong:
        place, reason = next(iter(wrong.items()))
        raise InvalidSubmission(f"{place[:1].upper()}{place[1:]}: {reason}", fields=wrong)
    return tuple(found.values())


def _read(record: Any, diagram: Diagram, services: Services, today: date) -> Assumption:
    if not isinstance(record, dict):
        raise InvalidSubmission("It must be a record with “element” and “answer”.")
    unknown = sorted(set(map(str, record)) - _KEYS)
    if unknown:
        raise InvalidSubmission(f"It has “{unknown[0][:60]}”; known are {', '.join(sorted(_KEYS))}.")
    check_input(record, where="assumption")
    element = diagram.elements.get(record["element"]) if isinstance(record.get("element"), str) else None
    if element is None:
        raise InvalidSubmission(f"The package has no element “{str(record.get('element', ''))[:60]}”.")
    if ("answer" in record) == ("refused" in record):
        raise InvalidSubmission("Give either “answer”, or “refused” with an error code.")
    if element.operator:
        return _of_operator(record, element.id, services.get(element.operator))
    if element.tag not in ("userTask", "manualTask"):
        raise InvalidSubmission(f"“{element.name or element.id}” asks nobody anything; name a task.")
    return _of_task(record, element.id, element.properties.get("form", ""), diagram, today)


def _of_operator(record: Mapping[str, Any], element: str, operator: Operator) -> Assumption:
    named = record.get("operator", operator.name)
    if named != operator.name or "form" in record:
        raise InvalidSubmission(f"“{element}” asks {operator.name}, not what the assumption names.")
    question = Question(element=element, operator=operator.name)
    if "refused" in record:
        codes = sorted(operator.errors)
        if record["refused"] not in operator.errors:
            raise InvalidSubmission(
                f"{operator.name} refuses with {', '.join(codes) if codes else 'no code'}, not with that one."
            )
        return Assumption(question=question, refused=record["refused"])
    problems = value_problems(_partial(operator), record["answer"], where="answer", most=1)
    if problems:
        raise InvalidSubmission(problems[0])
    return Assumption(question=question, answer=record["answer"])


def _partial(operator: Operator) -> Mapping[str, Any]:
    """The shape of the result, of which a record may lack fields."""
    return {name: part for name, part in operator.result.items() if name != "required"}


def _of_task(record: Mapping[str, Any], element: str, name: str, diagram: Diagram, today: date) -> Assumption:
    if record.get("form", name) != name or record.get("operator") or "refused" in record:
        raise InvalidSubmission(f"“{element}” is a task with the form “{name}”; give its answer.")
    answer = record["answer"]
    if not isinstance(answer, dict):
        raise InvalidSubmission("The answer of a task is a record: field key to value.")
    question = Question(element=element, form=name)
    if not name:
        return Assumption(question=question, answer={})
    form = parse_form(diagram.package.text(name))
    try:
        form.validate(answer, today=today)
    except InvalidSubmission as error:  # what is left out, each case may know
        wrong = {key: reason for key, reason in error.fields.items() if key in answer}
        if wrong:
            key, reason = next(iter(wrong.items()))
            raise InvalidSubmission(f"{key}: {reason}", fields=wrong) from error
    return Assumption(question=question, answer=answer)
