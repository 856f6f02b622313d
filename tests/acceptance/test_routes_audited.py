"""Every route records who was refused, which patients a page named, and what a form changed."""

from __future__ import annotations

import re

import pytest
from usher_engine.accounts import Role
from usher_web import auth

NAMES = {Role.STAFF: "alice", Role.ANALYST: "ana", Role.AUDITOR: "audrey", Role.ADMIN: "adam"}
#: Signing out ends the session the other requests need.
LEFT_OUT = {"sign_in.sign_out"}


@pytest.fixture
def known(house):
    """Existing ids: a task, its case, its patient."""
    house.select("sample-pending", house.visitor("alice"))
    task = house.newest_task()
    return {
        "task_id": task,
        "instance_id": task.split(":")[0],
        "patient_id": "sample-pending",
        "process": "enrollment",
        "key": "enrollment",
        "number": 1,
        "name": "alice",
    }


@pytest.fixture
def named(house):
    """Patients by what a page would show of them."""
    engine, found = house.enrollment, {}
    for record in engine.patients(limit=100):
        fields = record.fields(house.clock(), engine.settings)
        if fields["first_name"] and fields["last_name"]:
            found[f"{fields['first_name']} {fields['last_name']}"] = record.id
    return found


def routes(app, method):
    for rule in app.url_map.iter_rules():
        policy = auth.policy_of(app, rule.endpoint)
        wanted = policy.door is auth.Door.SESSION and method in rule.methods and rule.endpoint not in LEFT_OUT
        if wanted:
            yield rule, policy


def address(rule, values):
    return rule.build({name: values.get(name, 1) for name in rule.arguments}, append_unknown=False)[1]


def newest(engine):
    found = engine.audit.events(limit=1)
    return found[0].seq if found else 0


def since(engine, seq):
    return [event for event in engine.audit.events(limit=50) if event.seq > seq]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_refused_is_recorded_once(house, role, method):
    engine, visitor = house.enrollment.engine, house.visitor(NAMES[role])
    for rule, _ in routes(house.app, method):
        before = newest(engine)
        path = address(rule, {"task_id": "X:Y:1", "instance_id": "X", "patient_id": "x", "process": "x", "name": "x"})
        answer = visitor.client.open(path, method=method, data={"csrf_token": visitor.csrf})
        recorded = [event for event in since(engine, before) if event.kind == "Refused"]
        if answer.status_code in (403, 404, 409, 422):
            assert len(recorded) == 1, f"{method} {rule}: {answer.status_code}"
            assert recorded[0].actor == NAMES[role]
            assert recorded[0].details == {"page": rule.endpoint, "method": method, "status": answer.status_code}
        else:
            assert recorded == [], f"{method} {rule}: {answer.status_code}"


@pytest.mark.parametrize("role", [Role.STAFF, Role.AUDITOR, Role.ADMIN, Role.ANALYST])
def test_whom_a_page_names_is_recorded(house, clock, known, named, role):
    engine, visitor, shown = house.enrollment.engine, house.visitor(NAMES[role]), 0
    for rule, policy in routes(house.app, "GET"):
        if role not in policy.roles:
            continue
        clock.forward(seconds=61)
        before = newest(engine)
        page = visitor.client.get(address(rule, known))
        text = re.sub(r"\s+", " ", page.text) if page.mimetype in ("text/html", "application/json") else ""
        recorded = since(engine, before)
        about = {event.business_key for event in recorded}
        about |= {patient for event in recorded for patient in event.details.get("patients", ())}
        for name, patient in named.items():
            if name in text:
                shown += 1
                assert patient in about, f"{rule} names a patient and does not say so"
    assert (shown > 0) == (role in (Role.STAFF, Role.AUDITOR))


@pytest.mark.parametrize(
    ("who", "path", "data", "kind"),
    [
        ("adam", "/admin/people", {"name": "nina", "role": "staff"}, "SettingChanged"),
        ("adam", "/admin/people/bob/password", {}, "SettingChanged"),
        ("adam", "/admin/people/bob/disabled", {"disabled": "yes"}, "SettingChanged"),
        ("adam", "/admin/tokens", {"name": "lab", "role": "staff"}, "SettingChanged"),
        ("adam", "/admin/triggers", {"template": "T", "field": "F", "action": "Enrollment"}, "SettingChanged"),
        ("alice", "/cases/searches", {"name": "Mine", "who": "bob"}, "SettingChanged"),
        ("audrey", "/audit/reviews", {"since": "2026-05-03", "until": "2026-05-03", "note": "x"}, "LogReviewed"),
        (
            "adam",
            "/admin/patients/sample-complete/portal-status",
            {"status": "Completed", "reason": "x", "version": "1"},
            "SettingChanged",
        ),
        (
            "adam",
            "/admin/patients/sample-complete/opt-out",
            {"scope": "practice", "opted_out": "yes", "reason": "x"},
            "OptOutSet",
        ),
        (
            "adam",
            "/admin/patients/sample-opted-out/opt-out",
            {"scope": "practice", "opted_out": "no", "reason": "x"},
            "OptOutLifted",
        ),
        ("audrey", "/audit/retention/holds", {"patient": "sample-pending", "reason": "x"}, "HoldSet"),
    ],
)
def test_what_a_form_changes_is_recorded(house, who, path, data, kind):
    engine, visitor = house.enrollment.engine, house.visitor(who)
    visitor.get("/")
    before = newest(engine)
    assert visitor.post(path, data).status_code == 200
    recorded = [event for event in since(engine, before) if event.kind == kind]
    assert [event.actor for event in recorded] == [who]
