"""Exports on both databases: Usher checks and records each request; the file is complete and verifies offline."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Clock, Outside, alice, package
from databases import new_sqlite
from usher_engine import SYSTEM, Actor, Engine, Worker
from usher_engine.checkpoints import take
from usher_engine.checkpoints.merkle import SigningKey
from usher_engine.core.errors import InvalidSubmission, Misconfigured, NotFound
from usher_engine.core.practice_calendar import practice_calendar
from usher_engine.definitions import Package, parse_xml
from usher_engine.exports import FORMATS, Export, Selection, period, verify_export, write_file
from usher_engine.services import Services
from usher_engine.settings import Settings
from usher_engine.store import Database

auditor = Actor(name="audrey", role="auditor")
BERLIN = practice_calendar("Europe/Berlin")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, signing_key_file=str(tmp_path / "key.pem"), checkpoint_file=str(tmp_path / "heads.jsonl"))


@pytest.fixture
def key(settings: Settings) -> str:
    return SigningKey.at(Path(settings.signing_key_file)).public_text


@pytest.fixture
def cases(engine: Engine, clock: Clock, outside: Outside) -> list[str]:
    """Cases in all states, one each day: finished, waiting, stopped, cancelled."""
    engine.deploy(package("small"), actor=SYSTEM)
    return [_run_case(engine, clock, outside, number) for number in range(6)]


def _run_case(engine: Engine, clock: Clock, outside: Outside, number: int) -> str:
    outside.answers.append({"n": 2})
    case = engine.start("small", {"q": f"=n{number}"}, actor=alice, business_key=f"p{number}")
    clock.forward(minutes=5)
    if number % 3 == 0:
        outside.fail(retry=False)
    if number != 1:
        engine.complete(case.tasks[0].id, {"word": "yes"}, actor=alice)
        Worker(engine).run_due()
    if number == 4:
        engine.audit.record("CaseViewed", {}, actor=auditor, subject=case.id, business_key=f"p{number}")
    clock.forward(days=1)
    return case.id


def lines_of(engine: Engine, selection: Selection | None = None, form: str = "jsonl", **more: bool) -> list[bytes]:
    return list(Export(engine, form, selection or Selection(), actor=auditor, **more).pieces())


def test_an_export_with_proof_verifies_without_the_database(
    engine: Engine, cases: list[str], key: str, settings: Settings
) -> None:
    lines = lines_of(engine, with_audit=True)
    result = verify_export(lines, key=key, checkpoints=Path(settings.checkpoint_file).read_text().splitlines())
    assert result.findings == []
    assert (result.checked, result.equal) == (6, 6)
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds[0] == "header"
    assert kinds[-1] == "trailer"
    assert {kind: kinds.count(kind) for kind in ("package", "version", "case", "proof")} == {
        "package": 1, "version": 1, "case": 6, "proof": 6,
    }  # fmt: skip
    assert kinds.count("event") == len(engine.audit.events(limit=100))


def test_every_step_of_an_export_is_proven_to_be_in_the_signed_tree(engine: Engine, cases: list[str], key: str) -> None:
    records = [json.loads(line) for line in lines_of(engine)]
    for case in cases:
        steps = sum(record["kind"] == "step" and record["case"] == case for record in records)
        (proof,) = [record for record in records if record["kind"] == "proof" and record["case"] == case]
        assert sum(run["steps"] for run in proof["runs"]) == steps == engine.instance(case).revision


def test_steps_written_after_the_head_are_covered_by_the_signature_over_the_file(
    engine: Engine, cases: list[str], key: str
) -> None:
    export = Export(engine, "jsonl", Selection(), actor=auditor).pieces()
    late = engine.start("small", {"q": "ünï"}, actor=alice)
    found = list(export)
    assert verify_export(found, key=key).findings == []
    assert b'"case":"' + late.id.encode() in b"".join(found)


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_in_the_audit_stream_before_its_first_byte(
    engine: Engine, cases: list[str], form: str
) -> None:
    Export(engine, form, Selection(cases=(cases[2],)), actor=auditor).pieces()
    event = engine.audit.events(kind="Exported")[0]
    assert (event.actor, event.subject) == ("audrey", cases[2])
    assert event.details["format"] == form
    assert (event.details["cases"], event.details["steps"]) == (1, engine.instance(cases[2]).revision)
    assert event.business_key == "p2"
    assert "p2" not in json.dumps(event.details)


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "jsonl"])
def test_the_other_formats_contain_every_case_and_no_data(engine: Engine, cases: list[str], form: str) -> None:
    whole = b"".join(lines_of(engine, form=form)).decode()
    assert all(case in whole for case in cases)
    assert "=n" not in whole.replace("encoding=n", "")
    assert "p5" in whole


def test_xes_replaces_characters_that_xml_forbids(engine: Engine, cases: list[str]) -> None:
    actor = Actor(name='al\x01ice <&> "x"', role="staff", groups=frozenset({"Front desk"}))
    odd = engine.start("small", {"q": 1}, actor=actor)
    whole = b"".join(lines_of(engine, Selection(cases=(odd.id,)), "xes"))
    events = parse_xml(whole, "log.xes").getroot().iter("{http://www.xes-standard.org/}string")
    assert 'al\ufffdice <&> "x"' in {event.get("value") for event in events if event.get("key") == "org:resource"}


def test_cases_are_chosen_by_number_process_and_period(engine: Engine, cases: list[str]) -> None:
    def chosen(selection: Selection) -> set[str]:
        rows = csv.DictReader(io.StringIO(b"".join(lines_of(engine, selection, "csv")).decode("utf-8-sig")))
        return {row["case"] for row in rows}

    since, until = period("2026-05-05", "2026-05-06", BERLIN)
    assert chosen(Selection(cases=(cases[0], cases[5]))) == {cases[0], cases[5]}
    assert chosen(Selection(process="small")) == set(cases)
    assert chosen(Selection(since=since, until=until)) == set(cases[1:3])


def test_an_export_has_the_audit_events_about_its_cases(engine: Engine, cases: list[str], key: str) -> None:
    lines = lines_of(engine, Selection(cases=(cases[4],)), with_audit=True)
    bodies = [json.loads(line)["body"] for line in lines if json.loads(line)["kind"] == "event"]
    assert [body["kind"] for body in bodies] == ["CaseViewed", "Exported"]
    assert verify_export(lines, key=key).findings == []


def test_a_reversed_period_is_refused() -> None:
    with pytest.raises(InvalidSubmission, match=r"ends \(2026-05-01\) before it begins \(2026-05-02\)"):
        period("2026-05-02", "2026-05-01", BERLIN)
    with pytest.raises(InvalidSubmission, match="“yesterday” is not a day"):
        period("", "yesterday", BERLIN)
    assert period("", "", BERLIN) == (None, None)
    assert period("2026-05-02", "2026-05-02", BERLIN)[0] == datetime(2026, 5, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "selection", "error", "words"),
    [
        ("pdf", Selection(), InvalidSubmission, "“pdf” is not a format"),
        ("csv", Selection(process="nothing"), NotFound, "No case was started in this selection"),
        ("csv", Selection(cases=("nobody",)), NotFound, "No case has the number nobody"),
        ("csv", Selection(cases=("x",) * 501), InvalidSubmission, "At most 500 cases"),
    ],
)
def test_an_invalid_request_is_refused_and_not_recorded(
    engine: Engine, cases: list[str], form: str, selection: Selection, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        Export(engine, form, selection, actor=auditor)
    assert engine.audit.events(kind="Exported") == []


def test_a_table_has_a_row_for_each_event_and_no_formulas(engine: Engine, cases: list[str]) -> None:
    def rows(**more: bool) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(b"".join(lines_of(engine, form="csv", **more)).decode("utf-8-sig"))))

    events = [event for case in cases for step in engine.queries.history(case) for event in step.events]
    assert len(rows()) == len(events)
    assert "data" not in rows()[0]
    assert "=n0" not in json.dumps(rows())
    assert '"q":"=n0"' in next(row["data"] for row in rows(with_data=True) if row["case"] == cases[0])


def test_a_file_is_complete_or_absent(engine: Engine, cases: list[str], tmp_path: Path) -> None:
    file = tmp_path / "out" / "history.jsonl"
    export = Export(engine, "jsonl", Selection(), actor=auditor)
    with pytest.raises(Misconfigured, match="cannot be written"):
        write_file(file, export.pieces)
    assert engine.audit.events(kind="Exported") == []
    file.parent.mkdir()

    def breaking() -> list[bytes]:
        raise NotFound("gone")

    with pytest.raises(NotFound):
        write_file(file, breaking)
    assert list(file.parent.iterdir()) == []
    size = write_file(file, export.pieces)
    assert file.stat().st_size == size
    assert [found.name for found in file.parent.iterdir()] == ["history.jsonl"]


def as_line(record: dict[str, object]) -> bytes:
    return json.dumps(record, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def other_key(lines: list[bytes], key: str, folder: Path) -> tuple[list[bytes], str]:
    return lines, SigningKey.at(folder / "other.pem").public_text


def cut_off(lines: list[bytes], key: str, folder: Path) -> tuple[list[bytes], str]:
    return lines[:-1], key


def empty(lines: list[bytes], key: str, folder: Path) -> tuple[list[bytes], str]:
    return [], key


def swapped(lines: list[bytes], key: str, folder: Path) -> tuple[list[bytes], str]:
    at = next(n for n in range(len(lines)) if all(b'"kind":"step"' in line for line in lines[n : n + 2]))
    return [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]], key


def altered(lines: list[bytes], key: str, folder: Path) -> tuple[list[bytes], str]:
    return [line.replace(b"alice", b"mallo") for line in lines], key


def altered_file(lines: list[bytes], key: str, folder: Path) -> tuple[list[bytes], str]:
    at = next(n for n, line in enumerate(lines) if b'"kind":"package"' in line)
    record = json.loads(lines[at])
    record["files"][next(iter(record["files"]))] = "QUJD"
    return [*lines[:at], as_line(record), *lines[at + 1 :]], key


def rewritten(lines: list[bytes], key: str, folder: Path) -> tuple[list[bytes], str]:
    """As `altered`, and signed with the forger's own key."""
    forger, digest = SigningKey.at(folder / "forger.pem"), hashlib.sha256()
    text = forger.public_text.encode()
    forged = [line.replace(key.encode(), text).replace(b"alice", b"mallo") for line in lines[:-1]]
    for line in forged:
        digest.update(line)
    trailer = {**json.loads(lines[-1]), "sha256": digest.hexdigest(), "signature": forger.sign_export(digest.digest())}
    return [*forged, as_line(trailer)], key


