"""Cases that call operators of an installed package, while it changes and while it is gone: nothing is lost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Clock, alice
from own_packages import HEAD, lay_out, points
from sqlalchemy import update
from usher_engine import Actor, Engine, InvalidDefinition, Services, Settings, Worker
from usher_engine.cases import CaseSelection
from usher_engine.checkpoints.merkle import SigningKey
from usher_engine.definitions import Package
from usher_engine.exports import Export, Selection, verify_export
from usher_engine.own_operators import load_operators
from usher_engine.reexecution import Compared, Kind
from usher_engine.reexecution.hash_chain import read_chain
from usher_engine.store import Database, stored_cases
from usher_engine.store.tables import engine_tables as t

ANA, ADAM = Actor(name="ana", role="analyst"), Actor(name="adam", role="admin")
#: Looks up, waits for a person, prints.
OPERATORS = """return (
    Operator(name="lab/look-up", title="Look up", mode=Mode.DERIVED, call=lambda given, call: {"state": STATE},
        parameters=(Parameter(name="id"),MORE), result=record({"state": text()})),
    Operator(name="lab/print", title="Print", mode=Mode.EFFECT, call=lambda given, call: {"printed": True},
        parameters=(Parameter(name="id"),), result=record({"printed": boolean()})),
)"""
DIAGRAM = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 id="d" targetNamespace="t"><process id="labels" isExecutable="true"><startEvent id="Begin"/>
 <serviceTask id="LookUp"><extensionElements><s:serviceTaskOperator id="lab/look-up" resultVariable="found">
 <s:parameters><s:parameter id="id" value="id"/></s:parameters></s:serviceTaskOperator></extensionElements>
 </serviceTask>
 <userTask id="Ask"/>
 <exclusiveGateway id="Which" default="no"/><endEvent id="NotReady"/>
 <serviceTask id="Print"><extensionElements><s:serviceTaskOperator id="lab/print" resultVariable="printed">
 <s:parameters><s:parameter id="id" value="id"/></s:parameters></s:serviceTaskOperator></extensionElements>
 </serviceTask>
 <endEvent id="Printed"/>
 <sequenceFlow id="f1" sourceRef="Begin" targetRef="LookUp"/><sequenceFlow id="f2" sourceRef="LookUp" targetRef="Ask"/>
 <sequenceFlow id="f3" sourceRef="Ask" targetRef="Which"/><sequenceFlow id="no" sourceRef="Which" targetRef="NotReady"/>
 <sequenceFlow id="yes" sourceRef="Which" targetRef="Print"><conditionExpression xsi:type="tFormalExpression">
 found.state == "ready"</conditionExpression></sequenceFlow>
 <sequenceFlow id="f4" sourceRef="Print" targetRef="Printed"/></process></definitions>"""
LABELS = Package({"labels.bpmn": DIAGRAM.encode()})

#: Makes an engine with the package of a version and of what it answers, or without it.
Installed = Callable[..., Engine]


