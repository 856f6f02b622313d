"""Which diagrams a package has: the main one first, whatever the files are called, and where its calls lead."""

from __future__ import annotations

import json
import re
from contextlib import suppress

import pytest
from called_packages import CONTACT, LETTER, MAIN, NESTED, Step, ask, call, chain, package
from conftest import ROOT
from playing import flow, node, process
from usher_engine.bpmn import compile_diagram
from usher_engine.core.errors import EngineError, InvalidDefinition
from usher_engine.definitions import Package, case_ends, read_folder, translate
from usher_engine.enrollment import enrollment_services
from usher_engine.examples.player import Player
from usher_engine.gate import check_package
from usher_engine.services import Services
from usher_engine.settings import Settings


def names(found):
    return [one.name for one in found]


@pytest.mark.parametrize("called", ["a", "z"])
def test_the_main_one_is_first_whatever_the_files_are_called(called):
    files = package(m=chain("main", call("Call", "other")), **{called: chain("other", ask("Ask"))})
    assert [one.file for one in files.drawings] == ["m.bpmn", f"{called}.bpmn"]
    assert files.drawings[0].draws(files.key)
    assert names(files.drawings) == ["The main", "The other"]


def test_calls_lead_to_the_diagram_of_the_called_process_on_every_level():
    assert check_package(NESTED, Services()) == []
    main, contact, letter = NESTED.drawings
    assert names(NESTED.drawings) == ["Look after somebody", "Reach the patient", "Send a letter"]
    assert main.calls == {"First": contact.key, "Second": contact.key}
    assert contact.calls == {"Post": letter.key}
    assert letter.calls == {}


def test_a_call_in_a_subprocess_counts():
    main = chain("main", Step("Around", "Around", inner=(ask("Before"), call("Call", "other", each="people"))))
    found = package(b=main, a=chain("other", ask("Ask"))).drawings
    assert (found[0].file, found[0].calls) == ("b.bpmn", {"Call": "a.bpmn"})


@pytest.mark.parametrize("broken", ["a_contact.bpmn", "z_letter.bpmn"])
def test_a_broken_diagram_hides_no_other(broken):
    files = Package({**NESTED.files, broken: b"<definitions"})
    assert files.drawings[0].name == "Look after somebody"
    (lost,) = [one for one in files.drawings if one.problem]
    assert (lost.key, lost.name, lost.processes) == (broken, broken, ())
    assert "not well-formed" in lost.problem
    with pytest.raises(InvalidDefinition):
        assert files.key


def test_a_broken_main_diagram_is_still_the_one_of_its_process():
    files = Package({**NESTED.files, "m_middle.bpmn": MAIN[:-20]})
    assert files.drawings_of("middle")[0].file == "m_middle.bpmn"
    assert files.drawings_of("contact")[0].file == "a_contact.bpmn"
    assert [one.file for one in files.drawings_of("nothing")] == [one.file for one in files.drawings]
    assert Package({"a.form": b"{}"}).drawings_of("middle") == ()


def test_each_page_of_a_file_is_a_diagram_of_its_own():
    def parts(file):
        found = (re.search(part, file.decode(), re.DOTALL) for part in ("<process.*</process>", "<di:BPMND.*Diagram>"))
        return tuple(one[0] for one in found)

    (contact, first), (letter, second) = parts(CONTACT), parts(LETTER)
    head = MAIN.decode().partition("<process")[0]
    both = f"{head}{letter}{contact}{second}{first}</definitions>".encode()
    files = package(a_both=both, m_middle=MAIN)
    main, one, other = files.drawings
    assert [(d.key, d.page, d.name) for d in (one, other)] == [
        ("a_both.bpmn#page_contact", "page_contact", "Reach the patient"),
        ("a_both.bpmn", "", "Send a letter"),
    ]
    assert set(main.calls.values()) == {one.key}
    assert one.calls == {"Post": other.key}


def test_processes_in_pools_of_one_collaboration_share_a_diagram():
    called = re.search(r"<process.*</process>", LETTER.decode(), re.DOTALL)[0]
    pools = '<participant id="p1" processRef="contact"/><participant id="p2" processRef="letter"/>'
    text = CONTACT.decode().replace("<di:BPMND", f'{called}<collaboration id="c">{pools}</collaboration><di:BPMND', 1)
    (found,) = package(a=text.replace('bpmnElement="contact"', 'bpmnElement="c"').encode()).drawings
    assert [process.id for process in found.processes] == ["contact", "letter"]
    assert (found.name, found.calls) == ("Reach the patient", {"Post": "a.bpmn"})


def test_processes_without_a_drawing_are_in_the_diagram_of_their_file():
    found = read_folder(ROOT / "tests" / "processes" / "calls").drawings
    assert [[process.id for process in one.processes] for one in found] == [["calls", "called"]]


PACKAGES = sorted({path.parent for path in (*ROOT.glob("processes/*/*.bpmn"), *ROOT.glob("tests/processes/*/*.bpmn"))})


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda path: path.name)
def test_every_end_that_examples_reach_is_one_a_case_can_end_in(folder):
    files = translate(read_folder(folder))[0]
    diagram, ends = compile_diagram(files), {end.id for end in case_ends(files)}
    for name in (name for name in files.files if name.startswith("examples/")):
        player = Player(diagram, enrollment_services(Settings(), None, None, None))
        with suppress(EngineError):
            player.play(json.loads(files.files[name]))
        assert player.state.outcome in {"", *ends}


def test_inner_ends_are_none_a_case_can_end_in():
    assert "CheckDone" not in {end.id for end in case_ends(read_folder(ROOT / "processes" / "enrollment"))}
    assert [end.id for end in case_ends(NESTED)] == ["middle_end"]


@pytest.mark.parametrize(("interrupts", "ends"), [("true", ["he", "e"]), ("false", ["e"])])
def test_an_interrupting_event_subprocess_ends_the_case(interrupts, ends):
    start = f'<startEvent id="hs" isInterrupting="{interrupts}"><timerEventDefinition/></startEvent>'
    handler = f'<subProcess id="h" triggeredByEvent="true">{start}<endEvent id="he"/>{flow("hs", "he")}</subProcess>'
    files = process(node("startEvent", "s"), handler, node("endEvent", "e"), flow("s", "e"))
    assert [end.id for end in case_ends(files)] == ends