@pytest.mark.parametrize(
    ("deed", "kinds", "words"),
    [
        (other_key, {"key", "signature"}, "was signed with another key: ed25519:"),
        (cut_off, {"truncated"}, "without its last line: it was cut off"),
        (empty, {"line"}, "The file is empty"),
        (swapped, {"missing", "sum", "inclusion"}, "Step 1 is missing"),
        (altered, {"chain", "sum"}, "does not fit its hash"),
        (altered_file, {"definition", "sum"}, "one of its files was altered"),
        (rewritten, {"key", "chain", "signature"}, "The signature over the whole export is wrong"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_verification_finds_each_manipulation_of_an_export(
    engine: Engine,
    cases: list[str],
    key: str,
    tmp_path: Path,
    deed: Callable[[list[bytes], str, Path], tuple[list[bytes], str]],
    kinds: set[str],
    words: str,
) -> None:
    lines, given = deed(lines_of(engine, with_audit=True), key, tmp_path)
    findings = verify_export(lines, key=given).findings
    assert kinds <= {finding.kind for finding in findings}
    assert any(words in finding.message for finding in findings)


def test_verification_finds_a_checkpoint_of_another_database(
    engine: Engine, cases: list[str], key: str, tmp_path: Path, services: Services, clock: Clock, settings: Settings
) -> None:
    lines = lines_of(engine)
    other = Database(new_sqlite(tmp_path, "other.db"))
    theirs = Engine(settings, services, clock, other)
    theirs.deploy(package("small"), actor=SYSTEM)
    heads = tmp_path / "others.jsonl"
    take(other, replace(settings, checkpoint_file=str(heads)), clock())
    header = json.loads(lines[0])
    header["head"] = json.loads(heads.read_text())
    forged = [as_line(header), *lines[1:]]
    assert {"origin", "sum"} <= {finding.kind for finding in verify_export(forged, key=key).findings}
    header["origin"] = header["head"]["head"]["origin"]
    forged[0] = as_line(header)
    kinds = [finding for finding in verify_export(forged, key=key).findings if finding.kind == "inclusion"]
    assert {finding.instance for finding in kinds} == set(cases)
    findings = verify_export(lines, key=key, checkpoints=heads.read_text().splitlines()).findings
    assert [finding.kind for finding in findings] == ["checkpoint file"]
    other.close()


def test_a_migrated_case_brings_every_version_it_ran_on(
    engine: Engine, outside: Outside, key: str
) -> None:
    engine.deploy(package("small"), actor=SYSTEM)
    outside.answers.append({"n": 2})
    case = engine.start("small", {"q": 2}, actor=alice).id
    files = dict(package("small").files)
    files["small.bpmn"] = files["small.bpmn"].replace(b'"U"', b'"Ask"')
    engine.deploy(Package(files), actor=SYSTEM)
    engine.migrations.migrate(case, 2, {"U": "Ask"}, actor=SYSTEM, reason="renamed")
    take(engine.database, engine.settings, engine.clock())
    lines = lines_of(engine)
    kinds = [json.loads(line)["kind"] for line in lines]
    assert (kinds.count("package"), kinds.count("version")) == (2, 2)
    assert verify_export(lines, key=key).findings == []


def test_comments_are_in_the_proven_export_and_in_no_other(engine: Engine, cases: list[str], key: str) -> None:
    number = engine.comments.add(cases[0], "She sounded worried.", actor=alice)
    engine.comments.withdraw(cases[0], number, actor=alice)
    take(engine.database, engine.settings, engine.clock())
    lines = lines_of(engine)
    assert b"She sounded worried." in b"".join(lines)
    assert verify_export(lines, key=key).findings == []
    for form in ("xes", "ocel", "fhir", "csv"):
        assert b"worried" not in b"".join(lines_of(engine, form=form))
