"""Business rule tasks: a decision is made inside the step, recorded with its rules, and made again by verify."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from conftest import alice, package
from sqlalchemy import text
from usher_engine import Actor, Engine
from usher_engine.core.canonical import canonical
from usher_engine.definitions import Package
from usher_engine.store.instance_rows import GENESIS, chain_hash

ADMIN = Actor(name="ana", role="analyst")


@pytest.fixture
def outreach(engine: Engine) -> Engine:
    engine.deploy(package("outreach"), actor=ADMIN)
    return engine


def decided(engine: Engine, case: str) -> list[dict[str, Any]]:
    return [e for step in engine.queries.history(case) for e in step.events if e["kind"] == "DecisionMade"]


def test_a_decision_is_recorded_with_its_inputs_and_rules(outreach: Engine) -> None:
    case = outreach.start("outreach", {"age": 70, "has_phone": True, "seen": "2024-12-31"}, actor=alice)
    assert case.at == ("Call",)
    assert (case.tasks[0].message, outreach.queries.rebuild(case.id).data["effort"]) == ("Within 7 days.", 4)
    contact, effort = decided(outreach, case.id)
    group = {"decision": "Group", "inputs": {"age": 70}, "rules": ["adult"], "outputs": {"group": "adult"}}
    assert contact == {
        "kind": "DecisionMade",
        "element": "ChooseContact",
        "visit": 1,
        "decision": "Contact",
        "inputs": {"group": "adult", "has_phone": True},
        "rules": ["call"],
        "outputs": {"channel": "phone", "wait_days": 7},
        "required": [group],
    }
    assert (effort["rules"], effort["outputs"]) == (["always", "old", "long_ago"], {"effort": 4})
    assert "group" not in outreach.queries.rebuild(case.id).data
    outreach.complete(case.tasks[0].id, {}, actor=alice)
    assert outreach.instance(case.id).outcome == "Mailed"
    assert [event["visit"] for event in decided(outreach, case.id)] == [1, 1, 2, 2]
    assert outreach.verify(case.id) == []


@pytest.mark.parametrize(
    ("data", "outcome", "rules"),
    [
        ({"age": 3, "has_phone": True}, "Left", ["no_child"]),
        ({"age": 15, "has_phone": False}, "Mailed", ["write"]),
        ({"age": 40, "has_phone": False}, "Mailed", ["write"]),
        ({"age": 40, "has_phone": None}, "Mailed", ["write"]),
    ],
)
def test_ways_by_decision(outreach: Engine, data: dict[str, Any], outcome: str, rules: list[str]) -> None:
    case = outreach.start("outreach", data, actor=alice)
    assert (case.status, case.outcome) == ("finished", outcome)
    assert decided(outreach, case.id)[0]["rules"] == rules
    assert outreach.verify(case.id) == []
    assert outreach.queries.rebuild(case.id).data == outreach.queries.rebuild(case.id, revision=1).data


def test_a_value_that_does_not_fit_is_an_incident_on_the_task(outreach: Engine) -> None:
    case = outreach.start("outreach", {"age": "forty", "has_phone": True}, actor=alice)
    assert case.status == "incident"
    (incident,) = [e for e in outreach.queries.history(case.id)[0].events if e["kind"] == "IncidentRaised"]
    assert (incident["element"], incident["code"]) == ("ChooseContact", "DecisionFailed")
    assert "“Age group” (Group)" in incident["reason"] and "input column 1 (age)" in incident["reason"]
    assert "forty" not in incident["reason"]
    assert outreach.verify(case.id) == []


def test_two_rules_of_a_unique_table_are_an_incident_that_names_them(engine: Engine) -> None:
    files = dict(package("outreach").files)
    files["contact.dmn"] = files["contact.dmn"].replace(b"&lt; 13", b"&lt; 14")
    engine.deploy(Package(files), actor=ADMIN)
    case = engine.start("outreach", {"age": 13, "has_phone": True}, actor=alice)
    (incident,) = [e for e in engine.queries.history(case.id)[0].events if e["kind"] == "IncidentRaised"]
    assert "rows 1 (child), 2 (teen)" in incident["reason"]
    assert engine.verify(case.id) == []


EACH = b"""<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="x">
 <bpmn:process id="each" isExecutable="true"><bpmn:startEvent id="Begin"/>
 <bpmn:sequenceFlow id="f1" sourceRef="Begin" targetRef="Sort"/>
 <bpmn:businessRuleTask id="Sort" name="Sort"><bpmn:extensionElements><s:calledDecisionId>Group</s:calledDecisionId>
 </bpmn:extensionElements><bpmn:multiInstanceLoopCharacteristics isSequential="%s">
 <bpmn:loopDataInputRef>ages</bpmn:loopDataInputRef><bpmn:loopDataOutputRef>groups</bpmn:loopDataOutputRef>
 <bpmn:inputDataItem id="i" name="age"/><bpmn:outputDataItem id="o" name="group"/>
 </bpmn:multiInstanceLoopCharacteristics></bpmn:businessRuleTask>
 <bpmn:sequenceFlow id="f2" sourceRef="Sort" targetRef="Over"/><bpmn:endEvent id="Over"/>
 </bpmn:process></bpmn:definitions>"""


@pytest.mark.parametrize("in_turn", [b"true", b"false"])
def test_a_decision_for_each_element_of_a_list(engine: Engine, in_turn: bytes) -> None:
    files = {"each.bpmn": EACH % in_turn, "contact.dmn": package("outreach").files["contact.dmn"]}
    engine.deploy(Package(files), actor=ADMIN)
    case = engine.start("each", {"ages": [3, 15, 40]}, actor=alice)
    assert case.status == "finished"
    assert engine.queries.rebuild(case.id).data["groups"] == ["child", "teen", "adult"]
    assert [event["rules"] for event in decided(engine, case.id)] == [["child"], ["teen"], ["adult"]]
    assert engine.verify(case.id) == []


@pytest.mark.parametrize("field", ["rules", "inputs", "outputs"])
def test_another_decision_with_new_hashes_is_found(outreach: Engine, field: str) -> None:
    case = outreach.start("outreach", {"age": 70, "has_phone": True}, actor=alice).id
    altered = {"rules": ["write"], "inputs": {"group": "teen"}, "outputs": {"channel": "phone", "wait_days": 1}}
    body = dict(outreach.queries.history(case)[0].body)
    next(event for event in body["events"] if event["kind"] == "DecisionMade")[field] = altered[field]
    written = canonical(body)
    values = {"case": case, "body": zlib.compress(written), "hash": chain_hash(GENESIS, written)}
    with outreach.database.begin() as tx:
        if outreach.database.is_sqlite:
            for name in tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
                tx.execute(text(f"DROP TRIGGER {name}"))
        else:
            tx.execute(text("ALTER TABLE step DISABLE TRIGGER USER"))
        tx.execute(text("UPDATE step SET body = :body, hash = :hash WHERE instance = :case"), values)
        tx.execute(text("UPDATE instance SET head = :hash WHERE id = :case"), values)
    found = outreach.verify(case)[0]
    assert (found.kind, found.revision, found.element) == ("data", 1, "ChooseContact")
    assert "Choose how to reach them was decided; run again, this differs in: " in found.message
