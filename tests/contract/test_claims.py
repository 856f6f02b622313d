"""Claimed tasks of somebody who has left go back to their groups, each as a step with its reason in the audit trail."""

from __future__ import annotations

import pytest
from conftest import Outside, alice, bob, package
from usher_engine import Actor, Engine, InvalidSubmission, NotAllowed

adam = Actor(name="adam", role="admin")


@pytest.fixture
def small(engine: Engine, outside: Outside) -> Engine:
    engine.deploy(package("small"), actor=alice)
    for _ in range(3):
        outside.answers.append({"n": 2})
        engine.start("small", {"q": 2}, actor=alice)
    return engine


def test_all_claims_of_one_person_are_released(small: Engine) -> None:
    first, second, third = (task.id for task in small.inbox.tasks(alice))
    for task, who in ((first, alice), (second, alice), (third, bob)):
        small.cases.claim(task, actor=who)
    small.task_drafts.save(first, {"word": "half"}, actor=alice)
    assert small.claims.release_all("alice", "on leave", actor=adam) == 2
    assert [small.inbox.task(task).assignee for task in (first, second, third)] == ["", "", "bob"]
    events = small.audit.events(kind="ClaimReleased")
    assert {(one.actor, one.subject, one.why, one.details["of"]) for one in events} == {
        ("adam", task, "on leave", "alice") for task in (first, second)
    }
    assert small.queries.history(first.partition(":")[0])[-1].actor == "adam"
    assert small.task_drafts.find(first, alice) is not None
    assert small.verification.verify_all().findings == []
    assert small.claims.release_all("alice", "on leave", actor=adam) == 0
    small.complete(first, {"word": "x"}, actor=bob)


def test_only_administrators_and_only_with_a_reason(small: Engine) -> None:
    with pytest.raises(NotAllowed):
        small.claims.release_all("alice", "please", actor=bob)
    for nothing in ("", " \u200b "):
        with pytest.raises(InvalidSubmission):
            small.claims.release_all("alice", nothing, actor=adam)
