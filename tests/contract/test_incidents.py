"""Which incidents a step ends: those of the answer that failed before, never what is parked in another branch."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Outside, alice, package
from usher_engine import Actor, Engine, Worker
from usher_engine.definitions import Package

ANA = Actor(name="ana", role="analyst")
OPEN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="t">'
    '<process id="both" name="Both" isExecutable="true">'
)
CLOSE = "</process></definitions>"
EFFECT = (
    "<extensionElements><spiffworkflow:serviceTaskOperator id='test/effect' resultVariable='sent'>"
    "<spiffworkflow:parameters/></spiffworkflow:serviceTaskOperator></extensionElements>"
)
ASKED = (
    "<extensionElements><spiffworkflow:properties>"
    "<spiffworkflow:property name='candidateGroups' value='Front desk'/>"
    "<spiffworkflow:property name='form' value='answer.form'/>"
    "<spiffworkflow:property name='resultVariable' value='answered'/>"
    "</spiffworkflow:properties></extensionElements>"
)
#: One branch sends a mail; in the other a person answers, and a script reads the answer.
BOTH = f"""
  <startEvent id="s"/><parallelGateway id="split"/>
  <serviceTask id="Send" name="Send">{EFFECT}</serviceTask>
  <boundaryEvent id="Late" attachedToRef="Send"><timerEventDefinition><timeDuration>"P30D"</timeDuration>
    </timerEventDefinition></boundaryEvent>
  <userTask id="Ask" name="Ask">{ASKED}</userTask><scriptTask id="Read" name="Read">
    <script>read = {{"yes": 1}}[answered.word]</script></scriptTask>
  <userTask id="Then" name="Then">{ASKED.replace("answered", "then")}</userTask>
  <exclusiveGateway id="sent_or_not"/><parallelGateway id="join"/><endEvent id="e"/>
  <sequenceFlow id="f1" sourceRef="s" targetRef="split"/><sequenceFlow id="f2" sourceRef="split" targetRef="Send"/>
  <sequenceFlow id="f3" sourceRef="split" targetRef="Ask"/><sequenceFlow id="f4" sourceRef="Ask" targetRef="Read"/>
  <sequenceFlow id="f5" sourceRef="Read" targetRef="Then"/><sequenceFlow id="f6" sourceRef="Then" targetRef="join"/>
  <sequenceFlow id="f7" sourceRef="Send" targetRef="sent_or_not"/><sequenceFlow id="f8" sourceRef="join" targetRef="e"/>
  <sequenceFlow id="f9" sourceRef="Late" targetRef="sent_or_not"/>
  <sequenceFlow id="f10" sourceRef="sent_or_not" targetRef="join"/>
"""


@pytest.fixture
def both(engine: Engine) -> Engine:
    files = {"both.bpmn": f"{OPEN}{BOTH}{CLOSE}".encode(), "answer.form": package("small").files["answer.form"]}
    engine.deploy(Package(files), actor=ANA)
    return engine


@pytest.fixture
def parked(both: Engine, outside: Outside) -> str:
    """A case whose mail could not be sent and waits to be tried again."""
    case = both.start("both", {}, actor=alice).id
    outside.fail(retry=False)
    Worker(both).run_due()
    assert both.instance(case).status == "incident"
    return case


def answer(engine: Engine, case: str, word: str) -> str:
    [task] = engine.instance(case).tasks
    return engine.complete(task.id, {"word": word}, actor=alice).status


def stopped(engine: Engine, case: str) -> set[str]:
    return set(engine.queries.rebuild(case).incidents)


def test_work_in_another_branch_leaves_what_is_parked_an_incident(both: Engine, parked: str) -> None:
    assert answer(both, parked, "yes") == "incident"
    assert stopped(both, parked) == {"Send:1"}
    assert answer(both, parked, "yes") == "incident"
    both.cases.retry(parked, actor=alice)
    assert Worker(both).run_due() == 1
    assert both.instance(parked).status == "finished"
    assert both.verify(parked) == []


def test_an_answer_ends_the_incident_of_the_answer_that_failed(both: Engine, parked: str) -> None:
    assert answer(both, parked, "no") == "incident"
    assert stopped(both, parked) == {"Send:1", "Read:0"}
    answer(both, parked, "yes")
    assert stopped(both, parked) == {"Send:1"}
    assert both.verify(parked) == []


def test_a_report_of_a_service_leaves_the_answer_that_failed_an_incident(both: Engine, outside: Outside) -> None:
    case = both.start("both", {}, actor=alice).id
    answer(both, case, "no")
    assert Worker(both).run_due() == 1
    assert stopped(both, case) == {"Read:0"}
    assert answer(both, case, "yes") == "waiting"
    assert both.verify(case) == []


def test_an_element_that_is_left_takes_its_incident_along(both: Engine, parked: str, clock) -> None:
    clock.forward(days=31)
    Worker(both).run_due()
    found = both.instance(parked)
    assert (found.status, found.incident) == ("waiting", None)
    assert both.verify(parked) == []


def test_a_failed_message_stays_parked_while_people_work(engine: Engine, outside: Outside) -> None:
    """The message's step failed on a script behind it; only trying again delivers it."""
    catching = BOTH.replace(
        f'<serviceTask id="Send" name="Send">{EFFECT}</serviceTask>',
        '<receiveTask id="Send" name="Send" messageRef="m"><extensionElements><spiffworkflow:properties>'
        "<spiffworkflow:property name='resultVariable' value='sent'/></spiffworkflow:properties></extensionElements>"
        '</receiveTask><scriptTask id="Use"><script>used = {"yes": 1}[sent.word]</script></scriptTask>'
        '<sequenceFlow id="f11" sourceRef="Use" targetRef="sent_or_not"/>',
    ).replace('sourceRef="Send" targetRef="sent_or_not"', 'sourceRef="Send" targetRef="Use"')
    text = f"{OPEN}{catching}{CLOSE}".replace("<process", '<message id="m" name="News"/><process')
    form = package("small").files["answer.form"]
    engine.deploy(Package({"both.bpmn": text.encode(), "answer.form": form}), actor=ANA)
    case = engine.start("both", {}, actor=alice).id
    engine.incoming.deliver_message("News", {"word": "no"}, actor=alice, instance=case)
    assert stopped(engine, case) == {"Use:0"}
    assert answer(engine, case, "yes") == "incident"
    assert stopped(engine, case) == {"Use:0"}
    assert engine.verify(case) == []
    assert engine.queries.counts()["jobs"]["parked"] == 1


