"""Every route for every role: what the role does not include answers 403, what is another's is not there."""

import pytest
from site_map import NAMES, pages
from usher_engine.accounts import Role
from usher_web import auth


def address(rule):
    values = {"task_id": "X:Y:1", "instance_id": "X", "patient_id": "x", "process": "x", "number": 1, "name": "x"}
    values |= {"path": "x", "key": "x"}
    values |= {"batch": "X", "side": "draft"}
    return rule.build({name: values.get(name, 1) for name in rule.arguments}, append_unknown=False)[1]


@pytest.mark.parametrize("role", list(Role))
def test_each_page_opens_for_its_roles_only(house, role):
    visitor = house.visitor(NAMES[role])
    for rule, found, method in pages(house.app):
        if rule.endpoint == "sign_in.sign_out":
            continue
        headers = {"X-CSRF-Token": visitor.csrf}
        answer = visitor.client.open(address(rule), method=method, data={"csrf_token": visitor.csrf}, headers=headers)
        refused = answer.status_code == 403
        assert refused == (role not in found.roles), f"{method} {rule} as {role}: {answer.status_code}"
        assert answer.status_code < 500


def test_strangers_are_sent_to_the_sign_in_page(house):
    stranger = house.visitor()
    for rule, _, method in pages(house.app):
        answer = stranger.client.open(address(rule), method=method)
        assert answer.status_code == 303, f"{method} {rule}"
        assert answer.location.startswith("/sign-in")


def test_charlie_sees_nothing_of_the_front_desk(house):
    alice = house.visitor("alice")
    house.select("sample-pending", alice)
    task, charlie = house.newest_task(), house.visitor("charlie")
    instance = task.split(":")[0]
    assert "Hana" not in charlie.get("/inbox").text
    assert charlie.get(f"/inbox/{task}").status_code == 404
    assert charlie.post(f"/inbox/{task}/claim").status_code == 404
    assert charlie.post(f"/inbox/{task}/complete").status_code == 404
    assert charlie.get(f"/cases/{instance}").status_code == 404
    assert charlie.get(f"/cases/{instance}/diagram.bpmn").status_code == 404
    assert charlie.post(f"/cases/{instance}/cancel", {"reason": "no"}).status_code == 404
    assert instance not in charlie.get("/cases").text
    assert instance in alice.get("/cases").text


def test_neither_analysts_nor_administrators_see_a_patient(house):
    house.select("sample-pending")
    for name, paths in {
        "ana": ["/", "/processes/enrollment"],
        "adam": ["/", "/admin/tokens", "/admin/triggers"],
    }.items():
        visitor = house.visitor(name)
        for path in paths:
            page = visitor.get(path)
            assert page.status_code == 200
            assert "Hana" not in page.text


def test_an_auditor_reads_a_case_and_cannot_act(house):
    house.select("sample-pending")
    instance = house.enrollment.engine.queries.instances()[0].id
    audrey = house.visitor("audrey")
    page = audrey.get(f"/cases/{instance}")
    assert page.status_code == 200
    assert "Resend Invitation was opened" in page.text
    assert "Cancel the case" not in page.text
    assert audrey.post(f"/cases/{instance}/cancel", {"reason": "no"}).status_code == 403


def test_a_route_without_a_policy_stops_the_start(house):
    house.app.add_url_rule("/open-to-all", "forgotten", lambda: "oops")
    with pytest.raises(RuntimeError, match="forgotten"):
        auth.refuse_unguarded(house.app)
