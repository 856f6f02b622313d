"""Hand-kept tables over an enumeration contain exactly its members, so that no table misses a new member."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
import usher_engine
from usher_engine import Settings
from usher_engine.accounts import Role
from usher_engine.audit import KINDS as AUDIT_KINDS
from usher_engine.audit import AuditEvent
from usher_engine.authoring import LeftKind, PointKind
from usher_engine.cases import BatchKind
from usher_engine.core import errors
from usher_engine.core.events import KINDS
from usher_engine.core.state import Status
from usher_engine.definitions import Remedy
from usher_engine.differences import ChangeKind
from usher_engine.enrollment import (
    PortalStatus,
    enrollment_operators,
    funnel,
    patient_response,
    statuses,
)
from usher_engine.exports import event_rows, fhir_audit_events
from usher_engine.reexecution import difference_messages as replay_words
from usher_engine.reexecution.case_backtest import Kind
from usher_engine.reexecution.recorded_inputs import INPUTS
from usher_engine.services import Mode, Operator
from usher_web import app, audit_logging
from usher_web import error_pages as web_errors
from usher_web.analyst import backtest_view, diff_view, draft_history_view, import_pages
from usher_web.api import serializers
from usher_web.auditor import replay_frames, report_tables
from usher_web.casework import search_query
from usher_web.commands import backtesting
from usher_web.demo import sample_patients
from usher_web.words import audit_sentences, effect_status, proof_verdict, service_wording

#: Blueprints whose pages are in no place of the rail: for patients, for programs, and for signing in.
OUTSIDE = {"profile", "patient", "api", "sign_in", "session_end", "search", "palette", "drafts"}

#: Events that the standard life cycle of an activity has no word for; logs for process mining say “unknown”.
WITHOUT_LIFECYCLE = {
    "DecisionMade", "TimerStarted", "TimerFired", "MessageAwaited", "MessageReceived", "WaitEnded", "ItemGiven",
    "RepetitionStarted", "InstanceMigrated", "InstanceRepaired", "StepUndone", "ServiceUndone", "UserTaskDueSet",
    "UserTaskPutOff",
}  # fmt: skip


def members(kind: type) -> set[str]:
    return {member.value for member in kind}


@pytest.mark.parametrize(
    ("table", "enumeration"),
    [
        (app.HOME, Role),
        (diff_view.WORDS, ChangeKind),
        (diff_view._DID, ChangeKind),
        (draft_history_view.WORDS, PointKind),
        (import_pages.WORDS, Remedy),
        (import_pages.HEADINGS, LeftKind),
        (statuses._GLYPHS, PortalStatus),
        (patient_response.STATUS_AFTER, patient_response.Answer),
        (backtesting.WORDS, members(Kind)),
        (backtest_view.WORDS, members(Kind) - {Kind.SAME}),
        (search_query.STATUSES, members(Status)),
        (web_errors.PLAIN, web_errors.TITLES),
        (serializers.Status.__metadata__[0]["enum"], members(Status)),
        (report_tables.STAGES, funnel.MILESTONES),
        (["start", "invited", "answered", *funnel._ANSWERS.values()], funnel.MILESTONES),
        (service_wording.ANSWERS, [status.value for status in patient_response.STATUS_AFTER.values()]),
        (funnel._ANSWERS, [status.value for status in patient_response.STATUS_AFTER.values()]),
        ([*event_rows.LIFECYCLE, *event_rows._LEFT_OUT, *WITHOUT_LIFECYCLE], KINDS),
    ],
)
def test_a_table_has_exactly_the_members_of_its_enumeration(
    table: Iterable[object], enumeration: Iterable[object]
) -> None:
    assert sorted(map(str, table)) == sorted(map(str, enumeration))


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (app.SEARCHING, Role),
        (replay_frames.BY_HAND, replay_words.COMMANDS),
        (INPUTS, replay_words.COMMANDS),
        (effect_status.ENDS, KINDS),
        ([kind for _, kind in fhir_audit_events.NAMES], KINDS),
        (fhir_audit_events.VIEWS, AUDIT_KINDS),
        (event_rows._PLAIN, {field.name for kind in KINDS.values() for field in fields(kind)}),
        (audit_logging.REFUSALS, audit_sentences.REFUSED),
        ([status for status in sample_patients._STATUSES.values() if status], PortalStatus),
    ],
)
def test_a_selection_names_only_members(part: Iterable[object], whole: Iterable[object]) -> None:
    assert set(map(str, part)) <= set(map(str, whole))


def test_every_command_that_writes_a_step_has_words() -> None:
    package = Path(usher_engine.__file__).parent
    paths = [path for path in package.rglob("*.py") if "exports" not in path.parts]  # they have kinds of lines
    written = {
        value.value
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "kind" and isinstance(value, ast.Constant)
    }
    assert written == set(replay_words.COMMANDS)


def test_every_kind_of_run_starts_with_words_of_its_own() -> None:
    """A kind that was left out would have the sentence of a migration."""
    sentences = [audit_sentences._run_start(started(kind)) for kind in BatchKind]
    assert len(set(sentences)) == len(BatchKind)


def started(kind: str) -> AuditEvent:
    body = {"kind": "RunStarted", "details": {"kind": kind, "cases": 3}, "why": ""}
    at = datetime(2026, 5, 4, tzinfo=UTC)
    return AuditEvent(seq=1, at=at, kind="RunStarted", actor="ana", subject="p", business_key="", body=body)


# pages


def test_every_blueprint_has_its_words_and_its_place() -> None:
    blueprints = {
        module.blueprint.name
        for module in vars(app).values()
        if isinstance(module, ModuleType) and hasattr(module, "blueprint")
    }
    assert len(blueprints) > 20
    assert set(audit_sentences.PLACES) == blueprints
    rail = {place.endpoint.partition(".")[0] for place in (*app.RAIL, app.CAUGHT_MAIL)}
    assert rail | set(app.INSIDE) | OUTSIDE == blueprints
    assert not rail & set(app.INSIDE)
    assert set(app.INSIDE.values()) <= rail


# operators


def enrolling() -> tuple[Operator, ...]:
    """The operators; no test here calls them."""
    return enrollment_operators.operators(settings=Settings(), directory=None, database=None, send_mail=None)  # type: ignore[arg-type]


def test_every_operator_that_changes_something_has_words() -> None:
    """An effect has a sentence for each stage; what writes inside a step has one for its answer."""
    given = {"changed": ["email"], "removed": {"status": "Declined", "at": "2026-05-04"}, "status": "Completed"}
    there = {operator.name: operator.mode for operator in enrolling()}
    effect = {name for name, mode in there.items() if mode is Mode.EFFECT}
    assert effect == set(service_wording.QUEUED) == set(service_wording.DONE) == set(service_wording.FAILED)
    for name, mode in there.items():
        assert bool(service_wording.result_sentence(name, given)) == (mode is Mode.WRITE), name
    assert {name for name, _ in fhir_audit_events.NAMES} <= set(there)


# errors


def every(kind: type[errors.EngineError]) -> Iterator[type[errors.EngineError]]:
    for one in kind.__subclasses__():
        if one.__module__ == errors.__name__:
            yield one
            yield from every(one)


#: Errors that no view lets out: they end in an incident, or at start-up.
NEVER_SHOWN = {errors.ElementFailed, errors.DecisionFailed, errors.Fault, errors.Misconfigured}


SHOWN = [kind for kind in every(errors.EngineError) if kind not in NEVER_SHOWN]


@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.__name__)
def test_an_error_has_the_status_that_the_tree_gives_it(kind: type[errors.EngineError]) -> None:
    status = next(status for error, status, _ in web_errors.STATUS if issubclass(kind, error))
    line = next(line for line in (errors.__doc__ or "").splitlines() if f"─ {kind.__name__} " in line)
    status_code = line.split(kind.__name__)[1].split()[0]
    assert not status_code.isdigit() or int(status_code) == status


def test_no_error_hides_behind_a_more_general_one() -> None:
    kinds = [kind for kind, _, _ in web_errors.STATUS]
    for index, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:index]), kind.__name__


# findings


def kinds_of_findings() -> Iterator[str]:
    """The kinds that checks of the record write out where they make a finding."""
    place = {"finding_about": 2, "Finding": 3, "_finding": 0, "Difference": 2}
    for path in Path(usher_engine.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in place:
                named = [one.value for one in call.keywords if one.arg == "kind"]
                for given in (*call.args[place[call.func.id] :][:1], *named):
                    if isinstance(given, ast.Constant):
                        yield str(given.value)


def test_every_kind_of_finding_is_explained() -> None:
    found = set(kinds_of_findings())
    assert len(found) > 15
    assert found <= set(proof_verdict.MEANINGS)
    texts = "".join(path.read_text() for path in Path(usher_engine.__file__).parent.rglob("*.py"))
    assert [kind for kind in proof_verdict.MEANINGS if f'"{kind}"' not in texts] == []
