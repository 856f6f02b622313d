"""Drafts on both databases: two people save and nothing is lost, and only what was reviewed becomes a version."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from conftest import Clock, alice, package
from usher_engine import (
    SYSTEM,
    Actor,
    Conflict,
    Engine,
    InvalidDefinition,
    InvalidSubmission,
    NotAllowed,
    NotFound,
    StaleDraft,
)
from usher_engine.authoring import draft_key, file_etag
from usher_engine.definitions import Package

ana = Actor(name="ana", role="analyst")
abe = Actor(name="abe", role="analyst")
audrey = Actor(name="audrey", role="auditor")


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=SYSTEM)
    engine.drafts.start("small", actor=ana)
    return engine


@pytest.fixture
def careful(small: Engine) -> Engine:
    small.context.settings = replace(small.settings, deploy_four_eyes=1)
    return small


def save(engine: Engine, path: str, text: str, *, by: Actor = ana, seen: str | None = None) -> str:
    """Save *text* and return the file's new ETag; *seen* is by default the current one."""
    there = engine.drafts.find("small").file(path)
    etag = seen if seen is not None else there.etag if there else ""
    saved = engine.drafts.save_file("small", path, text.encode(), etag=etag, actor=by).file(path)
    assert saved is not None
    return saved.etag


def diagram(engine: Engine, old: str = "", new: str = "") -> str:
    return engine.drafts.package("small").text("small.bpmn").replace(old, new)


# beginning and ending


def test_two_people_change_different_elements_and_both_are_there(small: Engine) -> None:
    seen = save(small, "small.bpmn", diagram(small))
    theirs = save(small, "small.bpmn", diagram(small, 'name="Do it"', 'name="Do that"'), by=abe, seen=seen)
    mine = package("small").text("small.bpmn").replace('name="Load"', 'name="Fetch"')
    save(small, "small.bpmn", mine, seen=seen)
    for name in ("Do that", "Fetch"):
        assert f'name="{name}"' in diagram(small)
    kinds = [point.kind.value for point in small.draft_history.points("small")]
    assert kinds == ["saved", "merge", "merge", "started"]
    assert small.drafts.set_aside("small") == []
    save(small, "small.bpmn", mine.replace('name="no"', 'name="nothing"'), seen=file_etag(mine.encode()))
    for name in ("Do that", "Fetch", "nothing"):  # she goes on with the text she sent
        assert f'name="{name}"' in diagram(small)
    assert theirs != seen


def test_two_people_change_one_element_and_a_person_chooses(small: Engine) -> None:
    seen = save(small, "small.bpmn", diagram(small))
    before = package("small").text("small.bpmn")
    save(small, "small.bpmn", before.replace('name="Do it"', 'name="Do that"'), by=abe, seen=seen)
    with pytest.raises(StaleDraft):
        save(small, "small.bpmn", before.replace('name="Do it"', 'name="Do this"'), seen=seen)
    assert 'name="Do that"' in diagram(small)
    unknown = before.replace('name="Load"', 'name="Fetch"')
    with pytest.raises(StaleDraft):  # what she began from is not kept
        save(small, "small.bpmn", unknown, seen="0" * 64)
    assert len(small.drafts.set_aside("small")) == 2


def test_a_draft_begins_as_the_version_in_force(small: Engine, clock: Clock) -> None:
    draft = small.drafts.find("small")
    assert (draft.based_on, draft.changed_by, draft.changed_at) == (1, "ana", clock())
    assert draft.etag == small.versions.package("small").hash == small.drafts.package("small").hash
    assert [file.path for file in draft.files] == ["answer.form", "small.bpmn"]
    with pytest.raises(Conflict, match="ana changed it last"):
        small.drafts.start("small", actor=abe)
    assert [event.kind for event in small.audit.events(subject="small")] == ["DraftStarted", "Deployed"]


def test_a_draft_begins_as_an_older_version_or_from_outside(engine: Engine) -> None:
    first = engine.deploy(package("small"), actor=SYSTEM)
    engine.deploy(Package({**package("small").files, "notes.txt": b"second"}), actor=SYSTEM)
    draft = engine.drafts.start("small", actor=ana, number=1)
    assert (draft.based_on, draft.etag) == (1, first.hash)
    broken = Package({"new.bpmn": b"<this is no diagram"})
    assert draft_key(broken) == ""
    new = engine.drafts.start("new", actor=ana, package=broken)
    assert (new.based_on, engine.drafts.package("new").files) == (None, broken.files)
    assert [found.process for found in engine.drafts.all()] == ["new", "small"]
    with pytest.raises(NotFound):
        engine.drafts.start("nowhere", actor=ana)
    with pytest.raises(InvalidSubmission, match="letter"):
        engine.drafts.start("../x", actor=ana, package=broken)


