"""What a deployment waits for, on both databases: examples that keep their promise, a note, a second analyst."""

from __future__ import annotations

import json
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
)
from usher_engine.authoring import PointKind
from usher_engine.definitions import Package

ana = Actor(name="ana", role="analyst")
abe = Actor(name="abe", role="analyst")
EXAMPLE = "examples/straight.json"
STRAIGHT = {
    "name": "Straight",
    "start": {"q": 1},
    "services": {"test/read": [{"n": 1}]},
    "path": ["S", "Load", "G", "E2"],
    "end": "E2",
}


@pytest.fixture
def small(engine: Engine) -> Engine:
    files = {**package("small").files, EXAMPLE: json.dumps(STRAIGHT).encode()}
    engine.deploy(Package(files), actor=SYSTEM)
    engine.drafts.start("small", actor=ana)
    return engine


@pytest.fixture
def careful(small: Engine) -> Engine:
    small.context.settings = replace(small.settings, deploy_four_eyes=1)
    save(small, "notes.txt", b"new")
    return small


def save(engine: Engine, path: str, content: bytes, *, by: Actor = ana) -> None:
    there = engine.drafts.find("small").file(path)
    engine.drafts.save_file("small", path, content, etag=there.etag if there else "", actor=by)


def redraw(engine: Engine, old: bytes, new: bytes) -> None:
    drawn = engine.drafts.package("small").files["small.bpmn"]
    assert old in drawn
    save(engine, "small.bpmn", drawn.replace(old, new))


def etag(engine: Engine) -> str:
    return engine.drafts.find("small").etag


def promised(engine: Engine) -> list[str]:
    return list(json.loads(engine.drafts.package("small").text(EXAMPLE))["path"])


def test_a_failing_example_stands_in_the_way_until_its_new_way_is_accepted(small: Engine) -> None:
    redraw(small, b"got.n &gt; 1", b"got.n &gt; 0")
    assert all(one.severity != "error" for one in small.deployments.check_draft("small", small.drafts.package("small")))
    for attempt in (small.deployments.deploy_draft, small.deployments.ask_sign_off):
        with pytest.raises(InvalidDefinition, match="accept the new way") as refused:
            attempt("small", etag=etag(small), note="x", actor=ana)
        assert refused.value.problems == [(EXAMPLE, "step 4 of the path is U, but the example expects E2")]
    before = etag(small)
    small.deployments.accept_examples("small", [EXAMPLE], etag=before, actor=ana)
    assert promised(small) == ["S", "Load", "G", "U"]
    assert small.deployments.deploy_draft("small", etag=etag(small), note="x", actor=ana).number == 2
    kinds = [point.kind for point in small.draft_history.points("small")]
    assert kinds[:2] == [PointKind.DEPLOYED, PointKind.ACCEPTANCE]
    kept = next(p for p in small.draft_history.points("small") if p.kind is PointKind.ACCEPTANCE)
    small.draft_history.go_back("small", kept.number, etag=etag(small), actor=ana)
    assert etag(small) == before and promised(small) == ["S", "Load", "G", "E2"]


def test_only_what_was_seen_is_accepted(small: Engine) -> None:
    redraw(small, b"got.n &gt; 1", b"got.n &gt; 0")
    seen = etag(small)
    save(small, "notes.txt", b"later", by=abe)
    with pytest.raises(Conflict, match="abe changed the draft"):
        small.deployments.accept_examples("small", [EXAMPLE], etag=seen, actor=ana)
    with pytest.raises(NotAllowed):
        small.deployments.accept_examples("small", [EXAMPLE], etag=etag(small), actor=alice)
    with pytest.raises(NotFound):
        small.deployments.accept_examples("small", ["notes.txt"], etag=etag(small), actor=ana)
    redraw(small, b'id="test/read"', b'id="test/effect"')
    with pytest.raises(InvalidSubmission) as refused:
        small.deployments.accept_examples("small", [EXAMPLE], etag=etag(small), actor=ana)
    assert "no answer" in refused.value.fields[EXAMPLE]
    redraw(small, b"got.n &gt; 0", b"got.n = = 0")
    with pytest.raises(InvalidDefinition):
        small.deployments.accept_examples("small", [EXAMPLE], etag=etag(small), actor=ana)
    assert promised(small) == ["S", "Load", "G", "E2"]


