"""The gate: each rule names the element; hostile files quickly yield findings, never exceptions."""

import random
import time
from itertools import pairwise
from pathlib import Path

import pytest
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Mode, Operator, Parameter, Services

SERVICES = Services(
    (
        Operator(
            name="clinic/send",
            title="Send",
            mode=Mode.EFFECT,
            call=lambda _given, _call: {},
            parameters=(Parameter(name="to"), Parameter(name="why", required=False)),
            errors={"refused": "It was refused."},
        ),
    )
)
HEAD = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d" targetNamespace="t">"""
ROOTS = """<bpmn:error id="e" errorCode="refused"/><bpmn:error id="e2" errorCode="other"/>
 <bpmn:escalation id="esc" escalationCode="cancel"/><bpmn:escalation id="esc2" escalationCode="else"/>"""
ASK = '<bpmn:userTask id="ask" name="Ask">{}</bpmn:userTask>'
SEND = """<bpmn:serviceTask id="send"><bpmn:extensionElements>
 <s:serviceTaskOperator id="clinic/send" resultVariable="sent"><s:parameters>
 <s:parameter id="to" value="name"/></s:parameters></s:serviceTaskOperator>
 </bpmn:extensionElements></bpmn:serviceTask>"""


def flow(key, source, target, condition=""):
    inner = f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}</bpmn:conditionExpression>'
    body = inner if condition else ""
    return f'<bpmn:sequenceFlow id="{key}" sourceRef="{source}" targetRef="{target}">{body}</bpmn:sequenceFlow>'


def process(body, key="p"):
    text = f'{HEAD}<bpmn:process id="{key}" isExecutable="true">{body}</bpmn:process>{ROOTS}</bpmn:definitions>'
    return text.encode()


def between(*middle, extra=""):
    """A process that runs through *middle*, one element after the other."""
    keys = ["begin", *(part.split('id="', 1)[1].split('"', 1)[0] for part in middle), "end"]
    flows = "".join(flow(f"f{i}", a, b) for i, (a, b) in enumerate(pairwise(keys)))
    return process(f'<bpmn:startEvent id="begin"/>{"".join(middle)}{extra}<bpmn:endEvent id="end"/>' + flows)


def check(content, **files):
    package = Package({"p.bpmn": content, **{k.replace("__", "."): v for k, v in files.items()}})
    return check_package(package, SERVICES)


def problems(findings, severity="error"):
    return {(finding.element, finding.rule) for finding in findings if finding.severity == severity}


def properties(**values):
    inner = "".join(f'<s:property name="{name}" value="{value}"/>' for name, value in values.items())
    return f"<bpmn:extensionElements><s:properties>{inner}</s:properties></bpmn:extensionElements>"


@pytest.mark.parametrize("kind", ["choreography", "globalChoreographyTask", "conversation", "collaboration"])
def test_a_file_without_a_process_is_an_error(kind):
    findings = check(f"{HEAD}<bpmn:{kind}/></bpmn:definitions>".encode())
    assert (f"{kind}_unnamed_1", "main-process") in problems(findings)


def test_a_sound_process_has_no_errors():
    assert not problems(check(between(ASK.format(""), SEND)))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (between('<bpmn:transaction id="x" triggeredByEvent="true"/>'), ("x", "cannot-run")),
        (between('<bpmn:sendTask id="x"/>'), ("x", "message")),
        (between('<bpmn:receiveTask id="x"/>'), ("x", "message")),
        (between('<bpmn:businessRuleTask id="x"/>'), ("x", "decision")),
        (between('<bpmn:complexGateway id="x"/>'), ("x", "cannot-run")),
        (between('<bpmn:eventBasedGateway id="x"/>'), ("x", "event")),
        (between('<bpmn:adHocSubProcess id="x"/>'), ("x", "cannot-run")),
        (between('<bpmn:transaction id="x"/>'), ("x", "cannot-run")),
        (
            between('<bpmn:intermediateThrowEvent id="x"><bpmn:signalEventDefinition/></bpmn:intermediateThrowEvent>'),
            ("x", "cannot-run"),
        ),
        (between('<bpmn:intermediateCatchEvent id="x"/>'), ("x", "cannot-run")),
        (
            between('<bpmn:intermediateCatchEvent id="x"><bpmn:timerEventDefinition/></bpmn:intermediateCatchEvent>'),
            ("x", "timer"),
        ),
        (between(ASK.format("<bpmn:multiInstanceLoopCharacteristics/>")), ("ask", "repeat")),
        (between(ASK.format("<bpmn:standardLoopCharacteristics/>")), ("ask", "repeat")),
        (between(extra='<bpmn:task id="x" isForCompensation="true"/>'), ("x", "cannot-run")),
        (between(extra='<bpmn:property id="x" name="y"/>'), ("x", "cannot-run")),
        (between(extra='<bpmn:subProcess id="x" triggeredByEvent="true"/>'), ("x", "start-and-end")),
    ],
)
def test_unsupported_elements_are_refused_by_name(body, expected):
    assert expected in problems(check(body))


