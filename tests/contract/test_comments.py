"""Comments on cases: who may write and change them, what the history keeps, that verify proves them."""

from __future__ import annotations

import pytest
from conftest import Clock, Outside, alice, bob, charlie, package
from sqlalchemy import text
from usher_engine import Actor, Conflict, Engine, InvalidSubmission, NotAllowed, NotFound
from usher_engine.cases import Attached, Comment, NewFile, comments_of
from usher_engine.core.errors import Corrupt
from usher_engine.core.events import from_json
from usher_engine.core.state import InstanceState, fold

anne = Actor(name="anne", role="auditor")
ana = Actor(name="ana", role="analyst")


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=alice)
    return engine


@pytest.fixture
def case(small: Engine, outside: Outside) -> str:
    outside.answers.append({"n": 2})
    return small.start("small", {"q": 2}, actor=alice, business_key="p1").id


def thread(engine: Engine, case: str) -> list[Comment]:
    return comments_of(engine.queries.history(case))


def check(engine: Engine, case: str) -> None:
    """The history folds into what is stored, and verify finds nothing."""
    events = [from_json(event) for step in engine.queries.history(case) for event in step.events]
    assert fold(InstanceState(), events) == engine.queries.rebuild(case)
    assert engine.verify(case) == []


def test_a_comment_is_a_step_of_its_case(small: Engine, case: str) -> None:
    number = small.comments.add(case, "  Called her.\r\nNo answer.\x00\x1b ", actor=alice)
    (comment,) = thread(small, case)
    assert (comment.number, comment.by, comment.text) == (number, "alice", "Called her.\nNo answer.")
    assert small.instance(case).revision == number
    check(small, case)


def test_a_comment_stands_in_nobodys_way(small: Engine, case: str) -> None:
    task = small.inbox.tasks(alice)[0]
    small.comments.add(case, "Ask for the new number.", actor=bob)
    small.complete(task.id, {"word": "yes"}, actor=alice, revision=task.revision)
    check(small, case)


def test_whoever_was_faster_is_named_in_spite_of_comments(small: Engine, case: str) -> None:
    task = small.inbox.tasks(alice)[0]
    small.comments.add(case, "One.", actor=alice)
    small.cases.claim(task.id, actor=bob)
    small.cases.release(task.id, actor=bob)
    small.comments.add(case, "Two.", actor=alice)
    with pytest.raises(Conflict, match="bob has changed this case") as lost:
        small.complete(task.id, {"word": "yes"}, actor=alice, revision=task.revision)
    assert lost.value.winner == "bob"
    with pytest.raises(Conflict):
        small.complete(task.id, {"word": "yes"}, actor=alice, revision=99)


def test_an_ended_case_takes_comments(small: Engine, case: str) -> None:
    small.complete(small.inbox.tasks(alice)[0].id, {"word": "yes"}, actor=alice)
    if small.instance(case).ended_at is None:
        small.cases.cancel(case, "over", actor=alice)
    small.comments.add(case, "She came by.", actor=alice)
    assert [one.text for one in thread(small, case)] == ["She came by."]
    check(small, case)


def test_its_author_corrects_and_withdraws_it_for_a_short_time(small: Engine, case: str, clock: Clock) -> None:
    number = small.comments.add(case, "Called her twce.", actor=alice)
    clock.forward(minutes=5)
    small.comments.correct(case, number, "Called her twice.", actor=alice)
    small.comments.correct(case, number, "Called her twice.", actor=alice)
    (comment,) = thread(small, case)
    assert comment.text == "Called her twice."
    assert [one.text for one in comment.earlier] == ["Called her twce."], "and nothing for what changes nothing"
    with pytest.raises(NotAllowed, match="Only alice"):
        small.comments.correct(case, number, "Never.", actor=bob)
    with pytest.raises(NotFound):
        small.comments.withdraw(case, 1, actor=alice)
    small.comments.withdraw(case, number, actor=alice)
    (comment,) = thread(small, case)
    assert (comment.text, comment.withdrawn_at) == ("", clock())
    assert [one.text for one in comment.earlier] == ["Called her twce.", "Called her twice."]
    with pytest.raises(Conflict, match="withdrawn already"):
        small.comments.withdraw(case, number, actor=alice)
    late = small.comments.add(case, "Again.", actor=alice)
    clock.forward(minutes=15)
    for change in (small.comments.withdraw, lambda *a, **k: small.comments.correct(*a, "x", **k)):
        with pytest.raises(Conflict, match="15 minutes only"):
            change(case, late, actor=alice)
    check(small, case)


