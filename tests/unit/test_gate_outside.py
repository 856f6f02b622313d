"""What other hands and tools do to a file of ours: clean and complete, and it runs, or what is wrong is told."""

import pytest
from conftest import ROOT
from mutations import mutants
from outside import judge

FILES = sorted([*ROOT.glob("processes/*/*.bpmn"), *ROOT.glob("tests/processes/*/*.bpmn")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_is_lost_in_silence(file):
    content = file.read_bytes()
    verdicts = [(name, judge(changed)) for name, changed in mutants(content, seed=len(content), structural=3)]
    assert [(name, verdict.wrong) for name, verdict in verdicts if verdict.wrong] == []
    assert max(verdict.seconds for _, verdict in verdicts) < 2
