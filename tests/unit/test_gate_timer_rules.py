"""Timer values: an error if one can never be a time, a warning if only the initial case data can set it."""

import time

import pytest
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Services

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
BODY = """<process id="p" isExecutable="true"><startEvent id="s"/>
 <scriptTask id="set"><script>{script}</script></scriptTask>
 <userTask id="a" name="A"/><endEvent id="e"/>
 <boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><timerEventDefinition><{form}>{text}</{form}>
 </timerEventDefinition></boundaryEvent><endEvent id="late"/><sequenceFlow id="f0" sourceRef="s" targetRef="set"/>
 <sequenceFlow id="f1" sourceRef="set" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="e"/>
 <sequenceFlow id="f3" sourceRef="b" targetRef="late"/></process></definitions>"""


def problems(form, text, script="x = 1"):
    content = HEAD + BODY.format(form=form, text=text, script=script)
    findings = check_package(Package({"p.bpmn": content.encode()}), Services())
    return [(f.severity, f.message) for f in findings if f.rule == "timer" and f.element == "b"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("timeDuration", "pt1h"),
        ("timeDuration", "-PT1H"),
        ("timeDuration", "P"),
        ("timeDuration", "PT"),
        ("timeDuration", "PT1X"),
        ("timeDuration", "P1M"),
        ("timeDuration", "1777766400"),
        ("timeDuration", '""'),
        ("timeDuration", '"pt1h"'),
        ("timeDuration", '"P" + "1H"'),
        ("timeDuration", "2 * days"),
        ("timeDuration", "not days"),
        ("timeDuration", "[days]"),
        ("timeDuration", '5 if days else "P5D"'),
        ("timeDuration", '"PT1H'),
        ("timeDate", "2026-W19-1"),
        ("timeDate", "1777766400"),
        ("timeDate", "2026-13-01"),
        ("timeDate", "2026-05-03T25:00"),
        ("timeDate", "PT1H"),
        ("timeCycle", "r3/pt1h"),
        ("timeCycle", "R3/1H"),
        ("timeCycle", "R0/PT1H"),
        ("timeCycle", "R-2/PT1H"),
        ("timeCycle", "R/PT1S"),
        ("timeCycle", "PT1H"),
    ],
)
def test_a_value_that_is_not_a_time_is_an_error(form, text):
    ((severity, message),) = problems(form, text)
    assert severity == "error"
    assert message.startswith("In the timer: ")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("timeDuration", "PT1H"),
        ("timeDuration", '"PT1H"'),
        ("timeDuration", '"P" + str(x) + "D"'),
        ("timeDuration", '"P1D" if x else "P2D"'),
        ("timeDuration", "x"),
        ("timeDuration", "a.wait"),
        ("timeDuration", 'get("wait", "P1D")'),
        ("timeDate", "now()"),
        ("timeDate", "today()"),
        ("timeDate", "2026-05-03T09:00:00+02:00"),
        ("timeDate", "0001-01-01"),
        ("timeCycle", "R3/PT1H"),
        ("timeCycle", "R/PT1H"),
        ("timeCycle", "R-1/PT1H"),
        ("timeCycle", '"R-1/PT" + str(x) + "H"'),
    ],
)
def test_times_pass(form, text):
    assert problems(form, text) == []


def test_a_finding_explains_a_date_before_year_1():
    ((severity, message),) = problems("timeDate", "0001-01-01T00:00:00+05:00")
    assert severity == "error"
    assert "years 1 to 9999" in message


def test_a_name_that_nothing_sets_is_a_warning():
    ((severity, message),) = problems("timeDuration", "wait")
    assert (severity, "“wait”" in message) == ("warning", True)
    assert problems("timeDuration", "wait", "wait = 'PT1H'") == []
    assert problems("timeDuration", "P", "P = 'PT1H'") == []


def test_a_long_name_is_checked_quickly():
    began = time.process_time()
    ((severity, _),) = problems("timeDuration", "p" + "1" * 60 + "_")
    assert severity == "warning"
    assert time.process_time() - began < 10
