"""The gate reports BPMN settings that Usher does not run on their element, wherever they are hidden."""

from itertools import pairwise

import pytest
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Services

OWN = 'xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core"'
BPMN = 'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
HEAD = f'<bpmn:definitions {BPMN} {OWN} id="d" targetNamespace="t">'
LOOP = "<bpmn:multiInstanceLoopCharacteristics{}><bpmn:loopCardinality>2</bpmn:loopCardinality>{}</{}>"
TIMER = "<bpmn:timerEventDefinition><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition>"


def process(body):
    return f'{HEAD}<bpmn:process id="p" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'.encode()


def flow(key, source, target):
    return f'<bpmn:sequenceFlow id="{key}" sourceRef="{source}" targetRef="{target}"></bpmn:sequenceFlow>'


def between(*middle, extra=""):
    """A process that runs through *middle*, one element after the other."""
    keys = ["begin", *(part.split('id="', 1)[1].split('"', 1)[0] for part in middle), "end"]
    flows = "".join(flow(f"f{i}", a, b) for i, (a, b) in enumerate(pairwise(keys)))
    return process(f'<bpmn:startEvent id="begin"/>{"".join(middle)}{extra}<bpmn:endEvent id="end"/>{flows}')


def check(content):
    return check_package(Package({"p.bpmn": content}), Services())


def problems(findings, severity="error"):
    return {(finding.element, finding.rule) for finding in findings if finding.severity == severity}


def properties(**values):
    inner = "".join(f'<s:property name="{name}" value="{value}"/>' for name, value in values.items())
    return f"<bpmn:extensionElements><s:properties>{inner}</s:properties></bpmn:extensionElements>"


def boundary(attributes):
    event = f'<bpmn:boundaryEvent id="b" attachedToRef="ask" {attributes}>{TIMER}</bpmn:boundaryEvent>'
    return event + flow("b_out", "b", "end")


def ask(attributes="", inner=""):
    return f'<bpmn:userTask id="ask" name="Ask" {attributes}>{inner}</bpmn:userTask>'


def script(inner):
    return f'<bpmn:scriptTask id="x">{inner}<bpmn:script>a = 1</bpmn:script></bpmn:scriptTask>'


def extended(inner):
    return f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"


def loop(attributes="", inner=""):
    return LOOP.format(attributes, inner, "bpmn:multiInstanceLoopCharacteristics")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (between(ask('startQuantity="2"')), ("ask", "cannot-run")),
        (between(ask('completionQuantity="2"')), ("ask", "cannot-run")),
        (between(ask(inner=loop(' behavior="None"'))), ("ask", "cannot-run")),
        (between(ask(inner=loop(inner="<bpmn:complexBehaviorDefinition/>"))), ("ask", "cannot-run")),
        (between(ask(inner='<bpmn:property id="y" name="z"/>')), ("ask", "cannot-run")),
        (between(ask(), extra=boundary('parallelMultiple="true"')), ("b", "cannot-run")),
        (between('<bpmn:eventBasedGateway id="x" eventGatewayType="Parallel"/>'), ("x", "cannot-run")),
        (between('<bpmn:receiveTask id="x" instantiate="true"/>'), ("x", "cannot-run")),
        (
            between('<bpmn:intermediateCatchEvent id="x"><bpmn:dataOutput id="o"/></bpmn:intermediateCatchEvent>'),
            ("x", "cannot-run"),
        ),
        (between(extra="<bpmn:ioSpecification><bpmn:inputSet/><bpmn:outputSet/></bpmn:ioSpecification>"),
         ("p", "cannot-run")),
        (between(script("")).replace(b"a = 1", b"a = 1<b/>c = 2"), ("x", "cannot-run")),
        (between(ask(inner="<bpmn:dataInputAssociation id='i'><bpmn:targetRef>t</bpmn:targetRef><bpmn:assignment>"
                           "<bpmn:from>a</bpmn:from><bpmn:to>b</bpmn:to></bpmn:assignment>"
                           "</bpmn:dataInputAssociation>")), ("ask", "cannot-run")),
        (between('<bpmn:intermediateThrowEvent id="x">' + extended(f"<s:preScript {OWN}>a = 1</s:preScript>")
                 + "</bpmn:intermediateThrowEvent>"), ("x", "misplaced")),
        (between(ask(inner=extended(f"<s:calledDecisionId {OWN}>d</s:calledDecisionId>"))), ("ask", "misplaced")),
        (between(ask(inner=properties(form="a.form") + properties(dueIn="P1D"))), ("ask", "misplaced")),
    ],
)  # fmt: skip
def test_settings_that_usher_would_lose_are_refused(content, expected):
    assert expected in problems(check(content))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (between(script(properties(form="a.form"))), ("x", "ignored")),
        (between(ask('s:unheardOf="1"')), ("ask", "ignored")),
        (between('<bpmn:manualTask id="x" name="X"><bpmn:resourceRole id="r"/></bpmn:manualTask>'), ("x", "ignored")),
        (between(ask()).replace(b'targetRef="ask">', b'targetRef="ask"><bpmn:extensionElements><s:other/>'
                                b"</bpmn:extensionElements>"), ("f0", "ignored")),
    ],
)  # fmt: skip
def test_settings_without_effect_are_a_warning(content, expected):
    assert expected in problems(check(content), "warning")


def test_data_elements_are_drawn_only_and_reported_once_for_each_kind():
    ends = "<bpmn:sourceRef>r</bpmn:sourceRef><bpmn:targetRef>ip</bpmn:targetRef>"
    place = '<bpmn:property id="ip" name="__targetRef_placeholder"/>'
    place += f'<bpmn:dataInputAssociation id="i">{ends}</bpmn:dataInputAssociation>'
    more = '<bpmn:dataObject id="o"/><bpmn:dataObjectReference id="r" dataObjectRef="o"/>'
    store = '<bpmn:dataStoreReference id="st"/>'
    findings = check(between(ask(inner=place), extra=more + store))
    assert not problems(findings)
    assert {f.element for f in findings if f.rule == "drawn-only"} == {"o", "st", "ask"}


def test_findings_on_a_file_name_existing_elements():
    other = b'<bpmn:import importType="x" location="y" namespace="z"/><bpmn:process'
    imported = process("").replace(b"<bpmn:process", other)
    assert ("d", "cannot-run") in problems(check(imported))
    colon = between(ask()).replace(b'"ask"', b'"a:sk"')
    assert ("a:sk", "schema") in problems(check(colon))
    pools = f'{HEAD}<bpmn:process id="a"/><bpmn:process id="b"/></bpmn:definitions>'.encode()
    assert {("a", "executable"), ("b", "executable")} <= problems(check(pools))


def test_only_sub_processes_can_be_triggered_by_an_event():
    error = '<bpmn:endEvent id="stop"><bpmn:errorEventDefinition/></bpmn:endEvent>'
    content = between(ask(), extra=f'<bpmn:adHocSubProcess id="x" triggeredByEvent="true"/>{error}')
    assert {("x", "cannot-run"), ("stop", "event")} <= problems(check(content))


def test_only_calls_from_executable_processes_count():
    """A process that never runs may call the one that does."""
    called = between(ask())
    draft = b'<bpmn:process id="q"><bpmn:callActivity id="c" calledElement="p"/></bpmn:process></bpmn:definitions>'
    assert not problems(check(called.replace(b"</bpmn:definitions>", draft)))
