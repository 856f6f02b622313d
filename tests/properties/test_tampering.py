"""Verification finds every manipulation of a database behind Usher's back and names the case.

``USHER_AUDIT_COUNT`` sets how often each kind runs (default 4); over a thousand cases: `make audit-bench`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from original import Original, build, findings_in
from tampering import DEEDS, spoil

COUNT = int(os.environ.pop("USHER_AUDIT_COUNT", "4"))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return build(tmp_path_factory.mktemp("original"), cases=50)


@pytest.fixture
def copies(original: Original, tmp_path: Path) -> Callable[[], Any]:
    def copy() -> tuple[Path, Path]:
        for name, source in (("copy.db", original.database), ("heads.jsonl", original.heads)):
            shutil.copy(source, tmp_path / name)
        return tmp_path / "copy.db", tmp_path / "heads.jsonl"

    return copy


def test_the_original_has_no_findings(original: Original) -> None:
    assert findings_in(original, original.database, original.heads) == []


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
@pytest.mark.timeout(3600)
def test_every_manipulation_of_the_database_is_found(original: Original, copies: Callable[[], Any], deed: Any) -> None:
    for seed in range(COUNT):
        file, heads = copies()
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
            named = deed(db, Random(seed))
        findings = findings_in(original, file, heads)
        assert findings, f"{deed.__name__} with seed {seed} was not found"
        assert named - {""} <= {finding.instance for finding in findings} or not named - {""}, (deed.__name__, seed)


@pytest.mark.timeout(3600)
def test_every_manipulation_of_the_checkpoint_file_is_found(original: Original, copies: Callable[[], Any]) -> None:
    for seed in range(COUNT * 4):
        file, heads = copies()
        deed = spoil(heads, Random(seed))
        assert findings_in(original, file, heads), f"{deed} with seed {seed} was not found"