@pytest.mark.parametrize("words", ["", "  \u200b ", "x" * 2001])
def test_what_is_no_comment_is_refused_unwritten(small: Engine, case: str, words: str) -> None:
    before = small.instance(case).revision
    with pytest.raises(InvalidSubmission) as refused:
        small.comments.add(case, words, actor=alice)
    assert "text" in refused.value.fields
    assert small.instance(case).revision == before


def test_only_staff_who_may_see_the_case_comment(small: Engine, case: str) -> None:
    with pytest.raises(NotFound):
        small.comments.add(case, "Hello", actor=charlie)
    with pytest.raises(NotFound):
        small.comments.save_draft(case, "Hello", actor=charlie)
    with pytest.raises(NotAllowed):
        small.comments.add(case, "Hello", actor=anne)
    with pytest.raises(NotFound):
        small.comments.add("NOSUCHCASE00", "Hello", actor=alice)


def test_who_is_mentioned_is_told_until_they_have_seen_it(small: Engine, case: str) -> None:
    number = small.comments.add(case, "@bob please call her", actor=alice, mentions=[bob, alice])
    assert thread(small, case)[0].mentions == ("bob",), "who mentions themselves is told nothing"
    told = small.comments.unseen([alice, bob])
    assert told[alice] == []
    (mention,) = told[bob]
    assert (mention.instance, mention.comment, mention.by, mention.business_key) == (case, number, "alice", "p1")
    check(small, case)
    small.comments.see(case, actor=bob)
    assert small.comments.unseen([bob])[bob] == []
    small.comments.correct(case, number, "@bob please call her today", actor=alice, mentions=[bob])
    assert small.comments.unseen([bob])[bob] == [], "they have seen it"
    small.comments.correct(case, number, "please call her", actor=alice)
    small.comments.correct(case, number, "@bob please", actor=alice, mentions=[bob])
    assert len(small.comments.unseen([bob])[bob]) == 1
    check(small, case)
    small.comments.withdraw(case, number, actor=alice)
    assert small.comments.unseen([bob])[bob] == []
    check(small, case)


def test_nobody_is_mentioned_who_may_not_see_the_case(small: Engine, case: str) -> None:
    for stranger in (charlie, anne, ana):
        with pytest.raises(InvalidSubmission, match="nobody of that name may see this case"):
            small.comments.add(case, f"@{stranger.name} look", actor=alice, mentions=[stranger])
    assert small.comments.can_be_mentioned(case, [alice, bob, charlie, anne]) == [alice, bob]
    assert thread(small, case) == []


def test_who_may_not_see_the_case_any_more_is_not_told(small: Engine, case: str) -> None:
    small.comments.add(case, "@bob look", actor=alice, mentions=[bob])
    moved = Actor(name="bob", role="staff", groups=frozenset({"Billing"}))
    assert small.comments.unseen([moved])[moved] == []


def test_what_is_typed_is_kept_until_it_is_sent(small: Engine, case: str) -> None:
    task = small.inbox.tasks(alice)[0].id
    small.comments.save_draft(case, "half a", actor=alice)
    small.task_drafts.save(task, {"word": "y"}, actor=alice)
    draft = small.comments.draft(case, alice)
    assert draft is not None
    assert draft.typed == {"text": "half a"}
    assert small.comments.draft(case, bob) is None
    found = small.inbox.task(task, alice)
    assert (found.comment, found.draft and found.draft.typed) == (draft, {"word": "y"})
    assert small.inbox.task(task, bob).comment is None
    assert small.inbox.task(task, bob).typing == ("alice",)
    small.comments.add(case, "half a sentence", actor=alice)
    assert small.comments.draft(case, alice) is None


def test_a_draft_that_was_on_its_way_when_the_comment_came_is_not_kept(small: Engine, case: str) -> None:
    small.comments.add(case, "Called her.\r\nNo answer.", actor=alice)
    small.comments.save_draft(case, "Called her.\nNo answer. ", actor=bob)
    small.comments.save_draft(case, "Called her.\nNo answer. ", actor=alice)
    assert small.comments.draft(case, alice) is None
    assert small.comments.draft(case, bob) is not None
    small.comments.save_draft(case, "Called her again.", actor=alice)
    assert small.comments.draft(case, alice) is not None


def test_verify_names_what_was_altered(small: Engine, case: str) -> None:
    small.comments.add(case, "@bob look", actor=alice, mentions=[bob])
    for change in ("UPDATE case_mention SET person = 'charlie'", "DELETE FROM case_mention"):
        with small.database.begin() as tx:
            tx.execute(text(change))
        assert [one.kind for one in small.verify(case)] == ["mention"]
    alien = {"comment": small.instance(case).revision, "text": "I never said that"}
    small.steps.record(case, "Comment Corrected", alien, actor=bob)
    found = next(one for one in small.verify(case) if one.kind == "comment")
    assert (found.kind, found.revision) == ("comment", small.instance(case).revision)
    assert "bob could not change" in found.message