def boundary(key, host, definition, **more):
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return (
        f'<bpmn:boundaryEvent id="{key}" attachedToRef="{host}"{attributes}>{definition}</bpmn:boundaryEvent>'
        + flow(f"{key}_out", key, "end")
    )


ESCALATION = '<bpmn:escalationEventDefinition escalationRef="esc"/>'
ERROR = '<bpmn:errorEventDefinition errorRef="e"/>'
TIMER = "<bpmn:timerEventDefinition><bpmn:timeDuration>{}</bpmn:timeDuration></bpmn:timerEventDefinition>"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (boundary("b", "ask", "<bpmn:timerEventDefinition/>"), ("b", "timer")),
        (boundary("b", "ask", TIMER.format("PT1H later")), ("b", "timer")),
        (boundary("b", "ask", TIMER.format("P1Y")), ("b", "timer")),
        (boundary("b", "ask", TIMER.format("R3/PT1H").replace("Duration", "Cycle")), ("b", "timer")),
        (boundary("b", "ask", "<bpmn:signalEventDefinition/>"), ("b", "cannot-run")),
        (boundary("b", "ask", "<bpmn:messageEventDefinition/>"), ("b", "message")),
        (boundary("b", "send", ERROR, cancelActivity="false"), ("b", "cannot-run")),
        (boundary("b", "ask", ESCALATION, cancelActivity="false"), ("b", "cannot-run")),
        (boundary("b", "ask", ESCALATION.replace("esc", "esc2")), ("b", "cannot-run")),
        (boundary("b", "send", ESCALATION), ("b", "cannot-run")),
        (boundary("b", "ask", ERROR), ("b", "cannot-run")),
        (boundary("b", "nobody", ESCALATION), ("b", "reference")),
        (boundary("b", "send", '<bpmn:errorEventDefinition errorRef="none"/>'), ("b", "reference")),
        (boundary("b", "send", ERROR.replace('"e"', '"e2"')), ("send", "service")),
    ],
)
def test_boundary_events(event, expected):
    findings = check(between(ASK.format(""), SEND, extra=event))
    assert expected in problems(findings) | problems(findings, "warning")


def test_supported_boundary_events_pass():
    events = boundary("no", "ask", ESCALATION) + boundary("refused", "send", ERROR)
    findings = check(between(ASK.format(""), SEND, extra=events))
    assert not problems(findings)
    assert ("send", "service") not in problems(findings, "warning")


def test_two_elements_with_one_id():
    assert ("ask", "unique-id") in problems(check(between(ASK.format(""), extra=ASK.format(""))))


def test_references_resolve():
    body = between(extra=flow("lost", "begin", "nowhere") + '<bpmn:callActivity id="c" calledElement="ghost"/>')
    assert {("lost", "reference"), ("c", "reference")} <= problems(check(body))


def test_starts_ends_and_dead_ends():
    assert ("p", "start-and-end") in problems(check(process("")))
    assert ("begin", "connection") in problems(check(process('<bpmn:startEvent id="begin"/>')))
    assert ("ask", "unreachable") in problems(check(between(extra=ASK.format("") + flow("x", "ask", "end"))))
    two = '<bpmn:startEvent id="other"/>' + flow("x", "other", "end")
    assert ("p", "start-and-end") in problems(check(between(extra=two)))


def gateway(default="", first="a == 1", second=""):
    attribute = f' default="{default}"' if default else ""
    return process(
        '<bpmn:startEvent id="begin"/>' + flow("in", "begin", "g") + f'<bpmn:exclusiveGateway id="g"{attribute}/>'
        + flow("one", "g", "end", first) + flow("two", "g", "other", second)
        + '<bpmn:endEvent id="end"/><bpmn:endEvent id="other"/>'
    )  # fmt: skip


def test_a_gateway_always_has_a_way_out():
    assert not problems(check(gateway(default="two")))
    assert ("g", "gateway") in problems(check(gateway(second="a == 2")))
    assert ("one", "gateway") in problems(check(gateway(default="two", first="")))
    assert ("two", "gateway") in problems(check(gateway(default="two", second="a == 2")))
    assert ("g", "reference") in problems(check(gateway(default="in")))


