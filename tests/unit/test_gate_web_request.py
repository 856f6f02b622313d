"""What the gate says of `http/request`: hosts, secrets and shapes, on the element, before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from usher_engine.definitions import Finding, Package
from usher_engine.enrollment import enrollment_services
from usher_engine.examples import try_out
from usher_engine.gate import check_package
from usher_engine.services import Services
from usher_engine.settings import Settings

SETTINGS = replace(
    Settings(),
    http_hosts="https://lab.example.org, https://ehr.example.org:8443, http://10.0.0.5",
    http_secrets="lab@https://lab.example.org=env:LAB, ehr@https://ehr.example.org:8443=file:/run/secrets/ehr",
)
SERVICES = enrollment_services(SETTINGS, None, None, None)  # type: ignore[arg-type]  # the gate calls no operator
SHAPE = (
    "{'type': 'object', 'properties': {'state': {'type': 'string', 'enum': ['open', 'done']}}, 'required': ['state']}"
)
RIGHT = {"method": "'GET'", "url": "'https://lab.example.org/x'", "response": SHAPE}


def diagram(parameters: dict[str, str], condition: str = "") -> Package:
    given = "".join(f"<s:parameter id={quoteattr(name)} value={quoteattr(text)}/>" for name, text in parameters.items())
    asks = f"<conditionExpression>{condition or '1 == 2'}</conditionExpression>"
    text = f"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
     xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="t">
     <process id="p" isExecutable="true"><startEvent id="Begin"/><serviceTask id="Ask" name="Ask the lab">
     <extensionElements><s:serviceTaskOperator id="http/request" resultVariable="lab"><s:parameters>{given}
     </s:parameters></s:serviceTaskOperator></extensionElements></serviceTask>
     <boundaryEvent id="No" attachedToRef="Ask"><errorEventDefinition id="any"/></boundaryEvent>
     <exclusiveGateway id="Which" default="f3"/><endEvent id="One"/><endEvent id="Other"/>
     <sequenceFlow id="f1" sourceRef="Begin" targetRef="Ask"/><sequenceFlow id="f2" sourceRef="Ask" targetRef="Which"/>
     <sequenceFlow id="f3" sourceRef="Which" targetRef="One"/>
     <sequenceFlow id="f4" sourceRef="Which" targetRef="Other">{asks}</sequenceFlow>
     <sequenceFlow id="f5" sourceRef="No" targetRef="One"/></process></definitions>"""
    return Package({"p.bpmn": text.encode()})


def found(condition: str = "", **changes: str | None) -> list[Finding]:
    parameters = {name: text for name, text in {**RIGHT, **changes}.items() if text is not None}
    every = check_package(diagram(parameters, condition), SERVICES)
    return [one for one in every if one.rule not in ("not-drawn", "gateway")]


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"url": "'https://lab.example.org'"},
        {"url": "'https://LAB.example.org:443/x?y=1'"},
        {"url": "'https://lab.example.org/x/' + str(1)"},
        {"url": "'https://lab.example.org/x/{id}'", "path": "{'id': 1}"},
        {"secrets": "{'Authorization': 'Bearer {lab}'}", "headers": "{'X-Site': '1'}", "tries": "2"},
        {"url": "'https://ehr.example.org:8443/x'", "secrets": "{'X-Key': '{ehr}'}"},
        {"response": "{'type': 'null'}", "method": "'DELETE'"},
    ],
)
def test_a_right_use_has_no_finding(right: dict[str, str]) -> None:
    assert found(**right) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "'https://evil.example/x'"}, "Usher may not call https://evil.example. Allowed (USHER_HTTP_HOSTS): "),
        ({"url": "'http://lab.example.org/x'"}, "Usher may not call http://lab.example.org."),
        ({"url": "'https://lab.example.org:444/'"}, "Usher may not call https://lab.example.org:444."),
        (
            {"url": "'https://lab.example.org.evil.example/'"},
            "Usher may not call https://lab.example.org.evil.example.",
        ),
        ({"url": "'https://lab.example.org' + tail"}, "a host that ends before the next part"),
        ({"url": "'lab.example.org/x'"}, "must begin with http:// or https://"),
        ({"url": "'https://u:p@lab.example.org/x'"}, "must begin with http:// or https://"),
        ({"url": "'https://lab.example.org/{id}/{n}'", "path": "{'n': 1}"}, "“{id}”, for which “path” has no value"),
        ({"url": "'https://lab.example.org/{id}'"}, "“{id}”, for which “path” has no value"),
        (
            {"secrets": "{'Authorization': 'Bearer {lap}'}"},
            "There is no secret “lap”. Known (USHER_HTTP_SECRETS): ehr, lab.",
        ),
        (
            {"secrets": "{'Authorization': 'Bearer {ehr}'}"},
            "The secret “ehr” is for https://ehr.example.org:8443 alone",
        ),
        ({"secrets": "{'Authorization': 'Bearer abc'}"}, "names no secret"),
        ({"secrets": "{'Host': '{lab}'}"}, "The header “Host” is Usher's to send."),
        ({"secrets": "secrets"}, "“secrets” must be written out"),
        ({"headers": "{'Host': 'x'}"}, "The header “Host” is Usher's to send."),
        ({"headers": "{'X y': 'x'}"}, "“X y” is not the name of a header."),
        ({"response": None}, "Parameter “response” of http/request is missing."),
        ({"response": "{}"}, "“response” names nothing of the answer."),
        ({"response": "shape"}, "“response” must be written out"),
        ({"response": "{'type': 'object', 'allOf': []}"}, "“response” uses “allOf”"),
        ({"response": "{'type': 'textual'}"}, "“response” is not JSON Schema"),
        ({"tries": "0"}, "“tries” must be from 1 to 100."),
        ({"method": None}, "Parameter “method” of http/request is missing."),
        ({"time": "1"}, "Http/request has no parameter “time”."),
    ],
)
def test_a_wrong_use_is_an_error_on_the_element(wrong: dict[str, str | None], words: str) -> None:
    errors = [one for one in found(**wrong) if one.severity == "error"]
    assert [one.element for one in errors] == ["Ask"]
    assert words in errors[0].message