def test_only_analysts_change_drafts(small: Engine) -> None:
    for nobody in (alice, audrey):
        with pytest.raises(NotAllowed):
            save(small, "notes.txt", "mine", by=nobody)
        with pytest.raises(NotAllowed):
            small.drafts.discard("small", etag=small.drafts.find("small").etag, actor=nobody)
        with pytest.raises(NotAllowed):
            small.deployments.deploy_draft("small", etag=small.drafts.find("small").etag, note="x", actor=nobody)


def test_discarding_names_what_was_seen(small: Engine) -> None:
    seen = small.drafts.find("small").etag
    save(small, "notes.txt", "later", by=abe)
    with pytest.raises(Conflict, match="abe"):
        small.drafts.discard("small", etag=seen, actor=ana)
    small.drafts.discard("small", etag=small.drafts.find("small").etag, actor=ana)
    with pytest.raises(NotFound):
        small.drafts.find("small")
    assert small.audit.events(subject="small")[0].kind == "DraftDiscarded"


# saving


def test_two_people_save_one_file_and_both_texts_are_kept(small: Engine, clock: Clock) -> None:
    seen = save(small, "notes.txt", "first")
    clock.forward(minutes=1)
    abes = save(small, "notes.txt", "by abe", by=abe, seen=seen)
    with pytest.raises(StaleDraft) as late:
        save(small, "notes.txt", "by ana", seen=seen)
    assert (late.value.winner, late.value.at, late.value.etag) == ("abe", clock(), abes)
    assert small.drafts.package("small").text("notes.txt") == "by abe"
    kept, content = small.drafts.set_aside_content("small", late.value.aside)
    assert (kept.path, kept.seen, kept.saved_by, content) == ("notes.txt", seen, "ana", b"by ana")
    with pytest.raises(StaleDraft) as again:  # the same browser tries once more
        save(small, "notes.txt", "by ana", seen=seen)
    assert again.value.aside == late.value.aside
    assert small.drafts.set_aside("small") == [kept]
    save(small, "notes.txt", "by both", seen=abes)
    small.drafts.forget_aside("small", kept.id, actor=ana)
    assert small.drafts.set_aside("small") == []
    with pytest.raises(NotFound, match="decided"):
        small.drafts.set_aside_content("small", kept.id)


def test_two_people_on_different_files_do_not_meet(small: Engine) -> None:
    form, drawn = (small.drafts.find("small").file(path) for path in ("answer.form", "small.bpmn"))
    assert form and drawn
    save(small, "answer.form", '{"components": []}', by=abe, seen=form.etag)
    save(small, "small.bpmn", diagram(small, "Small", "Smaller"), seen=drawn.etag)
    assert [file.changed_by for file in small.drafts.find("small").files] == ["abe", "ana"]
    assert small.drafts.set_aside("small") == []


def test_the_same_change_twice_is_no_conflict(small: Engine) -> None:
    seen = save(small, "notes.txt", "first")
    assert save(small, "notes.txt", "same", by=abe, seen=seen) == save(small, "notes.txt", "same", seen=seen)


def test_a_missing_or_existing_file_is_reported(small: Engine) -> None:
    seen = save(small, "notes.txt", "first")
    with pytest.raises(StaleDraft) as there:
        save(small, "notes.txt", "new", by=abe, seen="")
    assert there.value.etag == seen
    small.drafts.rename_file("small", "notes.txt", "mail/notes.txt", etag=seen, actor=abe)
    with pytest.raises(StaleDraft, match="abe removed or renamed") as gone:
        save(small, "notes.txt", "late", seen=seen)
    assert gone.value.etag == ""
    with pytest.raises(InvalidSubmission, match="already"):
        small.drafts.rename_file("small", "mail/notes.txt", "answer.form", etag=seen, actor=abe)
    with pytest.raises(StaleDraft):
        small.drafts.remove_file("small", "mail/notes.txt", etag="other", actor=ana)
    small.drafts.remove_file("small", "mail/notes.txt", etag=seen, actor=ana)
    with pytest.raises(NotFound):
        small.drafts.remove_file("small", "mail/notes.txt", etag=seen, actor=ana)


def test_what_is_no_file_of_a_package_is_refused(small: Engine) -> None:
    for path, content in {"../up.txt": b"", "large.txt": b"x" * 1_000_001, "": b""}.items():
        with pytest.raises(InvalidDefinition):
            small.drafts.save_file("small", path, content, etag="", actor=ana)
    assert small.drafts.find("small").etag == package("small").hash


def test_of_many_at_once_one_wins_and_all_are_kept(small: Engine) -> None:
    seen, outcomes = save(small, "notes.txt", "first"), []

    def write(number: int) -> None:
        try:
            save(small, "notes.txt", f"number {number}", by=abe, seen=seen)
            outcomes.append(number)
        except StaleDraft as late:
            outcomes.append(small.drafts.set_aside_content("small", late.aside)[1])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [won] = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert small.drafts.package("small").text("notes.txt") == f"number {won}"
    lost = {outcome for outcome in outcomes if isinstance(outcome, bytes)}
    assert lost == {f"number {number}".encode() for number in range(6) if number != won}


