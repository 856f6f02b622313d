"""Every folder in processes/ passes the gate and keeps its examples' promises; the enrolment keeps its contract."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from usher_engine.definitions import parse_xml, read_diagram, read_folder
from usher_engine.enrollment import enrollment_services
from usher_engine.examples import run_examples
from usher_engine.expressions import compile_template
from usher_engine.forms import parse_form
from usher_engine.gate import check_package
from usher_engine.settings import Settings

PROCESSES = Path(__file__).parents[2] / "processes"
FOLDERS = sorted(path for path in PROCESSES.iterdir() if path.is_dir())
#: Never called here: examples answer for them.
SERVICES = enrollment_services(Settings(), None, None, None)  # type: ignore[arg-type]
NOW = datetime(2026, 5, 3, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_passes_the_gate_without_a_remark(folder):
    assert check_package(read_folder(folder), SERVICES) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_examples_take_the_way_they_promise_and_cover_everything(folder):
    report = run_examples(read_folder(folder), SERVICES)
    assert {outcome.file: outcome.problem for outcome in report.outcomes if outcome.problem} == {}
    assert (report.elements, report.flows, report.missed) == (1.0, 1.0, ())


def enrollment():
    package = read_folder(PROCESSES / "enrollment")
    diagram = read_diagram(parse_xml(package.files["enrollment.bpmn"], "enrollment.bpmn"), "enrollment.bpmn")
    return package, diagram.processes[0]


def message(element, **names):
    node = enrollment()[1].node(element)
    return compile_template(node.extensions["instructionsForEndUser"]).render(names, NOW).strip()


def test_mandatory_fields_are_the_required_ones_of_update_now():
    package, _ = enrollment()
    required = parse_form(package.text("update-now.form")).required
    assert [field.key for field in required] == [
        *("first_name", "last_name", "birth_date", "zip_code", "email", "birth_sex")
    ]


@pytest.mark.parametrize(
    ("form", "title", "submit"),
    [
        ("update-now.form", "Modify Patient Information", "Save and send invitation"),
        ("resend-invitation.form", "Resend Invitation", "Resend Invitation"),
        ("enroll-now.form", "Enroll Now", "Enroll Now"),
    ],
)
def test_titles_and_buttons(form, title, submit):
    read = parse_form(enrollment()[0].text(form))
    assert (read.title, read.submit) == (title, submit)


def test_update_now_names_what_is_missing():
    one = message("UpdateNow", missing={"keys": ["email"], "text": "e-mail"})
    two = message("UpdateNow", missing={"keys": ["email", "zip_code"], "text": "e-mail and ZIP code"})
    assert one.startswith("The invitation cannot be sent: e-mail is missing.\n")
    assert two.startswith("The invitation cannot be sent: e-mail and ZIP code are missing.\n")


def test_resend_invitation_says_when_enrolment_was_requested():
    known = {"requested_at": "2026-05-01T09:12:00Z", "requested_by": "alice", "sends": 2}
    text = message("ResendInvitation", patient=known)
    assert text.startswith("Pending since 1 May 2026, 09:12 UTC, requested by alice.\nThe invitation was sent 2 times.")
    unknown = message("ResendInvitation", patient={"requested_at": None, "requested_by": None, "sends": 0})
    assert unknown.startswith("Pending; when the enrolment was requested is not on record.\n")


def test_enroll_now_names_the_response():
    declined = {"status": "Declined", "response": {"at": "2026-03-02T08:00:00Z", "until": None}}
    deferred = {"status": "Deferred", "response": {"at": "2026-03-02T08:00:00Z", "until": "2026-09-01"}}
    assert message("EnrollNow", patient=declined).startswith("The patient declined on 2 March 2026.\n")
    assert message("EnrollNow", patient=deferred).startswith(
        "The patient deferred on 2 March 2026; deferred until 1 September 2026.\n"
    )
    assert "no response is on record" in message("EnrollNow", patient={"status": "Declined", "response": None})


def test_staff_tasks_lie_in_the_front_desk_lane():
    _, process = enrollment()
    assert {node.lane for node in process.nodes if node.kind == "userTask"} == {"Front desk"}


def test_lines_of_the_diagram_do_not_cross():
    package, _ = enrollment()
    root = parse_xml(package.files["enrollment.bpmn"], "enrollment.bpmn").getroot()
    lines = [
        [(float(p.get("x") or 0), float(p.get("y") or 0)) for p in edge if str(p.tag).endswith("waypoint")]
        for edge in root.iter("{http://www.omg.org/spec/BPMN/20100524/DI}BPMNEdge")
    ]
    segments = [(a, b, i) for i, line in enumerate(lines) for a, b in pairwise(line)]
    assert all(a[0] == b[0] or a[1] == b[1] for a, b, _ in segments), "every line runs straight"
    crossings = [(s, t) for s in segments for t in segments if s[2] != t[2] and _cross(s, t)]
    assert crossings == []


def _cross(flat, upright):
    """Whether the inside of a horizontal segment meets the inside of a vertical one."""
    (ax, ay), (bx, by), _ = flat
    (cx, cy), (dx, dy), _ = upright
    return ay == by and cx == dx and min(ax, bx) < cx < max(ax, bx) and min(cy, dy) < ay < max(cy, dy)
