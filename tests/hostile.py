"""Hostile packages by class of attack, ten of each, always the same for a seed (reference: what uploads can do).

Each is what somebody could upload, deploy or save as a draft: a zip file, or files by path.
"""

from __future__ import annotations

import io
import json
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import TypeAlias

from usher_engine.core.errors import InvalidDefinition
from usher_engine.definitions import Package, from_zip
from usher_engine.gate import admit
from usher_engine.services import MailUse, Mode, Operator, Services

#: Fills mails that no diagram names.
MAIL = Operator(
    name="mail/send",
    title="Send",
    mode=Mode.EFFECT,
    call=lambda given, call: None,
    mails=MailUse(always=frozenset({"link", "practice"})),
)

Files: TypeAlias = dict[str, bytes]

HEAD = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:xi="http://www.w3.org/2001/XInclude"
 id="defs" targetNamespace="t">"""
ASK = '<bpmn:userTask id="ask" name="{name}"{more}>{inner}</bpmn:userTask>'
CODE = (
    "__import__('os').system('id')", "().__class__.__bases__[0].__subclasses__()", "open('/etc/passwd').read()",
    "9**9**9**9", "'a' * 10**9", "[x for x in range(10**9)]", "(lambda: 1)()", "exec('1')", "globals()", "x.__dict__",
)  # fmt: skip
PATTERNS = (
    "^(a+)+$", "^(a|a)*$", "^(.*)*$", "^([a-z]+)*x$", "^(a?){50}a{50}$", "^(x+x+)+y$", r"^(\\w+\\s?)*$", "^(a*)*b$",
    "^((a+)b?)+$", "^(?=(a+))a*b\\\\1$",
)  # fmt: skip


def diagram(body: str, *, start: str = "", more: str = "") -> Files:
    text = f'{start}{HEAD}<bpmn:process id="p" isExecutable="true">{body}</bpmn:process>{more}</bpmn:definitions>'
    return {"p.bpmn": text.encode()}


def row(middle: str, key: str = "ask") -> str:
    flows = f'<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="{key}"/>'
    flows += f'<bpmn:sequenceFlow id="f2" sourceRef="{key}" targetRef="end"/>'
    return f'<bpmn:startEvent id="begin"/>{middle}<bpmn:endEvent id="end"/>{flows}'


def ask(inner: str = "", more: str = "", name: str = "Ask") -> str:
    return row(ASK.format(inner=inner, more=more, name=name))


def entities(n: int, _choice: random.Random) -> Files:
    nested = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * (2 + n)}">' for i in range(8 + n))
    return diagram(ask(name="&e9;"), start=f'<!DOCTYPE x [<!ENTITY e0 "{"ha" * (n + 1)}">{nested}]>')


def external(n: int, choice: random.Random) -> Files:
    target = choice.choice(("file:///etc/passwd", "http://127.0.0.1:9/x", "file:///dev/zero", "php://filter"))
    kind = ("", "% ", "")[n % 3]
    inside = "&x;" if n % 2 else ""
    return diagram(ask(name=inside), start=f'<!DOCTYPE d [<!ENTITY {kind}x SYSTEM "{target}">]>')


def inclusion(n: int, _choice: random.Random) -> Files:
    include = f'<xi:include href="file:///etc/passwd" parse="{("text", "xml")[n % 2]}"/>'
    return diagram(ask(inner=include * (n + 1)))


def depth(n: int, _choice: random.Random) -> Files:
    tag = ("bpmn:subProcess", "bpmn:documentation", "bpmn:extensionElements")[n % 3]
    levels = 101 + 400 * n
    return diagram(ask() + f"<{tag}>" * levels + f"</{tag}>" * levels)


def size(n: int, choice: random.Random) -> Files:
    if n % 2:
        return diagram(ask(name="x" * (400_000 * n + 700_000)))
    text = "".join(choice.choices("abcdef", k=1_000)) * (1_001 + n)
    return diagram(ask(inner=f"<bpmn:documentation>{text}</bpmn:documentation>"))


def identifiers(n: int, _choice: random.Random) -> Files:
    odd = (
        "ask", "typename", "Root", "a" * 5_000, "x.EndJoin", "../../etc/passwd", "a b", "1", "x.BoundaryEventSplit",
        "ask&#10;x",
    )  # fmt: skip
    return diagram(ask() + f'<bpmn:userTask id="{odd[n]}" name="Two"/>')


def circles(n: int, _choice: random.Random) -> Files:
    call = '<bpmn:callActivity id="ask" calledElement="p"/>'
    bodies = (
        row(call),
        ask() + '<bpmn:boundaryEvent id="b" attachedToRef="b"><bpmn:errorEventDefinition/></bpmn:boundaryEvent>',
        ask() + '<bpmn:sequenceFlow id="f3" sourceRef="f3" targetRef="f3"/>',
        ask() + '<bpmn:exclusiveGateway id="g" default="g"/>',
        ask() + '<bpmn:sequenceFlow id="f3" sourceRef="ask" targetRef="ask"/>',
        row('<bpmn:subProcess id="ask"><bpmn:startEvent id="i"/></bpmn:subProcess>'),
        ask() + '<bpmn:receiveTask id="r" messageRef="r"/>',
        ask() + '<bpmn:sequenceFlow id="f3" sourceRef="nowhere" targetRef="ask"/>',
        '<bpmn:laneSet id="l"><bpmn:lane id="l1"><bpmn:childLaneSet id="l"/></bpmn:lane></bpmn:laneSet>' + ask(),
        row('<bpmn:scriptTask id="ask"><bpmn:script>a = 1</bpmn:script></bpmn:scriptTask>')
        + '<bpmn:sequenceFlow id="f3" sourceRef="ask" targetRef="ask"/>',
    )
    return diagram(bodies[n])


def masses(n: int, _choice: random.Random) -> Files:
    count = 400 + 450 * n
    if n % 3 == 0:
        return diagram(ask() + "".join(f'<bpmn:userTask id="t{i}"/>' for i in range(count)))
    if n % 3 == 1:
        flows = (f'<bpmn:sequenceFlow id="x{i}" sourceRef="ask" targetRef="end"/>' for i in range(count))
        return diagram(ask() + "".join(flows))
    wide = "".join(
        f'<bpmn:userTask id="t{i}" name="T"/><bpmn:sequenceFlow id="a{i}" sourceRef="g" targetRef="t{i}"/>'
        f'<bpmn:sequenceFlow id="b{i}" sourceRef="t{i}" targetRef="j"/>'
        for i in range(count)
    )
    ends = '<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="g"/>'
    ends += '<bpmn:sequenceFlow id="f2" sourceRef="j" targetRef="end"/>'
    gateways = '<bpmn:startEvent id="begin"/><bpmn:parallelGateway id="g"/><bpmn:parallelGateway id="j"/>'
    return diagram(gateways + wide + '<bpmn:endEvent id="end"/>' + ends)


def expressions(n: int, choice: random.Random) -> Files:
    code = CODE[n].replace("<", "&lt;")
    extension = "<bpmn:extensionElements>{}</bpmn:extensionElements>"
    places = (
        row(f'<bpmn:scriptTask id="ask"><bpmn:script>x = {code}</bpmn:script></bpmn:scriptTask>'),
        ask(inner=extension.format(f"<s:postScript>x = {code}</s:postScript>")),
        ask(inner=extension.format(f"<s:instructionsForEndUser>{{{{ {code} }}}}</s:instructionsForEndUser>")),
        ask(inner=extension.format(
            f'<s:properties><s:property name="initialValues" value="{code}"/></s:properties>')),
        row('<bpmn:exclusiveGateway id="ask" default="f2"/>')
        + f'<bpmn:sequenceFlow id="f3" sourceRef="ask" targetRef="end2">'
        f"<bpmn:conditionExpression>{code}</bpmn:conditionExpression></bpmn:sequenceFlow>"
        '<bpmn:endEvent id="end2"/>',
    )  # fmt: skip
    return diagram(choice.choice(places))


def foreign_words(n: int, _choice: random.Random) -> Files:
    words = (
        "${" + "(" * 3_000 + "a" + ")" * 3_000 + "}", "${" + "!" * 100_000 + "a}", "#{''.class.forName('x')}",
        "${" + "a." * 40_000 + "b}", "= " + "not(" * 5_000 + "a" + ")" * 5_000, "= " + "[" * 9_000,
        "${a" + " + a" * 9_000 + "}",
        "= if " * 5_000, "${execution.engineServices.runtimeService.deleteProcessInstance('x', 'y')}", "${'\\" * 9_000,
    )  # fmt: skip
    condition = f"<bpmn:conditionExpression>{words[n]}</bpmn:conditionExpression>"
    flow = f'<bpmn:sequenceFlow id="f3" sourceRef="g" targetRef="end">{condition}</bpmn:sequenceFlow>'
    return diagram(ask() + '<bpmn:exclusiveGateway id="g"/>' + flow)


def templates(n: int, _choice: random.Random) -> Files:
    mails = (
        "{{ config }}", "{{ ''.__class__ }}", "{{", "{{ patient.ssn }}", "{{ " + "(" * 5_000 + " }}", "{{ 9**9 }}",
        "{{ [x for x in y for z in x] }}", "{{ '" + "x" * 5_000 + "' }}", "{{ link }" * 3_000, "{{ open('x') }}",
    )  # fmt: skip
    return {**diagram(ask()), f"mail/{n}.txt": mails[n].encode()}


def forms(n: int, _choice: random.Random) -> Files:
    field = {"type": "textfield", "key": "a", "label": "A"}
    broken: tuple[object, ...] = (
        {"components": [{**field, "key": "__proto__"}]},
        {"components": [{**field, "key": "typename"}]},
        {"components": [{"type": "iframe", "id": "frame", "url": "javascript:alert(1)"}]},
        {"components": [{**field, "conditional": {"hide": "=true"}}]},
        {"components": [field] * 5_000},
        {"components": [[[]]]},
        [],
        {"components": [{**field, "defaultValue": {"a": 1}}]},
        {"components": [{**field, "label": "{{ x }}"}]},
        {"components": [{**field, "validate": {"minLength": 1e400}}]},
    )
    content = b"[" * 200_000 if n == 6 else json.dumps(broken[n]).encode()
    return {**diagram(ask()), "ask.form": content}


def patterns(n: int, _choice: random.Random) -> Files:
    field = {"type": "textfield", "key": "a", "label": "A", "validate": {"pattern": PATTERNS[n]}}
    return {**diagram(ask()), "ask.form": json.dumps({"components": [field]}).encode()}


def cells(n: int, _choice: random.Random) -> Files:
    bad = CODE[n].replace("<", "&lt;").replace('"', "&quot;")
    rule = f'<rule id="r1"><inputEntry id="i1"><text>{bad}</text></inputEntry><outputEntry id="o1"><text>1</text>'
    columns = '<input id="in"><inputExpression id="x"><text>a</text></inputExpression></input>'
    columns += '<output id="out" name="b"/>'
    table = f'<decisionTable id="t">{columns}{rule}</outputEntry></rule></decisionTable>'
    text = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'
    return {**diagram(ask()), "t.dmn": f'{text}<decision id="dec" name="d">{table}</decision></definitions>'.encode()}


def dead(n: int, _choice: random.Random) -> Files:
    task = '<bpmn:userTask id="{0}" name="{0}"/>'
    bodies = (
        "", task.format("ask"), '<bpmn:startEvent id="begin"/>', '<bpmn:startEvent id="begin"/>' + task.format("ask"),
        ask() + task.format("lost"), ask() + '<bpmn:startEvent id="two"/>', row('<bpmn:exclusiveGateway id="ask"/>')
        + '<bpmn:sequenceFlow id="f3" sourceRef="ask" targetRef="ask"/>', '<bpmn:endEvent id="end"/>',
        row('<bpmn:transaction id="ask"/>'), row('<bpmn:complexGateway id="ask"/>'),
    )  # fmt: skip
    return diagram(bodies[n])


def zips(n: int, _choice: random.Random) -> bytes:
    if n == 9:
        return b"PK\x03\x04" + b"\x00" * 500
    buffer = io.BytesIO()
    names = ("../p.bpmn", "/etc/x.bpmn", "a\\..\\p.bpmn", "C:/p.bpmn", "a/./p.bpmn", *["p.bpmn"] * 4)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if n == 5:  # a bomb
            with archive.open("p.bpmn", "w") as bomb:
                for _ in range(300):
                    bomb.write(b" " * 1_000_000)
        elif n == 6:  # many
            for i in range(3_000):
                archive.writestr(f"{i}.txt", b"")
        elif n == 7:  # bombs side by side
            for i in range(60):
                archive.writestr(f"{i}.bpmn", b" " * 900_000)
        else:
            archive.writestr(names[n], b"<a/>")
    content = buffer.getvalue()
    if n == 8:  # the directory tells a smaller size than is there
        at = content.rindex(b"PK\x01\x02")
        return content[: at + 24] + (1).to_bytes(4, "little") + content[at + 28 :]
    return content


def garbled(n: int, choice: random.Random) -> bytes:
    """A zip file whose way of packing, names or directory are not what they say."""
    ways = (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", ways[n % 2] if n < 4 else zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pp.bpmn", choice.randbytes(2_000))
        if n == 7:
            with warnings.catch_warnings(action="ignore"):
                archive.writestr("pp.bpmn", b"<b/>")
    content = bytearray(buffer.getvalue())
    packed, entry, end = content.index(b"pp.bpmn") + 7, content.rindex(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    match n:
        case 2 | 3 | 4:  # the packed bytes are others
            content[packed : packed + 40] = choice.randbytes(40)
        case 5:  # a name that says it is UTF-8, and is not
            content[entry + 8 : entry + 10] = (0x800).to_bytes(2, "little")
            content[content.rindex(b"pp.bpmn")] = 0xFF
        case 6:  # the directory lies elsewhere
            content[end + 16 : end + 20] = choice.randbytes(4)
        case 8:  # a password, it says
            content[entry + 8] |= 1
        case 9:  # packed in no known way
            content[entry + 10 : entry + 12] = (77).to_bytes(2, "little")
        case _:  # n 0 and 1: sound, but packed in a way that takes memory of the sender's choosing
            pass
    return bytes(content)


CLASSES: dict[str, Callable[[int, random.Random], Files | bytes]] = {
    attack.__name__: attack
    for attack in (
        entities, external, inclusion, depth, size, identifiers, circles, masses, expressions, foreign_words, templates,
        forms, patterns, cells, dead, zips, garbled,
    )
}  # fmt: skip


def attacks(kind: str) -> Iterator[Files | bytes]:
    """The ten of a class."""
    for n in range(10):
        yield CLASSES[kind](n, random.Random(n))


def refusals(upload: Files | bytes) -> list[tuple[str, str]]:
    """Where and why *upload* is refused; empty when it would be let in."""
    try:
        package = from_zip(upload) if isinstance(upload, bytes) else Package(upload)
    except InvalidDefinition as error:
        return error.problems or [("", error.message)]
    _, findings = admit(package, Services((MAIL,)))
    return [(finding.element, finding.message) for finding in findings if finding.severity == "error"]
