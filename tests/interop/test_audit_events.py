"""fhir.resources accepts every AuditEvent, and a FHIR server stores them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interop.conftest import exported
from usher_engine.enrollment import Enrollment
from usher_engine.exports.fhir_audit_events import ACCEPTED, FAILED, REMOVED, SENT

pytestmark = [pytest.mark.xdist_group("fhir"), pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def audited(enrollment: Enrollment) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(enrollment, "fhir").splitlines()]


def names(record: dict[str, Any]) -> set[str]:
    return {coding["display"] for coding in record["subtype"]}


def test_the_file_has_every_step_and_every_audit_event_about_a_patient(
    enrollment: Enrollment, audited: list[dict[str, Any]]
) -> None:
    engine = enrollment.engine
    steps = sum(case.revision for case in engine.queries.instances(limit=200))
    found = {record["id"] for record in audited}
    assert len(found) == len(audited)
    assert sum(not name.startswith("audit-") for name in found) == steps
    viewed = [event for event in engine.audit.events(limit=500) if event.kind == "CaseViewed"]
    assert {f"audit-{event.seq}" for event in viewed} <= found
    listed = next(event for event in engine.audit.events(limit=500) if event.kind == "PatientsListed")
    assert {f"audit-{listed.seq}-1", f"audit-{listed.seq}-2"} <= found
    assert not any("LoggedIn" in names(record) for record in audited)


def test_each_record_names_one_patient_client_server_and_user(audited: list[dict[str, Any]]) -> None:
    assert audited
    for record in audited:
        people = [entity for entity in record["entity"] if entity["type"]["code"] == "1"]
        assert len(people) == 1
        assert people[0]["what"]["reference"].startswith("Patient/sample-")
        roles = [agent["type"]["coding"][0]["code"] for agent in record["agent"]]
        assert {"110152", "110153"} <= set(roles)
        assert ("meta" in record) == (record["outcome"] == "0")


def test_names_match_those_in_the_audit_log_of_an_ehr(audited: list[dict[str, Any]]) -> None:
    found = set().union(*map(names, audited))
    assert {SENT, ACCEPTED, FAILED, REMOVED, "Patient Enrollment Response Added"} <= found
    assert {"CaseViewed", "PatientsListed", "Refused"} <= found


def test_fhir_resources_accepts_every_one(audited: list[dict[str, Any]]) -> None:
    auditevent = pytest.importorskip("fhir.resources.R4B.auditevent", reason="make interop brings it")
    assert audited
    for record in audited:
        assert auditevent.AuditEvent.model_validate(record).get_resource_type() == "AuditEvent"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("sekmet", reason="make interop brings it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("fhir")
    command = [str(Path(sys.executable).with_name("sekmet")), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        address = f"http://127.0.0.1:{port}"
        try:
            yield _ready(address)
        finally:
            running.terminate()


def _ready(address: str) -> str:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/fhir/metadata", timeout=5):
                return f"{address}/fhir"
        except urllib.error.HTTPError:
            return address
        except OSError:
            time.sleep(0.1)  # the only sign that the other program has started is its port
    raise AssertionError("The FHIR server did not start.")


def test_a_fhir_server_stores_them(server: str, audited: list[dict[str, Any]]) -> None:
    for record in audited:
        request = urllib.request.Request(
            f"{server}/AuditEvent", json.dumps(record).encode(), {"Content-Type": "application/fhir+json"}
        )
        with urllib.request.urlopen(request, timeout=20) as stored:
            assert stored.status == 201
