"""The diagrams of the recorded databases: each is small and has what some version of Usher could not carry on."""

from __future__ import annotations

from dataclasses import dataclass

from usher_engine.definitions import Package

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" '
    'id="d" targetNamespace="http://usher.example/golden">'
)


def ways(prefix: str, *chains: str) -> str:
    """The sequence flows of each chain of elements, ``"a b c"``; a flow with a condition is drawn by `asked`."""
    pairs = [pair for chain in chains for pair in zip(chain.split(), chain.split()[1:], strict=False)]
    return "".join(
        f'<bpmn:sequenceFlow id="{prefix}_{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate(pairs)
    )


def asked(flow: str, source: str, target: str) -> str:
    """A flow that is always taken, by its condition."""
    ends = f'id="{flow}" sourceRef="{source}" targetRef="{target}"'
    return f"<bpmn:sequenceFlow {ends}><bpmn:conditionExpression>1 == 1</bpmn:conditionExpression></bpmn:sequenceFlow>"


def event(kind: str, name: str, inside: str = "", more: str = "") -> str:
    return f'<bpmn:{kind} id="{name}" {more}>{inside}</bpmn:{kind}>'


def people(*names: str) -> str:
    return "".join(f'<bpmn:userTask id="{name}" name="{name}"/>' for name in names)


def service(name: str, asks: str = "test/effect") -> str:
    operator = f'<spiffworkflow:serviceTaskOperator id="{asks}" resultVariable="sent"/>'
    return event("serviceTask", name, f"<bpmn:extensionElements>{operator}</bpmn:extensionElements>")


def process(name: str, *content: str) -> str:
    return f'<bpmn:process id="{name}" name="{name}" isExecutable="true">{"".join(content)}</bpmn:process>'


def sub(name: str, *content: str, more: str = "") -> str:
    """A sub-process that begins at ``NAME_s`` and ends at ``NAME_e``."""
    ends = event("startEvent", f"{name}_s") + event("endEvent", f"{name}_e")
    return f'<bpmn:subProcess id="{name}" {more}>{ends}{"".join(content)}</bpmn:subProcess>'


def call(name: str, called: str) -> str:
    return f'<bpmn:callActivity id="{name}" calledElement="{called}"/>'


def file(*roots: str) -> bytes:
    return f"{HEAD}{''.join(roots)}</bpmn:definitions>\n".encode()


ENDS = event("startEvent", "begin") + event("endEvent", "end")
WAIT = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
INNER = sub("inner", people("ask"), ways("i", "inner_s ask inner_e"))
OUTER = sub("outer", INNER, ways("o", "outer_s inner outer_e"))


@dataclass(frozen=True)
class Drawing:
    """A package, named like its process."""

    name: str
    files: tuple[bytes, ...]

    @property
    def package(self) -> Package:
        return Package({f"{self.name}{number or ''}.bpmn": content for number, content in enumerate(self.files)})


def one(name: str, *content: str, roots: str = "") -> Drawing:
    return Drawing(name, (file(roots, process(name, *content)),))


#: A sub-process in a sub-process, and three people after it.
nested = one("nested", ENDS, OUTER, people("a", "b", "c"), ways("f", "begin outer a b c end"))

#: The same before a timer and before a service, where no person is there to see it.
nested_timer = one(
    "nested_timer", ENDS, OUTER, people("a"), event("intermediateCatchEvent", "later", WAIT),
    ways("f", "begin outer a later end"),
)  # fmt: skip
nested_service = one(
    "nested_service", ENDS, OUTER, people("a", "b"), service("send"), ways("f", "begin outer a send b end")
)

_MIDDLE = event("startEvent", "m_s") + event("endEvent", "m_e") + call("second", "deepest")
_DEEPEST = event("startEvent", "d_s") + event("endEvent", "d_e") + people("ask")
#: A call in a call.
calls = Drawing(
    "calls",
    (
        file(process("calls", ENDS, call("first", "middle"), people("a", "b"), ways("f", "begin first a b end"))),
        file(process("middle", _MIDDLE, ways("m", "m_s second m_e"))),
        file(process("deepest", _DEEPEST, ways("d", "d_s ask d_e"))),
    ),
)

