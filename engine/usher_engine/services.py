"""The typed operators that service tasks call; a diagram has no other access to the outside.

An operator is registered once at start-up and declares what it takes and gives (`core/shapes.py`). Its mode decides
when it runs. A DERIVED, READ or WRITE one runs inside the step's transaction, and its result is recorded as an input,
so that verify repeats the step without it. An EFFECT runs after the commit, from the job queue, at least once, with an
idempotency key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

from .core.canonical import Json, check_input
from .core.errors import BusinessError, InvalidDefinition, ServiceError, UnknownOperator
from .core.practice_calendar import UTC_CALENDAR, Calendar
from .core.shapes import (
    ANYTHING,
    TYPES,
    Shape,
    declared,
    is_of_kind,
    kinds_in_words,
    record,
    shape_problems,
    text,
    value_problems,
)
from .definitions import Package
from .operator_use import IN_GENERAL, Origin, Refused, Use, UseProblem, Wording


def _forget(_note: Json) -> None:
    """Nobody undoes this call."""


class Mode(Enum):
    #: Computed from its parameters, the package and the step's time alone; a backtest computes it again.
    DERIVED = "derived"
    #: Looks something up; runs inside the step.
    READ = "read"
    #: Writes to Usher's own database, in the step's transaction.
    WRITE = "write"
    #: Reaches the outside world; runs as a job after the commit.
    EFFECT = "effect"


_BY_KIND: Mapping[str, Shape] = {
    **{declared({"type": name}): {"type": name} for name in TYPES if name not in ("integer", "null")},
    "any": ANYTHING,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """An input of an operator. An optional parameter may also be null."""

    name: str
    shape: Shape = field(default_factory=text)
    required: bool = True
    help: str = ""

    @property
    def kind(self) -> str:
        """Its kind in one word: text, number, boolean, record, list or any."""
        return declared(self.shape)

    @classmethod
    def of_kind(cls, name: str, kind: str, *, required: bool) -> Parameter:
        """The parameter that an export describes by its *kind* alone; raises `KeyError` for an unknown kind."""
        return cls(name=name, shape=_BY_KIND[kind], required=required)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """
    The information an operator gets about the step that calls it.

    ``key`` is ``instance:element:visit``, the same on every attempt. ``calendar`` is the practice's. ``transaction`` is
    the step's open database connection for READ and WRITE, None for EFFECT, which opens its own, and not for DERIVED.
    A WRITE operator with an ``undo`` gives ``remember`` what it needs to put back what it has just changed, once.
    """

    instance: str
    element: str
    visit: int
    now: datetime
    actor: str
    package: Package
    calendar: Calendar = UTC_CALENDAR
    attempt: int = 1
    transaction: Any = None
    remember: Callable[[Json], None] = _forget

    @property
    def key(self) -> str:
        return f"{self.instance}:{self.element}:{self.visit}"


@dataclass(frozen=True, slots=True)
class Recalled:
    """An *answer* known from Usher's own record, and the moment since when the record says so."""

    answer: Json
    since: datetime


#: Returns what an operator would have answered at ``call.now``, from Usher's own record; None where that is not known.
Recall: TypeAlias = Callable[[Mapping[str, Any], Call], Recalled | None]


