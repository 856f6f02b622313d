"""A case that calls a web service: its answer decides the way, its failures are caught, its secret is nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from conftest import Clock, alice
from sqlalchemy import MetaData, select
from usher_engine import Actor, Engine, Settings, Worker
from usher_engine.cases import CaseSelection
from usher_engine.core.practice_calendar import UTC_CALENDAR
from usher_engine.definitions import Package
from usher_engine.enrollment import open_enrollment
from usher_engine.examples import run_examples, try_out
from usher_engine.exports import Export, Selection, evidence
from usher_engine.store import Database
from web_service import Heard, WebService, reply, serving

ANA, AUDREY = Actor(name="ana", role="analyst"), Actor(name="audrey", role="auditor")
TOKEN = "tok-9f8e7d6c5b4a3210"
STATE = "{'type': 'object', 'properties': {'state': {'type': 'string'}}, 'required': ['state']}"
MAIL = "---\nsubject: Results\n---\n\nThey are {{ state }}."


def service_task(key: str, operator: str, variable: str, given: dict[str, str]) -> str:
    parameters = "".join(f"<s:parameter id={quoteattr(n)} value={quoteattr(v)}/>" for n, v in given.items())
    return f"""<serviceTask id="{key}"><extensionElements><s:serviceTaskOperator id="{operator}"
     resultVariable="{variable}"><s:parameters>{parameters}</s:parameters></s:serviceTaskOperator></extensionElements>
     </serviceTask>"""


def asking(lab: WebService, **changes: str) -> Package:
    """A process that asks the laboratory, and writes a mail with its answer; by code, a refusal leads to an end."""
    ask = {
        "method": "'POST'", "url": f"'{lab.origin}/orders/{{order}}'", "path": "{'order': order}",
        "secrets": "{'Authorization': 'Bearer {lab}'}", "body": "{'name': 'Ada'}", "response": STATE, **changes,
    }  # fmt: skip
    mail = {"address": "'front@example.org'", "template": "'results'", "values": "{'state': lab.body.state}"}
    codes = ("not-found", "timeout", "wrong-shape")
    caught = "".join(
        f'<boundaryEvent id="On{code}" attachedToRef="Ask"><errorEventDefinition id="d{code}" errorRef="e{code}"/>'
        f'</boundaryEvent><sequenceFlow id="f{code}" sourceRef="On{code}" targetRef="No{code}"/>'
        f'<endEvent id="No{code}"/>'
        for code in codes
    )
    text = f"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
     xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="t">
     {"".join(f'<error id="e{code}" errorCode="{code}"/>' for code in codes)}
     <process id="results" isExecutable="true"><startEvent id="Begin"/>
     {service_task("Ask", "http/request", "lab", ask)}{caught}{service_task("Tell", "mail/send", "sent", mail)}
     <endEvent id="Told"/><sequenceFlow id="f1" sourceRef="Begin" targetRef="Ask"/>
     <sequenceFlow id="f2" sourceRef="Ask" targetRef="Tell"/><sequenceFlow id="f3" sourceRef="Tell" targetRef="Told"/>
     </process></definitions>"""
    return Package({"results.bpmn": text.encode(), "mail/results.en.md": MAIL.encode()})


@pytest.fixture
def mails() -> list[EmailMessage]:
    return []


@pytest.fixture
def opened(
    settings: Settings, database: Database, clock: Clock, mails: list[EmailMessage], tmp_path: Path
) -> Callable[..., Engine]:
    def start(lab: WebService, **changes: Any) -> Engine:
        secret = tmp_path / "lab-token"
        secret.write_text(TOKEN)
        where = {"http_hosts": lab.origin, "http_secrets": f"lab@{lab.origin}=file:{secret}", "http_timeout_s": 1}
        here = replace(settings, job_attempts=3, **where, **changes)
        return open_enrollment(here, clock=clock, send_mail=mails.append, database=database).engine

    return start


def begin(engine: Engine, package: Package) -> str:
    engine.deploy(package, actor=ANA)
    return engine.start("results", {"order": "A-17"}, actor=alice).id


def everything_stored(database: Database, tmp_path: Path) -> bytes:
    """Every value in the database and every byte of its files."""
    tables = MetaData()
    tables.reflect(database.db)
    with database.read() as tx:
        rows = [tuple(row) for table in tables.sorted_tables for row in tx.execute(select(table))]
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file.name != "lab-token"]
    return repr(rows).encode() + b"".join(files)


