"""Starts by people: only those the process names, by its start form, once for the same words."""

import threading

import pytest
from conftest import alice, bob, charlie, package
from usher_engine import SYSTEM, Actor, Engine
from usher_engine.cases.starts import first_work
from usher_engine.core.errors import InvalidSubmission, NotFound, Paused
from usher_engine.definitions import Package
from usher_engine.examples import run_examples

ana = Actor(name="ana", role="analyst")
audrey = Actor(name="audrey", role="auditor")
adam = Actor(name="adam", role="admin")
WORDS = {"room": " Room 4 ", "day": "2026-06-01", "people": "3"}


@pytest.fixture
def booking(engine: Engine) -> Engine:
    engine.deploy(package("room_booking"), actor=SYSTEM)
    return engine


def test_only_the_named_groups_and_roles_are_offered_a_process(booking):
    offered = {who.name: [o.version.process for o in booking.starts.offers(who)] for who in (alice, charlie, ana, adam)}
    assert offered == {"alice": ["room_booking"], "charlie": [], "ana": ["room_booking"], "adam": []}
    offer = booking.starts.offer("room_booking", alice)
    assert (offer.version.name, offer.about) == ("Room booking", "A room for a visit or a meeting")
    assert offer.follows == (("Confirm the room", "Front desk"),)
    assert [field.key for field in offer.form.fields] == ["room", "day", "people", "reason"]


@pytest.mark.parametrize("who", [charlie, adam, audrey, Actor(name="eve", role="auditor", groups=alice.groups)])
def test_nobody_else_starts_one(booking, who):
    with pytest.raises(NotFound):
        booking.starts.begin("room_booking", WORDS, actor=who)
    with pytest.raises(NotFound):
        booking.starts.offer("room_booking", who)
    assert booking.queries.instances() == []


def test_a_process_that_names_nobody_is_started_by_no_person(engine):
    engine.deploy(package("parallel"), actor=SYSTEM)
    assert engine.starts.offers(alice) == []
    with pytest.raises(NotFound):
        engine.starts.begin("parallel", {}, actor=alice)


def test_the_fields_of_the_start_form_are_the_first_data_and_name_the_case(booking):
    begun = booking.starts.begin("room_booking", WORDS, actor=alice)
    assert not begun.before
    assert begun.instance.business_key == "Room 4"
    first = booking.queries.history(begun.instance.id)[0]
    assert first.events[0]["data"] == {"room": "Room 4", "day": "2026-06-01", "people": 3, "reason": ""}
    assert begun.instance.tasks[0].message == "Room 4 is asked for on 2026-06-01, for 3 people."
    assert booking.verify(begun.instance.id) == []


def test_running_cases_are_counted_by_process(booking, outside):
    assert booking.queries.live_counts() == {}
    first, other = (booking.starts.begin("room_booking", {**WORDS, "room": room}, actor=alice) for room in "45")
    booking.deploy(package("small"), actor=SYSTEM)
    outside.fail(retry=False)
    booking.start("small", {"q": 1}, actor=SYSTEM)
    assert booking.queries.live_counts() == {"room_booking": (2, 0), "small": (1, 1)}
    booking.complete(first.instance.tasks[0].id, {}, actor=alice)
    booking.cases.cancel(other.instance.id, "by mistake", actor=alice)
    assert booking.queries.live_counts() == {"small": (1, 1)}


def test_wrong_fields_are_named_in_form_order_and_nothing_is_started(booking):
    with pytest.raises(InvalidSubmission) as refused:
        booking.starts.begin("room_booking", {"people": "many", "colour": "red"}, actor=alice)
    assert list(refused.value.fields) == ["room", "day", "people", "colour"]
    assert booking.queries.instances() == []


@pytest.mark.parametrize("data", [{}, {"room": 5, "day": "2026-06-01"}, {**WORDS, "more": 1}])
def test_programs_that_start_it_are_held_to_the_form_too(booking, data):
    with pytest.raises(InvalidSubmission):
        booking.start("room_booking", data, actor=SYSTEM)
    assert booking.queries.instances() == []


def test_a_trigger_may_send_more_than_the_form_asks_for(booking):
    sent = {**WORDS, "patient_id": "p1"}
    instance = booking.starts.start("room_booking", sent, actor=SYSTEM, business_key="p1", keeps_others=True)
    data = booking.queries.history(instance.id)[0].events[0]["data"]
    assert (data["room"], data["patient_id"], instance.business_key) == ("Room 4", "p1", "p1")