@pytest.mark.parametrize("condition", ["${a.b()}", "a = 1", "__import__('os')", "(", "a if", "x" * 5_000])
def test_every_condition_compiles(condition):
    assert ("one", "expression") in problems(check(gateway(default="two", first=condition)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"dueIn": "2 days"}, ("ask", "expression")),
        ({"initialValues": "{"}, ("ask", "expression")),
        ({"priority": "high"}, ("ask", "property")),
        ({"resultVariable": "error"}, ("ask", "property")),
        ({"resultVariable": "typename"}, ("ask", "property")),
        ({"resultVariable": "a b"}, ("ask", "property")),
        ({"form": "gone.form"}, ("ask", "form")),
    ],
)
def test_properties_of_user_tasks(values, expected):
    assert expected in problems(check(between(ASK.format(properties(**values)))))


def test_messages_and_scripts_compile():
    message = "<s:instructionsForEndUser>{{ x. }}</s:instructionsForEndUser>"
    message = f"<bpmn:extensionElements>{message}</bpmn:extensionElements>"
    script = '<bpmn:scriptTask id="s"><bpmn:script>a = 1\nimport os</bpmn:script></bpmn:scriptTask>'
    post = "<bpmn:extensionElements><s:postScript>open('x')</s:postScript></bpmn:extensionElements>"
    after = ASK.replace('"ask"', '"after"').format(post)
    findings = check(between(ASK.format(message), script, after, '<bpmn:scriptTask id="none"/>'))
    assert {(element, "expression") for element in ("ask", "s", "after", "none")} <= problems(findings)
    assert any("line 2" in finding.message for finding in findings)


@pytest.mark.parametrize(
    "service",
    [
        '<bpmn:serviceTask id="send"/>',
        SEND.replace("clinic/send", "clinic/gone"),
        SEND.replace('id="to"', 'id="too"'),
    ],
)
def test_operators_exist_and_their_parameters_fit(service):
    assert ("send", "service") in problems(check(between(service)))


def test_a_finding_lists_the_available_operators():
    (finding,) = (f for f in check(between(SEND.replace("clinic/send", "x/y"))) if f.rule == "service")
    assert "clinic/send" in finding.message


def test_forms_are_checked_by_component():
    broken = b'{"components": [{"type": "iframe", "id": "frame"}]}'
    assert ("frame", "form") in problems(check(between(ASK.format(properties(form="a.form"))), a__form=broken))


def loop(inner):
    return process(
        '<bpmn:startEvent id="begin"/><bpmn:exclusiveGateway id="again"/>' + inner
        + '<bpmn:exclusiveGateway id="more" default="out"/><bpmn:endEvent id="end"/>'
        + flow("a", "begin", "again") + flow("b", "again", "x") + flow("c", "x", "more")
        + flow("back", "more", "again", "n") + flow("out", "more", "end")
    )  # fmt: skip


def test_no_loop_without_a_wait():
    script = '<bpmn:scriptTask id="x"><bpmn:script>n = 1</bpmn:script></bpmn:scriptTask>'
    assert ("again", "loop") in problems(check(loop(script)))
    assert ("again", "loop") in problems(check(loop(SEND.replace('"send"', '"x"'))))
    assert not problems(check(loop(ASK.replace('"ask"', '"x"').format(""))))


def test_a_sub_process_waits_only_if_every_way_through_it_does():
    part = '<bpmn:subProcess id="x"><bpmn:startEvent id="in"/>{}<bpmn:endEvent id="done"/></bpmn:subProcess>'
    waiting = ASK.format("") + flow("i1", "in", "ask") + flow("i2", "ask", "done")
    assert not problems(check(loop(part.format(waiting))))
    assert ("again", "loop") in problems(check(loop(part.format(flow("i1", "in", "done")))))


def test_processes_cannot_call_themselves():
    call = '<bpmn:callActivity id="c{}" calledElement="{}"/>'
    other = between(call.format(2, "p")).replace(b'"p" is', b'"q" is')
    files = {"p.bpmn": between(call.format(1, "q")), "q.bpmn": other}
    assert "loop" in {finding.rule for finding in check_package(Package(files), SERVICES)}


def split(kind_out, kind_in):
    default = ' default="l"' if kind_out == "exclusiveGateway" else ""
    condition = "n" if kind_out == "exclusiveGateway" else ""
    task = '<bpmn:userTask id="{0}" name="{0}"/>'
    return process(
        f'<bpmn:startEvent id="begin"/><bpmn:{kind_out} id="split"{default}/>'
        + task.format("left") + task.format("right") +
        f'<bpmn:{kind_in} id="join"/>{task.format("after")}<bpmn:endEvent id="end"/>'
        + flow("in", "begin", "split") + flow("l", "split", "left") + flow("r", "split", "right", condition)
        + flow("l2", "left", "join") + flow("r2", "right", "join")
        + flow("j", "join", "after") + flow("o", "after", "end")
    )  # fmt: skip