@pytest.fixture
def installed(
    settings: Settings, database: Database, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installed:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(version: str = "", state: str = "ready", more: str = "", head: str = HEAD) -> Engine:
        body = OPERATORS.replace("STATE", repr(state)).replace("MORE", more)
        found = lay_out(tmp_path, "clinic-lab", body, version=version, head=head) if version else []
        loaded = load_operators(found)
        return Engine(settings, Services(loaded.operators, refused=loaded.refused), clock, database)

    return install


def begin(engine: Engine) -> str:
    engine.deploy(LABELS, actor=ANA)
    return engine.start("labels", {"id": "p1"}, actor=alice).id


def answer(engine: Engine, case: str) -> None:
    (task,) = engine.instance(case).tasks
    engine.complete(task.id, {}, actor=alice)


def verified(engine: Engine) -> set[str]:
    """The notes of a check of every case, which must agree with its record."""
    found = engine.verification.verify_all()
    assert found.findings == []
    return found.notes


def moved(engine: Engine, draft: Package = LABELS) -> list[Compared]:
    return list(engine.backtests.run(draft, CaseSelection(process="labels")).others)


def test_a_step_records_the_package_of_each_operator_it_called(installed: Installed, database: Database) -> None:
    engine = installed("1.2.0")
    case = begin(engine)
    answer(engine, case)
    assert Worker(engine).run_due() == 1
    assert engine.instance(case).outcome == "Printed"
    with database.read() as tx:
        steps = [body for _, body, _ in read_chain(stored_cases.one(tx, case))[0]]
    lab = "clinic-lab 1.2.0"
    assert [step.get("packages") for step in steps] == [{"lab/look-up": lab}, {"lab/print": lab}, None]
    assert verified(engine) == set()


def test_a_record_is_verified_when_its_package_is_gone_or_declares_otherwise(installed: Installed) -> None:
    engine = installed("1.2.0")
    case = begin(engine)
    answer(engine, case)
    Worker(engine).run_due()
    gone = installed()
    assert verified(gone) == {
        "Answers of lab/look-up (clinic-lab 1.2.0) are taken as recorded; the package is not installed here.",
        "Answers of lab/print (clinic-lab 1.2.0) are taken as recorded; the package is not installed here.",
    }
    assert gone.verify(case) == []
    newer = installed("2.0", state="x", more='Parameter(name="site"),')
    assert "lab/look-up (clinic-lab 1.2.0) are taken as recorded; clinic-lab 2.0 is installed" in str(verified(newer))


def test_a_case_stops_while_its_package_is_gone_and_goes_on_when_it_is_back(installed: Installed) -> None:
    engine = installed("1.2.0")
    case = begin(engine)
    answer(engine, case)
    gone = installed()
    assert Worker(gone).run_due() == 1
    stopped = gone.instance(case)
    assert stopped.status == "incident"
    assert "No service operator is called “lab/print”" in stopped.incident
    verified(gone)
    gone.cases.retry(case, actor=ANA)
    Worker(gone).run_due()
    assert gone.instance(case).status == "incident"
    back = installed("1.3.0")
    back.cases.retry(case, actor=ANA)
    Worker(back).run_due()
    assert back.instance(case).outcome == "Printed"
    verified(back)
    verified(gone)


def test_an_answer_is_kept_when_the_package_is_gone_in_the_middle_of_a_step(installed: Installed) -> None:
    case = begin(installed("1.2.0"))
    gone = installed()
    answer(gone, case)
    stopped = gone.instance(case)
    assert (stopped.status, [task.element for task in stopped.tasks]) == ("incident", ["Ask"])
    back = installed("1.2.0")
    answer(back, case)
    Worker(back).run_due()
    assert back.instance(case).outcome == "Printed"
    verified(back)
    verified(gone)


def test_a_start_that_failed_for_want_of_the_package_begins_when_it_is_back(installed: Installed) -> None:
    begin(installed("1.2.0"))
    gone = installed()
    case = gone.start("labels", {"id": "p2"}, actor=alice).id
    assert gone.instance(case).status == "incident"
    verified(gone)
    back = installed("1.2.0")
    verified(back)
    back.cases.retry(case, actor=ANA)
    assert back.instance(case).status == "waiting"
    verified(back)
    verified(gone)


def test_a_package_that_breaks_by_an_upgrade_is_named_where_it_is_missed(installed: Installed) -> None:
    engine = installed("1.2.0")
    case = begin(engine)
    answer(engine, case)
    broken = installed("1.3.0", head="import not_there\n")
    Worker(broken).run_due()
    assert "The package clinic-lab 1.3.0 is not in use" in broken.instance(case).incident
    with pytest.raises(InvalidDefinition, match=r"The package clinic-lab 1\.3\.0 is not in use"):
        broken.deploy(LABELS, actor=ANA)
    verified(broken)


def test_a_backtest_names_the_package_that_computes_otherwise_now(installed: Installed) -> None:
    engine = installed("1.2.0")
    case = begin(engine)
    answer(engine, case)
    Worker(engine).run_due()
    assert moved(engine) == []
    assert moved(installed("1.3.0")) == [], "another version that answers the same moves nothing"
    (found,) = moved(installed("2.0", state="late"))
    assert found.element == "NotReady"
    assert found.cause == "lab/look-up is computed by clinic-lab 2.0 instead of clinic-lab 1.2.0"


def test_a_backtest_goes_on_where_an_operator_breaks(installed: Installed) -> None:
    begin(installed("1.2.0"))
    broken = installed("2.0")
    operator = replace(broken.services.get("lab/look-up"), call=lambda *_: 1 / 0)
    engine = Engine(
        broken.settings, Services((operator, broken.services.get("lab/print"))), broken.clock, broken.database
    )
    (found,) = moved(engine)
    assert (found.kind, found.element) == (Kind.FAILED, "LookUp")
    assert "mistake in the software" in found.message


def test_a_repaired_case_does_not_need_the_package_of_its_past(installed: Installed, database: Database) -> None:
    case = begin(installed("1.2.0"))
    gone = installed()
    with database.begin() as tx:
        tx.execute(update(t.instance_state).values(seal=b"altered"))
    repaired = gone.repairs.repair(case, actor=ADAM)
    assert (repaired.opened, repaired.closed) == ((), ())
    assert [task.element for task in gone.instance(case).tasks] == ["Ask"]
    verified(gone)


def test_an_export_is_verified_wherever_its_packages_are_not(installed: Installed) -> None:
    """Made after an upgrade that declares the operators otherwise, and checked without any package."""
    engine = installed("1.2.0")
    answer(engine, begin(engine))
    Worker(engine).run_due()
    newer = installed("2.0", state="x", more='Parameter(name="site"),')
    newer.start("labels", {"id": "p2"}, actor=alice)
    lines = list(Export(newer, "jsonl", Selection(), actor=ADAM).pieces())
    key = SigningKey.at(Path(newer.settings.signing_key_file)).public_text
    found = verify_export(lines, key=key)
    assert [one for one in found.findings if one.kind != "head"] == []
    assert found.checked == 2


def test_nothing_is_left_over(tmp_path: Path) -> None:
    assert points(tmp_path) == []
