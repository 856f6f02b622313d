"""What the form editor can set is done or refused by name, never ignored; versions deployed before go on running."""

from __future__ import annotations

import json
from typing import Any

import pytest
from usher_engine.core.errors import InvalidDefinition
from usher_engine.forms import Form, deployed_form, parse_form
from usher_engine.forms.attributes import DONE

OPTIONS = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]
PLAIN: dict[str, dict[str, Any]] = {
    **{kind: {"key": "x", "label": "X"} for kind in ("textfield", "textarea", "number", "checkbox")},
    **{kind: {"key": "x", "label": "X", "values": OPTIONS} for kind in ("select", "radio")},
    "datetime": {"key": "x", "dateLabel": "X", "subtype": "date"},
    "text": {"text": "Hello"},
    "button": {"label": "Go"},
    "spacer": {},
    "separator": {},
}
#: What the properties panel of form-js's editor sets, and the rules and properties beside it.
SETTINGS: list[dict[str, Any]] = [
    {"action": "reset"},
    {"appearance": {"prefixAdorner": "$"}},
    {"appearance": {"suffixAdorner": "mg"}},
    {"conditional": {"hide": "=a"}},
    {"dateLabel": "Another day"},
    {"decimalDigits": 2},
    {"defaultValue": "a"},
    {"defaultValue": 3},
    {"defaultValue": True},
    {"description": "More"},
    {"disabled": True},
    {"disallowPassedDates": True},
    {"height": 60},
    {"increment": 5},
    {"label": "Another"},
    {"properties": {"autocomplete": "email"}},
    {"properties": {"earliest": "today"}},
    {"properties": {"latest": "2030-01-01"}},
    {"properties": {"patternHint": "Like this"}},
    {"properties": {"mine": "x"}},
    {"readonly": True},
    {"searchable": True},
    {"serializeToString": True},
    {"subtype": "time"},
    {"text": "Another"},
    {"timeInterval": 15},
    {"timeLabel": "At"},
    {"timeSerializingFormat": "utc_offset"},
    {"use24h": True},
    {"validate": {"max": 9}},
    {"validate": {"maxLength": 9}},
    {"validate": {"min": 1}},
    {"validate": {"minLength": 1}},
    {"validate": {"pattern": "[a-z]", "patternErrorMessage": "Letters"}},
    {"validate": {"required": True}},
    {"validate": {"validationType": "email"}},
    {"values": OPTIONS[:1]},
    {"valuesKey": "list"},
    {"valuesExpression": "=list"},
    {"verticalAlignment": "end"},
]
#: Looks only; the page lays out by itself and says so in the editor's help.
LOOKS = {("spacer", "height"), ("button", "label"), ("text", "label")}


def form(kind: str, more: dict[str, Any]) -> str:
    return json.dumps({"type": "default", "id": "f", "components": [{"type": kind, **PLAIN[kind], **more}]})


def parsed(kind: str, more: dict[str, Any]) -> Form | None:
    try:
        return parse_form(form(kind, more))
    except InvalidDefinition:
        return None


def test_every_supported_component_is_tried() -> None:
    assert PLAIN.keys() == DONE.keys()


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("setting", SETTINGS, ids=json.dumps)
def test_a_setting_is_done_or_refused(kind: str, setting: dict[str, Any]) -> None:
    plain, found = parsed(kind, {}), parsed(kind, setting)
    assert plain is not None
    assert found != plain or (kind, next(iter(setting))) in LOOKS


IMPOSSIBLE = {
    "no option": ("radio", {"defaultValue": "zz"}, "The default is no answer that the field takes"),
    "out of range": ("number", {"defaultValue": 12, "validate": {"max": 9}}, "must be at most 9"),
    "no number": ("number", {"defaultValue": "many"}, "must be a number"),
    "too many decimals": ("number", {"defaultValue": 1.25, "decimalDigits": 1}, "digits after the point"),
    "no tick": ("checkbox", {"defaultValue": "perhaps"}, "must be true or false"),
    "too long": ("textfield", {"defaultValue": "abcd", "validate": {"maxLength": 3}}, "at most 3 characters"),
    "no address": ("textfield", {"defaultValue": "x", "validate": {"validationType": "email"}}, "default is no answer"),
    "a number as text": ("textfield", {"defaultValue": 3}, "must be text"),
    "no day": ("datetime", {"defaultValue": "soon"}, "not a full date"),
    "least above most": ("number", {"validate": {"min": 9, "max": 1}}, "The minimum is above the maximum"),
    "shortest above longest": ("textarea", {"validate": {"minLength": 9, "maxLength": 1}}, "The minimum length"),
    "first after last": (
        "datetime",
        {"properties": {"earliest": "2030-01-01", "latest": "2020-01-01"}},
        "The earliest day is above the latest day",
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_no_answer_can_be_is_refused(name: str) -> None:
    kind, setting, words = IMPOSSIBLE[name]
    with pytest.raises(InvalidDefinition) as caught:
        parse_form(form(kind, setting))
    assert [key for key, _ in caught.value.problems] == ["x"]
    assert words in caught.value.problems[0][1]


IGNORED_BEFORE: list[tuple[str, dict[str, Any]]] = [
    ("datetime", {"disallowPassedDates": True}),
    ("number", {"appearance": {"suffixAdorner": "mg"}, "increment": 5}),
    *((kind, setting) for kind, setting, _ in IMPOSSIBLE.values()),
]


@pytest.mark.parametrize(("kind", "setting"), IGNORED_BEFORE)
def test_a_deployed_form_runs_as_before(kind: str, setting: dict[str, Any]) -> None:
    assert deployed_form(form(kind, setting)).fields[0].key == "x"


def test_the_advice_names_what_to_do_instead() -> None:
    with pytest.raises(InvalidDefinition) as caught:
        parse_form(form("datetime", {"disallowPassedDates": True}))
    [(_, reason)] = caught.value.problems
    assert reason.startswith("“disallowPassedDates” does nothing on a datetime. Set the custom property “earliest”")
