"""Events as they are stored: the words of the log, what is left out of it, and that it reads back as it was."""

from __future__ import annotations

import json
from dataclasses import MISSING, FrozenInstanceError, fields
from typing import get_args

import pytest
from usher_engine.core import events as e
from usher_engine.core.errors import Corrupt
from usher_engine.core.event_versions import version_of

#: One event of each kind, every field filled with something that is not its default.
FULL = {
    "text": "text", "data": {"n": 1}, "set": {"n": 1}, "unset": ["m"], "answer": {"n": 1}, "payload": {"n": 1},
    "parameters": {"n": 1}, "details": {"n": 1}, "inputs": {"n": 1}, "outputs": {"n": 1}, "required": [{"n": 1}],
    "mapping": {"A": "B"}, "places": {"A:1": "B:1"}, "rules": ["r1"], "result": [1, None, False, ""],
    "cancel": True, "visit": 2, "version": 3, "from_version": 3, "to_version": 4, "attempt": 5, "priority": 70,
    "left": 6, "total": 7,
}  # fmt: skip

#: The defaults of the fields that have one, as the histories of released versions rely on them.
DEFAULTS = {
    "UserTaskAssigned": {"note": ""},
    "UserTaskDueSet": {"due": "", "day": "", "note": ""},
    "UserTaskPutOff": {"until": "", "note": ""},
    "InstanceStarted": {"business_key": ""},
    "ElementEntered": {"flow": ""},
    "ElementPassed": {"flow": ""},
    "UserTaskOpened": {
        "message": "", "form": "", "group": "", "due": "", "priority": 50, "cancel": False,
    },
    "ServiceCalled": {"result": None, "error": ""},
    "ServiceCompleted": {"result": None},
    "ServiceFailed": {"retry_at": ""},
    "DecisionMade": {"required": []},
    "TimerStarted": {"every": "", "left": None},
    "RepetitionStarted": {"total": None, "flow": ""},
    "InstanceFinished": {"explanation": ""},
    "InstanceMigrated": {"places": {}},
    "ServiceUndone": {"result": None},
    "InstanceRepaired": {"rules": 0, "parted": 0, "closed": [], "opened": []},
}  # fmt: skip


def full(kind):
    return kind(**{field.name: FULL.get(field.name, f"some {field.name}") for field in fields(kind)})


def least(kind):
    """One with nothing given that may be left out."""
    needed = (field for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING)
    return kind(**{field.name: FULL.get(field.name, f"some {field.name}") for field in needed})


every_kind = pytest.mark.parametrize("kind", e.KINDS.values(), ids=e.KINDS.keys())


def test_every_event_has_its_kind():
    assert set(e.KINDS.values()) == set(get_args(e.Event))
    assert all(name == kind.__name__ for name, kind in e.KINDS.items())


@every_kind
def test_an_event_reads_back_from_the_log(kind):
    for event in (full(kind), least(kind)):
        assert e.from_json(json.loads(json.dumps(e.to_json(event)))) == event


@every_kind
def test_the_log_contains_every_field_of_a_full_event(kind):
    event = full(kind)
    assert e.to_json(event) == {"kind": kind.__name__, **{f.name: getattr(event, f.name) for f in fields(kind)}}


@every_kind
def test_what_may_be_left_out_is_what_it_always_was(kind):
    event = least(kind)
    optional = [f for f in fields(kind) if f.default is not MISSING or f.default_factory is not MISSING]
    assert {f.name: getattr(event, f.name) for f in optional} == DEFAULTS.get(kind.__name__, {})


@every_kind
def test_an_event_cannot_be_altered(kind):
    event = full(kind)
    with pytest.raises(FrozenInstanceError):
        setattr(event, fields(kind)[0].name, "other")


def test_two_events_share_no_default():
    first, second = (e.DecisionMade("D", 1, "d", {}, [], {}) for _ in range(2))
    assert first.required is not second.required


# what is left out


