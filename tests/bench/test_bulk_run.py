"""Five hundred tasks completed in one run, three of them bad, while a colleague goes on reading the inbox."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest
from browser.clinic import Clinic, open_clinic
from flask.testing import FlaskClient
from usher_engine import Actor
from usher_engine.cases import BulkAct, TaskAct

pytestmark = pytest.mark.bench

TASKS = 500
ASKED = {"reason": "asked on the phone"}
ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
BOB = Actor(name="bob", role="staff", groups=frozenset({"Front desk"}))


def page_s(client: FlaskClient) -> float:
    begun = time.perf_counter()
    assert client.get("/inbox").status_code == 200
    return time.perf_counter() - begun


def test_three_bad_ones_stop_nobody_and_slow_nobody(tmp_path: Path) -> None:
    with open_clinic(tmp_path) as clinic:
        ids = waiting(clinic)
        client = clinic.app.test_client()
        client.set_cookie("usher", clinic.cookie("bob")["value"])
        idle = median(page_s(client) for _ in range(20))
        engine, runs = clinic.enrollment.engine, clinic.enrollment.engine.task_runs
        for bad in (3, 300):
            engine.cases.claim(ids[bad], actor=BOB)
        bulk, tasks = BulkAct(act=TaskAct.COMPLETE, values=ASKED), runs.choose(ids, actor=ALICE)
        assert len(runs.dry_run(tasks, bulk, actor=ALICE).refused) == 2
        engine.complete(ids[250], ASKED, actor=BOB)
        run, during = runs.ask(tasks, bulk, actor=ALICE), []
        while runs.find(run.id, actor=ALICE).status == "open":
            during.append(page_s(client))
            time.sleep(0.02)
        assert {outcome.value: number for outcome, number in runs.counts(run.id).items()} == {"done": 497, "refused": 3}
        assert median(during) < 2 * idle


def waiting(clinic: Clinic) -> list[str]:
    """The ids of as many open tasks, each of a patient who declined."""
    with clinic.worker.gate:
        for number in range(TASKS):
            clinic.trigger(clinic.add("Declined", last_name=f"Quill {number}"))
    return [task.id for task in clinic.enrollment.engine.inbox.tasks(ALICE, limit=TASKS)]