_NEWS = event(
    "startEvent", "heard", '<bpmn:messageEventDefinition messageRef="m_news"/>', 'isInterrupting="false"'
)
_BESIDE = (
    '<bpmn:subProcess id="beside" triggeredByEvent="true">' + _NEWS + people("read") + event("endEvent", "b_e")
    + ways("b", "heard read b_e") + "</bpmn:subProcess>"
)  # fmt: skip
#: An event sub-process that happens inside a sub-process.
beside = one(
    "beside_nested", ENDS, sub("outer", people("work"), _BESIDE, ways("o", "outer_s work outer_e")),
    people("a", "b", "c"), ways("f", "begin outer a b c end"), roots='<bpmn:message id="m_news" name="News"/>',
)  # fmt: skip

_FORKS = "".join(event("parallelGateway", name) for name in ("fork", "fork2", "join"))
_TO_JOIN = ("begin fork a join", "fork fork2 b join", "fork2 c join")
_FORKED = ways("f", *_TO_JOIN, "join after end")
#: A fork in a fork, and one join for all three ways.
forks = one("forks", ENDS, _FORKS, people("a", "b", "c", "after"), _FORKED)
#: The same with a service on the last way.
forks_service = one("forks_service", ENDS, _FORKS, people("a", "b", "after"), service("c"), _FORKED)
#: The same with the end behind the join, and with a question to a service and a time to wait for.
forks_end = one("forks_end", ENDS, _FORKS, people("a", "b", "c"), ways("f", *_TO_JOIN, "join end"))
forks_read = one(
    "forks_read", ENDS, _FORKS, people("a", "b", "c"), service("look", "test/read"),
    event("intermediateCatchEvent", "later", WAIT), ways("f", *_TO_JOIN, "join look later end"),
)  # fmt: skip
#: The same while a person works in another branch.
forks_beside = one(
    "forks_beside", ENDS, event("endEvent", "end2"), _FORKS, people("a", "b", "c", "after", "x", "y"),
    _FORKED, ways("x", "fork2 x y end2"),
)  # fmt: skip


def _inclusive(name: str, last: str) -> Drawing:
    gateways = (
        event("inclusiveGateway", "some", more='default="none"') + event("inclusiveGateway", "join")
        + event("inclusiveGateway", "some2", more='default="none2"')
        + event("exclusiveGateway", "x", more='default="x_on"')
        + event("exclusiveGateway", "x2") + event("exclusiveGateway", "xj")
    )  # fmt: skip
    flows = (
        '<bpmn:sequenceFlow id="none" sourceRef="some" targetRef="join"/>'
        '<bpmn:sequenceFlow id="none2" sourceRef="some2" targetRef="xj"/>'
        '<bpmn:sequenceFlow id="x_on" sourceRef="x" targetRef="some2"/>'
        + asked("x_a", "x", "a") + asked("some_x", "some", "x") + asked("some_b", "some", "b")
        + ways("f", "begin some", "a x2 xj join z end", "b join")
    )  # fmt: skip
    return one(name, ENDS, gateways, people("a", "b"), last, flows)


#: An inclusive join behind another inclusive gateway: it once went on too early, and twice.
inclusive = _inclusive("inclusive", people("z"))
inclusive_service = _inclusive("inclusive_service", service("z"))

_THROW = '<bpmn:escalationEventDefinition escalationRef="e1"/>'
_HANDLER = (
    '<bpmn:subProcess id="handler" triggeredByEvent="true">'
    + event("startEvent", "caught", _THROW, 'isInterrupting="false"')
    + people("handle") + event("endEvent", "again", _THROW) + ways("h", "caught handle again") + "</bpmn:subProcess>"
)  # fmt: skip
#: An escalation thrown on from the handler that caught it.
thrown_on = one(
    "thrown_on", ENDS, event("endEvent", "end2"),
    sub(
        "outer", event("intermediateThrowEvent", "throw", _THROW), people("work"), _HANDLER,
        ways("o", "outer_s throw work outer_e"),
    ),
    event("boundaryEvent", "outside", _THROW, 'attachedToRef="outer" cancelActivity="false"'),
    people("y"), ways("f", "begin outer end", "outside y end2"),
    roots='<bpmn:escalation id="e1" name="E1" escalationCode="E1"/>',
)  # fmt: skip

ALL = (
    nested, nested_timer, nested_service, calls, beside, forks, forks_service, forks_end, forks_read, forks_beside,
    inclusive, inclusive_service, thrown_on,
)  # fmt: skip