# deploying


def test_a_broken_draft_is_saved_and_never_deployed(small: Engine) -> None:
    save(small, "small.bpmn", "<broken")
    with pytest.raises(InvalidDefinition):
        small.deployments.deploy_draft("small", etag=small.drafts.find("small").etag, note="oops", actor=ana)
    assert [version.number for version in small.versions.all("small")] == [1]
    assert next(f.severity for f in small.deployments.check_draft("small", small.drafts.package("small"))) == "error"


def test_what_was_reviewed_is_deployed_or_nothing(small: Engine, clock: Clock) -> None:
    save(small, "notes.txt", "new")
    seen = small.drafts.find("small").etag
    save(small, "notes.txt", "newer", by=abe)
    with pytest.raises(Conflict, match="abe changed the draft"):
        small.deployments.deploy_draft("small", etag=seen, note="new notes", actor=ana)
    with pytest.raises(InvalidSubmission, match="what changed"):
        small.deployments.deploy_draft("small", etag=small.drafts.find("small").etag, note=" \u200b", actor=ana)
    etag = small.drafts.find("small").etag
    version = small.deployments.deploy_draft("small", etag=etag, note="new notes", actor=ana)
    assert (version.number, version.hash, version.note, version.deployed_by) == (2, etag, "new notes", "ana")
    assert small.drafts.find("small").based_on == 2
    assert small.start("small", {"q": 2}, actor=alice).version == 2
    event = small.audit.events(kind="Deployed")[0]
    said = {name: value for name, value in event.details.items() if name != "rows"}
    assert (event.actor, said) == ("ana", {"version": 2, "hash": etag, "note": "new notes"})


def test_a_draft_stays_with_its_process(small: Engine) -> None:
    save(small, "small.bpmn", diagram(small, '"small"', '"other"'))
    with pytest.raises(InvalidDefinition, match="draft of “small”"):
        small.deployments.deploy_draft("small", etag=small.drafts.find("small").etag, note="x", actor=ana)
    assert {version.process for version in small.versions.all()} == {"small"}


def test_four_eyes_are_two_people(careful: Engine, clock: Clock) -> None:
    with pytest.raises(NotAllowed, match="second analyst"):
        careful.deploy(package("small"), actor=ana)
    save(careful, "notes.txt", "new")
    etag = careful.drafts.find("small").etag
    with pytest.raises(NotAllowed, match="Ask for it first"):
        careful.deployments.deploy_draft("small", etag=etag, note="x", actor=ana)
    careful.deployments.ask_sign_off("small", etag=etag, note="new notes", actor=ana)
    with pytest.raises(NotAllowed, match="yourself"):
        careful.deployments.deploy_draft("small", etag=etag, note="x", actor=ana)
    clock.forward(hours=1)
    version = careful.deployments.deploy_draft("small", etag=etag, note="", actor=abe)
    assert (version.deployed_by, version.signed_off_by, version.note) == ("ana", "abe", "new notes")
    assert careful.versions.all("small")[0] == version
    assert careful.deployments.sign_off_asked("small") is None
    event = careful.audit.events(kind="Deployed")[0]
    assert (event.actor, event.details["signed_off_by"], event.details["deployed_by"]) == ("abe", "abe", "ana")


def test_a_change_after_the_question_needs_a_new_one(careful: Engine) -> None:
    save(careful, "notes.txt", "new")
    careful.deployments.ask_sign_off("small", etag=careful.drafts.find("small").etag, note="new notes", actor=ana)
    save(careful, "notes.txt", "slipped in", by=abe)
    assert careful.deployments.sign_off_asked("small") is None
    with pytest.raises(NotAllowed, match="Ask for it first"):
        careful.deployments.deploy_draft("small", etag=careful.drafts.find("small").etag, note="x", actor=abe)


def test_rolling_back_is_a_version_of_its_own(small: Engine) -> None:
    save(small, "notes.txt", "a mistake")
    small.deployments.deploy_draft("small", etag=small.drafts.find("small").etag, note="hasty", actor=ana)
    with pytest.raises(Conflict, match="in force"):
        small.deployments.roll_back("small", 2, seen=2, actor=abe)
    version = small.deployments.roll_back("small", 1, seen=2, note="Mistake found.", actor=abe)
    assert (version.number, version.hash) == (3, package("small").hash)
    assert version.note == "Back to v1. Mistake found."
    assert small.versions.package("small").hash == package("small").hash
    with pytest.raises(Conflict, match="abe deployed v3"):
        small.deployments.roll_back("small", 1, seen=2, actor=ana)


def test_etags_name_contents(small: Engine) -> None:
    found = small.drafts.find("small").file("answer.form")
    assert found
    assert found.etag == file_etag(package("small").files["answer.form"])
