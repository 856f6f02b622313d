"""Role and groups of an existing person: what a change means is said first, and it takes effect at once."""

from __future__ import annotations

import pytest
from acceptance.conftest import PASSWORD, House
from usher_engine.accounts import Role


def test_the_page_says_what_a_change_means_and_saving_does_it(house: House) -> None:
    house.select("sample-pending")
    alice, adam = house.visitor("alice"), house.visitor("adam")
    alice.post(f"/inbox/{house.newest_task()}/claim")
    assert '<a href="/admin/people/alice">' in adam.get("/admin/people").text
    page = " ".join(adam.get("/admin/people/alice").text.split())
    assert "alice sees 1 open task now and has claimed 1." in page
    assert "Give those back below before the role changes." in page
    assert "Saving ends 2 sessions" in page
    saved = adam.post("/admin/people/alice", {"role": "staff", "groups": "Billing, Front desk"})
    assert "alice: staff, Billing and Front desk. Their sessions have ended." in saved.text
    assert "alice is not signed in now." in saved.text
    assert alice.get("/inbox").request.path == "/sign-in"
    assert house.accounts.user("alice").groups == {"Billing", "Front desk"}
    again = adam.post("/admin/people/alice", {"role": "staff", "groups": "Billing, Front desk"})
    assert "nothing was changed" in again.text


def test_nobody_changes_their_own_role(house: House) -> None:
    adam = house.visitor("adam")
    assert "Nobody changes their own role and groups" in adam.get("/admin/people/adam").text
    refused = adam.post("/admin/people/adam", {"role": "staff", "groups": ""})
    assert refused.status_code == 422 and "Nobody changes their own role" in refused.text
    assert house.accounts.user("adam").role is Role.ADMIN


@pytest.mark.parametrize("sent", [{"role": "boss"}, {"role": ""}, {}])
def test_a_role_that_is_none_is_refused_and_what_was_typed_is_kept(house: House, sent: dict[str, str]) -> None:
    adam = house.visitor("adam")
    adam.get("/admin/people/alice")
    refused = adam.post("/admin/people/alice", {**sent, "groups": "Lab"})
    assert refused.status_code == 422 and "No role is called that" in refused.text
    assert 'value="Lab"' in refused.text
    assert house.accounts.user("alice").role is Role.STAFF


def test_a_person_there_is_not_is_not_found(house: House) -> None:
    adam = house.visitor("adam")
    assert adam.get("/admin/people/nobody").status_code == 404
    assert adam.post("/admin/people/nobody", {"role": "staff"}).status_code == 404


def test_the_last_administrator_is_not_disabled_by_another_door(house: House) -> None:
    house.accounts.add_user("ada", PASSWORD, role=Role.ADMIN, by="test")
    adam = house.visitor("adam")
    adam.get("/admin/people")
    assert adam.post("/admin/people/ada", {"role": "staff", "groups": ""}).status_code == 200
    assert adam.post("/admin/people/adam/disabled", {"disabled": "yes"}).status_code == 422
    assert [user.name for user in house.accounts.users() if user.role is Role.ADMIN] == ["adam"]
