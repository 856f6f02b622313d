"""Forms: the form-js subset is read whole or refused by name; answers are checked as a front desk would."""

import json
from datetime import UTC, datetime

import pytest
from usher_engine.core.errors import InvalidDefinition, InvalidSubmission
from usher_engine.forms import parse_form

NOW = datetime(2026, 5, 3, 9, 12, tzinfo=UTC)


def form(*components):
    return parse_form(json.dumps({"type": "default", "id": "f", "components": list(components)}))


def field(kind="textfield", key="x", label="X", **more):
    name = {"dateLabel": label} if kind == "datetime" else {"label": label}
    return {"type": kind, "key": key, **name, **more}


def problems(*components):
    with pytest.raises(InvalidDefinition) as caught:
        form(*components)
    return caught.value.problems


def refusal(shape, **submission):
    with pytest.raises(InvalidSubmission) as caught:
        shape.validate(submission, today=NOW.date())
    return caught.value.fields


def test_title_texts_and_button():
    shape = form(
        {"type": "text", "text": "First this."},
        {"type": "text", "text": "# The title"},
        {"type": "button", "label": "Go", "action": "submit"},
    )
    assert (shape.title, shape.submit, shape.texts) == ("The title", "Go", ("First this.",))
    assert form(field()).submit == "Done"


@pytest.mark.parametrize(
    ("component", "kind"),
    [
        (field(), "text"),
        (field(validate={"validationType": "email"}), "email"),
        (field(validate={"validationType": "phone"}), "tel"),
        (field("textarea"), "textarea"),
        (field("number"), "number"),
        (field("datetime", subtype="date"), "date"),
        (field("select", values=[{"value": "a", "label": "A"}]), "select"),
        (field("radio", values=[{"value": "a", "label": "A"}]), "radio"),
        (field("checkbox"), "checkbox"),
    ],
)
def test_kinds(component, kind):
    assert [f.kind for f in form(component).fields] == [kind]


def test_values_come_back_typed_and_trimmed():
    shape = form(
        field(key="text"),
        field("number", key="count"),
        field("checkbox", key="yes"),
        field("datetime", key="day"),
        field(key="empty"),
        field("number", key="nothing"),
    )
    submission = {"text": "  a b ", "count": "12", "yes": "on", "day": "2026-02-28"}
    assert shape.validate(submission, today=NOW.date()) == {
        "text": "a b",
        "count": 12,
        "yes": True,
        "day": "2026-02-28",
        "empty": "",
        "nothing": None,
    }


def test_every_wrong_field_is_named_at_once_in_form_order():
    shape = form(field(key="b", validate={"required": True}), field("datetime", key="a"))
    wrong = refusal(shape, a="2026-02-30", extra="1", b="   ")
    assert list(wrong) == ["b", "a", "extra"]
    assert wrong["b"] == "Please fill this in."
    assert wrong["extra"] == "This form has no such field."


def test_messages_contain_no_values():
    shape = form(field(key="mail", validate={"validationType": "email"}), field("datetime", key="day"))
    with pytest.raises(InvalidSubmission) as caught:
        shape.validate({"mail": "secret at home", "day": "4th of May"}, today=NOW.date())
    assert "secret" not in f"{caught.value} {caught.value.fields}"
    assert "4th" not in f"{caught.value} {caught.value.fields}"


@pytest.mark.parametrize(
    "value", ["a@b", "a b@example.com", "a@example.com,b@example.com", "Ann <a@example.com>", "@", 5]
)
def test_not_an_email(value):
    assert "mail" in refusal(form(field(key="mail", validate={"validationType": "email"})), mail=value)


@pytest.mark.parametrize(
    "value", ["1981", "1981-5-4", "04/05/1981", "1981-02-30", "2026-05-04", "1879-12-31", 19810504]
)
def test_not_a_birth_date(value):
    shape = form(field("datetime", key="day", properties={"earliest": "1880-01-01", "latest": "today"}))
    assert "day" in refusal(shape, day=value)


@pytest.mark.parametrize("value", ["abc", "1e5", "0x1", True, "nan", float("inf"), [], "9" * 40, 11, 0.5, "1.25"])
def test_not_a_number_from_one_to_ten(value):
    shape = form(field("number", key="n", decimalDigits=0, validate={"min": 1, "max": 10}))
    assert "n" in refusal(shape, n=value)


def test_lengths_patterns_and_their_hint():
    rules = {"pattern": r"^\d{5}(-\d{4})?$", "minLength": 5, "maxLength": 10}
    shape = form(field(validate=rules, properties={"patternHint": "Five digits."}))
    assert refusal(shape, x="1234a") == {"x": "Five digits."}
    assert refusal(shape, x="1234") == {"x": "This needs at least 5 characters."}
    assert shape.validate({"x": "62704-1234"}, today=NOW.date()) == {"x": "62704-1234"}
    assert refusal(shape, x="١٢٣٤٥") == {"x": "Five digits."}


def test_only_options_are_accepted():
    shape = form(field("select", values=[{"value": "F", "label": "Female"}, {"value": "M", "label": "Male"}]))
    assert refusal(shape, x="Female") == {"x": "Please choose one of: Female, Male."}


