"""What a draft was, on both databases: each save can be taken back, and so can each destructive act."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Clock, alice, package
from sqlalchemy import func, select, update
from usher_engine import SYSTEM, Actor, Conflict, Engine, InvalidSubmission, NotAllowed, NotFound
from usher_engine.authoring import DraftPoint, PointKind
from usher_engine.authoring.draft_points import MOST, PORTION, superfluous
from usher_engine.core.errors import Corrupt
from usher_engine.store.tables import draft_tables as t

ana = Actor(name="ana", role="analyst")
abe = Actor(name="abe", role="analyst")


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=SYSTEM)
    engine.drafts.start("small", actor=ana)
    return engine


def save(engine: Engine, text: str, *, by: Actor = ana, before: PointKind = PointKind.SAVED) -> None:
    there = engine.drafts.find("small").file("notes.txt")
    seen = there.etag if there else ""
    engine.drafts.save_file("small", "notes.txt", text.encode(), etag=seen, actor=by, before=before)


def notes(engine: Engine) -> str:
    files = engine.drafts.package("small").files
    return files["notes.txt"].decode() if "notes.txt" in files else ""


def etag(engine: Engine) -> str:
    return engine.drafts.find("small").etag


def kinds(engine: Engine) -> list[tuple[int, str]]:
    return [(point.number, point.kind.value) for point in engine.draft_history.points("small")]


def test_each_save_is_a_state_one_can_go_back_to(small: Engine, clock: Clock) -> None:
    save(small, "one")
    clock.forward(minutes=5)
    save(small, "two", by=abe)
    assert kinds(small) == [(3, "saved"), (2, "saved"), (1, "started")]
    point, content = small.draft_history.point("small", 2)
    assert (point.by, content.text("notes.txt"), point.at + timedelta(minutes=5)) == ("ana", "one", clock())
    small.draft_history.go_back("small", 2, etag=etag(small), actor=ana)
    assert notes(small) == "one"
    assert kinds(small) == [(4, "saved"), (3, "restore"), (2, "saved"), (1, "started")]
    small.draft_history.go_back("small", 3, etag=etag(small), actor=ana)
    assert notes(small) == "two"


def test_a_content_is_stored_once(small: Engine) -> None:
    for number in range(6):
        save(small, f"text {number % 2}")
    with small.database.read() as tx:
        stored = tx.execute(select(func.count()).select_from(t.draft_content)).scalar_one()
    assert stored == len(package("small").files) + 2


def test_some_files_only(small: Engine) -> None:
    save(small, "mine")
    form = small.drafts.find("small").file("answer.form")
    assert form is not None
    small.drafts.remove_file("small", "answer.form", etag=form.etag, actor=ana)
    save(small, "later")
    assert [kind for _, kind in kinds(small)] == ["saved", "saved", "removal", "started"]
    small.draft_history.go_back("small", 2, etag=etag(small), actor=ana, paths=["answer.form"])
    assert (notes(small), "answer.form" in small.drafts.package("small").files) == ("later", True)
    small.draft_history.go_back("small", 1, etag=etag(small), actor=ana, paths=["notes.txt"])
    assert notes(small) == ""
    for wrong in ([], ["nowhere.txt"]):
        with pytest.raises(InvalidSubmission):
            small.draft_history.go_back("small", 1, etag=etag(small), actor=ana, paths=wrong)


def test_a_name_keeps_a_state_and_states_before_something_destructive_are_kept(small: Engine) -> None:
    save(small, "one")
    named = small.draft_history.keep("small", "  before   the flu ", etag=etag(small), actor=ana)
    assert (named.number, named.kind, named.name) == (2, PointKind.NAMED, "before   the flu")
    again = small.draft_history.keep("small", "", etag=etag(small), actor=abe)
    assert (again.number, again.name) == (3, "")
    save(small, "two")
    save(small, "three", before=PointKind.IMPORT)
    assert [kind for _, kind in kinds(small)] == ["saved", "import", "named", "named", "started"]
    with pytest.raises(InvalidSubmission, match="at most 200"):
        small.draft_history.keep("small", "x" * 201, etag=etag(small), actor=ana)


def test_a_discarded_draft_can_be_begun_again(small: Engine) -> None:
    save(small, "mine")
    small.drafts.discard("small", etag=etag(small), actor=abe)
    (newest, *_) = small.draft_history.points("small")
    assert newest.kind is PointKind.DISCARD
    back = small.draft_history.go_back("small", newest.number, etag="", actor=ana)
    assert (back.based_on, notes(small)) == (1, "mine")
    assert small.audit.events(subject="small")[0].kind == "DraftStarted"
    with pytest.raises(Conflict, match="a draft again"):
        small.draft_history.go_back("small", newest.number, etag="", actor=ana)


def test_a_deployment_is_kept(small: Engine) -> None:
    save(small, "mine")
    small.deployments.deploy_draft("small", etag=etag(small), note="x", actor=ana)
    newest = small.draft_history.points("small")[0]
    assert (newest.kind, newest.name) == (PointKind.DEPLOYED, "v2")


def test_nobody_goes_back_over_anothers_change(small: Engine) -> None:
    seen = etag(small)
    save(small, "later", by=abe)
    for attempt in (
        lambda: small.draft_history.go_back("small", 1, etag=seen, actor=ana),
        lambda: small.draft_history.go_back("small", 1, etag=seen, actor=ana, paths=["notes.txt"]),
        lambda: small.draft_history.keep("small", "", etag=seen, actor=ana),
    ):
        with pytest.raises(Conflict, match="abe changed the draft"):
            attempt()
    with pytest.raises(NotFound):
        small.draft_history.go_back("small", 99, etag=etag(small), actor=ana)
    with pytest.raises(NotFound):
        small.draft_history.point("other", 1)
    with pytest.raises(NotAllowed):
        small.draft_history.go_back("small", 1, etag=etag(small), actor=alice)
    with pytest.raises(NotAllowed):
        small.draft_history.keep("small", "", etag=etag(small), actor=alice)


def test_a_draft_from_before_there_was_a_history_begins_one_with_its_next_save(small: Engine) -> None:
    with small.database.begin() as tx:
        tx.execute(t.draft_point.delete())
        tx.execute(t.draft_content.delete())
    save(small, "mine")
    assert kinds(small) == [(2, "saved"), (1, "saved")]
    small.draft_history.go_back("small", 1, etag=etag(small), actor=ana)
    assert notes(small) == ""


@pytest.mark.parametrize("values", [{"content": b"no"}, {"content": b"x\x9c\x03\x00\x00\x00\x00\x01"}])
def test_an_altered_content_is_not_brought_back(small: Engine, values: dict[str, bytes]) -> None:
    save(small, "mine")
    with small.database.begin() as tx:
        tx.execute(update(t.draft_content).values(**values))
    with pytest.raises(Corrupt, match="altered outside Usher"):
        small.draft_history.go_back("small", 1, etag=etag(small), actor=ana)
    assert notes(small) == "mine"


@pytest.mark.parametrize("values", [{"files": "{"}, {"files": "[]"}, {"files": "{}"}, {"kind": "?"}, {"at": "then"}])
def test_an_altered_state_hides_no_other(small: Engine, values: dict[str, str]) -> None:
    save(small, "mine")
    with small.database.begin() as tx:
        tx.execute(update(t.draft_point).where(t.draft_point.c.number == 1).values(**values))
    assert len(small.draft_history.points("small")) == 2
    if "files" in values:
        with pytest.raises(Corrupt):
            small.draft_history.point("small", 1)


# how long states stay


def point(number: int, clock: Clock, *, ago: timedelta, kind: PointKind = PointKind.SAVED) -> DraftPoint:
    return DraftPoint(
        process="small", number=number, kind=kind, name="", at=clock() - ago, by="ana", etag=f"{number:064}",
        based_on=None, files={},
    )  # fmt: skip


def test_saves_thin_out_and_what_is_kept_for_good_stays(clock: Clock) -> None:
    newest_first = [timedelta(minutes=minute) for minute in range(0, 60 * 24 * 90, 7)]
    points = [point(len(newest_first) - place, clock, ago=ago) for place, ago in enumerate(newest_first)]
    gone = set(superfluous(points, clock()))
    stay = [p for p in points if p.number not in gone]
    assert [p.number for p in stay][:9] == [p.number for p in points[:9]]
    assert all(clock() - p.at <= timedelta(minutes=60) for p in stay[:9])
    assert 100 < len(stay) < 200
    assert superfluous(stay, clock()) == []
    for kind in set(PointKind) - {PointKind.SAVED}:
        old = [point(number, clock, ago=timedelta(days=999), kind=kind) for number in (2, 1)]
        assert superfluous([point(3, clock, ago=timedelta(0)), *old], clock()) == []


def test_there_is_a_most(clock: Clock) -> None:
    points = [point(1_000 - n, clock, ago=timedelta(seconds=n)) for n in range(MOST + 50)]
    assert len(superfluous(points, clock())) == 50


def test_thinning_lets_contents_go_that_nothing_has_any_more(small: Engine, clock: Clock) -> None:
    for number in range(PORTION - 1):
        save(small, f"text {number}")
    clock.forward(days=2)
    save(small, "the last")
    assert kinds(small) == [(PORTION + 1, "saved"), (PORTION, "saved"), (1, "started")]
    with small.database.read() as tx:
        stored = tx.execute(select(func.count()).select_from(t.draft_content)).scalar_one()
    assert stored == len(package("small").files) + 2
    small.draft_history.go_back("small", PORTION, etag=etag(small), actor=ana)
    assert notes(small) == f"text {PORTION - 2}"