@pytest.mark.parametrize(
    ("doubtful", "words"),
    [
        ({"url": "address"}, "Only the running case tells which host is called."),
        ({"headers": "{'Authorization': 'Bearer abc'}"}, "stands in the history for all to read"),
    ],
)
def test_what_only_a_running_case_tells_is_a_warning(doubtful: dict[str, str], words: str) -> None:
    warnings = [one for one in found(**doubtful) if one.severity == "warning" and words in one.message]
    assert [one.element for one in warnings] == ["Ask"]


@pytest.mark.parametrize("method", ["'FETCH'", "'get'"])
def test_an_unknown_method_is_found(method: str) -> None:
    assert [one.element for one in found(method=method)] == ["Ask"]


def test_the_data_flow_follows_the_declared_shape() -> None:
    assert found("lab.body.state == 'done'") == []
    (unknown,) = found("lab.body.stat == 'done'")
    assert (unknown.element, "did you mean “state”" in unknown.message.lower()) == ("f4", True)
    (never,) = found("lab.body.state == 'ready'")
    assert never.element == "f4"


def test_an_example_is_held_to_the_declared_shape() -> None:
    def example(answer: str) -> list[str]:
        text = f'{{"start": {{}}, "services": {{"http/request": [{answer}]}}}}'
        package = Package({**diagram(RIGHT).files, "examples/a.json": text.encode()})
        return [one.message for one in check_package(package, SERVICES) if one.rule == "example"]

    assert example('{"status": 200, "body": {"state": "done"}}') == []
    assert example('{"error": {"code": "timeout"}}') == []
    assert "must be one of: open, done" in example('{"status": 200, "body": {"state": "gone"}}')[0]
    assert "which its shape does not know" in example('{"status": 200, "body": {"name": "x"}}')[0]


def test_without_hosts_nothing_may_be_called() -> None:
    off = enrollment_services(Settings(), None, None, None)  # type: ignore[arg-type]  # the same
    assert "Allowed (USHER_HTTP_HOSTS): none." in str(check_package(diagram(RIGHT), off))


def test_a_try_out_begins_with_an_answer_of_the_declared_shape() -> None:
    tried = try_out(diagram(RIGHT), SERVICES, {"start": {}, "services": {}, "do": [], "asks": True})
    assert tried.service is not None
    assert tried.service.sample == {"status": 200, "body": {"state": "open"}}


@pytest.mark.parametrize("broken", [lambda _use: 1 / 0, lambda _use: [1], lambda _use: None])
def test_an_operator_whose_own_check_breaks_stops_no_check(broken: Any) -> None:
    http = replace(SERVICES.get("http/request"), check=broken, result_of=broken)
    found = check_package(diagram(RIGHT, "lab.body.state == 'done'"), Services((http,)))
    assert [one.severity for one in found if one.rule == "service"] == ["warning"]
    assert not [one for one in found if one.severity == "error"]
