"""Our files after other people and tools changed them: they load completely and run, or yield a finding."""

import pytest
from conftest import ROOT
from mutations import mutants
from outside import judge

FILES = sorted([*ROOT.glob("processes/*/*.bpmn"), *ROOT.glob("tests/processes/*/*.bpmn")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_is_lost_silently(file):
    content = file.read_bytes()
    verdicts = [(name, judge(changed)) for name, changed in mutants(content, seed=len(content), structural=3)]
    assert [(name, verdict.wrong) for name, verdict in verdicts if verdict.wrong] == []
    assert max(verdict.seconds for _, verdict in verdicts) < 10
