"""Every kind of thing the software knows has words of its own: nobody reads the name of a class or an endpoint."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest
from usher_engine.audit import KINDS as AUDIT_KINDS
from usher_engine.audit import AuditEvent
from usher_engine.core.events import KINDS
from usher_engine.core.faults import Where, counts
from usher_engine.reexecution.difference_messages import DESCRIPTIONS
from usher_web.api.metrics import prometheus
from usher_web.words import audit_sentences


def event(kind, details=None):
    body = {"kind": kind, "details": details or {}, "why": ""}
    at = datetime(2026, 5, 4, tzinfo=UTC)
    return AuditEvent(seq=1, at=at, kind=kind, actor="ana", subject="enrollment", business_key="", body=body)


def test_every_kind_of_audit_event_has_words():
    assert set(audit_sentences.CALLED) == set(audit_sentences.WORDS) == set(AUDIT_KINDS)
    assert set(AUDIT_KINDS) >= audit_sentences.ALARMS | set(audit_sentences.MARKS)


@pytest.mark.parametrize("kind", AUDIT_KINDS)
def test_an_event_without_details_still_has_a_sentence(kind):
    assert audit_sentences.sentence_of(event(kind)).words.endswith((".", ": "))


@pytest.mark.parametrize(
    ("kind", "details", "words"),
    [
        ("RunStarted", {"kind": "backtest", "cases": 3}, "Started a backtest of 3 cases of enrollment."),
        (
            "RunStarted",
            {"kind": "trial", "cases": 3},
            "Started to try a move of 3 cases of enrollment to another version.",
        ),
        ("RunStarted", {"kind": "migration", "cases": 3}, "Started to move 3 cases of enrollment to another version."),
        ("RunStopped", {"done": 2, "of": 3}, "Stopped a run of enrollment after 2 of 3 cases."),
        ("ProcessPaused", {"version": 0}, "Paused all of enrollment: "),
        ("ProcessPaused", {"version": 2}, "Paused version 2 of enrollment: "),
    ],
)
def test_what_administrators_and_analysts_did_to_many_cases(kind, details, words):
    assert audit_sentences.sentence_of(event(kind, details)).words == words


def test_every_kind_of_event_has_words_where_a_check_finds_a_difference():
    assert set(DESCRIPTIONS) == set(KINDS)


def test_every_fault_is_counted_and_shown():
    shown = prometheus({"faults": counts()})
    assert all(f'where="{where}"' in shown for where in get_args(Where))
