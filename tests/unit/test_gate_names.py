"""What an editor offers at each element, and the start form that a process asks for."""

from __future__ import annotations

import time
from itertools import pairwise

from playing import flow, node, process, script
from usher_engine.definitions import Package
from usher_engine.gate import check_draft
from usher_engine.services import Services

from .test_gate_data import SERVICES, SHIPPED


def test_each_element_offers_the_names_that_it_may_read() -> None:
    names = check_draft(SHIPPED, SERVICES).names
    loaded = {entry["name"]: entry for entry in names["MayBeInvited"]}
    assert "patient" not in {entry["name"] for entry in names["TriggerSelected"]}
    patient = loaded["patient"]
    assert (patient["kind"], patient["title"], "perhaps" in patient) == ("record", "The patient", False)
    fields = {field["name"]: field for field in patient["fields"]}
    assert "Pending" in fields["status"]["enum"]
    assert fields["response"]["nullable"]
    assert [field["name"] for field in fields["response"]["fields"]] == ["status", "at", "until"]
    assert loaded["enroll"]["perhaps"]  # set on the way back, by Enroll Now
    assert "missing" in {entry["name"] for entry in names["Flow_fields_missing"]}


def test_certain_names_come_first() -> None:
    for entries in check_draft(SHIPPED, SERVICES).names.values():
        doubtful = ["perhaps" in entry for entry in entries]
        assert doubtful == sorted(doubtful)


def test_what_is_read_before_it_is_set_is_proposed_as_the_start_form() -> None:
    bare = Package({file: content for file, content in SHIPPED.files.items() if not file.startswith("examples/")})
    start = check_draft(bare, SERVICES).start
    assert [(entry["name"], entry["kind"], "perhaps" in entry) for entry in start] == [
        ("patient_id", "text", False),
        ("requested_by", "any", True),
    ]


def test_a_long_process_is_followed_in_bounded_time() -> None:
    keys = [f"T{number}" for number in range(290)]
    texts = [f"v{place % 40} = {{'a': get('v{place % 7}'), 'b': 1}}" for place in range(len(keys))]
    scripts = "".join(script(key, text) for key, text in zip(keys, texts, strict=True))
    ways = "".join(flow(*pair) for pair in pairwise(["S", *keys, "Again", "E"]))
    back = node("exclusiveGateway", "Again", default="Again-E") + node("userTask", "Wait")
    back += flow("Again", "Wait", "v1.b") + flow("Wait", "T0")
    package = process(node("startEvent", "S"), scripts, node("endEvent", "E"), back, ways)
    began = time.process_time()
    check_draft(package, Services())
    assert time.process_time() - began < 30