def test_the_same_words_within_ten_minutes_lead_to_the_first_case(booking, clock):
    first = booking.starts.begin("room_booking", WORDS, actor=alice, key="1", source="web:alice")
    clock.forward(minutes=9)
    twice = booking.starts.begin("room_booking", WORDS, actor=alice, key="2", source="web:alice")
    assert (twice.instance.id, twice.before) == (first.instance.id, True)
    assert not booking.starts.begin("room_booking", WORDS, actor=bob).before
    assert not booking.starts.begin("room_booking", {**WORDS, "people": "4"}, actor=alice).before
    clock.forward(minutes=2)
    assert not booking.starts.begin("room_booking", WORDS, actor=alice, key="3", source="web:alice").before
    assert len(booking.queries.instances()) == 4


def test_another_one_with_the_same_words_is_started_when_asked_for(booking, clock):
    first = booking.starts.begin("room_booking", WORDS, actor=alice)
    clock.forward(minutes=1)
    other = booking.starts.begin("room_booking", WORDS, actor=alice, again=True)
    assert not other.before and other.instance.id != first.instance.id
    clock.forward(minutes=1)
    assert booking.starts.begin("room_booking", WORDS, actor=alice).instance.id == other.instance.id


def test_a_cancelled_case_does_not_stand_in_the_way(booking):
    first = booking.starts.begin("room_booking", WORDS, actor=alice)
    booking.cases.cancel(first.instance.id, "by mistake", actor=alice)
    assert not booking.starts.begin("room_booking", WORDS, actor=alice).before


def test_one_page_starts_one_case_however_late_it_is_sent_again(booking, clock):
    sent = {"actor": alice, "key": "page", "source": "web:alice"}
    first = booking.starts.begin("room_booking", WORDS, **sent)
    clock.forward(hours=3)
    again = booking.starts.begin("room_booking", WORDS, **sent)
    assert (again.instance.id, again.before) == (first.instance.id, False)


def test_two_presses_at_once_start_one_case(booking):
    found = []

    def press(number):
        found.append(booking.starts.begin("room_booking", WORDS, actor=alice, key=f"{number}", source="web:alice"))

    presses = [threading.Thread(target=press, args=(number,)) for number in range(4)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert len({begun.instance.id for begun in found}) == 1 == len(booking.queries.instances())
    assert sorted(begun.before for begun in found) == [False, True, True, True]


def test_without_a_form_a_start_is_a_button(engine):
    plain = package("room_booking")
    diagram = plain.text("room_booking.bpmn").replace("{{ room }} is asked for on {{ day }}, for {{ people }}", "Some")
    for name, value in (("form", "ask.form"), ("businessKey", "room")):
        diagram = diagram.replace(f'<spiffworkflow:property name="{name}" value="{value}"/>', "")
    engine.deploy(Package({"room_booking.bpmn": diagram.encode()}), actor=SYSTEM)
    assert engine.starts.offer("room_booking", alice).form is None
    with pytest.raises(InvalidSubmission, match="no start form"):
        engine.starts.begin("room_booking", {"room": "1"}, actor=alice)
    assert engine.starts.begin("room_booking", {}, actor=alice).instance.tasks


def test_a_paused_process_is_offered_as_paused_and_starts_nothing(booking):
    booking.pauses.pause("room_booking", "The rooms are being painted.", actor=adam)
    assert booking.starts.offer("room_booking", alice).paused.reason == "The rooms are being painted."
    with pytest.raises(Paused):
        booking.starts.begin("room_booking", WORDS, actor=alice)
    with pytest.raises(NotFound):
        booking.starts.begin("room_booking", WORDS, actor=charlie)


def test_what_cannot_name_the_case_is_refused(engine):
    plain = package("room_booking")
    diagram = plain.text("room_booking.bpmn").replace('value="room"', 'value="room / 2"')
    engine.deploy(Package({**plain.files, "room_booking.bpmn": diagram.encode()}), actor=SYSTEM)
    with pytest.raises(InvalidSubmission, match="What the case is about"):
        engine.starts.begin("room_booking", WORDS, actor=alice)
    assert engine.queries.instances() == []


def test_an_example_is_held_to_the_start_form(services):
    plain = package("room_booking")
    example = plain.text("examples/booked.json")
    for words, problem in (('"room": "Room 4", ', "Room"), ('"day": "2026-06-01", ', "Day")):
        files = {**plain.files, "examples/booked.json": example.replace(words, "").encode()}
        [outcome] = run_examples(Package(files), services).outcomes
        assert problem in outcome.problem
    assert not run_examples(plain, services).outcomes[0].problem


@pytest.mark.parametrize(
    ("name", "first"),
    [("small", [("Do it", "Front desk")]), ("calls", None), ("parallel", None), ("links", None), ("loop", None)],
)
def test_what_follows_is_the_first_work_of_any_diagram(engine, name, first):
    engine.deploy(package(name), actor=SYSTEM)
    found = first_work(engine.versions.diagram(package(name).key))
    assert all(title for title, _ in found)
    assert first is None or list(found) == first