def test_empty_text_null_and_false_are_left_out():
    assert e.to_json(e.UserTaskOpened("Ask", 1, "")) == {
        "kind": "UserTaskOpened", "element": "Ask", "visit": 1, "priority": 50,
    }  # fmt: skip
    assert e.to_json(e.ServiceCalled("S", 1, "o", "v", None)) == {
        "kind": "ServiceCalled", "element": "S", "visit": 1, "operator": "o", "variable": "v",
    }  # fmt: skip
    assert e.to_json(e.ServiceCompleted("S", 1, "v", False)) == e.to_json(e.ServiceCompleted("S", 1, "v", ""))


@pytest.mark.parametrize("value", [0, 0.0, [], {}, True, "0"])
def test_other_values_are_kept_however_little_they_are(value):
    event = e.ServiceCompleted("S", 1, "v", value)
    assert e.to_json(event)["result"] == value
    assert e.from_json(e.to_json(event)) == event


def test_a_zero_is_no_false():
    assert "left" in e.to_json(e.TimerStarted("T", 1, "2026-05-04T09:02:00+00:00", "PT1H", 0))
    assert e.to_json(e.IncidentResolved("A", 0)) == {"kind": "IncidentResolved", "element": "A", "visit": 0}


def test_text_that_may_be_empty_is_empty_where_the_log_has_none():
    assert e.from_json({"kind": "IncidentRaised", "element": "A", "visit": 1, "code": "Failed"}) == e.IncidentRaised(
        "A", 1, "Failed", ""
    )


#: What the log may lack although the event has no default: callers, operators and diagrams can leave it empty.
MAY_BE_EMPTY = {
    "FlowTaken": {"flow"}, "UserTaskClaimed": {"by"}, "ServiceRefused": {"code", "message"},
    "ServiceFailed": {"reason"}, "IncidentRaised": {"reason"}, "FactRecorded": {"name"},
    "InstanceFinished": {"outcome"},
}  # fmt: skip


@every_kind
def test_the_log_must_have_every_other_field(kind):
    needed = [field.name for field in fields(kind) if field.default is field.default_factory]
    for name in needed:
        record = e.to_json(least(kind))
        del record[name]
        if name in MAY_BE_EMPTY.get(kind.__name__, ()):
            assert getattr(e.from_json(record), name) == ""
        else:
            with pytest.raises(Corrupt, match=rf"^{kind.__name__} has no {name}\.$"):
                e.from_json(record)


def test_unknown_fields_in_the_log_are_ignored():
    record = {"kind": "TimerFired", "element": "T", "visit": 1, "later": "a field of another version"}
    assert e.from_json(record) == e.TimerFired("T", 1)


@pytest.mark.parametrize("kind", ["NeverHeardOf", "", None, 7, ["TimerFired"], "x" * 1000])
def test_an_unknown_kind_is_not_guessed(kind):
    with pytest.raises(Corrupt, match="no event of the kind") as refusal:
        e.from_json({"kind": kind})
    assert str(kind)[:60] in refusal.value.message and len(refusal.value.message) < 150


def test_an_event_without_a_kind_is_refused():
    with pytest.raises(Corrupt, match="no event of the kind"):
        e.from_json({"element": "T", "visit": 1})


# versions


@every_kind
def test_every_event_is_of_version_1_so_far_and_the_log_does_not_say_so(kind):
    assert version_of(kind) == 1
    assert "event_version" not in e.to_json(full(kind))


def test_the_log_contains_a_version_above_1(monkeypatch):
    monkeypatch.setattr(e.TimerFired, "event_version", 2)
    record = e.to_json(e.TimerFired("T", 1))
    assert record == {"kind": "TimerFired", "event_version": 2, "element": "T", "visit": 1}
    assert e.from_json(record) == e.TimerFired("T", 1)
    with pytest.raises(Corrupt, match=r"^TimerFired has version '1'; this version of Usher knows 2\.$"):
        e.from_json({"kind": "TimerFired", "element": "T", "visit": 1})


@pytest.mark.parametrize("version", [2, 0, None, "1", "x" * 1000])
def test_another_version_is_not_guessed(version):
    with pytest.raises(Corrupt, match=r"^InstanceStarted has version .*; this version of Usher knows 1\.$") as refusal:
        e.from_json({**e.to_json(full(e.InstanceStarted)), "event_version": version})
    assert len(refusal.value.message) < 120
