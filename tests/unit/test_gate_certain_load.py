"""Numbers in the diagram that the run would refuse: items, rounds, nested repetitions and calls, and size."""

import time
from itertools import pairwise

import pytest
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Services

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d{0}" targetNamespace="t">'


def times(number, more=""):
    kind = "multiInstanceLoopCharacteristics"
    return f"<{kind}{more}><loopCardinality>{number}</loopCardinality></{kind}>"


def row(scope, *parts):
    """A start event, *parts* as (kind, id, inner), an end event."""
    keys = [f"{scope}-s", *(key for _, key, _ in parts), f"{scope}-e"]
    flows = "".join(f'<sequenceFlow id="{a}.{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairwise(keys))
    drawn = "".join(f'<{kind} id="{key}" name="N"{_called(kind, inner)}' for kind, key, inner in parts)
    return f'<startEvent id="{scope}-s"/>{drawn}<endEvent id="{scope}-e"/>{flows}'


def _called(kind, inner):
    """Split the process that a call names before a bar from its contents."""
    called, bar, rest = inner.partition("|")
    return f' calledElement="{called}">{rest}</{kind}>' if bar else f">{inner}</{kind}>"


def sub(key, inner, *parts):
    return ("subProcess", key, row(key, *parts) + inner)


def check(*parts, **more):
    files = {"p.bpmn": parts, **{f"{key}.bpmn": value for key, value in more.items()}}
    return errors({file: row(file.removesuffix(".bpmn"), *body) for file, body in files.items()})


def errors(bodies):
    package = {
        file: f'{HEAD.format(n)}<process id="{file[:-5]}" isExecutable="true">{body}</process></definitions>'
        for n, (file, body) in enumerate(bodies.items())
    }
    findings = check_package(Package({file: text.encode() for file, text in package.items()}), Services())
    return [(f.element, f.rule) for f in findings if f.severity == "error"]


MORE = "<loopCondition>more</loopCondition>"
USER = ("userTask", "u", "")


@pytest.mark.parametrize("number", ["201", "1000000", "150 + 51", "-1", '"3"', "1.5", "True"])
def test_a_number_of_items_that_the_run_refuses_is_an_error(number):
    assert check(("userTask", "u", times(number))) == [("u", "repeat")]


@pytest.mark.parametrize("number", ["0", "200", "items", "100 + 100"])
def test_other_numbers_pass(number):
    assert check(("userTask", "u", times(number))) == []


@pytest.mark.parametrize(
    ("inner", "refused"),
    [
        ('<standardLoopCharacteristics loopMaximum="1001"/>', True),
        ('<standardLoopCharacteristics loopMaximum="1000"/>', False),
        (f'<standardLoopCharacteristics loopMaximum="1001">{MORE}</standardLoopCharacteristics>', False),
    ],
)
def test_rounds_of_a_loop(inner, refused):
    assert check(("userTask", "u", inner)) == ([("u", "repeat")] if refused else [])


def nested(outer, inner, *before, more=""):
    return sub("x", times(outer, more), *before, ("userTask", "u", times(inner)))


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        ([nested(20, 20)], ["x"]),
        ([nested(2, 200)], ["x"]),
        ([nested(2, 149)], []),
        ([nested(20, 20, ("manualTask", "w", ""))], []),  # a person never does all of them in one command
        ([nested(20, 20, more=' isSequential="true"')], []),
        ([nested("n", 20)], []),
        ([sub("y", times(10), nested(10, 10))], ["y"]),
        ([sub("y", times(10), nested(20, 20))], ["x"]),
        ([sub("x", times(100), ("scriptTask", "t", "<script>a = 1</script>"), USER)], []),
        ([sub("x", times(101), ("scriptTask", "t", "<script>a = 1</script>"), USER)], ["x"]),
    ],
)
def test_nested_repetitions(parts, refused):
    assert check(*parts) == [(key, "load") for key in refused]


def test_calls_that_fan_out():
    many = ("callActivity", "c", f"q|{times(20)}")
    assert check(many, q=[("userTask", "v", times(20))]) == [("c", "load")]
    assert check(many, q=[("userTask", "v", "")]) == []
    chain = {f"q{n}": [("callActivity", f"c{n}", f"q{n + 1}|{times(10)}")] for n in range(8)}
    began = time.process_time()
    assert check(("callActivity", "c", "q0|"), **chain, q8=[USER]) == [("c5", "load")]
    assert time.process_time() - began < 10


def test_branches_count_together():
    split = '<parallelGateway id="g"/><userTask id="a" name="A">{0}</userTask><userTask id="b" name="B">{0}</userTask>'
    flows = "".join(
        f'<sequenceFlow id="{a}.{b}" sourceRef="{a}" targetRef="{b}"/>'
        for a, b in [("s", "g"), ("g", "a"), ("g", "b"), ("a", "e"), ("b", "e")]
    )
    for number, expected in ((151, [("p", "load")]), (150, [])):
        body = f'<startEvent id="s"/>{split.format(times(number))}<endEvent id="e"/>{flows}'
        assert errors({"p.bpmn": body}) == expected


def test_a_package_of_many_processes_is_bounded_as_a_whole():
    tasks = {f"q{n}": [("userTask", f"q{n}-t{i}", "") for i in range(150)] for n in range(150)}
    calls = [("callActivity", f"c{n}", f"q{n}|") for n in range(150)]
    began = time.process_time()
    assert check(*calls, **tasks) == [("q99", "size")]
    assert time.process_time() - began < 15


def test_a_package_of_the_largest_size_is_checked_in_seconds():
    tasks = {f"q{n}": [("userTask", f"q{n}-t{i}", "") for i in range(140)] for n in range(20)}
    calls = [("callActivity", f"c{n}", f"q{n}|") for n in range(20)]
    began = time.process_time()
    assert check(*calls, **tasks) == []
    assert time.process_time() - began < 20