#: Puts back what a call has changed, from what the call remembered; returns JSON that says how things stand now. Raises
#: `Conflict` when somebody else has changed the same since.
Undo: TypeAlias = Callable[[Json, Call], Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class MailUse:
    """
    What an operator makes a mail from.

    *template* is the one it takes where the diagram names none in the parameter ``template``. *always* are the names of
    the values it gives every mail, *when* those it gives one when a parameter is given; the parameter ``values`` holds
    more. *recipients* are the parameters of which exactly one says who gets the mail.
    """

    template: str = ""
    always: frozenset[str] = frozenset()
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """All the names of its own."""
        return self.always.union(*self.when.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Operator:
    """
    An operation that diagrams can call.

    ``call`` gets the evaluated parameters and the `Call`, and returns JSON of the shape ``result``. It raises
    `ServiceError` (with ``retry``) when it failed, and `BusinessError` with a code when it refuses; an error boundary
    event with that code catches the refusal. ``errors`` are the codes, each with a sentence on when it refuses.

    ``reads`` and ``changes`` name the data it depends on and the data it changes, such as ``patient``; by default both
    are the part of its name before the slash. A backtest gives a recorded answer only while what the case has changed
    of the data that the operator reads is what it had changed when it ran. A READ or DERIVED one changes nothing.

    ``recall`` is for READ operators whose past answers Usher's own record holds: a backtest asks it at a past
    ``call.now``, in a transaction that only reads. Backtests run in several processes, so it must be picklable.

    ``check`` tells the gate what is wrong with one use beyond the shapes; ``result_of`` gives the shape of the result
    of one use, where that is more than ``result`` says. ``origin`` is the package it comes from, None for Usher's own.
    ``undo`` is for WRITE operators: it puts back what a call has changed, when a person undoes the step with the call.
    """

    name: str
    title: str
    mode: Mode
    call: Callable[[Mapping[str, Any], Call], Json]
    parameters: tuple[Parameter, ...] = ()
    result: Shape = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    recall: Recall | None = None
    undo: Undo | None = None
    reads: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    #: For one that sends mail.
    mails: MailUse | None = None
    check: Callable[[Use], Iterable[UseProblem]] | None = None
    result_of: Callable[[Use], Shape] | None = None
    wording: Wording = IN_GENERAL
    origin: Origin | None = None
    #: Known from a record alone, which does not say what parameters there are.
    takes_anything: bool = False

    @property
    def data_read(self) -> frozenset[str]:
        return self.reads or frozenset({self.name.partition("/")[0]})

    @property
    def data_changed(self) -> frozenset[str]:
        if self.mode not in (Mode.WRITE, Mode.EFFECT):
            return frozenset()
        return self.changes or frozenset({self.name.partition("/")[0]})

    @property
    def parameters_shape(self) -> Shape:
        """The shape of all parameters together."""
        optional = [parameter.name for parameter in self.parameters if not parameter.required]
        return record({parameter.name: parameter.shape for parameter in self.parameters}, optional=optional)

    def declaration_problems(self) -> list[str]:
        """What is wrong with the declaration itself; empty when it can be registered."""
        found = shape_problems(self.result, where=f"the result of {self.name}")
        for parameter in self.parameters:
            found += shape_problems(parameter.shape, where=f"the parameter “{parameter.name}” of {self.name}")
        return found

    def problems(self, given: set[str]) -> list[str]:
        """What is wrong with the parameter names in a diagram; empty when they fit."""
        return [f"parameter “{name}” of {self.name} is missing" for name in self.missing(given)] + [
            f"{self.name} has no parameter “{name}”" for name in self.unknown(given)
        ]

    def missing(self, given: set[str]) -> list[str]:
        """The required parameters that are not among *given*."""
        return [one.name for one in self.parameters if one.required and one.name not in given]

    def unknown(self, given: set[str]) -> list[str]:
        """Those of *given* that are no parameters."""
        return [] if self.takes_anything else sorted(given - {one.name for one in self.parameters})


def _elsewhere(_given: Mapping[str, Any], _call: Call) -> Json:
    raise ServiceError("Messages between cases are delivered by the worker only.", retry=False)


#: The operator of an element that throws a message without naming one; the engine carries it out.
SEND = Operator(
    name="message/send",
    title="Send a message to a case",
    mode=Mode.EFFECT,
    call=_elsewhere,
    parameters=(
        Parameter(name="message", help="the message's name in the diagram that waits for it"),
        Parameter(name="business_key", help="what the case is about that waits for it"),
        Parameter(name="data", shape=record(), required=False, help="the contents"),
    ),
)


class Services:
    """The operators by name, with `SEND` as the last; iterates in order of registration."""

    def __init__(
        self,
        operators: tuple[Operator, ...] = (),
        *,
        mail_links: frozenset[str] = frozenset(),
        refused: tuple[Refused, ...] = (),
    ) -> None:
        """*mail_links* are the values of mails that may be the address of a link, *refused* what could not be used."""
        self.mail_links, self.refused = mail_links, refused
        uses = [operator.mails for operator in operators if operator.mails is not None]
        #: The values that operators give mails; None where none sends mail.
        self.mail_names = frozenset().union(*(use.names for use in uses)) if uses else None
        self._operators = {operator.name: operator for operator in (*operators, SEND)}

    def __iter__(self) -> Iterator[Operator]:
        return iter(self._operators.values())

    def __contains__(self, name: object) -> bool:
        return name in self._operators

    def get(self, name: str) -> Operator:
        """The operator *name*; raises `UnknownOperator`, with the reason or the known operators."""
        try:
            return self._operators[name]
        except KeyError:
            for refused in self.refused:
                if refused.operator == name:
                    raise UnknownOperator(str(refused)) from None
            known = ", ".join(sorted(self._operators)) or "none"
            hint = " ".join(str(refused) for refused in self.refused if not refused.operator)
            message = f"No service operator is called “{name}”. Known: {known}. {hint}"
            raise UnknownOperator(message.rstrip()) from None


def declared_values(operator: Operator, values: Mapping[str, Any]) -> dict[str, Any]:
    """The *values* that *operator* declares; raises `InvalidDefinition` naming those that do not fit."""
    problems = operator.problems(set(values))
    for parameter in operator.parameters:
        value = values.get(parameter.name)
        if value is None and not parameter.required:
            continue
        if parameter.name in values and not is_of_kind(value, parameter.shape):
            expected = kinds_in_words(parameter.shape)
            problems.append(f"parameter “{parameter.name}” of {operator.name} must be {expected}")
    if problems:
        raise InvalidDefinition("; ".join(problems) + ".")
    return dict(values)


def checked_answer(operator: Operator, values: dict[str, Any], call: Call) -> Json:
    """
    Call *operator* and check its answer like any other input of a case, for example from a form or the API.

    Raises:
        InvalidSubmission: The result, or the reason of a refusal, breaks a limit of `check_input`.
        ServiceError: The result is not of the shape that the operator declares.
        BusinessError: The operator refuses.
    """
    try:
        answer = check_input(operator.call(values, call), where=operator.name)
    except BusinessError as refusal:
        check_input(refusal.message, where=operator.name)
        raise
    wrong = value_problems(operator.result, answer, where=f"The answer of {operator.name}", most=1)
    if wrong:
        raise ServiceError(f"{wrong[0]} The maintainer of the operator has to mend it.", retry=False)
    return answer
