"""Every error the engine raises on purpose. An error's docstring is its default message.

EngineError
├─ NotFound            404   unknown instance, task, process
├─ Purged              410   purged after its retention time; only its proof is left
├─ NotAllowed          403   actor lacks the role or the claim
├─ Conflict            409   revision moved, task taken
│  ├─ TooLate          409   the mail of the step to be undone has left
│  └─ StaleDraft       412   someone changed the file of the draft meanwhile; .aside: where the late save is kept
├─ InvalidSubmission   422   .fields: {name: reason}
├─ InvalidDefinition   422   .problems: [(element_id, reason)]
│  ├─ CannotMigrate    422   the same: the reasons why a case cannot move to another version
│  └─ UnknownOperator  422   the operator's package is not installed here, or is refused; an incident of a running case
├─ ExpressionError     422   .line: where in the expression or script
├─ DecisionFailed            a decision table gives no single answer, or a value does not fit: an incident
├─ ElementFailed             .element: the element that failed, .cause: why; an incident
├─ Fault                     a bug in Usher, met at an element; .reference finds the log entry
├─ LimitExceeded       422   more steps, tasks or data than one command may use
├─ ServiceError              .retry True = transient, False = raise an incident
├─ BusinessError             a service's answer "no", caught by an error boundary event
├─ Corrupt             409   hash chain, state, row or version altered; page the operator; .element: where, if known
├─ Paused              503   no case of this process or version starts until an administrator resumes it
├─ Unavailable         503   .retry True: the database is locked, full, read-only or away
└─ Misconfigured             at start-up only; names the variable
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime


class EngineError(Exception):
    """The engine refused what was asked."""

    retry = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or type(self).__doc__ or "")

    @property
    def message(self) -> str:
        return str(self.args[0])


class NotFound(EngineError):
    """Nothing is known under this id."""


class Purged(EngineError):
    """This was purged after its retention time; the proof of it is kept."""


class NotAllowed(EngineError):
    """You may not do this."""


class Conflict(EngineError):
    """Someone else was faster; read the current state and decide again."""

    def __init__(self, message: str = "", *, winner: str | None = None, at: datetime | None = None) -> None:
        super().__init__(message)
        self.winner = winner
        self.at = at


class TooLate(Conflict):
    """It is too late to undo that: the mail is on its way, or has left."""


class StaleDraft(Conflict):
    """Someone changed this file of the draft since you opened it."""

    def __init__(
        self,
        message: str = "",
        *,
        winner: str | None = None,
        at: datetime | None = None,
        aside: str = "",
        etag: str = "",
    ) -> None:
        super().__init__(message, winner=winner, at=at)
        self.aside = aside
        self.etag = etag


class InvalidSubmission(EngineError):
    """Some fields need another look."""

    def __init__(self, message: str = "", *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, str] = dict(fields or {})


class InvalidDefinition(EngineError):
    """The process package cannot be run as it is."""

    def __init__(self, message: str = "", *, problems: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message or "; ".join(f"{element}: {why}" for element, why in problems))
        self.problems = list(problems)


class CannotMigrate(InvalidDefinition):
    """The case cannot be moved to this version."""


class UnknownOperator(InvalidDefinition):
    """No installed package has this operator."""


class ExpressionError(EngineError):
    """The expression cannot be evaluated."""

    def __init__(self, message: str = "", *, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class DecisionFailed(EngineError):
    """The decision gives no single answer."""


class ElementFailed(EngineError):
    """An element of the diagram could not do its work."""

    def __init__(self, element: str, cause: EngineError) -> None:
        super().__init__(cause.message)
        self.element = element
        self.cause = cause


class Fault(EngineError):
    """Something failed because of a mistake in the software."""

    def __init__(self, what: str, *, reference: str) -> None:
        super().__init__(
            f"{what} because of a mistake in the software; the diagram and what was entered are not the reason. "
            f"Try again; if it happens again, tell your administrator this number: {reference}"
        )
        self.reference = reference


class LimitExceeded(EngineError):
    """This needs more steps, tasks or data than one command may use."""


class ServiceError(EngineError):
    """A service did not do what was asked."""

    def __init__(self, message: str = "", *, retry: bool) -> None:
        super().__init__(message)
        self.retry = retry


class BusinessError(EngineError):
    """The service answered no; the diagram decides what follows."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code


class Unavailable(EngineError):
    """The database cannot be used at the moment; nothing was changed."""

    retry = True


class Paused(EngineError):
    """This process is paused; nothing was started."""

    retry = True


class Corrupt(EngineError):
    """Stored history or state does not fit together; nothing was changed."""

    def __init__(self, message: str = "", *, element: str = "") -> None:
        super().__init__(message)
        self.element = element


class Misconfigured(EngineError):
    """A setting is missing or wrong."""
