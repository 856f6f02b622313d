"""The desk over HTTP: lists by their address, views, tasks arranged, many at once; only for whom they are."""

from __future__ import annotations

import re
from typing import Any

from acceptance.conftest import House


def batch_of(page: Any) -> str:
    found = re.search(r"/inbox/bulk/([0-9A-Z]{12})", page.request.path)
    assert found is not None, page.request.path
    return found.group(1)


def finish(house: House, batch: str) -> None:
    while house.enrollment.engine.batches.work(batch):
        pass


def test_filters_combine_and_numbers_are_true(house: House) -> None:
    alice = house.visitor("alice")
    for patient in ("sample-pending", "sample-declined", "sample-deferred", "sample-no-email"):
        house.select(patient, alice)
    whole = alice.get("/inbox").text
    assert re.search(r'<b class="num">4</b>\s*tasks', whole)
    page = alice.get("/inbox?kind=enrollment%2FEnrollNow&with=free&due=week").text
    assert re.search(r'<b class="num">2</b>\s*of 4 match', page)
    assert page.count("data-task=") == 2
    page = alice.get("/inbox?q=zzzz").text
    assert "No task fits" in page
    assert "Without the filters there are 4." in page


def test_what_a_view_asked_for_and_is_gone_is_said(house: House) -> None:
    page = house.visitor("alice").get("/inbox?cols=why,clinic&group=Nurses").text
    assert "It shows the column “clinic”. That column is gone." in page
    assert "You are not in the group “Nurses” (any more)" in page


def test_views_are_saved_shared_and_only_their_owner_deletes_them(house: House) -> None:
    alice, bob = house.visitor("alice"), house.visitor("bob")
    alice.get("/inbox")
    page = alice.post("/inbox/views", {"name": "To Friday", "query": "due=friday", "shared": "staff"})
    saved = re.search(r"saved=(\d+)", page.request.url)
    assert saved is not None
    bare = bob.get(f"/inbox?saved={saved.group(1)}").text
    assert 'aria-current="true"' in bare and "Due: to Friday" in bare
    assert bob.post(f"/inbox/views/{saved.group(1)}/delete").status_code == 404
    refused = alice.post("/inbox/views", {"name": "Ada", "query": "q=Ada"})
    assert refused.status_code == 422
    assert "names lie nowhere but in the record" in refused.text
    assert alice.post("/inbox/views", {"name": "To Friday", "query": "due=today"}).status_code == 409
    assert "was deleted" in alice.post(f"/inbox/views/{saved.group(1)}/delete").text


def test_all_that_match_are_done_and_each_has_its_result(house: House) -> None:
    alice, bob = house.visitor("alice"), house.visitor("bob")
    for patient in ("sample-declined", "sample-deferred", "sample-pending"):
        house.select(patient, alice)
    kind = "kind=enrollment%2FEnrollNow"
    asked = alice.post("/inbox/bulk", {"act": "complete", "all": "1", "query": kind})
    assert "Complete 2 × Enroll Now?" in asked.text
    form = {"bulk.act": "complete", "bulk.query": kind}
    empty = alice.post("/inbox/bulk/run", form)
    assert empty.status_code == 422
    page = alice.post("/inbox/bulk/run", {**form, "reason": "asked on the phone"})
    batch = batch_of(page)
    assert alice.get(f"/inbox/bulk/{batch}/progress").get_json() == {"done": 0, "total": 2, "open": True}
    finish(house, batch)
    assert "2 were completed, 0 were not" in " ".join(alice.get(f"/inbox/bulk/{batch}").text.split())
    for path in (f"/inbox/bulk/{batch}", f"/inbox/bulk/{batch}/progress"):
        assert bob.get(path).status_code == 404
    assert bob.post(f"/inbox/bulk/{batch}/stop").status_code == 404
    assert alice.post(f"/inbox/bulk/{batch}/stop").status_code == 409


def test_several_kinds_are_not_completed_together_but_claimed(house: House) -> None:
    alice = house.visitor("alice")
    for patient in ("sample-declined", "sample-pending"):
        house.select(patient, alice)
    page = alice.post("/inbox/bulk", {"act": "complete", "all": "1", "query": "view=all"})
    assert "Tasks of several kinds cannot be completed together." in page.text
    assert "2 tasks" in alice.post("/inbox/bulk", {"act": "claim", "all": "1", "query": "view=all"}).text
    assert alice.post("/inbox/bulk", {"act": "burn", "all": "1", "query": "view=all"}).status_code == 422
    nothing = alice.post("/inbox/bulk", {"act": "claim", "task": "AAAAAAAAAAAA:X:1"})
    assert "None of these tasks is open any more" in nothing.text


def test_assigning_to_nobody_known_is_refused_in_words(house: House) -> None:
    alice = house.visitor("alice")
    house.select("sample-no-email", alice)
    task = house.newest_task()
    assert "No member of staff is called “nobody”" in alice.post(f"/inbox/{task}/assign", {"to": "nobody"}).text
    assert "No member of staff is called “ana”" in alice.post(f"/inbox/{task}/assign", {"to": "ana"}).text
    assert "is no day" in alice.post(f"/inbox/{task}/due", {"day": "soon"}).text
    assert "bob has the task now" in alice.post(f"/inbox/{task}/assign", {"to": "bob"}).text
    assert "bob has claimed this task" in alice.post(f"/inbox/{task}/later", {"until": "2026-06-01"}).text


def test_save_and_next_skips_what_others_hold(house: House) -> None:
    alice, bob = house.visitor("alice"), house.visitor("bob")
    for patient in ("sample-declined", "sample-deferred", "sample-pending"):
        house.select(patient, alice)
        house.clock.forward(minutes=1)
    first, second, third = (task.id for task in house.enrollment.engine.inbox.tasks())
    bob.post(f"/inbox/{second}/claim")
    page = alice.post(f"/inbox/{first}/complete", {"reason": "asked on the phone", "desk.then": "next"})
    assert third in page.request.path
    assert house.enrollment.engine.inbox.task(third).assignee == "alice"
    answer = {"reason": "asked on the phone"} if house.enrollment.engine.inbox.task(third).title == "Enroll Now" else {}
    done = alice.post(f"/inbox/{third}/complete", {**answer, "desk.then": "next"})
    assert "Nothing more is free in this list." in done.text
