"""What an analyst may write in an expression, a template and a duration, and what the answers are."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import compile_expression, compile_template, parse_duration

NOW = datetime(2026, 11, 23, 13, 40, 5, 250_000, tzinfo=UTC)
CASE = {
    "patient": {
        "status": "Not Enrolled",
        "guard": None,
        "sends": 2,
        "fields": {"first_name": "Alice", "email": "", "zip_code": "01234"},
        "response": {"status": "Deferred", "until": "2026-12-01"},
    },
    "labels": ["e-mail", "ZIP code"],
    "numbers": [3, 1, 2],
    "age": 17,
    "empty": "",
    "list": "a name like a function",
}


def value(source, data=CASE, now=NOW):
    return compile_expression(source).evaluate(data, now)


def refusal(source, data=CASE):
    with pytest.raises(ExpressionError) as caught:
        value(source, data)
    return caught.value.message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('patient.status == "Not Enrolled" and not patient.guard', True),
        ('patient["fields"]["email"] or "none"', "none"),
        ('patient.response.status in ("Declined", "Deferred")', True),
        ("patient.response.until > today()", True),
        ("patient.guard is None", True),
        ("patient.guard is not None", False),
        ('"mobile" in patient.fields', False),
        ('patient.fields.get("mobile", "-")', "-"),
        ('patient.fields.get("mobile")', None),
        ("13 <= age < 18", True),
        ('"adult" if age >= 18 else "minor"', "minor"),
        ('f"{patient.fields.first_name} is {age}"', "Alice is 17"),
        ("[label.upper() for label in labels if label != 'e-mail']", ["ZIP CODE"]),
        ("{key: len(text) for key, text in patient.fields.items() if text}", {"first_name": 5, "zip_code": 5}),
        ("any(not text for text in patient.fields.values())", True),
        ("all(number < 3 for number in numbers)", False),
        ("sorted(numbers)[::-1]", [3, 2, 1]),
        ("sum(number * 2 for number in numbers)", 12),
        ("numbers[-1] + numbers[0]", 5),
        ("labels[1:]", ["ZIP code"]),
        ("min(numbers), max(4, 9)", [1, 9]),
        ("round(2 / 3, 2)", 0.67),
        ("7 // 2 + 7 % 4", 6),
        ("int('42') + int(3.9)", 45),
        ("float('2.5')", 2.5),
        ("str(age) + str(None) + str(True)", "17NoneTrue"),
        ("bool(empty)", False),
        ("abs(-3)", 3),
        ("range(3)", [0, 1, 2]),
        ("range(5, 1, -2)", [5, 3]),
        ("dict([['a', 1]])", {"a": 1}),
        ("list(patient.response)", ["status", "until"]),
        ("join(labels, ' and ')", "e-mail and ZIP code"),
        ("join(numbers)", "3, 1, 2"),
        ("'; '.join(labels)", "e-mail; ZIP code"),
        ("' a,b '.strip().split(',')", ["a", "b"]),
        ("'a-b'.replace('-', '+').title()", "A+B"),
        ("patient.status.lower().startswith('not')", True),
        ("patient.status.endswith('Enrolled')", True),
        ("today()", "2026-11-23"),
        ("now()", "2026-11-23T13:40:05Z"),
        ("date_text(patient.response.until)", "1 December 2026"),
        ("datetime_text('2026-05-03T11:12:00+02:00')", "3 May 2026, 09:12 UTC"),
        ("get('age')", 17),
        ("get('requested_by')", None),
        ("get('requested_by', 'nobody')", "nobody"),
        ("list", "a name like a function"),
        ("\n  age\n  + 1\n", 18),
        ("()", []),
    ],
)
def test_an_expression_has_the_value_an_analyst_expects(source, expected):
    answer = value(source)

    assert answer == expected
    assert type(answer) is type(expected)


def test_today_is_the_date_of_the_step_in_utc():
    late_in_new_york = datetime(2026, 11, 23, 22, tzinfo=timezone(-timedelta(hours=5)))

    assert value("today()", now=late_in_new_york) == "2026-11-24"


def test_an_expression_is_compiled_once_and_names_what_it_reads():
    expression = compile_expression("patient.status == wanted and [n for n in numbers] and get('maybe')")

    assert expression is compile_expression("patient.status == wanted and [n for n in numbers] and get('maybe')")
    assert expression.names == {"patient", "wanted", "numbers"}


def test_the_result_shares_nothing_with_the_data():
    data = {"record": {"list": [1]}}
    answer = value("record", data)
    answer["list"].append(2)

    assert data == {"record": {"list": [1]}}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("patient.emial", ["“patient”", "“emial”", ".get("]),
        ("patient.fields.mobile", ["“patient.fields”", "“mobile”"]),
        ("nobody", ["“nobody”", 'get("nobody")']),
        ("len", ["function", "len(…)"]),
        ("age.years", ["“age”", "a number", "“years”"]),
        ("frobnicate(1)", ["“frobnicate”", "There are", "today"]),
        ("labels.sort()", [".sort(", "There are"]),
        ("labels.append(1)", ["script"]),
        ("age.lower()", ["“age”", "a number", ".lower("]),
        ("age = 1", ["=="]),
        ("${age}", ["plainly"]),
        ("=age", ["plainly"]),
        ("", ["empty"]),
        ("   ", ["empty"]),
        ("age < 'x'", ["a number", "a text"]),
        ("'age: ' + age", ["str("]),
        ("1 / (age - 17)", ["zero"]),
        ("numbers[3]", ["shorter"]),
        ("numbers['a']", ["whole number"]),
        ("str(labels)", ["join"]),
        ("len(1, 2)", ["len", "1 value"]),
        ("round(1.5, digits=1)", ["position"]),
        ("sum(labels)", ["numbers"]),
        ("sorted([1, 'a'])", ["mixed"]),
        ("min([])", ["at least one"]),
        ("int('12a')", ["digits"]),
        ("date_text('tomorrow')", ["2026-05-03"]),
        ("date_text(patient.guard)", ["nothing"]),
        ("range(2000)", ["1000"]),
        ("{1: 2}", ["a text"]),
        ("{'typename': 1}", ["reserved"]),
        ("age is 17", ["“is”", "=="]),
    ],
)
def test_a_refusal_names_the_fault_and_the_fix(source, words):
    message = refusal(source)

    assert all(word in message for word in words), message


def test_a_refusal_never_contains_a_value_of_the_data():
    secret = {"ssn": "999-12-3456", "record": {"999-12-3456": "999-12-3456"}, "key": "999-12-3456"}
    for source in ("ssn.x", "ssn + 1", "ssn < 1", "int(ssn)", "date_text(ssn)", "record[key].y", "{}[key]", "ssn[99]"):
        assert "3456" not in refusal(source, secret)


def test_data_that_is_not_json_never_enters():
    class Host:
        def __eq__(self, other):
            raise AssertionError("a method of the host was called")

        __hash__ = None

    data = {"host": Host(), "inside": {"host": Host()}, "listed": [Host()], "moment": NOW, "pair": (1, 2), "set": {1}}
    for source in ("host", "host == 1", "inside.host", "listed[0]", "moment", "pair", "set", "str(host)", "inside"):
        assert "cannot be used" in refusal(source, data)
    for source in ("listed == [1]", "[x for x in listed]", "max(listed)", "inside.get('host')", "get('host')"):
        refusal(source, data)
    assert value("1 in listed", data) is False


def test_a_condition_on_64_fields_reads_only_what_it_needs():
    data = {f"field{number}": number for number in range(64)}

    assert value("field3 == 3 and field7 >= 7 and field60 != 1 and not field0", data) is True


# ---------------------------------------------------------------- templates


def render(text, data=CASE, **options):
    return compile_template(text).render(data, NOW, **options)


def test_a_template_fills_its_placeholders_and_leaves_the_rest_alone():
    text = "Dear {{ patient.fields.first_name }},\n{% x %} {y} }} ${z} {{patient.guard}}{{ age + 1 }}"

    assert render(text) == "Dear Alice,\n{% x %} {y} }} ${z} 18"


def test_only_inserted_values_are_escaped():
    assert render("<b>{{ '<i>' }}</b>", escape=lambda text: text.replace("<", "&lt;")) == "<b>&lt;i></b>"


def test_braces_between_quotes_do_not_end_a_placeholder():
    assert render("{{ '}}' }}{{ \"{{\" }}|{{ 'it' }}'s") == "}}{{|it's"


def test_a_template_names_what_it_reads():
    assert compile_template("{{ age }} {{ labels[0] }}").names == {"age", "labels"}


@pytest.mark.parametrize(
    "text", ["a\n\n{{ nobody }}", "{{ age }}\n\n{{ 1 +", "\n\n{{ import }}", "\n{{ age }}\n{{ labels }}"]
)
def test_a_bad_placeholder_is_reported_with_its_line(text):
    with pytest.raises(ExpressionError) as caught:
        render(text)

    assert caught.value.line == 3


# ---------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P2D", timedelta(days=2)),
        ("PT1H", timedelta(hours=1)),
        ("P1W", timedelta(weeks=1)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("PT0.5S", timedelta(milliseconds=500)),
        (" PT36H ", timedelta(hours=36)),
    ],
)
def test_a_duration_of_fixed_length(text, length):
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1H", "2D", "-P1D", "P1D2H", "pt1h", "PT1H30", "P9999999D", '"PT1H"', "PT١H"]
)
def test_an_invalid_duration_is_refused_with_an_example(text):
    with pytest.raises(ExpressionError, match="P2D"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["P1Y", "P1M", "P1Y2M", "P1Y2DT3H"])
def test_years_and_months_have_no_fixed_length(text):
    with pytest.raises(ExpressionError, match="no fixed length"):
        parse_duration(text)


def test_every_answer_can_be_stored():
    for source in ("patient", "[1.5, None, True]", "{'a': (1, 2)}"):
        assert json.loads(json.dumps(value(source), allow_nan=False)) == value(source)
