"""One case of each hostile kind among fifty ordinary enrolments, in a real server under load: they delay nobody.

The diagrams are stored behind the gate's back, as a database written by an earlier gate may hold them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playing import flow, node, process, row, script, tasks
from usher_engine import Engine, Settings
from usher_engine.accounts import Accounts, Role
from usher_engine.definitions import Package
from usher_engine.enrollment import open_enrollment
from usher_engine.store import version_rows

from . import story
from .postoffice import PostOffice, free_port

ORDINARY = 50
MAIL_WITHIN_S = 40.0
MEMORY_MIB = 250
#: Enough requests at a time that the hostile ones meet the ordinary ones.
AT_ONCE = 6

START, END = node("startEvent", "s"), node("endEvent", "end")
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"


def behind_a_task(*keys: str) -> str:
    """A flow through the user task ``go``, which a person completes over the API, and on to *keys*."""
    return START + END + tasks("go") + row("s", "go", *keys, "end")


def several(key: str, inner: str = "") -> str:
    """A sub-process or user task done two hundred times side by side."""
    repeated = (
        '<multiInstanceLoopCharacteristics isSequential="false"><loopCardinality>200</loopCardinality>'
        "</multiInstanceLoopCharacteristics>"
    )
    kind = "subProcess" if inner else "userTask"
    return f'<{kind} id="{key}" name="{key}">{repeated}{inner}</{kind}>'


def pattern() -> Package:
    nested = "^" + "(?:" * 5 + "){100}" * 5 + "$"
    form = {"components": [{"type": "textfield", "key": "code", "label": "Code", "validate": {"pattern": nested}}]}
    own = f'<extensionElements><s:properties xmlns:s="{SPIFF}"><s:property name="form" value="go.form"/></s:properties>'
    text = process(behind_a_task()).files["p.bpmn"].decode()
    asked = f'<userTask id="go" name="go">{own}</extensionElements></userTask>'
    text = text.replace('<userTask id="go" name="go"/>', asked)
    return Package({"p.bpmn": text.encode(), "go.form": json.dumps(form).encode()})


def past_timer() -> Package:
    past = '<timerEventDefinition id="t"><timeDate>2020-01-01T00:00:00Z</timeDate></timerEventDefinition>'
    wait = f'<intermediateCatchEvent id="w">{past}</intermediateCatchEvent>'
    gate = node("exclusiveGateway", "m") + node("exclusiveGateway", "x", default="x-m")
    return process(START, END, tasks("go"), wait, gate, row("s", "go", "m", "w", "x", "m"), flow("x", "end", "False"))


def template() -> Package:
    message = "{{b}}" * 9_000
    own = f'<extensionElements><s:instructionsForEndUser xmlns:s="{SPIFF}">{message}</s:instructionsForEndUser>'
    asked = f'<userTask id="big" name="big">{own}</extensionElements></userTask>'
    return process(behind_a_task("b", "big"), script("b", "b = 'x' * 95000"), asked)


def surrogate() -> Package:
    return process(behind_a_task("b"), script("b", r"x = '\ud800'"))


def nested_items() -> Package:
    inner = node("startEvent", "is") + node("endEvent", "ie") + several("deep") + row("is", "deep", "ie")
    return process(behind_a_task("o"), several("o", inner))


def call_fan_out() -> Package:
    """Ten branches that call a process of ten branches, eight deep."""
    deep = 8
    processes = []
    for level in range(deep + 1):
        calls = [f"c{level}_{number}" for number in range(10)] if level < deep else []
        body = "".join(f'<callActivity id="{call}" calledElement="p{level + 1}"/>' for call in calls)
        start, end, fork, join = (f"{name}{level}" for name in ("ps", "pe", "pf", "pj"))
        gates = node("parallelGateway", fork, join) if calls else ""
        ways = "".join(row(fork, call, join) for call in calls)
        main = row(start, fork) + row(join, end) + ways if calls else row(start, end)
        processes.append(
            f'<process id="p{level}" isExecutable="true">{node("startEvent", start)}{node("endEvent", end)}'
            f"{gates}{body}{main}</process>"
        )
    first = process(behind_a_task("call"), '<callActivity id="call" calledElement="p0"/>').files["p.bpmn"].decode()
    return Package({"p.bpmn": first.replace("</definitions>", "".join(processes) + "</definitions>").encode()})


HOSTILE = {
    "pattern": pattern, "past timer": past_timer, "template": template, "surrogate": surrogate,
    "nested items": nested_items, "call fan-out": call_fan_out,
}  # fmt: skip


def patient(number: int) -> dict[str, Any]:
    return {**story.resource(number), "address": [{"use": "home", "postalCode": "62704"}]}


class Usher:
    """`usher serve` in a process of its own, asked over the API."""

    def __init__(self, settings: Settings, port: int, token: str) -> None:
        self.settings, self.port, self.token = settings, port, token
        self.pid = 0

    @contextmanager
    def serving(self, folder: Path) -> Iterator[None]:
        shown = ("secret_key", "database_url", "smtp_port", "smtp_security", "mail_from", "env")
        ours = {f"USHER_{name.upper()}": str(getattr(self.settings, name)) for name in shown}
        ours |= {"PYTHONPATH": os.pathsep.join(sys.path)}
        outside = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
        program = "from usher_web.cli import main; main()"
        command = [sys.executable, "-c", program, "serve", "--worker", "--port", str(self.port)]
        log = folder / "serve.log"
        with log.open("w") as written, subprocess.Popen(
            command, cwd=folder, env=outside | ours, stdout=subprocess.PIPE, stderr=written, text=True
        ) as server:
            assert server.stdout is not None
            assert "Usher listens" in server.stdout.readline(), log.read_text()
            self.pid = int(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text())
            yield
            server.terminate()
            assert server.wait(60) == 0, log.read_text()

    def ask(self, path: str, body: dict[str, Any], key: str = "") -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        asked = Request(f"http://127.0.0.1:{self.port}/api/v1{path}", json.dumps(body).encode(), headers)
        try:
            with urlopen(asked, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def most_memory_mib(self) -> int:
        [kilobytes] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(kilobytes) // 1024


@pytest.fixture
def usher(make_place: Callable[..., story.Place]) -> Usher:
    settings = make_place(0).settings
    enrollment = open_enrollment(settings)
    report = enrollment.import_patients(json.dumps(patient(number)) for number in range(ORDINARY))
    assert report.new == ORDINARY, report.bad
    token = Accounts(enrollment.engine.database).add_token("ehr", role=Role.STAFF, groups=["Front desk"], by="test")
    enrollment.engine.database.close()
    return Usher(settings, free_port(), token)


def stopped_before(settings: Settings) -> dict[str, str]:
    """Cases of the hostile diagrams, each one answer away from what is hostile in it; by kind."""
    engine: Engine = open_enrollment(settings).engine
    found = {}
    for number, (kind, drawn) in enumerate(HOSTILE.items()):
        files = {name: text.replace(b'id="p"', f'id="h{number}"'.encode()) for name, text in drawn().files.items()}
        package = Package(files)
        with engine.database.begin() as tx:
            version_rows.add(tx, package, note="", by="ana", at=engine.clock())
        found[kind] = engine.start(package.key, {}, actor=story.STAFF).id
    engine.database.close()
    return found


@pytest.mark.timeout(240)
def test_fifty_enrolments_among_one_hostile_case_of_each_kind(
    usher: Usher, office: PostOffice, tmp_path: Path
) -> None:
    hostile = stopped_before(usher.settings)
    came: dict[str, float] = {}
    office.before_answer = lambda: came.update({str(mail["To"]): time.monotonic() for mail in office.mails[-1:]})

    def enrol(number: int) -> float:
        asked = time.monotonic()
        given = {"patient_id": story.patient(number), "template": story.TEMPLATE, "field": story.FIELD}
        status, answer = usher.ask("/triggers", {**given, "action": story.ACTION}, key=f"key-{number}")
        assert status in (200, 201), answer
        return asked

    def provoke(kind: str) -> tuple[int, dict[str, Any]]:
        given = {"code": "a"} if kind == "pattern" else {}
        return usher.ask(f"/tasks/{hostile[kind]}:go:1/complete", {"data": given, "revision": 1})

    with usher.serving(tmp_path), ThreadPoolExecutor(AT_ONCE) as pool:
        provoked = {kind: pool.submit(provoke, kind) for kind in HOSTILE}
        asked = list(pool.map(enrol, range(ORDINARY)))
        answers = {kind: one.result() for kind, one in provoked.items()}
        until = time.monotonic() + MAIL_WITHIN_S
        while len(office.mails) < ORDINARY and time.monotonic() < until:
            time.sleep(0.05)
        sent = {str(mail["To"]): arrived for mail, arrived in zip(office.mails, came.values(), strict=False)}
        memory = usher.most_memory_mib()
    engine = open_enrollment(usher.settings).engine
    ordinary = engine.queries.instances(process="enrollment", limit=ORDINARY + 1)
    assert {(case.status, case.outcome) for case in ordinary} == {("finished", "InvitationSent")}
    assert len(ordinary) == ORDINARY
    waited = [sent[story.address(number)] - at for number, at in enumerate(asked)]
    assert max(waited) < MAIL_WITHIN_S, sorted(waited)[-5:]
    assert memory < MEMORY_MIB
    assert all(status < 500 or status == 503 for status, _ in answers.values()), answers
    states = {kind: engine.instance(case) for kind, case in hostile.items()}
    stopped = {kind for kind, case in states.items() if case.status == "incident"}
    assert stopped >= set(HOSTILE) - {"past timer"}, {kind: case.incident for kind, case in states.items()}
