"""What each event makes of the state of a case, and that a state survives being stored."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime

import pytest
from usher_engine.core import events as e
from usher_engine.core.state import LIVE, InstanceState, OpenTask, Status, Wait, apply, fold, place

WAITED = "2026-05-04T09:02:00+00:00"


def after(*happened, before=None):
    """The state after these events; an empty one stands before them."""
    return fold(before or InstanceState(), happened)


def changed(before, *happened):
    """What these events change of *before*: field to its new value."""
    now = after(*happened, before=before)
    return {name: getattr(now, name) for name in before.__slots__ if getattr(now, name) != getattr(before, name)}


def opened(element="Ask", visit=1, **fields):
    return e.UserTaskOpened(element, visit, "Ask", **fields)


def busy():
    """A state in which every field holds something, at the places Ask:1 and Send:2."""
    return after(
        e.InstanceStarted("p", 1, "hash", {"name": "Ada"}),
        e.ElementPassed("Start", 1),
        e.ElementEntered("Ask", 1, "f1"),
        opened(),
        e.UserTaskClaimed("Ask", 1, "alice"),
        e.ItemGiven("Ask", 1, {"item": 7}),
        e.ElementEntered("Send", 1),
        e.ElementCompleted("Send", 1),
        e.ElementEntered("Send", 2, "f2"),
        e.ServiceRequested("Send", 2, "mail/send", "sent", {}),
        e.IncidentRaised("Send", 2, "Failed", "The mail server is away."),
        e.TimerStarted("Late", 1, WAITED),
        e.MessageAwaited("News", 3, "news", "news"),
    )


# a new case


def test_a_new_state_knows_nothing_and_waits():
    assert InstanceState().to_json() == {
        "status": "waiting", "visits": {}, "flows": {}, "at": [], "tasks": {}, "requests": {}, "incidents": {},
        "data": {}, "outcome": "", "explanation": "",
    }  # fmt: skip


def test_the_first_data_replaces_what_was_there():
    assert changed(InstanceState(data={"old": 1}), e.InstanceStarted("p", 1, "h", {"n": 1})) == {"data": {"n": 1}}


def test_the_words_for_a_status_are_stored_and_stay():
    assert [status.value for status in Status] == ["waiting", "finished", "incident", "cancelled"]
    assert LIVE == ("waiting", "incident")


# tokens


def test_an_element_that_was_entered_holds_a_token_and_counts():
    assert changed(InstanceState(), e.ElementEntered("A", 1, "f")) == {
        "visits": {"A": 1}, "flows": {"f": 1}, "at": ["A:1"],
    }  # fmt: skip


def test_an_element_that_was_passed_counts_and_holds_nothing():
    assert changed(InstanceState(), e.ElementPassed("A", 1, "f")) == {"visits": {"A": 1}, "flows": {"f": 1}}


@pytest.mark.parametrize("kind", [e.ElementEntered, e.ElementPassed])
def test_further_visits_and_flows_are_added(kind):
    now = after(kind("A", 1, "f"), kind("A", 2, "f"), kind("A", 3, "g"), kind("B", 1))
    assert now.visits == {"A": 3, "B": 1} and now.flows == {"f": 2, "g": 1}


def test_an_item_is_forgotten_with_the_visit_that_passes():
    given = after(e.ItemGiven("A", 1, {"item": 1}), e.ItemGiven("A", 2, {"item": 2}))
    assert changed(given, e.ElementPassed("A", 1))["items"] == {"A:2": {"item": 2}}
    assert changed(given, e.ElementPassed("B", 1)) == {"visits": {"B": 1}}


@pytest.mark.parametrize("kind", [e.ElementCompleted, e.ElementCancelled])
def test_a_token_that_leaves_takes_everything_of_its_visit_along(kind):
    assert changed(busy(), kind("Ask", 1)) == {"at": ["Send:2"], "tasks": {}, "items": {}}
    assert changed(busy(), kind("Send", 2)) == {
        "at": ["Ask:1"], "requests": {}, "incidents": {}, "status": "waiting",
    }  # fmt: skip


@pytest.mark.parametrize("kind", [e.ElementCompleted, e.ElementCancelled])
def test_another_visit_of_the_element_is_left_where_it_is(kind):
    assert changed(busy(), kind("Ask", 2)) == {}
    assert changed(busy(), kind("Send", 1)) == {}


def test_a_token_at_a_join_counts_its_flow_only():
    assert changed(InstanceState(flows={"f": 1}), e.FlowTaken("f")) == {"flows": {"f": 2}}
    assert changed(InstanceState(), e.FlowTaken("f")) == {"flows": {"f": 1}}


def test_a_repetition_that_begins_counts_the_flow_it_came_by():
    assert changed(InstanceState(flows={"f": 1}), e.RepetitionStarted("A", 3, "f")) == {"flows": {"f": 2}}
    assert changed(InstanceState(), e.RepetitionStarted("A", 3)) == {}


# data


def test_data_is_set_and_unset():
    before = InstanceState(data={"a": 1, "b": 2, "c": 3})
    assert changed(before, e.DataChanged({"a": 9, "d": 4}, ["b", "never there"])) == {"data": {"a": 9, "c": 3, "d": 4}}


def test_what_a_decision_gives_goes_into_the_data():
    made = e.DecisionMade("D", 1, "decision", {"in": 1}, ["r1"], {"out": 2})
    assert changed(InstanceState(data={"in": 1}), made) == {"data": {"in": 1, "out": 2}}


def test_facts_around_the_case_change_nothing():
    for event in (e.FactRecorded("Seen", {"by": "alice"}), e.InstanceRepaired(1, 2, ["Ask:1"], ["Send:3"])):
        assert changed(busy(), event) == {}


# ends


def test_a_finished_case_has_an_outcome_and_no_token():
    before = after(e.ElementEntered("Ask", 1))
    assert changed(before, e.InstanceFinished("Done", "All is well.")) == {
        "status": "finished", "outcome": "Done", "explanation": "All is well.", "at": [],
    }  # fmt: skip


def test_a_cancelled_case_waits_for_nothing_and_keeps_what_it_was():
    before = busy()
    assert changed(before, e.InstanceCancelled("Moved away.")) == {
        "status": "cancelled", "explanation": "Moved away.",
        "at": [], "tasks": {}, "requests": {}, "incidents": {}, "waits": {}, "items": {},
    }  # fmt: skip


# user tasks


def test_an_open_task_keeps_the_fields_it_was_opened_with():
    event = opened(form="ask", group="Front desk", priority=70)
    now = after(event)
    assert now.tasks == {"Ask:1": OpenTask(e.to_json(event), "")}


def test_a_task_belongs_to_the_one_who_claimed_it_until_it_is_released():
    held = after(opened(), opened(visit=2), e.UserTaskClaimed("Ask", 2, "alice"))
    assert {key: task.assignee for key, task in held.tasks.items()} == {"Ask:1": "", "Ask:2": "alice"}
    assert after(e.UserTaskReleased("Ask", 2), before=held).tasks["Ask:2"].assignee == ""


def test_an_answer_closes_the_task_and_is_kept_under_its_variable():
    before = after(opened(), opened(visit=2))
    now = after(e.UserTaskCompleted("Ask", 1, "answers", {"x": 1}), before=before)
    assert list(now.tasks) == ["Ask:2"] and now.data == {"answers": {"x": 1}}


def test_a_cancelled_task_is_gone_and_leaves_no_answer():
    before = after(opened(), opened(visit=2))
    now = after(e.UserTaskCancelled("Ask", 1, "Not wanted."), before=before)
    assert list(now.tasks) == ["Ask:2"] and now.data == {}


@pytest.mark.parametrize("event", [e.UserTaskCompleted("Ask", 9, "a", {}), e.UserTaskCancelled("Ask", 9, "")])
def test_the_end_of_a_task_that_is_not_open_closes_no_other(event):
    assert list(after(event, before=after(opened())).tasks) == ["Ask:1"]


# services


def test_what_an_operator_answers_goes_into_the_data():
    for answer in ({"id": 1}, None):
        called = e.ServiceCalled("S", 1, "read", "found", answer)
        assert changed(InstanceState(), called) == {"data": {"found": answer}}


def test_an_operator_that_refuses_leaves_the_data_alone():
    before = InstanceState(data={"found": "before"})
    assert changed(before, e.ServiceCalled("S", 1, "read", "found", None, "missing")) == {}


def test_an_effect_is_requested_until_it_is_done_or_refused():
    asked = after(e.ServiceRequested("S", 1, "mail/send", "sent", {"to": 1}), e.ServiceRequested("S", 2, "b", "c", {}))
    assert asked.requests == {"S:1": "mail/send", "S:2": "b"} and asked.data == {}
    assert changed(asked, e.ServiceCompleted("S", 1, "sent", 7)) == {"requests": {"S:2": "b"}, "data": {"sent": 7}}
    assert changed(asked, e.ServiceRefused("S", 1, "no", "No.")) == {"requests": {"S:2": "b"}}
    assert changed(asked, e.ServiceFailed("S", 1, 1, "Away.")) == {}


def test_results_nobody_asked_for_any_more_are_taken_all_the_same():
    assert changed(InstanceState(), e.ServiceCompleted("S", 1, "sent", 1)) == {"data": {"sent": 1}}
    assert changed(InstanceState(), e.ServiceRefused("S", 1, "no", "No.")) == {}


# incidents


def test_a_case_has_an_incident_until_the_last_one_is_resolved():
    two = after(e.IncidentRaised("A", 1, "Failed", "Why"), e.IncidentRaised("B", 2, "Failed", "Because"))
    assert two.status == "incident" and two.incidents == {"A:1": "Why", "B:2": "Because"}
    assert changed(two, e.IncidentResolved("A", 1)) == {"incidents": {"B:2": "Because"}}
    both = (e.IncidentResolved("A", 1), e.IncidentResolved("B", 2))
    assert changed(two, *both) == {"incidents": {}, "status": "waiting"}


def test_the_end_of_an_element_resolves_its_own_incident_only():
    before = after(e.ElementEntered("A", 1), e.ElementEntered("B", 1), e.IncidentRaised("A", 1, "Failed", "Why"))
    assert after(e.ElementCompleted("B", 1), before=before).status == "incident"
    assert after(e.ElementCompleted("A", 1), before=before).status == "waiting"


def test_the_end_of_an_element_without_an_incident_leaves_the_status():
    finished = InstanceState(status="finished", at=["A:1"])
    assert changed(finished, e.ElementCompleted("A", 1)) == {"at": []}


def test_incidents_are_resolved_at_the_places_named_or_everywhere():
    state = InstanceState(incidents={"A:1": "x", "sub:B:0": "y"})
    assert state.resolving() == [e.IncidentResolved("A", 1), e.IncidentResolved("sub:B", 0)]
    assert state.resolving(["A:1"]) == [e.IncidentResolved("A", 1)]
    assert state.resolving([]) == []


# waits


def test_timers_and_messages_are_waited_for_until_they_come():
    before = after(e.TimerStarted("T", 1, WAITED, "PT1H", 2), e.MessageAwaited("M", 4, "news", "paper"))
    assert before.waits == {
        "T:1": {"kind": "TimerStarted", "element": "T", "visit": 1, "due": WAITED, "every": "PT1H", "left": 2},
        "M:4": {"kind": "MessageAwaited", "element": "M", "visit": 4, "name": "news", "variable": "paper"},
    }
    assert before.armed == {"T": 1, "M": 4}
    assert list(after(e.TimerFired("T", 1), before=before).waits) == ["M:4"]
    assert changed(before, e.WaitEnded("M", 4))["waits"].keys() == {"T:1"}
    received = after(e.MessageReceived("M", 4, "news", "paper", {"page": 1}), before=before)
    assert list(received.waits) == ["T:1"] and received.data == {"paper": {"page": 1}}


@pytest.mark.parametrize(
    "event", [e.TimerFired("T", 2), e.WaitEnded("T", 2), e.MessageReceived("T", 2, "n", "v", {})]
)
def test_the_end_of_another_wait_ends_none(event):
    assert list(after(event, before=after(e.TimerStarted("T", 1, WAITED))).waits) == ["T:1"]


def test_waits_are_listed_in_order():
    state = after(e.MessageAwaited("M", 1, "news", "paper"), e.TimerStarted("T", 1, WAITED))
    assert state.waiting_for() == (
        Wait(element="M", message="news"),
        Wait(element="T", due=datetime(2026, 5, 4, 9, 2, tzinfo=UTC)),
    )
    assert state.waiting_for()[0].due is None and state.waiting_for()[1].message == ""


def test_a_wait_is_for_a_time_or_a_message():
    assert Wait(element="T") == Wait(element="T", due=None, message="")


def test_what_is_open_is_counted_together():
    assert InstanceState().pending == 0
    tasks = (opened(visit=number) for number in range(2))
    effects = (e.ServiceRequested("S", number, "o", "v", {}) for number in range(3))
    timers = (e.TimerStarted("T", number, WAITED) for number in range(5))
    assert after(*tasks, *effects, *timers).pending == 10


# migration


def test_a_migrated_case_rests_at_the_places_of_the_new_version():
    before = busy()
    places = {"Ask:1": "Ask2:5", "Send:2": "Post:1"}
    moved = e.InstanceMigrated(1, 2, "hash", {"Ask": "Ask2", "Send": "Post"}, "", places)
    now = changed(before, moved)
    assert now["at"] == ["Ask2:5", "Post:1"]
    assert now["tasks"].keys() == {"Ask2:5"} and now["tasks"]["Ask2:5"].assignee == "alice"
    assert now["requests"] == {"Post:1": "mail/send"}
    assert now["incidents"] == {"Post:1": "The mail server is away."}
    assert now["visits"] == {"Start": 1, "Ask": 1, "Send": 2, "Ask2": 5, "Post": 1}
    assert now.keys() == {"at", "tasks", "requests", "incidents", "visits"}


def test_a_place_that_is_not_moved_stays():
    moved = e.InstanceMigrated(1, 2, "hash", {"Ask": "Ask2"}, "", {"Ask:1": "Ask2:1"})
    now = after(moved, before=busy())
    assert now.at == ["Ask2:1", "Send:2"] and now.requests.keys() == now.incidents.keys() == {"Send:2"}
    other = after(e.InstanceMigrated(1, 2, "hash", {"Send": "Post"}, "", {"Send:2": "Post:1"}), before=busy())
    assert other.tasks.keys() == {"Ask:1"}


def test_visits_counted_before_a_move_stay_counted():
    before = InstanceState(visits={"A": 1, "B": 7}, at=["A:1"])
    moved = e.InstanceMigrated(1, 2, "hash", {"A": "B"}, "", {"A:1": "B:3"})
    assert after(moved, before=before).visits == {"A": 1, "B": 7}


# values


def test_a_place_names_element_and_visit():
    assert place("Ask", 2) == "Ask:2"


def test_folding_leaves_the_state_before_as_it_was():
    before = busy()
    kept = deepcopy(before)
    after(
        e.ElementEntered("New", 1, "f1"),
        e.UserTaskReleased("Ask", 1),
        e.DataChanged({"x": 1}, ["name"]),
        e.ServiceRequested("New", 1, "o", "v", {}),
        e.IncidentRaised("New", 1, "c", "r"),
        e.TimerStarted("New", 1, WAITED),
        e.ItemGiven("New", 1, {}),
        e.InstanceCancelled("Over."),
        before=before,
    )
    assert before == kept


def test_a_fold_carries_over_all_that_no_event_touches():
    before = busy()
    before.outcome, before.explanation = "Done", "Said."
    assert fold(before, ()) == before and fold(before, ()) is not before


def test_one_event_is_a_fold_of_one():
    assert apply(InstanceState(), e.ElementPassed("A", 1)) == fold(InstanceState(), [e.ElementPassed("A", 1)])


@pytest.mark.parametrize("state", [InstanceState(), busy(), InstanceState(outcome="End", explanation="x")])
def test_a_state_reads_back_from_its_record(state):
    assert InstanceState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_the_record_of_a_state_names_every_field_that_holds_something():
    record = busy().to_json()
    assert list(record) == list(InstanceState.__slots__)
    assert record["tasks"] == {"Ask:1": {"opened": e.to_json(opened()), "assignee": "alice"}}
    assert record["waits"].keys() == {"Late:1", "News:3"} and record["items"] == {"Ask:1": {"item": 7}}


def test_a_record_from_before_there_were_waits_reads():
    record = InstanceState(visits={"A": 1}).to_json()
    assert not record.keys() & {"waits", "armed", "items"}
    assert InstanceState.from_json(record).waits == {}