def test_the_answer_decides_the_way_and_the_secret_is_nowhere(
    opened: Callable[..., Engine],
    database: Database,
    mails: list[EmailMessage],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    with serving(lambda _heard: iter([reply({"state": "done", "ssn": "078-05-1120"})])) as lab:
        engine = opened(lab)
        case = begin(engine, asking(lab))
        Worker(engine).run_due()
    assert engine.instance(case).outcome == "Told"
    assert "They are done." in mails[0].get_body().get_content()  # type: ignore[union-attr]
    (heard,) = lab.heard
    assert (heard.target, heard.json) == ("/orders/A-17", {"name": "Ada"})
    assert heard.headers["authorization"] == f"Bearer {TOKEN}"
    assert heard.headers["idempotency-key"] == f"{case}:Ask:1"
    assert engine.verify(case) == []
    exported = b"".join(Export(engine, "jsonl", Selection(), actor=AUDREY, with_audit=True).pieces())
    shown = evidence(engine, case, actor=AUDREY)
    for what in (everything_stored(database, tmp_path), exported, repr(shown).encode(), caplog.text.encode()):
        assert TOKEN.encode() not in what
        assert b"078-05-1120" not in what, "a field that nobody declared is not kept"
    assert b"Bearer {lab}" in exported


def test_a_service_that_repeats_the_secret_in_its_errors_leaks_nothing(
    opened: Callable[..., Engine], database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    answers = [
        reply({"error": f"bad Bearer {TOKEN}"}, 401, X_Token=TOKEN),
        reply({"state": f"Bearer {TOKEN}"}),
        reply(f"<p>{TOKEN}".encode()),
    ]
    with serving(lambda _heard: iter([answers.pop(0)])) as lab:
        engine = opened(lab)
        case = begin(engine, asking(lab))
        Worker(engine).run_due()
        assert "does not take the secret" in engine.instance(case).incident
        engine.cases.retry(case, actor=ANA)
        Worker(engine).run_due()
        assert "repeats the secret" in engine.instance(case).incident
        engine.cases.retry(case, actor=ANA)
        Worker(engine).run_due()
    assert engine.instance(case).outcome == "Nowrong-shape"
    assert len({heard.headers["idempotency-key"] for heard in lab.heard}) == 1
    assert engine.verify(case) == []
    assert TOKEN.encode() not in everything_stored(database, tmp_path)
    assert TOKEN not in caplog.text


def test_it_is_tried_again_as_jobs_are_and_then_the_diagram_decides(
    opened: Callable[..., Engine], clock: Clock
) -> None:
    def silent(_heard: Heard) -> Iterator[bytes | float]:
        yield 1.5

    with serving(silent) as lab:
        engine = opened(lab)
        case = begin(engine, asking(lab))
        for tries in (1, 2, 3):
            assert engine.instance(case).status == "waiting"
            assert Worker(engine).run_due() == 1
            assert len(lab.heard) == tries
            clock.forward(hours=1)
    assert engine.instance(case).outcome == "Notimeout"
    assert {heard.headers["idempotency-key"] for heard in lab.heard} == {f"{case}:Ask:1"}
    assert engine.verify(case) == []


def test_a_refusal_is_caught_by_its_code_and_one_nobody_catches_waits_for_a_person(
    opened: Callable[..., Engine],
) -> None:
    statuses = [404, 422, 200]
    with serving(lambda _heard: iter([reply({"state": "done"}, statuses.pop(0))])) as lab:
        engine = opened(lab)
        case = begin(engine, asking(lab))
        Worker(engine).run_due()
        assert engine.instance(case).outcome == "Nonot-found"
        other = engine.start("results", {"order": "A-18"}, actor=alice).id
        Worker(engine).run_due()
        assert engine.instance(other).status == "incident"
        engine.cases.retry(other, actor=ANA)
        Worker(engine).run_due()
        assert engine.instance(other).outcome == "Told"


def test_data_of_a_case_cannot_lead_a_request_elsewhere(opened: Callable[..., Engine]) -> None:
    """The gate cannot know an address that the data give; the worker checks it all the same."""
    with serving(lambda _heard: iter([reply({"state": "x"})])) as other, serving(lambda _: iter([])) as lab:
        engine = opened(lab)
        package = asking(lab, url="order", path="{}")
        engine.deploy(package, actor=ANA)
        case = engine.start("results", {"order": f"{other.origin}/"}, actor=alice).id
        Worker(engine).run_due()
    assert "is not in USHER_HTTP_HOSTS" in engine.instance(case).incident
    assert not other.heard
    assert not lab.heard


def test_nothing_but_the_worker_ever_calls(opened: Callable[..., Engine]) -> None:
    example = {
        "name": "done",
        "start": {"order": "A"},
        "services": {
            "http/request": [{"status": 200, "body": {"state": "done"}}],
            "mail/send": [{"message_id": "<a@b>", "sent_at": "2026-05-04T09:02:00Z", "to": "a@b.example"}],
        },
        "path": ["Begin", "Ask", "Tell", "Told"],
        "end": "Told",
    }
    with serving(lambda _heard: iter([reply({"state": "done"})])) as lab:
        engine = opened(lab)
        package = Package({**asking(lab).files, "examples/done.json": json.dumps(example).encode()})
        case = begin(engine, package)
        Worker(engine).run_due()
        assert len(lab.heard) == 1
        assert run_examples(package, engine.services).failed == 0
        try_out(package, engine.services, {"start": {"order": "A"}, "services": {}, "do": []}, UTC_CALENDAR)
        found = engine.backtests.run(package, CaseSelection(process="results"))
        assert list(found.others) == []
        assert engine.verification.verify_all(jobs=2).findings == []
        assert engine.instance(case).outcome == "Told"
        assert len(lab.heard) == 1