@pytest.mark.parametrize("unstorable", ["a\x00b", "\ud800", {"deep": ["\x00"]}, {"\x00": 1}])
def test_an_answer_that_no_database_can_store_is_an_incident(
    engine: Engine, outside: Outside, unstorable: Any
) -> None:
    """Alike on both databases: PostgreSQL keeps no NUL, neither writes half of a character."""
    engine.deploy(package("small"), actor=ANA)
    outside.answers.append({"n": 2, "said": unstorable})
    case = engine.start("small", {"q": 1}, actor=alice)
    assert case.status == "incident"
    assert "cannot be stored" in next(iter(engine.queries.rebuild(case.id).incidents.values()))
    outside.answers.append({"n": 2})
    assert engine.cases.retry(case.id, actor=ANA).status == "waiting"
    assert engine.verify(case.id) == []


def test_a_message_that_would_be_too_long_is_an_incident(engine: Engine) -> None:
    message = "{{ b }}" * 2_000
    task = (
        f"<userTask id='U' name='U'><extensionElements><spiffworkflow:instructionsForEndUser>{message}"
        "</spiffworkflow:instructionsForEndUser></extensionElements></userTask>"
    )
    text = (
        f"{OPEN}<startEvent id='s'/>{task}<endEvent id='e'/><sequenceFlow id='f' sourceRef='s' targetRef='U'/>"
        f"<sequenceFlow id='g' sourceRef='U' targetRef='e'/>{CLOSE}"
    )
    engine.deploy(Package({"both.bpmn": text.encode()}), actor=ANA)
    case = engine.start("both", {"b": "x" * 15_000}, actor=alice)
    assert case.status == "incident"
    assert list(engine.queries.rebuild(case.id).incidents) == ["U:0"]


def test_what_answered_nothing_is_not_done_again_either(engine: Engine, outside: Outside) -> None:
    """The effect succeeds and a later element fails: the effect is never repeated, whatever its result."""
    body = (
        f'<startEvent id="s"/><serviceTask id="Send">{EFFECT}</serviceTask><endEvent id="e"/>'
        '<scriptTask id="Read"><script>read = {"yes": 1}[word]</script></scriptTask>'
        '<sequenceFlow id="f1" sourceRef="s" targetRef="Send"/>'
        '<sequenceFlow id="f2" sourceRef="Send" targetRef="Read"/>'
        '<sequenceFlow id="f3" sourceRef="Read" targetRef="e"/>'
    )
    engine.deploy(Package({"both.bpmn": f"{OPEN}{body}{CLOSE}".encode()}), actor=ANA)
    case = engine.start("both", {"word": "no"}, actor=alice).id
    outside.answers.append(None)
    Worker(engine).run_due()
    assert engine.cases.retry(case, actor=alice).status == "waiting"
    Worker(engine).run_due()
    assert (engine.instance(case).status, len(outside.calls)) == ("incident", 1)
