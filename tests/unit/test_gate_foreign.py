"""Diagrams from other products load completely or are refused with an existing element: nothing is lost."""

import time
from pathlib import Path

import pytest
from foreign import losses
from usher_engine.definitions import read_file
from usher_engine.gate import check_package
from usher_engine.services import Services

MIWG = Path(__file__).parents[3] / "shared" / "data" / "bpmn-miwg"


def test_nothing_is_lost_silently():
    passed, wrong = losses(0, 150, Services())
    assert wrong == {}
    assert passed > 60  # at least half of the files must run


@pytest.mark.skipif(not MIWG.is_dir(), reason="the reference models are not on this machine")
@pytest.mark.parametrize("file", sorted(MIWG.glob("*.bpmn")), ids=lambda file: file.name)
def test_reference_models_name_the_element_of_every_error(file):
    began = time.process_time()
    findings = check_package(read_file(file), Services())
    errors = [finding for finding in findings if finding.severity == "error"]
    assert all(finding.message and finding.element for finding in errors)
    assert errors
    assert time.process_time() - began < 20
