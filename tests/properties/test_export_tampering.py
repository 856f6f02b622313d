"""Verification finds every manipulation of an exported file and names the case whose lines changed.

``USHER_EXPORT_COUNT`` sets how often each kind runs (default 12).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from conftest import SECRET, Clock, Outside, alice, operators, package
from databases import new_sqlite
from tampering import flip
from usher_engine import SYSTEM, Engine, Worker
from usher_engine.checkpoints import take
from usher_engine.checkpoints.merkle import SigningKey
from usher_engine.exports import Export, Selection, verify_export
from usher_engine.settings import Settings
from usher_engine.store import Database

COUNT = int(os.environ.pop("USHER_EXPORT_COUNT", "12"))
CASES = 9

Lines = list[bytes]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lines, str]:
    """An export with audit events over three checkpoints, and the key it is signed with."""
    folder = tmp_path_factory.mktemp("exported")
    settings = Settings(
        secret_key=SECRET, checkpoint_file=str(folder / "heads.jsonl"), signing_key_file=str(folder / "key.pem")
    )
    database, clock, outside = Database(new_sqlite(folder)), Clock(), Outside()
    engine = Engine(settings, operators(outside), clock, database)
    engine.deploy(package("small"), actor=SYSTEM)
    for number in range(CASES):
        outside.answers.append({"n": number % 4})
        case = engine.start("small", {"q": number}, actor=alice)
        if case.tasks and number % 3:
            engine.complete(case.tasks[0].id, {"word": "yes"}, actor=alice)
        if number in (2, 5):
            take(database, settings, clock())
        Worker(engine).run_due()
        engine.audit.record("CaseViewed", {"n": number}, actor=alice, subject=case.id)
    lines = list(Export(engine, "jsonl", Selection(), actor=alice, with_audit=True).pieces())
    database.close()
    return lines, SigningKey.at(folder / "key.pem").public_text


def mutate(lines: Lines, random: Random) -> Lines:
    at = random.randrange(len(lines))
    return [*lines[:at], *flip(random, lines[at]).splitlines(keepends=True), *lines[at + 1 :]]


def mutate_value(lines: Lines, random: Random) -> Lines:
    """Keeps canonical JSON, so only checks of the contents or the checksum can find it."""
    at = random.randrange(len(lines))
    record = json.loads(lines[at])
    name = random.choice([name for name in record if name != "kind"])
    record[name] = random.choice([None, 7, "x", [], {}, [1], {"path": 1}, -1, True, "00" * 32])
    changed = json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    return mutate_value(lines, random) if changed == lines[at] else [*lines[:at], changed, *lines[at + 1 :]]


def delete(lines: Lines, random: Random) -> Lines:
    at = random.randrange(len(lines))
    return [*lines[:at], *lines[at + 1 :]]


def swap(lines: Lines, random: Random) -> Lines:
    one, other = random.sample(range(len(lines)), 2)
    moved = list(lines)
    moved[one], moved[other] = lines[other], lines[one]
    return moved if moved != lines else swap(lines, random)


def repeat(lines: Lines, random: Random) -> Lines:
    at, to = random.randrange(len(lines)), random.randrange(len(lines) + 1)
    return [*lines[:to], lines[at], *lines[to:]]


def cut(lines: Lines, random: Random) -> Lines:
    whole = b"".join(lines)
    return whole[: random.randrange(len(whole))].splitlines(keepends=True)


def drop_case(lines: Lines, random: Random) -> Lines:
    """Removes a case with all its lines, as if it had not been selected."""
    name = random.choice([json.loads(line)["id"] for line in lines if b'"kind":"case"' in line])
    return [line for line in lines if name not in (json.loads(line).get("case"), json.loads(line).get("id"))]


def drop_tail(lines: Lines, random: Random) -> Lines:
    """Removes the newest step of a case and adapts its row and proof."""
    cases = [json.loads(line)["id"] for line in lines if b'"kind":"case"' in line and b'"revision":1,' not in line]
    name, kept = random.choice(cases), []
    steps = [json.loads(line) for line in lines if b'"kind":"step"' in line and json.loads(line)["case"] == name]
    for line in lines:
        record = json.loads(line)
        if record == steps[-1]:
            continue
        if record.get("id") == name:
            record |= {"revision": len(steps) - 1, "head": steps[-2]["hash"]}
        if record["kind"] == "proof" and record["case"] == name:
            record["runs"] = record["runs"][:-1]
        kept.append(json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n")
    return kept


DEEDS = (mutate, mutate_value, delete, swap, repeat, cut, drop_case, drop_tail)


def test_the_export_itself_is_clean(exported: tuple[Lines, str]) -> None:
    lines, key = exported
    assert verify_export(lines, key=key).findings == []


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_every_manipulation_is_found(exported: tuple[Lines, str], deed: Callable[[Lines, Random], Lines]) -> None:
    lines, key = exported
    for seed in range(COUNT):
        done = deed(lines, Random(seed))
        assert verify_export(done, key=key).findings, f"{deed.__name__} {seed}"


def test_a_finding_names_the_case_with_the_altered_step(exported: tuple[Lines, str]) -> None:
    lines, key = exported
    places = [at for at, line in enumerate(lines) if b'"kind":"step"' in line]
    for seed in range(COUNT):
        random = Random(seed)
        at = random.choice(places)
        done = [*lines[:at], *flip(random, lines[at]).splitlines(keepends=True), *lines[at + 1 :]]
        named = {finding.instance for finding in verify_export(done, key=key).findings}
        assert json.loads(lines[at])["case"] in named, seed


def test_another_file_yields_findings_and_no_error(exported: tuple[Lines, str], tmp_path: Path) -> None:
    _, key = exported
    for other in (b"\x00\xff\n", b"{}\n", b"[]\n", b"[" * 5000, b'{"kind":"header"}\n', b"null\n", b'"\\ud800"\n'):
        assert verify_export([other], key=key).findings
