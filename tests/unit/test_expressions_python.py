"""Where an expression has a value, it is the one Python has; where Python fails, the expression is refused."""

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import compile_expression, compile_script

NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
DATA = {"a": 7, "b": -3, "c": 2.5, "s": "Ada Byron", "e": "", "l": [3, 1, 2], "w": ["x", "yy"], "r": {"k": 1, "m": "v"}}
ALLOWED = {
    f.__name__: f for f in (len, str, int, float, bool, round, min, max, sum, sorted, any, all, abs, list, dict, range)
}

LIMIT = object()

names = {"number": ["a", "b", "c"], "text": ["s", "e"], "list": ["l"], "truth": ["a", "e", "l"]}
integers = st.integers(0, 99).map(str)
quoted = st.text(string.ascii_letters + " ,-", max_size=5).map(repr)


def made(template, **parts):
    return st.builds(template.format, **parts)


def numbers(deeper):
    number, text, numbers_list, truth = deeper["number"], deeper["text"], deeper["list"], deeper["truth"]
    signs = st.sampled_from(["+", "-", "*", "/", "//", "%"])
    return st.one_of(
        made("({x} {sign} {y})", x=number, y=number, sign=signs),
        made("(-{x})", x=number),
        made("abs({x})", x=number),
        made("round({x}, 2)", x=number),
        made("int({x})", x=number),
        made("len({x})", x=st.one_of(text, numbers_list)),
        made("sum({x})", x=numbers_list),
        made("max({x}, {y})", x=number, y=number),
        made("min({x})", x=numbers_list),
        made("({x} if {t} else {y})", x=number, y=number, t=truth),
        made("{x}[{i}]", x=numbers_list, i=integers),
        made("r.get('k', {x})", x=number),
    )


def texts(deeper):
    number, text, truth = deeper["number"], deeper["text"], deeper["truth"]
    return st.one_of(
        made("({x} + {y})", x=text, y=text),
        made("str({x})", x=st.one_of(number, text, truth)),
        made("{x}.upper()", x=text),
        made("{x}.replace({y}, {z})", x=text, y=text, z=text),
        made("{x}.strip()", x=text),
        made("{x}[{i}:]", x=text, i=st.integers(-4, 4).map(str)),
        made("{x}[::-1]", x=text),
        made("{x}.join({y})", x=text, y=st.just("w")),
        made("({x} or {y})", x=text, y=text),
        made("{x}[{i}]", x=text, i=integers),
    )


def lists(deeper):
    number, truth = deeper["number"], deeper["truth"]
    return st.one_of(
        made("[{x}, {y}]", x=number, y=number),
        made("sorted({x})", x=deeper["list"]),
        made("({x} + {y})", x=deeper["list"], y=deeper["list"]),
        made("[n + 1 for n in l if {t}]", t=truth),
        made("[{x} for n in range(3)]", x=number),
        made("{x}[{i}:{j}]", x=deeper["list"], i=st.integers(-3, 3).map(str), j=st.integers(-3, 3).map(str)),
    )


def truths(deeper):
    number, text, truth = deeper["number"], deeper["text"], deeper["truth"]
    orders = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    return st.one_of(
        made("({x} {o} {y})", x=number, y=number, o=orders),
        made("({x} {o} {y})", x=text, y=text, o=orders),
        made("({x} < {y} <= {z})", x=number, y=number, z=number),
        made("({x} and {y})", x=truth, y=truth),
        made("({x} or {y})", x=truth, y=truth),
        made("(not {x})", x=truth),
        made("({x} in {y})", x=text, y=text),
        made("({x} not in {y})", x=number, y=deeper["list"]),
        made("any(n > {x} for n in l)", x=number),
        made("all(n > {x} for n in l)", x=number),
        made("({x} is None)", x=text),
        made("({x} == {y})", x=text, y=number),
    )


def levels(count):
    """Strategies for each kind of value, *count* levels deep."""
    made_so_far = {
        "number": st.one_of(st.sampled_from(names["number"]), integers, st.just("r['k']")),
        "text": st.one_of(st.sampled_from(names["text"]), quoted),
        "list": st.sampled_from(names["list"]),
        "truth": st.one_of(st.sampled_from(names["truth"]), st.sampled_from(["True", "False"])),
    }
    for _ in range(count):
        deeper = made_so_far
        made_so_far = {
            kind: st.one_of(deeper[kind], grow(deeper))
            for kind, grow in {"number": numbers, "text": texts, "list": lists, "truth": truths}.items()
        }
    return st.one_of(*made_so_far.values())


def value_or_limit(source):
    """The value of *source*, or LIMIT where the language is smaller than Python on purpose."""
    try:
        return compile_expression(source).evaluate(DATA, NOW)
    except ExpressionError as error:
        if any(words in error.message for words in ("digits", "finite", "no other inside", "written as text")):
            return LIMIT
        raise


@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # Python's opinion of generated text such as “'' is None”
@settings(max_examples=400, deadline=None)
@given(levels(3))
def test_an_expression_means_what_it_means_in_python(source):
    try:
        expected = eval(source, {"__builtins__": {}, **ALLOWED, **DATA})
    except (ArithmeticError, LookupError, TypeError, ValueError):
        with pytest.raises(ExpressionError):
            compile_expression(source).evaluate(DATA, NOW)
        return
    answer = value_or_limit(source)
    assert answer is LIMIT or (answer == expected and type(answer) is type(expected))


statements = st.sampled_from(
    [
        "x += {}", "x = {}", "y = [x, {}]", "if x > {}:\n  x = 0\nelse:\n  y = [x]", "y.append({})", "y.extend([x])",
        "for i in range({}):\n  x += i", "for i in [1, 2, 3]:\n  if i == {}:\n    break\n  x -= i", "d['k'] = {}",
        "for i in [1, 2, 3]:\n  if i == {}:\n    continue\n  y.append(i)", "x, z = {}, x", "d.update({{'m': {}}})",
        "y = y[:3]", "z = y.pop() if y else {}", "if x in y:\n  y.remove(x)\nelif x > {}:\n  x = 1",
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(statements, st.integers(0, 4)), max_size=8))
def test_a_script_does_what_it_does_in_python(chosen):
    source = "\n".join(statement.format(number) for statement, number in chosen)
    expected = {"x": 1, "y": [], "z": 0, "d": {}}
    exec(source, {"__builtins__": {}, **ALLOWED}, expected)
    expected.pop("i", None)  # the variable of a loop ends with it; the one difference meant

    assert compile_script(source).run({"x": 1, "y": [], "z": 0, "d": {}}, NOW) == expected
