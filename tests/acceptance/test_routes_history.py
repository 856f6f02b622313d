"""What a draft was, over HTTP: states are kept, compared, named and brought back; nobody else's page."""

import re

import pytest
from usher_engine import Actor
from usher_engine.authoring import PointKind

HISTORY = "/processes/enrollment/history"
ABE = Actor(name="abe", role="analyst")


@pytest.fixture
def ana(house):
    visitor = house.visitor("ana")
    visitor.get("/processes")
    visitor.post("/processes/enrollment/draft")
    return visitor


@pytest.fixture
def engine(house):
    return house.enrollment.engine


def save(engine, path, text):
    there = engine.drafts.find("enrollment").file(path)
    engine.drafts.save_file("enrollment", path, text.encode(), etag=there.etag if there else "", actor=ABE)


def etag(engine):
    return engine.drafts.find("enrollment").etag


def plain(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_a_state_is_compared_and_brought_back(ana, engine):
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    save(engine, "enrollment.bpmn", text.replace('name="Resend Invitation"', 'name="Send it again"'))
    page = ana.get(f"{HISTORY}?state=1")
    assert "Since “The draft began”: 1 element changed." in plain(page)
    assert "name: Resend Invitation → Send it again" in plain(page)
    then = ana.get("/processes/enrollment/compare/state-1/diagram.bpmn?file=enrollment.bpmn")
    assert 'name="Resend Invitation"' in then.text
    back = ana.post(f"{HISTORY}/1/back", {"etag": etag(engine)})
    assert "so this can be undone" in plain(back)
    assert engine.drafts.package("enrollment").text("enrollment.bpmn") == text
    assert "Before going back" in plain(ana.get(HISTORY))


def test_some_files_are_taken(ana, engine):
    save(engine, "notes.txt", "mine")
    save(engine, "README.md", "short")
    page = ana.get(f"{HISTORY}?state=1")
    assert 'value="notes.txt"' in page.text and "was not there: remove it" in plain(page)
    assert ana.post(f"{HISTORY}/1/back", {"etag": etag(engine), "some": "1"}).status_code == 422
    ana.post(f"{HISTORY}/1/back", {"etag": etag(engine), "some": "1", "file": ["notes.txt"]})
    files = engine.drafts.package("enrollment").files
    assert "notes.txt" not in files and files["README.md"] == b"short"


def test_states_are_named(ana, engine):
    ana.get(HISTORY)
    page = ana.post(HISTORY, {"etag": etag(engine), "name": "Agreed <with> the desk"})
    assert "Agreed &lt;with&gt; the desk" in page.text
    headers = {"X-CSRF-Token": ana.csrf}
    kept = ana.client.post(
        "/processes/enrollment/draft/keep", json={"name": "", "etag": etag(engine)}, headers=headers
    )
    assert kept.json == {"number": 3, "name": ""}
    late = ana.client.post("/processes/enrollment/draft/keep", json={"name": "", "etag": "0" * 64}, headers=headers)
    assert late.status_code == 409
    for wrong in ({"name": 7, "etag": ""}, {"name": "x", "etag": []}, []):
        answer = ana.client.post("/processes/enrollment/draft/keep", json=wrong, headers=headers)
        assert answer.status_code in (400, 422)
    assert ana.post(HISTORY, {"etag": etag(engine), "name": "x" * 300}).status_code == 422


def test_a_file_that_is_needed_is_removed_after_a_question(ana, engine):
    files, form = "/processes/enrollment/files", "resend-invitation.form"
    sent = {"path": form, "etag": engine.drafts.find("enrollment").file(form).etag}
    ana.get(files)
    asked = ana.post(f"{files}/remove", sent)
    assert asked.status_code == 422
    assert "resend-invitation.form is needed. It is still there." in plain(asked)
    assert "ResendInvitation:" in plain(asked)
    assert form in engine.drafts.package("enrollment").files
    removed = ana.post(f"{files}/remove", {**sent, "sure": "yes"})
    assert "was removed. The page History brings it back." in plain(removed)
    assert [p.kind for p in engine.draft_history.points("enrollment")] == [
        PointKind.SAVED, PointKind.REMOVAL, PointKind.STARTED,
    ]  # fmt: skip
    ana.post(f"{HISTORY}/1/back", {"etag": etag(engine), "some": "1", "file": form})
    assert form in engine.drafts.package("enrollment").files
    save(engine, "notes.txt", "mine")
    ana.get(files)
    unused = {"path": "notes.txt", "etag": engine.drafts.find("enrollment").file("notes.txt").etag}
    assert ana.post(f"{files}/remove", unused).status_code == 200
    assert "notes.txt" not in engine.drafts.package("enrollment").files


def test_what_stands_before_an_import_is_kept(ana, engine):
    text = engine.drafts.package("enrollment").text("enrollment.bpmn").replace('"Load patient"', '"Fetch patient"')
    headers = {"X-CSRF-Token": ana.csrf, "X-Requested-With": "fetch"}
    sent = {"files": {"enrollment.bpmn": text}}
    asked = ana.client.post("/processes/enrollment/draft/changes", json=sent, headers=headers).json
    assert asked["sentence"] == "1 element changed."
    assert asked["changes"] == [{"sign": "≠", "word": "Changed", "title": "Service task “Fetch patient”"}]
    none = ana.client.post("/processes/enrollment/draft/changes", json={"files": {}}, headers=headers).json
    assert none == {"sentence": "The two are the same.", "changes": [], "more": 0}
    save(engine, "notes.txt", "mine")
    seen = {"If-Match": f'"{engine.drafts.find("enrollment").file("enrollment.bpmn").etag}"', **headers}
    file = "/processes/enrollment/draft/file/enrollment.bpmn"
    assert ana.client.put(f"{file}?before=deploy", data=text, headers=seen).status_code == 400
    saved = ana.client.put(f"{file}?before=import", data=text, headers=seen).json
    assert saved["before"] == 2
    assert [p.kind.value for p in engine.draft_history.points("enrollment")] == ["saved", "import", "started"]


def test_saves_are_folded_until_all_are_asked_for(ana, engine):
    for number in range(15):
        save(engine, "notes.txt", str(number))
    assert plain(ana.get(HISTORY)).count("Saved state") == 10
    assert "Show 5 more saves" in plain(ana.get(HISTORY))
    assert plain(ana.get(f"{HISTORY}?all=1")).count("Saved state") == 15
    assert plain(ana.get(f"{HISTORY}?state=3")).count("Saved state") == 11


def test_a_discarded_draft_is_brought_back(ana, engine):
    save(engine, "notes.txt", "mine")
    kept = etag(engine)
    ana.get("/processes/enrollment/files")
    page = ana.post("/processes/enrollment/draft/discard", {"etag": kept})
    assert "Bring the discarded draft back" in page.text
    number = re.search(r"/history/(\d+)/back", page.text).group(1)
    ana.post(f"{HISTORY}/{number}/back", {"etag": "", "next": "edit"})
    assert etag(engine) == kept
    ana.get("/drafts/new")
    ana.post("/drafts/new", {"key": "recall", "name": "Recall"})
    ana.post("/processes/recall/draft/discard", {"etag": engine.drafts.find("recall").etag})
    page = ana.get("/processes/recall/edit")
    assert page.status_code == 200 and "No version was ever deployed." in plain(page)
    assert [point.kind for point in engine.draft_history.points("recall")] == [PointKind.DISCARD, PointKind.STARTED]


def test_what_is_not_there_is_not_found(ana, engine):
    diagram = "/processes/enrollment/compare/state-99/diagram.bpmn"
    for path in (f"{HISTORY}?state=99", "/processes/other/history", diagram):
        assert ana.get(path).status_code == 404, path
    assert ana.get("/processes/enrollment/compare?from=state-x&to=draft").status_code == 404
    assert ana.get("/processes/enrollment/compare?from=state-1&to=draft").status_code == 200
    assert ana.get("/processes/enrollment/compare?to=state-1").status_code == 200
    ana.get(HISTORY)
    assert ana.post(f"{HISTORY}/99/back", {"etag": etag(engine)}).status_code == 404
    assert ana.post(f"{HISTORY}/1/back", {"etag": "0" * 64}).status_code == 409


@pytest.mark.parametrize("name", ["alice", "audrey", "adam"])
def test_it_is_for_analysts(house, ana, engine, name):
    other = house.visitor(name)
    assert other.get(HISTORY).status_code == 403
    assert other.post(f"{HISTORY}/1/back", {"etag": etag(engine)}).status_code == 403
    assert other.post(HISTORY, {"etag": etag(engine)}).status_code == 403
