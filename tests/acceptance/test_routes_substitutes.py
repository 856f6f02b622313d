"""Substitutes over HTTP: named on the profile or by an administrator, acted for, and said where it counts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from acceptance.conftest import House, Visitor
from usher_engine.accounts import Role

THERE = {"first": "2026-05-04", "last": "2026-05-06"}


@pytest.fixture
def task(house: House) -> str:
    """A task of the front desk that bob has claimed; charlie is in another group."""
    bob = house.visitor("bob")
    house.select("sample-pending", bob)
    task = house.newest_task()
    bob.post(f"/inbox/{task}/claim")
    return task


def named(house: House, substitute: str = "charlie", by: str = "bob", **more: Any) -> Visitor:
    visitor = house.visitor(by)
    visitor.get("/profile")
    where = "/profile/substitutes" if by == "bob" else "/admin/people/bob/substitutes"
    answer = visitor.post(where, {"substitute": substitute, **THERE, **more})
    assert answer.status_code == 200, answer.text
    return visitor


def test_a_person_names_a_substitute_who_works_on_their_behalf(house: House, task: str) -> None:
    charlie = house.visitor("charlie")
    assert charlie.get(f"/inbox/{task}").status_code == 404
    page = named(house).get("/profile").text
    assert re.search(r"charlie</bdi> stands in</span>\s*<span>4 May to 6 May</span>\s*<span>all tasks", page)
    inbox = charlie.get("/inbox?view=for:bob").text
    assert re.search(r'For bob\s*<span class="num" data-count="for:bob">1</span>', inbox)
    assert inbox.count("data-task=") == 1
    assert "you stand in" in inbox
    opened = charlie.get(f"/inbox/{task}").text
    assert "claimed by bob, for whom you stand in to 6 May" in opened
    assert "Reassign…" in opened and "Set the due date" not in opened
    case = task.partition(":")[0]
    assert charlie.get(f"/cases/{case}").status_code == 200
    charlie.post(f"/inbox/{task}/complete", house.form_of(task))
    assert "charlie on behalf of you completed" in house.visitor("bob").get(f"/cases/{case}").text
    replay = house.visitor("audrey").get(f"/cases/{case}/replay").text
    assert "charlie on behalf of bob" in replay
    api = house.visitor().client.get(f"/api/v1/instances/{case}/history", headers=house.token())
    assert {"charlie": "bob"}.items() <= {s["actor"]: s["on_behalf_of"] for s in api.get_json()["steps"]}.items()
    trail = house.visitor("audrey").get("/audit/patients/sample-pending").text
    assert "on behalf of bob" in trail


def test_it_ends_by_hand_and_by_itself(house: House, task: str) -> None:
    bob, charlie = named(house), house.visitor("charlie")
    assert charlie.get(f"/inbox/{task}").status_code == 200
    assert "does not stand in for bob any more" in bob.post("/profile/substitutes/1/end").text
    assert charlie.get(f"/inbox/{task}").status_code == 404
    assert bob.post("/profile/substitutes/1/end").status_code == 404
    gone = charlie.get("/inbox?view=for:bob").text
    assert "You do not stand in for bob (any more)" in gone
    assert gone.count("data-task=") == 0
    named(house, last="2026-05-04")
    assert charlie.get(f"/inbox/{task}").status_code == 200
    house.clock.forward(hours=15)
    charlie = house.visitor("charlie")
    assert charlie.get(f"/inbox/{task}").status_code == 404
    assert charlie.post(f"/inbox/{task}/release").status_code == 404


def test_an_administrator_names_one_and_others_do_not(house: House, task: str) -> None:
    page = named(house, by="adam").get("/admin/people/bob").text
    assert "named by adam" in page
    assert house.visitor("charlie").get(f"/inbox/{task}").status_code == 200
    alice = house.visitor("alice")
    alice.get("/profile")
    assert alice.post("/admin/people/bob/substitutes", {"substitute": "alice", **THERE}).status_code == 403
    assert alice.post("/profile/substitutes/1/end").status_code == 404  # it is bob's
    ana = house.visitor("ana")
    assert "substitutes-title" not in ana.get("/profile").text
    assert ana.post("/profile/substitutes", {"substitute": "charlie", **THERE}).status_code == 403
    adam = house.visitor("adam")
    assert "substitutes-title" not in adam.get("/admin/people/ana").text
    assert adam.post("/admin/people/alice/substitutes/1/end").status_code == 404
    assert adam.post("/admin/people/bob/substitutes/1/end").status_code == 200
    said = house.visitor("audrey").get("/audit?kind=SettingChanged").text
    assert "Named charlie as substitute of bob: 2026-05-04 to 2026-05-06." in said
    assert "Ended charlie as substitute of bob" in said


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"substitute": "bob"}, "Nobody stands in for themselves"),
        ({"substitute": "ana"}, "No member of staff is called “ana”"),
        ({"first": "2026-05-01"}, "Choose today or a later day"),
        ({"last": "2026-05-01"}, "The last day is before the first"),
        ({"last": "soon"}, "Choose a day, like"),
        ({"groups": "Billing"}, "bob is not in the group “Billing”"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(house: House, sent: dict[str, str], says: str) -> None:
    bob = house.visitor("bob")
    bob.get("/profile")
    answer = bob.post("/profile/substitutes", {"substitute": "charlie", **THERE, **sent})
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="2026-05-06"' in answer.text or "last" in sent


def test_whoever_assigns_to_somebody_away_is_told_and_offered_the_substitute(house: House) -> None:
    named(house, substitute="alice")
    lena = house.accounts.add_user("lena", "a password for tests", role=Role.STAFF, by="test")
    visitor = house.visitor(lena.name)
    house.select("sample-declined", visitor)
    task = house.newest_task()
    assert "bob (away to 6 May, alice stands in)" in visitor.get(f"/inbox/{task}").text
    asked = visitor.post(f"/inbox/{task}/assign", {"to": "bob", "note": "soon"}).text
    assert "is away until 6 May" in asked and "Give it to alice" in asked
    assert house.enrollment.engine.inbox.task(task).assignee == ""
    visitor.post(f"/inbox/{task}/assign", {"to": "bob", "note": "soon", "away": "bob"})
    assert house.enrollment.engine.inbox.task(task).assignee == "bob"
    house.select("sample-pending", visitor)
    other = house.newest_task()
    bulk = {"bulk.act": "assign", "bulk.task": other, "bulk.to": "bob"}
    asked = visitor.post("/inbox/bulk/run", bulk)
    assert asked.status_code == 422
    assert "bob is away to 6 May, alice stands in." in asked.text
    assert visitor.post("/inbox/bulk/run", {**bulk, "bulk.away": "bob"}).status_code == 200


def test_programs_and_other_routes_give_a_substitute_of_a_substitute_nothing(house: House, task: str) -> None:
    house.accounts.add_user("dora", "a password for tests", role=Role.STAFF, groups=["Billing"], by="test")
    named(house)
    charlie = house.visitor("charlie")
    charlie.get("/profile")
    charlie.post("/profile/substitutes", {"substitute": "dora", **THERE})
    dora = house.visitor("dora")
    assert "For charlie" in dora.get("/inbox").text
    case = task.partition(":")[0]
    for path in (f"/inbox/{task}", f"/inbox/{task}/preview", f"/inbox/{task}/draft", f"/cases/{case}",
                 f"/cases/{case}/replay", f"/cases/{case}/onward"):  # fmt: skip
        assert dora.get(path).status_code in (403, 404), path
    for act, sent in (("claim", {}), ("release", {}), ("complete", {}), ("cancel", {"reason": "x"}),
                      ("assign", {"to": "alice"}), ("due", {"day": "2026-06-01"}), ("later", {"until": "2026-06-01"}),
                      ("draft/let-go", {})):  # fmt: skip
        answer = dora.post(f"/inbox/{task}/{act}", sent)
        assert answer.status_code == 404 or "no such task" in answer.text.lower(), act
    assert house.enrollment.engine.inbox.task(task).assignee == "bob"
    token = house.token(name="billing", groups=("Billing",))
    api = house.visitor()
    for act, body in (("claim", {}), ("unclaim", {}), ("complete", {"data": {}, "revision": 1})):
        answer = api.client.post(f"/api/v1/tasks/{task}/{act}", json=body, headers=token)
        assert answer.status_code == 404, act