def test_a_move_to_another_version_keeps_what_is_typed(small: Engine, case: str) -> None:
    small.comments.save_draft(case, "half", actor=alice)
    small.comments.add(case, "@bob look", actor=bob, mentions=[alice])
    changed = package("small")
    small.deploy(type(changed)({**changed.files, "README.md": b"another"}), actor=alice)
    small.migrations.migrate(case, 2, {}, reason="newer", actor=ana)
    draft = small.comments.draft(case, alice)
    assert draft is not None
    assert draft.typed == {"text": "half"}
    check(small, case)


def test_a_due_date_set_meanwhile_is_a_change(small: Engine, case: str) -> None:
    task = small.inbox.tasks(alice)[0]
    small.comments.add(case, "Look.", actor=bob)
    small.desk.set_due(task.id, small.settings.calendar.day_of(small.clock()), actor=bob)
    with pytest.raises(Conflict):
        small.complete(task.id, {"word": "yes"}, actor=alice, revision=task.revision)


def file_of(engine: Engine, case: str, number: int = -1) -> Attached:
    return thread(engine, case)[number].files[0]


def test_a_file_is_stored_once_and_given_back_whole(small: Engine, case: str) -> None:
    pdf = NewFile(name="../Letter.pdf", content=b"%PDF-1.7 one")
    small.comments.add(case, "", actor=alice, files=[pdf])
    number = small.comments.add(case, "The same again.", actor=bob, files=[pdf, NewFile(name="a", content=b"words")])
    file = file_of(small, case)
    assert (file.name, file.kind, file.size) == ("Letter.pdf", "application/pdf", 12)
    assert small.comments.file(thread(small, case), case, file.sha256, actor=alice) == (file, pdf.content)
    with small.database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM case_file")).scalar_one() == 2
    small.comments.correct(case, number, "", actor=bob)
    assert [one.name for one in thread(small, case)[1].files] == ["Letter.pdf", "a.txt"]
    check(small, case)


def test_files_of_a_withdrawn_comment_are_the_auditors(small: Engine, case: str) -> None:
    number = small.comments.add(case, "x", actor=alice, files=[NewFile(name="a", content=b"secret")])
    small.comments.withdraw(case, number, actor=alice)
    hash_ = file_of(small, case).sha256
    assert small.comments.file(thread(small, case), case, hash_, actor=anne)[1] == b"secret"
    for wanted in (hash_, "0" * 64):
        with pytest.raises(NotFound):
            small.comments.file(thread(small, case), case, wanted, actor=alice)
    check(small, case)


def test_what_is_too_much_or_of_no_kind_is_refused_unwritten(small: Engine, case: str) -> None:
    mb = 1024 * 1024
    before = small.instance(case).revision
    many = [NewFile(name="a", content=b"words")] * 6
    large = [NewFile(name="a", content=b"a" * (3 * mb)), NewFile(name="b", content=b"b" * (3 * mb))]
    program = [NewFile(name="a.pdf", content=b"MZ\0")]
    for files, why in ((many, "takes 5"), (large, "5 MB together"), (program, "no PDF")):
        with pytest.raises(InvalidSubmission, match=why):
            small.comments.add(case, "x", actor=alice, files=files)
    assert small.instance(case).revision == before
    for letter in "abcde":
        small.comments.add(case, "", actor=alice, files=[NewFile(name="a", content=letter.encode() * (5 * mb))])
    small.comments.add(case, "", actor=alice, files=[NewFile(name="a", content=b"a" * (5 * mb))])
    with pytest.raises(InvalidSubmission, match="25 MB together"):
        small.comments.add(case, "", actor=alice, files=[NewFile(name="f", content=b"f")])
    check(small, case)


def test_an_altered_file_is_found_and_not_given_out(small: Engine, case: str) -> None:
    small.comments.add(case, "x", actor=alice, files=[NewFile(name="a", content=b"one")])
    for change in ("UPDATE case_file SET size = 1", "DELETE FROM case_file"):
        with pytest.raises(Exception, match="append-only"), small.database.begin() as tx:
            tx.execute(text(change))
    with small.database.begin() as tx:
        drop = ["DROP TRIGGER case_file_no_update"]
        if not small.database.is_sqlite:
            drop = ["DROP TRIGGER case_file_append_only ON case_file"]
        for statement in drop:
            tx.exec_driver_sql(statement)
        tx.execute(text("UPDATE case_file SET content = :two"), {"two": b"two"})
    assert [one.kind for one in small.verify(case)] == ["file"]
    with pytest.raises(Corrupt, match="altered outside"):
        small.comments.file(thread(small, case), case, file_of(small, case).sha256, actor=alice)
