"""What people typed and have not sent: one draft each, shown to nobody else, kept when somebody was faster."""

from __future__ import annotations

import pytest
from conftest import Clock, Outside, alice, bob, charlie, package
from sqlalchemy import text
from usher_engine import Actor, Engine, InvalidSubmission, NotAllowed, NotFound
from usher_engine.cases import DraftBasis, SavedDraft


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=alice)
    return engine


def open_case(engine: Engine, outside: Outside) -> str:
    outside.answers.append({"n": 2})
    return engine.start("small", {"q": 2}, actor=alice).id


def test_two_people_keep_a_draft_each(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0].id
    small.task_drafts.save(task, {"word": "of alice"}, actor=alice)
    small.task_drafts.save(task, {"word": "of bob"}, actor=bob)
    seen = {who.name: small.inbox.task(task, who) for who in (alice, bob)}
    assert {name: one.draft.typed["word"] for name, one in seen.items() if one.draft} == {
        "alice": "of alice",
        "bob": "of bob",
    }
    assert (seen["alice"].typing, seen["bob"].typing) == (("bob",), ("alice",))
    assert small.inbox.task(task).draft is None


def test_a_claim_by_another_loses_nothing(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0].id
    small.cases.claim(task, actor=alice)
    saved = small.task_drafts.save(task, {"word": "late"}, actor=bob)
    assert saved.task is not None and saved.task.assignee == "alice"
    draft = small.task_drafts.find(task, bob)
    assert draft is not None and draft.typed == {"word": "late"}
    assert small.inbox.task(task, alice).draft is None


def test_an_answer_removes_the_own_draft_and_leaves_the_others(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0].id
    for who in (alice, bob):
        small.task_drafts.save(task, {"word": who.name}, actor=who)
    small.complete(task, {"word": "sent"}, actor=alice)
    assert small.task_drafts.find(task, alice) is None
    kept = small.task_drafts.find(task, bob)
    assert kept is not None and kept.typed == {"word": "bob"}
    assert small.task_drafts.save(task, {"word": "bob still types"}, actor=bob).task is None
    closed = small.task_drafts.closed(task, bob)
    assert (closed.by, closed.completed, closed.answer) == ("alice", True, {"word": "sent"})
    small.task_drafts.let_go(task, actor=bob)
    assert small.task_drafts.find(task, bob) is None
    steps = str([(step.command, step.events) for step in small.queries.history(closed.instance)])
    assert "bob" not in steps and "of alice" not in steps


def test_who_may_not_see_a_task_keeps_no_draft_of_it(small: Engine, outside: Outside) -> None:
    case = open_case(small, outside)
    task = small.inbox.tasks(alice)[0].id
    auditor = Actor(name="audrey", role="auditor")
    for who, wrong in ((charlie, NotFound), (auditor, NotAllowed)):
        with pytest.raises(wrong):
            small.task_drafts.save(task, {"word": "x"}, actor=who)
    small.complete(task, {"word": "sent"}, actor=alice)
    with pytest.raises(NotFound):
        small.task_drafts.save(task, {"word": "x"}, actor=charlie)
    with pytest.raises(NotFound):
        small.task_drafts.closed(task, charlie)
    for nowhere in (f"{case}:U:99", f"{case}:Nowhere:1", "AAAAAAAAAAAA:U:1"):
        with pytest.raises(NotFound):
            small.task_drafts.save(nowhere, {}, actor=alice)


def test_a_draft_is_no_larger_than_an_answer(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0].id
    with pytest.raises(InvalidSubmission):
        small.task_drafts.save(task, {"word": "x" * 2_000_000}, actor=alice)


def test_old_drafts_go_once_their_task_is_closed(small: Engine, outside: Outside, clock: Clock) -> None:
    open_case(small, outside)
    closed = small.inbox.tasks(alice)[0].id
    small.task_drafts.save(closed, {"word": "late"}, actor=bob)
    small.complete(closed, {"word": "sent"}, actor=alice)
    open_case(small, outside)
    still_open = next(task.id for task in small.inbox.tasks(alice) if task.id != closed)
    small.task_drafts.save(still_open, {"word": "half"}, actor=bob)
    clock.forward(days=29)
    small.task_drafts.save(still_open, {"word": "x"}, actor=alice)
    assert small.task_drafts.find(closed, bob) is not None
    clock.forward(days=2)
    small.task_drafts.save(still_open, {"word": "y"}, actor=alice)
    assert small.task_drafts.find(closed, bob) is None
    assert small.task_drafts.find(still_open, bob) is not None


def test_the_values_a_form_was_filled_with_are_known_later(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0]
    small.cases.claim(task.id, actor=alice)
    now = small.inbox.task(task.id, alice)
    assert small.inbox.initial_at(task.id, task.revision) == now.initial


def test_a_draft_altered_outside_usher_is_read_as_far_as_it_can_be(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0].id
    small.task_drafts.save(task, {"word": "x"}, actor=alice)
    with small.database.begin() as tx:
        tx.execute(text("UPDATE task_draft SET typed = 'no JSON', saved_at = 'never'"))
    found = small.inbox.task(task, alice).draft
    assert found is not None and found.typed == {}


def test_a_draft_that_comes_late_does_not_replace_a_newer_one(small: Engine, outside: Outside) -> None:
    open_case(small, outside)
    task = small.inbox.tasks(alice)[0].id

    def send(word: str, stamp: str, unanswered: str | None = None) -> SavedDraft:
        sent = {"word": unanswered} if unanswered is not None else None
        basis = DraftBasis(stamp=stamp, sent=sent)
        return small.task_drafts.save(task, {"word": word}, actor=alice, basis=basis)

    first = send("one", "")
    assert not first.is_stale
    late = send("nought", "")
    assert (late.is_stale, late.stamp) == (True, first.stamp)
    assert typed_by(small, task) == "one"
    assert not send("three", "", unanswered="one").is_stale, "sent before the answer to the one before came"
    assert send("two", first.stamp).is_stale
    assert typed_by(small, task) == "three"
    again = send("two", send("two", first.stamp).stamp)
    assert not again.is_stale, "a page that is told goes on"
    assert not send("two", "").is_stale, "it says what is there"
    small.task_drafts.let_go(task, actor=alice)
    assert send("two and a half", again.stamp).is_stale, "it was let go meanwhile"
    assert small.task_drafts.find(task, alice) is None
    assert not send("four", "").is_stale


def typed_by(engine: Engine, task: str) -> str:
    draft = engine.task_drafts.find(task, alice)
    assert draft is not None
    return str(draft.typed["word"])
