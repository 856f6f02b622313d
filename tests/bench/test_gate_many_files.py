"""The gate over thousands of files: made up in the words of other products, and real ones with what befalls files."""

import os
import sys
from pathlib import Path

import pytest
from foreign import losses
from mutations import mutants
from outside import judge
from usher_engine.services import Services

#: A folder of .bpmn files of others; none are kept here, as they are not ours.
FOLDER = Path(os.environ.get("USHER_TEST_BPMN_FOLDER", "/nowhere"))


@pytest.mark.bench
@pytest.mark.timeout(1_800)
def test_nothing_is_lost_in_silence_in_many_files():
    _, wrong = losses(0, 6_000, Services())
    assert wrong == {}


@pytest.mark.bench
@pytest.mark.timeout(3_600)
@pytest.mark.skipif(not FOLDER.is_dir(), reason="USHER_TEST_BPMN_FOLDER names no folder of .bpmn files")
def test_nothing_is_lost_in_silence_in_the_files_of_others(capsys):
    wrong, slow, clean, count = {}, [], 0, 0
    for file in sorted(FOLDER.rglob("*.bpmn")):
        content = file.read_bytes()
        for name, changed in [("as it is", content), *mutants(content, seed=len(content))]:
            verdict = judge(changed)
            count, clean = count + 1, clean + verdict.clean
            if verdict.wrong:
                wrong[f"{file.name}, {name}"] = verdict.wrong
            if verdict.seconds > 2:
                slow.append(f"{file.name}, {name}: {verdict.seconds:.1f} s")
    with capsys.disabled():
        sys.stdout.write(f"\n{count} files, {clean} clean, {len(wrong)} lose something, {len(slow)} take over 2 s\n")
    assert (wrong, slow) == ({}, [])