def test_control_characters_are_refused_and_lines_only_in_text_areas():
    assert "x" in refusal(form(field()), x="a\x00b")
    assert "x" in refusal(form(field()), x="a\nb")
    assert form(field("textarea")).validate({"x": "a\r\nb"}, today=NOW.date()) == {"x": "a\nb"}


def test_a_required_checkbox_must_be_ticked():
    shape = form(field("checkbox", validate={"required": True}))
    assert refusal(shape) == {"x": "Please tick this box."}
    assert shape.validate({"x": True}, today=NOW.date()) == {"x": True}


def test_missing_are_the_required_fields_that_are_empty_or_unfit():
    shape = form(
        field(key="a", validate={"required": True}),
        field("datetime", key="b", validate={"required": True}),
        field(key="c", validate={"required": True}),
        field(key="d"),
    )
    assert [f.key for f in shape.missing({"a": "", "b": "1981", "c": "there"}, today=NOW.date())] == ["a", "b"]


@pytest.mark.parametrize(
    ("component", "part"),
    [
        ({"type": "iframe", "id": "i"}, "iframe"),
        ({"type": "dynamiclist", "id": "i"}, "dynamiclist"),
        (field(conditional={"hide": "=x"}), "conditional.hide"),
        (field(label="=x"), "Computed"),
        ({"type": "text", "text": "Hello {{ name }}"}, "Computed"),
        (field("select", valuesKey="y", values=[{"value": "a"}]), "valuesKey"),
        (field("datetime", subtype="time"), "Only dates"),
        (field(key="typename"), "reserved"),
        (field(key="__class__"), "reserved"),
        (field(key="a.b"), "letter"),
        (field(key=""), "no key"),
        (field(label=""), "no label"),
        (field("select"), "needs options"),
        (field("radio", values=[{"value": "a"}, {"value": "a"}]), "same value"),
        (field(validate={"required": "yes"}), "true or false"),
        (field(validate={"later": 1}), "later"),
        (field(validate={"minLength": "many"}), "must be a number"),
        (field(validate=[1]), "validate"),
        ({"type": ["text"], "id": "i"}, "is not supported. Supported are"),
        (field(properties={"onclick": "x"}), "onclick"),
        (field(readonly=True), "readonly"),
        ({"type": "button", "action": "reset", "id": "b"}, "only submit"),
    ],
)
def test_components_outside_the_subset_are_refused_by_name(component, part):
    assert any(part in reason for _, reason in problems(component))


def test_all_problems_are_reported_at_once():
    found = problems(field(key="typename"), {"type": "iframe", "id": "frame"}, field(key="a"), field(key="a"))
    assert [name for name, _ in found] == ["typename", "a", "frame"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON"),
        ("[]", "a JSON object with a list of components"),
        ("{}", "a JSON object with a list of components"),
        ('{"components": 1}', "a JSON object with a list of components"),
        ('{"components": [1]}', "component 1: A component is a JSON object"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_text_that_is_not_a_form(text, reason):
    with pytest.raises(InvalidDefinition, match=reason):
        parse_form(text)


NOTHING_TO_SEE = ["\u200b", "\u2060\ufeff", "\u00a0 \u00ad", "\u200e\u200f", "\u200c\u200d", "\u2800"]


@pytest.mark.parametrize("value", NOTHING_TO_SEE)
@pytest.mark.parametrize(
    "component",
    [
        field(validate={"required": True}),
        field("textarea", validate={"required": True}),
        field("number", validate={"required": True}),
        field("datetime", validate={"required": True}),
        field("select", values=[{"value": "a", "label": "A"}], validate={"required": True}),
        field(validate={"required": True, "validationType": "email"}),
        field(validate={"required": True, "validationType": "phone"}),
    ],
)
def test_what_nobody_sees_fills_no_required_field(component, value):
    shape = form(component)
    assert list(refusal(shape, x=value)) == ["x"]
    assert [f.key for f in shape.missing({"x": value}, today=NOW.date())] == ["x"]


def test_words_keep_the_joiners_they_need():
    for word in ("می\u200cخواهم", "👩\u200d👧", "❤\ufe0f"):
        assert form(field()).validate({"x": f"\ufeff{word}\u00a0"}, today=NOW.date()) == {"x": word}


def test_numbers_dates_and_phone_numbers_may_bring_invisible_marks_along():
    shape = form(
        field("number", key="n"), field("datetime", key="d"), field(key="p", validate={"validationType": "phone"})
    )
    sent = {"n": "\u200e12", "d": "2026-05-\u200b03", "p": "\u202a+1\u00a0555\u2009010 0\u202c"}
    assert shape.validate(sent, today=NOW.date()) == {"n": 12, "d": "2026-05-03", "p": "+1 555 010 0"}


def test_an_email_address_is_stored_in_its_normal_form():
    shape = form(field(validate={"validationType": "email"}))
    for typed in (" Ada@BÜCHER.example.org\u200b", "Ada@xn--bcher-kva.example.org", "Ada@bu\u0308cher.example.org"):
        assert shape.validate({"x": typed}, today=NOW.date()) == {"x": "Ada@bücher.example.org"}


def test_an_email_address_many_servers_refuse_is_refused_in_plain_words():
    (reason,) = refusal(form(field(validate={"validationType": "email"})), x="jürgen@example.org").values()
    assert "before the @" in reason
    assert "jürgen" not in reason