def test_soundness():
    assert not problems(check(split("parallelGateway", "parallelGateway")))
    assert not problems(check(split("exclusiveGateway", "exclusiveGateway")))
    assert ("join", "soundness") in problems(check(split("exclusiveGateway", "parallelGateway")))
    assert ("after", "soundness") in problems(check(split("parallelGateway", "exclusiveGateway")))


def test_many_parallel_branches_are_checked_at_once():
    tasks = "".join(f'<bpmn:userTask id="t{i}" name="T"/>' for i in range(40))
    flows = "".join(flow(f"a{i}", "s", f"t{i}") + flow(f"b{i}", f"t{i}", "j") for i in range(40))
    body = (
        '<bpmn:startEvent id="begin"/><bpmn:parallelGateway id="s"/>'
        '<bpmn:parallelGateway id="j"/><bpmn:endEvent id="end"/>'
        + tasks + flows + flow("in", "begin", "s") + flow("out", "j", "end")
    )  # fmt: skip
    began = time.process_time()
    assert not problems(check(process(body)))
    assert time.process_time() - began < 10


def test_a_finding_shows_the_whole_of_a_long_id():
    key = "k" * 300
    findings = check(between(f'<bpmn:userTask id="{key}" name="Ask"/>'))
    assert (key, "reserved-id") in problems(findings)


def test_a_very_long_diagram_is_refused_by_size():
    tasks = [f'<bpmn:scriptTask id="t{i}"><bpmn:script>a = 1</bpmn:script></bpmn:scriptTask>' for i in range(1_000)]
    assert ("p", "size") in problems(check(between(*tasks)))


def test_settings_of_other_products_yield_findings():
    foreign = ASK.replace('id="ask"', 'id="ask" camunda:formKey="x"').format("")
    assert ("ask", "translated") in problems(check(between(foreign)), "info")
    assert ("ask", "form") in problems(check(between(foreign)))
    code = SEND.replace('id="send"', 'id="send" camunda:class="a.B"')
    assert ("send", "not-translated") in problems(check(between(code)))


def test_elements_that_are_not_drawn_are_a_warning():
    assert ("begin", "not-drawn") in problems(check(between()), "warning")


def test_flows_without_id_are_followed():
    assert not problems(check(between(ASK.format("")).replace(b'id="f0" ', b"").replace(b'id="f1" ', b"")))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"<a/>",
        b"<!DOCTYPE a><a/>",
        HEAD.encode(),
        HEAD.encode() + b"</bpmn:definitions>",
        process('<bpmn:startEvent id="begin"/>' * 3),
        process('<bpmn:sequenceFlow id="f"/>'),
        process('<bpmn:boundaryEvent id="b"/>'),
        process('<bpmn:subProcess id="s"><bpmn:subProcess/></bpmn:subProcess>'),
        process('<bpmn:callActivity id="c" calledElement="p"/>'),
        process("<bpmn:subProcess>" * 60 + "</bpmn:subProcess>" * 60),
        process('<bpmn:laneSet id="l"><bpmn:lane id="m"><bpmn:flowNodeRef/></bpmn:lane></bpmn:laneSet>'),
        between(ASK.format("")).replace(b"isExecutable", b"executable"),
        between('<bpmn:scriptTask id="x"><bpmn:script>' + "(" * 3_000 + "</bpmn:script></bpmn:scriptTask>"),
    ],
)
def test_hostile_files_yield_findings(content):
    assert problems(check(content))


def test_a_mangled_diagram_only_yields_findings():
    """Drops, doubles and swaps lines of a valid diagram; the seed is fixed."""
    lines = (Path(__file__).parents[2] / "processes/enrollment/enrollment.bpmn").read_text("utf-8").split("\n")
    choice = random.Random(7)
    for _ in range(100):
        mangled = list(lines)
        here, there = choice.randrange(len(lines)), choice.randrange(len(lines))
        mangled[here] = choice.choice(["", lines[there], lines[here] + lines[there], lines[here].replace("Task", "")])
        assert isinstance(check("\n".join(mangled).encode()), list)


@pytest.mark.parametrize("error", ["<bpmn:errorEventDefinition/>", '<bpmn:errorEventDefinition errorRef="open"/>'])
def test_an_error_event_for_every_error_catches_the_refusals_of_an_operator(error):
    caught = f'<bpmn:boundaryEvent id="b" attachedToRef="send">{error}</bpmn:boundaryEvent>'
    content = between(SEND, extra=caught + flow("away", "b", "end"))
    content = content.replace(b"</bpmn:definitions>", b'<bpmn:error id="open"/></bpmn:definitions>')
    assert not [finding for finding in check(content) if "may refuse" in finding.message]
    assert [finding for finding in check(between(SEND)) if "may refuse" in finding.message]
