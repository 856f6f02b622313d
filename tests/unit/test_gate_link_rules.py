"""Links: a finding names the faulty event; the checks follow loops and branches through links."""

import pytest
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Services

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
KINDS = {"t": "intermediateThrowEvent", "c": "intermediateCatchEvent"}


def link(key, name="go"):
    kind = KINDS[key[0]]
    return f'<{kind} id="{key}"><linkEventDefinition id="{key}l" name="{name}"/></{kind}>'


def flow(source, target):
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


def check(*parts):
    body = '<startEvent id="s"/><endEvent id="e"/>' + "".join(parts)
    text = f'{HEAD}<process id="p" isExecutable="true">{body}</process></definitions>'
    return check_package(Package({"p.bpmn": text.encode()}), Services())


def problems(findings):
    return {(finding.element, finding.rule) for finding in findings if finding.severity == "error"}


WHOLE = (link("t"), link("c"), flow("s", "t"), flow("c", "e"))


def test_a_token_follows_a_link():
    assert not problems(check(*WHOLE))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((link("t"), flow("s", "t"), flow("s", "e")), ("t", "link")),
        ((link("c"), flow("s", "e"), flow("c", "e")), ("c", "link")),
        ((link("t", ""), link("c", ""), flow("s", "t"), flow("c", "e")), ("t", "link")),
        ((link("t"), link("c", "Go"), flow("s", "t"), flow("c", "e")), ("t", "link")),
        ((*WHOLE, link("c2"), flow("c2", "e")), ("c2", "link")),
        ((*WHOLE, flow("t", "e")), ("t", "link")),
        ((*WHOLE, flow("s", "c")), ("c", "link")),
        ((link("t"), flow("s", "t"), f'<subProcess id="sub">{link("c")}</subProcess>'), ("t", "link")),
        ((flow("s", "e"), '<endEvent id="x"><linkEventDefinition id="l" name="go"/></endEvent>'), ("x", "cannot-run")),
    ],
)
def test_a_finding_names_the_faulty_link(parts, expected):
    assert expected in problems(check(*parts))


def test_loops_without_a_wait_are_found_through_links():
    script = '<scriptTask id="x"><script>a = 1</script></scriptTask><exclusiveGateway id="g"/>'
    parts = (script, link("t"), link("c"), flow("s", "g"), flow("c", "g"), flow("g", "x"), flow("x", "t"))
    assert any(rule == "loop" for _, rule in problems(check(*parts)))


def test_a_join_after_a_link_that_never_comes_is_found():
    gateways = '<exclusiveGateway id="g" default="g-t"/><parallelGateway id="j"/><userTask id="u" name="U"/>'
    way = flow("g", "u").replace("/>", "><conditionExpression>a</conditionExpression></sequenceFlow>")
    parts = (gateways, way, link("t"), link("c"), flow("s", "g"), flow("g", "t"), flow("c", "j"), flow("u", "j"))
    findings = [f for f in check(*parts, flow("j", "e")) if f.rule == "soundness"]
    assert [finding.element for finding in findings] == ["j"]
    assert not any("→" in key for key in findings[0].path)
