"""What a browser may keep: nothing that names a patient, a case or a diagram lies on a shared computer's disk."""

from __future__ import annotations

import pytest
from acceptance.conftest import House
from site_map import NAMES, pages


@pytest.fixture
def case(house: House) -> str:
    house.select("sample-pending")
    return house.newest_task().split(":")[0]


def test_no_page_is_kept(house: House, case: str) -> None:
    known = {"instance_id": case, "patient_id": "sample-pending", "process": "enrollment", "number": 1}
    visitors = {role: house.visitor(name) for role, name in NAMES.items()}
    kept, answered = [], 0
    for rule, found, method in pages(house.app):
        if method != "GET" or not set(rule.arguments) <= set(known):
            continue
        address = rule.build({name: known[name] for name in rule.arguments})[1]
        answer = visitors[next(role for role in NAMES if role in found.roles)].client.get(address)
        answered += answer.status_code == 200
        if answer.headers.get("Cache-Control") != "no-store":
            kept.append(address)
    assert kept == []
    assert answered > 25


def test_a_diagram_opened_by_itself_is_a_file_in_which_nothing_runs(house: House, case: str) -> None:
    audrey, ana = house.visitor("audrey"), house.visitor("ana")
    addresses = {
        f"/cases/{case}/diagram.bpmn": audrey,
        "/processes/enrollment/1/diagram.bpmn": ana,
        "/processes/enrollment/try/1/diagram.bpmn": ana,
        "/processes/enrollment/compare/1/diagram.bpmn": ana,
        "/reports/diagram/enrollment/1.bpmn": audrey,
    }
    for address, visitor in addresses.items():
        answer = visitor.client.get(address)
        assert (answer.status_code, answer.mimetype) == (200, "application/xml"), address
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["Content-Security-Policy"].endswith("sandbox")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