def test_a_trial_is_run_once_for_each_content(small: Engine) -> None:
    first = small.deployments.trials.of(small.drafts.package("small"))
    assert small.deployments.trials.of(small.drafts.package("small")) is first
    save(small, "notes.txt", b"later")
    assert small.deployments.trials.of(small.drafts.package("small")) is not first


def test_a_note_is_kept_until_the_deployment(small: Engine, clock: Clock) -> None:
    assert small.deployments.note("small") is None
    small.deployments.keep_note("small", "  Half of it ", actor=ana)
    kept = small.deployments.note("small")
    assert kept and (kept.note, kept.changed_by, kept.changed_at) == ("Half of it", "ana", clock())
    with pytest.raises(NotFound):
        small.deployments.keep_note("other", "x", actor=ana)
    with pytest.raises(NotAllowed):
        small.deployments.keep_note("small", "x", actor=alice)
    save(small, "notes.txt", b"new")
    small.deployments.deploy_draft("small", etag=etag(small), note="All of it", actor=ana)
    assert small.deployments.note("small") is None


def test_a_sign_off_is_sent_back_with_a_reason_and_the_note_stays(careful: Engine, clock: Clock) -> None:
    asked = etag(careful)
    careful.deployments.ask_sign_off("small", etag=asked, note="new notes", actor=ana)
    clock.forward(minutes=8)
    for reason, actor, kind in (("", abe, InvalidSubmission), ("no", ana, NotAllowed), ("no", alice, NotAllowed)):
        with pytest.raises(kind):
            careful.deployments.send_back("small", etag=asked, reason=reason, actor=actor)
    careful.deployments.send_back("small", etag=asked, reason="Not under 16.", actor=abe)
    assert careful.deployments.sign_off_asked("small") is None
    note = careful.deployments.note("small")
    assert note and note.returned and (note.note, note.changed_by) == ("new notes", "ana")
    returned = note.returned
    assert (returned.by, returned.reason, returned.at, returned.etag) == ("abe", "Not under 16.", clock(), asked)
    event = careful.audit.events(subject="small")[0]
    assert (event.kind, event.actor, event.why) == ("SignOffSentBack", "abe", "Not under 16.")
    with pytest.raises(Conflict, match="Nobody asks"):
        careful.deployments.send_back("small", etag=asked, reason="again", actor=abe)
    careful.deployments.keep_note("small", "newer notes", actor=ana)
    kept = careful.deployments.note("small")
    assert kept and kept.returned == returned
    careful.deployments.ask_sign_off("small", etag=asked, note="newer notes", actor=ana)
    kept = careful.deployments.note("small")
    assert kept and kept.returned is None
    assert careful.deployments.deploy_draft("small", etag=asked, note="", actor=abe).note == "newer notes"


def test_what_changed_since_it_was_asked_cannot_be_sent_back_or_signed(careful: Engine) -> None:
    asked = etag(careful)
    careful.deployments.ask_sign_off("small", etag=asked, note="new notes", actor=ana)
    save(careful, "notes.txt", b"slipped in")
    with pytest.raises(Conflict):
        careful.deployments.send_back("small", etag=asked, reason="no", actor=abe)
    with pytest.raises(Conflict, match="ana changed the draft"):
        careful.deployments.deploy_draft("small", etag=asked, note="", actor=abe)
    seen = careful.draft_history.package_seen("small", asked)
    assert seen and seen.files["notes.txt"] == b"new"
    assert careful.draft_history.package_seen("small", "0" * 64) is None
