"""Small diagrams of events and services in sequence, for tests of cases that proceed without a person."""

from __future__ import annotations

from usher_engine.definitions import Package

_OPEN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="t">'
)


def drawn(process: str, *, again: bool = False, **elements: str) -> Package:
    """
    A process of *elements* in a row, by id: a duration, cycle or date is a timer, else it names an operator.

    With *again* it goes round for ever, or until the data say ``enough``.
    """
    row = ["Begin", *elements]
    body = '<startEvent id="Begin"/><endEvent id="Over"/>'
    body += "".join(_element(key, what) for key, what in elements.items())
    ends = list(zip(row, [*elements, "Over"], strict=True))
    if again:
        body += '<exclusiveGateway id="Again" default="back"/>'
        ends = [*ends[:-1], (row[-1], "Again")]
        body += (
            f'<sequenceFlow id="back" sourceRef="Again" targetRef="{row[1]}"/>'
            '<sequenceFlow id="out" sourceRef="Again" targetRef="Over">'
            '<conditionExpression>get("enough")</conditionExpression></sequenceFlow>'
        )
    body += "".join(
        f'<sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate(ends)
    )
    text = f'{_OPEN}<process id="{process}" name="{process}" isExecutable="true">{body}</process></definitions>'
    return Package({f"{process}.bpmn": text.encode()})


def _element(key: str, what: str) -> str:
    if "/" in what and not what.startswith("R"):
        return (
            f'<serviceTask id="{key}" name="{key}"><extensionElements>'
            f"<spiffworkflow:serviceTaskOperator id='{what}' resultVariable='{key.lower()}'>"
            "<spiffworkflow:parameters/></spiffworkflow:serviceTaskOperator></extensionElements></serviceTask>"
        )
    form = {"P": "timeDuration", "R": "timeCycle"}.get(what[0], "timeDate")
    return (
        f'<intermediateCatchEvent id="{key}" name="{key}"><timerEventDefinition>'
        f"<{form}>{what}</{form}></timerEventDefinition></intermediateCatchEvent>"
    )
