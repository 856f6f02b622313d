"""Which call of a process each visit belongs to: told from the events, compared with where the engine really was."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from called_packages import CONTACT, LETTER, NESTED, Step, ask, call, chain, package
from playing import flow, node, process, scope, sketch, step, tasks
from usher_engine import Step as StoredStep
from usher_engine.bpmn import Run, compile_diagram
from usher_engine.bpmn.event_recorder import Listener
from usher_engine.cases.call_history import KEPT, CallHistory, follow_calls
from usher_engine.cases.call_plan import call_plan
from usher_engine.core.events import InstanceFinished, InstanceStarted, to_json
from usher_engine.definitions import Package

PEOPLE = {"people": [1, 2, 3]}


def stored(revision, *events):
    return StoredStep(instance="I", revision=revision, body={"events": list(events)}, previous=b"", hash=b"")


class Witness:
    """Plays a package, and notes for each visit in which call the engine entered it."""

    def __init__(self, files, monkeypatch):
        self.files, self.diagram, self.plan = files, compile_diagram(files), call_plan(files)
        self.truth = {}
        self.history = CallHistory()
        self.revision = 0
        entered = Listener._enter

        def enter(listener, task, element, state):
            before = task.visit
            entered(listener, task, element, state)
            if task.visit != before:
                self.truth[element.id, task.visit] = self.around(listener, task)

        monkeypatch.setattr(Listener, "_enter", enter)

    def around(self, listener, task):
        host = listener._host(task)
        while host is not None and self.diagram.elements[host.task_spec.bpmn_id].tag != "callActivity":
            host = listener._host(host)
        return f"{host.task_spec.bpmn_id}:{host.visit}" if host is not None else ""

    def play(self, choose, data=None, at_most=60):
        started = InstanceStarted(process=self.files.key, version=1, definition=self.files.hash, data={})
        run = Run.start(self.diagram, step(), dict(data or {}))
        self.note(run, [to_json(started)])
        while run.after.tasks and at_most:
            element, _, visit = choose(list(run.after.tasks)).rpartition(":")
            kept, state, at_most = run.dump(), run.after, at_most - 1
            run = Run.resume(self.diagram, step(), kept, state)
            run.complete(element, int(visit), {})
            self.note(run)
        return run.after

    def note(self, run, first=()):
        self.revision += 1
        happened = stored(self.revision, *first, *map(to_json, run.events))
        self.history = follow_calls(self.history, happened, lambda _: self.plan)
        for place in run.after.at:
            element, _, visit = place.rpartition(":")
            assert self.history.within(place) == self.truth[element, int(visit)], place

    def counted(self):
        """For each call, how often it entered each element, as the engine did it."""
        found = {}
        for (element, _), within in self.truth.items():
            if within:
                found.setdefault(within, Counter())[element] += 1
        return found

    def told(self):
        return {place: Counter(one.visits) for place, one in self.history.calls.items()}


def first(open_tasks):
    return open_tasks[0]


def test_a_process_called_from_two_places_is_told_apart(monkeypatch):
    case = Witness(NESTED, monkeypatch)
    assert not case.play(first).tasks
    assert case.told() == case.counted()
    calls = case.history.calls
    assert {place: one.parent for place, one in calls.items()} == {
        "First:1": "", "Post:1": "First:1", "Second:1": "", "Post:2": "Second:1",
    }  # fmt: skip
    assert (calls["First:1"].first, calls["First:1"].last) == (1, 3)
    assert (calls["Post:2"].process, calls["Post:2"].first, calls["Post:2"].last) == ("letter", 5, 6)
    assert calls["First:1"].flows == {"contact_1": 1, "contact_2": 1, "contact_3": 1}


@pytest.mark.parametrize("at_once", [True, False])
def test_calls_of_one_process_at_the_same_time_are_told_apart(monkeypatch, at_once):
    main = chain("main", call("Each", "contact", each="people", at_once=at_once))
    files = package(a=CONTACT, m=main, z=LETTER)
    case = Witness(files, monkeypatch)
    assert not case.play(lambda open_tasks: open_tasks[-1], PEOPLE).tasks
    assert case.told() == case.counted()
    assert sorted(case.told()) == ["Each:1", "Each:2", "Each:3", "Post:1", "Post:2", "Post:3"]


def test_a_call_in_a_subprocess_belongs_to_the_process_around_it(monkeypatch):
    main = chain("main", Step("Around", "Around", inner=(call("Inner", "contact"), ask("After"))))
    case = Witness(package(z=CONTACT, m=main, a=LETTER), monkeypatch)
    assert not case.play(first).tasks
    assert case.told() == case.counted()
    assert case.history.calls["Inner:1"].parent == ""


@pytest.mark.parametrize("seed", range(40))
def test_any_order_of_answers_is_told_as_the_engine_went(monkeypatch, seed):
    choose = random.Random(seed)
    case = Witness(_random_package(choose), monkeypatch)
    case.play(choose.choice, PEOPLE)
    assert case.told() == case.counted()


#: Called processes whose tokens fork, join, go round and choose; by what each has in it.
SHAPES = {
    "fork and join": sketch("S>Fork Fork>A Fork>B Fork>C A>Join B>Join C>Join Join>Z Z>E"),
    "two forks": sketch("S>Fork Fork>A Fork>B A>Fork2 Fork2>C Fork2>D C>Join D>Join B>Join Join>E"),
    "a choice by turns": sketch(
        "S>A A>Or Or>B B>E C>E", node("exclusiveGateway", "Or", default="Or-B"), tasks("B", "C"),
        flow("Or", "C", "one == 2"),
    ),
    "some of three": sketch(
        "S>Some Some>A A>Z B>Z C>Z Z>Y Y>E", node("inclusiveGateway", "Some", default="Some-A"), tasks("B", "C"),
        node("inclusiveGateway", "Z"), flow("Some", "B", "one &gt;= 2"), flow("Some", "C", "one == 3"),
    ),
    "a sub-process": sketch("S>A A>In In>Z Z>E", scope("In", sketch("S2>B B>C C>E2"))),
    "ends in two places": sketch("S>Fork Fork>A Fork>B A>E B>E2"),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("shape", SHAPES)
def test_tokens_of_calls_that_run_at_once_do_not_mix(monkeypatch, shape, seed):
    called = process(SHAPES[shape]).files["p.bpmn"]
    main = chain("main", call("Each", "p", each="people", at_once=seed > 0), call("Again", "p"))
    case, choose = Witness(Package({"m.bpmn": main, "p.bpmn": called}), monkeypatch), random.Random(seed)
    assert not case.play(choose.choice, PEOPLE | {"one": 3}, at_most=99).tasks
    assert case.told() == case.counted()
    assert len(case.told()) == 4


def _random_package(choose):
    """Three levels of processes, calls and sub-processes repeated or not, each process called from several places."""

    def steps(level, scope, deep=True):
        for number in range(choose.randint(1, 3)):
            key = f"{scope}_s{number}"
            each = choose.choice(("", "", "people"))
            kinds = ["ask", *(["call", "call"] if level < 2 else []), *(["around"] if deep else [])]
            match choose.choice(kinds):
                case "ask":
                    yield ask(key)
                case "call":
                    called = choose.choice([f"p{n}" for n in range(level + 1, 3)])
                    yield call(key, called, each=each, at_once=choose.random() < 0.6)
                case _:
                    at_once = choose.random() < 0.6
                    yield Step(key, key, each=each, at_once=at_once, inner=tuple(steps(level, key, deep=False)))

    written = {f"p{level}": list(steps(level, f"p{level}")) for level in range(3)}
    for level in (0, 1):  # every process is called, so that the first is the main one
        written[f"p{level}"].append(call(f"p{level}_last", f"p{level + 1}"))
    return package(**{f"{9 - int(key[1])}": chain(key, *inner) for key, inner in written.items()})


def test_ended_calls_are_kept_up_to_a_number_and_running_ones_all():
    plan, history = call_plan(NESTED), CallHistory(definition="x")

    def entered(kind, visit):
        return stored(visit, {"kind": kind, "element": "First", "visit": visit})

    for visit in range(1, 3 * KEPT):
        history = follow_calls(history, entered("ElementPassed", visit), lambda _: plan)
    assert len(history.calls) == KEPT
    for visit in range(3 * KEPT, 5 * KEPT):
        history = follow_calls(history, entered("ElementEntered", visit), lambda _: plan)
    assert len(history.calls) == 3 * KEPT
    history = follow_calls(history, stored(999, to_json(InstanceFinished("End"))), lambda _: plan)
    assert (len(history.calls), history.tokens, history.unstarted) == (KEPT, (), {})


def test_a_migrated_case_goes_on_in_the_same_call():
    places = {"First:1": "Begin:1", "Phone:1": "Ring:1"}
    names = {b"First": b"Begin", b"Phone": b"Ring"}
    files = dict(NESTED.files)
    for old, new in names.items():
        files = {path: content.replace(old, new) for path, content in files.items()}
    plans = {"old": call_plan(NESTED), "new": call_plan(Package(files))}
    steps = [
        stored(
            1,
            {"kind": "InstanceStarted", "definition": "old"},
            {"kind": "ElementEntered", "element": "First", "visit": 1},
            {"kind": "ElementEntered", "element": "Phone", "visit": 1, "flow": "contact_1"},
        ),
        stored(2, {"kind": "InstanceMigrated", "definition": "new", "places": places}),
        stored(
            3,
            {"kind": "ElementCompleted", "element": "Ring", "visit": 1},
            {"kind": "ElementEntered", "element": "Post", "visit": 1, "flow": "contact_2"},
        ),
    ]
    history = CallHistory()
    for one in steps:
        history = follow_calls(history, one, plans.__getitem__)
    assert history.definition == "new"
    assert (history.calls["Post:1"].parent, history.within("Post:1")) == ("Begin:1", "Begin:1")
    assert history.calls["Begin:1"].flows == {"contact_1": 1, "contact_2": 1}


def test_a_package_without_calls_is_followed_by_its_definition_alone():
    plan = call_plan(package(m=chain("main", ask("Ask"))))
    assert plan.owners == {}
    begun = follow_calls(CallHistory(), stored(1, {"kind": "InstanceStarted", "definition": "d"}), lambda _: plan)
    assert begun == CallHistory(definition="d")
    assert follow_calls(begun, stored(2), lambda _: plan) is begun
