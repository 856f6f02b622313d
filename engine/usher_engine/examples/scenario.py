"""A run built step by step on the try-out page: its state so far, and the input it needs to continue.

The run *is* an unfinished example (start, answers of services, actions). Each request plays it from the start, so
nothing is stored between two steps, and the saved example is exactly what was tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from usher_engine.bpmn import compile_diagram, initial_values
from usher_engine.core.canonical import Json, check_input
from usher_engine.core.errors import ElementFailed, EngineError, InvalidSubmission
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar
from usher_engine.core.shape_algebra import sample_value
from usher_engine.definitions import Package, translate
from usher_engine.forms import Form, deployed_form
from usher_engine.services import Services

from ..gate.service_use import service_answer_shape
from .player import Player, Unanswered

MAX_ACTIONS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedPerson:
    """A waiting user task; *form* is None if it only has a button."""

    element: str
    title: str
    message: str
    group: str
    cancellable: bool
    form: Form | None
    initial: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedService:
    """
    A service whose answer the author must enter; *given* are its parameters.

    *sample* is an answer of the declared shape to begin with.
    """

    element: str
    operator: str
    given: Mapping[str, Json]
    sample: Json = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaited:
    """A timer (*due*, ISO 8601) or a message (*name*) that the run waits for."""

    element: str
    due: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """
    The state of a run so far.

    If *problem* gives the reason why the last step failed, everything else is the state before that step. *fields* are
    the wrong fields of a form. *names* maps element ids to display names.
    """

    path: tuple[str, ...]
    visits: Mapping[str, int]
    flows: Mapping[str, int]
    at: tuple[str, ...]
    data: Mapping[str, Json]
    names: Mapping[str, str]
    people: tuple[AskedPerson, ...] = ()
    service: AskedService | None = None
    awaited: tuple[Awaited, ...] = ()
    finished: bool = False
    outcome: str = ""
    explanation: str = ""
    problem: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def try_out(package: Package, services: Services, run: Mapping[str, Any], calendar: Calendar = UTC_CALENDAR) -> Tried:
    """
    Play *run*, an example without an expected path, as far as possible. Has no effects and stores nothing.

    Raises:
        InvalidDefinition: The package itself cannot run.
        InvalidSubmission: *run* is not an example, or exceeds a limit.
    """
    example = _checked_example(run)
    translated, _ = translate(package)
    diagram = compile_diagram(translated)
    player = Player(diagram, services, calendar=calendar, repeats=not run.get("asks"))
    try:
        player.play(example)
    except Unanswered as missing:
        waiting = next((key for key, name in player.state.requests.items() if name == missing.operator), "")
        return _trial(player, service=_service_request(player, waiting.rpartition(":")[0], missing))
    except ElementFailed as failed:
        if isinstance(failed.cause, Unanswered):
            return _trial(player, service=_service_request(player, failed.element, failed.cause))
        return _trial(player, problem=f"“{failed.element}” cannot continue: {failed.message}")
    except InvalidSubmission as wrong:
        return _trial(player, problem=wrong.message, fields=wrong.fields)
    except EngineError as error:
        return _trial(player, problem=error.message)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"This does not have the format of an example ({type(error).__name__})."
        raise InvalidSubmission(message, fields={"run": message}) from None
    return _trial(player)


def _checked_example(run: Mapping[str, Any]) -> dict[str, Any]:
    check_input(dict(run), where="run")
    kinds = {"start": dict, "services": dict, "do": list, "now": str, "zone": str}
    wrong = [name for name, kind in kinds.items() if name in run and not isinstance(run[name], kind)]
    if wrong or len(run.get("do", [])) > MAX_ACTIONS:
        reason = f"{', '.join(wrong)} has the wrong type" if wrong else f"a run has at most {MAX_ACTIONS} steps"
        raise InvalidSubmission(f"The run cannot be read: {reason}.", fields={"run": reason})
    return {name: run[name] for name in kinds if name in run}


def _service_request(player: Player, element: str, missing: Unanswered) -> AskedService:
    package, services = player.diagram.package, player.services
    operator = services.get(missing.operator) if missing.operator in services else None
    sample = None if operator is None else sample_value(service_answer_shape(operator, package, element))
    return AskedService(element=element, operator=missing.operator, given=missing.given, sample=sample)


def _trial(player: Player, **more: Any) -> Tried:
    state, service = player.state, more.get("service")
    at = [key.rpartition(":")[0] for key in state.at]
    elements = player.diagram.elements
    return Tried(
        path=tuple(player.path),
        visits=dict(state.visits),
        flows=dict(state.flows),
        at=tuple(dict.fromkeys([*at, service.element] if service and service.element else at)),
        data=state.data,
        names={key: element.name or key for key, element in elements.items()},
        people=() if service else tuple(_person(player, key) for key in state.tasks),
        awaited=() if service else tuple(_awaited(wait) for wait in state.waits.values()),
        finished=state.status == "finished",
        outcome=state.outcome,
        explanation=state.explanation,
        **more,
    )


def _awaited(wait: Mapping[str, Any]) -> Awaited:
    return Awaited(element=str(wait["element"]), due=str(wait.get("due", "")), name=str(wait.get("name", "")))


def _person(player: Player, key: str) -> AskedPerson:
    opened, element = player.state.tasks[key].opened, key.rpartition(":")[0]
    name = str(opened.get("form", ""))
    return AskedPerson(
        element=element,
        title=str(opened["title"]),
        message=str(opened.get("message", "")),
        group=str(opened.get("group", "")),
        cancellable=bool(opened.get("cancel")),
        form=deployed_form(player.diagram.package.text(name)) if name else None,
        initial=_initial(player, element),
    )


def _initial(player: Player, element: str) -> dict[str, Any]:
    try:
        return initial_values(player.diagram, element, player.state.data, player.now, player.calendar)
    except EngineError:
        return {}  # the task's page also shows an empty form then
