"""Triggers start the process an administrator bound them to, once for each patient, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Clock, package
from usher_engine import SYSTEM, Actor, Settings
from usher_engine.core.errors import Conflict, InvalidSubmission, NotFound
from usher_engine.definitions import Package
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.store import Database
from usher_web.demo.sample_patients import add_samples

adam = Actor(name="adam", role="admin")
alice = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
CALL = ("Office Visit", "Call back", "Call back")


@pytest.fixture
def enrollment(settings: Settings, clock: Clock, database: Database) -> Iterator[Enrollment]:
    opened = open_enrollment(settings, clock=clock, send_mail=lambda _mail: None, database=database)
    add_samples(database, opened.registry, clock())
    opened.engine.deploy(calling(), actor=SYSTEM)
    return opened


def calling(**declared: str) -> Package:
    """A process that calls a patient back."""
    files = dict(package("room_booking").files)
    diagram = files["room_booking.bpmn"].decode().replace("room_booking", "call_back")
    diagram = diagram.replace("{{ room }} is asked for on {{ day }}, for {{ people }}", 'Call {{ get("patient_id") }},')
    for name, value in (("form", "ask.form"), ("businessKey", "room")):
        line = f'<spiffworkflow:property name="{name}" value="{value}"/>'
        diagram = diagram.replace(line, line if name in declared else "")
    return Package({**files, "room_booking.bpmn": diagram.encode()})


def test_a_trigger_starts_the_process_it_is_bound_to(enrollment: Enrollment) -> None:
    enrollment.set_trigger(*CALL, process="call_back", actor=adam)
    instance = enrollment.trigger("sample-complete", *CALL, actor=alice, key="1", source="ehr")
    assert (instance.process, instance.business_key) == ("call_back", "sample-complete")
    assert instance.tasks[0].message == "Call sample-complete, people."
    again = enrollment.trigger("sample-complete", *CALL, actor=alice, key="2", source="ehr")
    assert again.id == instance.id
    assert enrollment.engine.verify(instance.id) == []
    with pytest.raises(NotFound):
        enrollment.trigger("nobody", *CALL, actor=alice)


def test_binding_one_is_an_audit_event_that_names_the_process(enrollment: Enrollment) -> None:
    enrollment.set_trigger(*CALL, process="call_back", actor=adam)
    newest = enrollment.engine.audit.events(kind="SettingChanged")[0]
    assert newest.details["process"] == "call_back"
    assert newest.actor == "adam"


@pytest.mark.parametrize(
    ("action", "process", "field"),
    [("Call back", "nowhere", "process"), ("Call back", "enrollment", "action"), (" ", "call_back", "action"),
     ("x" * 61, "call_back", "action")],
)  # fmt: skip
def test_what_cannot_be_bound_is_refused_by_its_field(
    enrollment: Enrollment, action: str, process: str, field: str
) -> None:
    before = enrollment.templates()
    with pytest.raises(InvalidSubmission) as refused:
        enrollment.set_trigger("Office Visit", "Call back", action, process=process, actor=adam)
    assert set(refused.value.fields) == {field}
    assert enrollment.templates() == before


def test_a_process_whose_start_form_needs_more_than_triggers_send_cannot_be_bound(enrollment: Enrollment) -> None:
    enrollment.engine.deploy(calling(form="ask.form"), actor=SYSTEM)
    with pytest.raises(InvalidSubmission, match="its start form needs Room, Day"):
        enrollment.set_trigger(*CALL, process="call_back", actor=adam)


def test_a_version_deployed_later_is_held_to_its_form_when_the_trigger_is_selected(enrollment: Enrollment) -> None:
    enrollment.set_trigger(*CALL, process="call_back", actor=adam)
    enrollment.engine.deploy(calling(form="ask.form"), actor=SYSTEM)
    with pytest.raises(InvalidSubmission) as refused:
        enrollment.trigger("sample-complete", *CALL, actor=alice)
    assert list(refused.value.fields) == ["room", "day"]
    assert enrollment.engine.queries.instances(process="call_back") == []


def test_another_action_on_the_field_is_named(enrollment: Enrollment) -> None:
    enrollment.set_trigger(*CALL, process="call_back", actor=adam)
    with pytest.raises(InvalidSubmission, match="that is “Call back”") as refused:
        enrollment.trigger("sample-complete", "Office Visit", "Call back", "Enrollment", actor=alice)
    assert set(refused.value.fields) == {"action"}


def test_the_enrolment_and_the_other_process_run_side_by_side(enrollment: Enrollment) -> None:
    enrollment.set_trigger(*CALL, process="call_back", actor=adam)
    with pytest.raises(NotFound, match="enrollment"):
        enrollment.trigger("sample-complete", "Office Visit", "Patient Portal", "Enrollment", actor=alice)
    one = enrollment.trigger("sample-complete", *CALL, actor=alice)
    assert enrollment.engine.queries.instances(business_key="sample-complete") == [one]
    with pytest.raises((InvalidSubmission, Conflict)):
        enrollment.start({"patient_id": "sample-complete", "action": "Call back"}, actor=alice)
