"""Exports over the pages: who may have what, what is refused, what the audit trail records."""

from __future__ import annotations

import contextlib
import csv
import io
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from acceptance.conftest import House
from usher_engine.checkpoints.merkle import SigningKey
from usher_engine.exports import FORMATS, verify_export, verify_file
from usher_engine.settings import Settings


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, signing_key_file=str(tmp_path / "key.pem"), checkpoint_file=str(tmp_path / "heads.jsonl"))


@pytest.fixture
def key(settings: Settings) -> str:
    return SigningKey.at(Path(settings.signing_key_file)).public_text


@pytest.fixture
def case(house: House) -> str:
    house.select("sample-pending")
    return house.enrollment.engine.queries.instances()[0].id


def test_an_auditor_gets_the_history_with_its_proof(house: House, case: str, key: str) -> None:
    audrey = house.visitor("audrey")
    audrey.get("/exports")
    answer = audrey.post("/exports", {"format": "jsonl", "audit": "yes"})
    assert answer.content_type == "application/x-ndjson"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="usher-cases-2026')
    result = verify_export(answer.data.splitlines(keepends=True), key=key)
    assert (result.checked, result.findings) == (1, [])
    event = house.enrollment.engine.audit.events(kind="Exported")[0]
    assert (event.actor, event.details["format"], event.details["cases"]) == ("audrey", "jsonl", 1)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_comes_as_a_file(house: House, case: str, form: str) -> None:
    audrey = house.visitor("audrey")
    audrey.get("/exports")
    answer = audrey.post("/exports", {"format": form, "process": "enrollment"})
    assert answer.status_code == 200
    assert case in answer.data.decode("utf-8-sig")
    assert answer.headers["Content-Disposition"].endswith(f'{FORMATS[form].ending}"')


def test_an_administrator_gets_no_word_of_a_patients_record(house: House, case: str) -> None:
    adam = house.visitor("adam")
    page = adam.get("/exports")
    assert "JSON Lines" not in page.text
    assert "What the data of cases says" not in page.text
    refused = adam.post("/exports", {"format": "jsonl"})
    assert refused.status_code == 422
    answer = adam.post("/exports", {"format": "csv", "data": "yes"})
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows
    assert "data" not in rows[0]
    assert "Hana" not in answer.text


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "Choose a format."),
        ({"format": "pdf"}, "Choose a format."),
        ({"format": "csv", "from": "2026-06-02", "to": "2026-06-01"}, "Exchange the two days."),
        ({"format": "csv", "from": "soon"}, "“soon” is not a day."),
        ({"format": "csv", "to": "2020-01-01"}, "No case was started in this selection"),
        ({"format": "csv", "process": "nothing"}, "No case was started in this selection"),
    ],
)
def test_the_page_explains_what_cannot_be_exported(house: House, case: str, sent: dict[str, str], message: str) -> None:
    audrey = house.visitor("audrey")
    audrey.get("/exports")
    answer = audrey.post("/exports", sent)
    assert answer.status_code == 422
    assert message in answer.text
    assert house.enrollment.engine.audit.events(kind="Exported") == []


def test_the_page_reports_a_record_that_no_signature_matches(
    house: House, case: str, key: str, tmp_path: Path
) -> None:
    audrey = house.visitor("audrey")
    audrey.get("/exports")
    assert audrey.post("/exports", {"format": "jsonl"}).status_code == 200
    with contextlib.closing(sqlite3.connect(tmp_path / "usher.db")) as opened, opened:
        opened.execute("DROP TRIGGER leaf_no_update")
        opened.execute("UPDATE leaf SET hash = zeroblob(32) WHERE number = 0")
    opened.close()
    answer = audrey.post("/exports", {"format": "jsonl"})
    assert answer.status_code == 422
    assert "no longer match checkpoint" in answer.text


def test_an_evidence_bundle_is_for_auditors_and_verifies(house: House, case: str, key: str, tmp_path: Path) -> None:
    alice, audrey = house.visitor("alice"), house.visitor("audrey")
    assert "Evidence bundle" not in alice.get(f"/cases/{case}/replay").text
    assert alice.post(f"/cases/{case}/evidence").status_code == 403
    assert "Evidence bundle" in audrey.get(f"/cases/{case}/replay").text
    answer = audrey.post(f"/cases/{case}/evidence")
    file = tmp_path / "evidence.html"
    file.write_bytes(answer.data)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="usher-evidence-{case}.html"'
    assert verify_file(file, key=key).findings == []
    event = house.enrollment.engine.audit.events(kind="Exported")[0]
    assert (event.details["format"], event.subject, event.business_key) == ("evidence", case, "sample-pending")
    assert audrey.post("/cases/NOBODY/evidence").status_code == 404


@pytest.mark.parametrize(
    ("done", "kinds"),
    [
        (lambda page: page[: len(page) // 2], {"page"}),
        (lambda page: page[:-40], {"page"}),
        (lambda page: page.replace(b"<h1>Case", b"<h1>Cage"), {"page"}),
        (lambda page: b"<!doctype html><p>nothing</p>", {"page"}),
    ],
)
def test_alterations_of_a_bundle_are_reported(
    house: House, case: str, key: str, tmp_path: Path, done: Callable[[bytes], bytes], kinds: set[str]
) -> None:
    audrey = house.visitor("audrey")
    audrey.get("/exports")
    file = tmp_path / "evidence.html"
    file.write_bytes(done(audrey.post(f"/cases/{case}/evidence").data))
    assert kinds <= {finding.kind for finding in verify_file(file, key=key).findings}
