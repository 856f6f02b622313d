"""Examples: what a failing one tells, and “this is right now”, which rewrites the promise and nothing else."""

import json

import pytest
from conftest import ROOT
from usher_engine.core.errors import InvalidSubmission, NotFound
from usher_engine.core.shapes import value_problems
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment import enrollment_services
from usher_engine.examples import accept_examples, run_examples
from usher_engine.examples.made_up_answers import made_up_answer
from usher_engine.services import Mode
from usher_engine.settings import Settings

SERVICES = enrollment_services(Settings(), None, None, None)  # type: ignore[arg-type]
FOLDER = read_folder(ROOT / "processes" / "enrollment")
RESEND, MISSING = "examples/05-pending-resend.json", "examples/02-not-enrolled-fields-missing.json"


def with_example(file: str, /, **changed: object) -> Package:
    example = {**json.loads(FOLDER.text(file)), **changed}
    kept = {key: value for key, value in example.items() if value is not None}
    return Package({**FOLDER.files, file: json.dumps(kept).encode()})


def outcome_of(package: Package, path: str):
    return next(outcome for outcome in run_examples(package, SERVICES).outcomes if outcome.file == path)


def test_a_promise_is_rewritten_to_the_way_taken_and_nothing_else():
    expected = json.loads(FOLDER.text(RESEND))
    package = with_example(RESEND, path=["TriggerSelected"], end="Elsewhere", note="mine, “kept”")
    failed = outcome_of(package, RESEND)
    assert (failed.acceptable, failed.stopped) == (True, False)
    assert (failed.expected, failed.expected_end) == (("TriggerSelected",), "Elsewhere")
    assert "step 2 of the path is LoadPatient" in failed.problem
    rewritten = accept_examples(package, SERVICES)
    assert list(rewritten) == [RESEND]
    assert json.loads(rewritten[RESEND]) == {**expected, "note": "mine, “kept”"}
    assert outcome_of(Package({**package.files, **rewritten}), RESEND).problem == ""
    assert accept_examples(Package({**package.files, **rewritten}), SERVICES) == {}


def test_an_accepted_file_keeps_its_form():
    package = with_example(RESEND, path=[])
    assert accept_examples(package, SERVICES)[RESEND] == FOLDER.files[RESEND]


def test_only_the_chosen_ones_are_rewritten():
    package = Package({**with_example(RESEND, path=[]).files, MISSING: with_example(MISSING, end="x").files[MISSING]})
    assert list(accept_examples(package, SERVICES, [MISSING])) == [MISSING]
    assert sorted(accept_examples(package, SERVICES)) == [MISSING, RESEND]
    with pytest.raises(NotFound, match="no example"):
        accept_examples(package, SERVICES, ["enrollment.bpmn"])


@pytest.mark.parametrize("path", [None, "LoadPatient", [1], {"a": 1}])
def test_an_example_without_a_promise_gets_one(path):
    package = with_example(RESEND, path=path)
    assert "promises no way" in outcome_of(package, RESEND).problem
    assert json.loads(accept_examples(package, SERVICES)[RESEND]) == json.loads(FOLDER.text(RESEND))


@pytest.mark.parametrize(
    ("do", "performed", "problem"),
    [
        ([{"complete": "UpdateNow"}], 0, "“Update Now” is not open; the case waits at “Resend Invitation”."),
        ([{"complete": "ResendInvitation"}, {"complete": "EnrollNow"}], 1, "the case does not wait"),
        ([{"fire": "Nothing"}, {"complete": "ResendInvitation"}], 0, "Nothing waits for Nothing"),
    ],
)
def test_an_action_that_does_not_fit_is_where_the_example_ends_from_now_on(do, performed, problem):
    package = with_example(RESEND, do=do)
    failed = outcome_of(package, RESEND)
    assert problem in failed.problem
    assert (failed.acceptable, failed.stopped, failed.performed) == (True, True, performed)
    rewritten = accept_examples(package, SERVICES)
    assert json.loads(rewritten[RESEND])["do"] == do[:performed]
    assert outcome_of(Package({**package.files, **rewritten}), RESEND).problem == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"do": "all of it"},
        {"do": [7]},
        {"services": {}},
        {"services": {"patient/load": 7}},
        {"services": []},
        {"start": 7},
        {"now": "yesterday"},
        {"zone": "Nowhere/Else"},
        {"zone": 7},
    ],
)
def test_what_cannot_be_played_is_told_and_not_accepted(changed):
    package = with_example(RESEND, **changed)
    failed = outcome_of(package, RESEND)
    assert failed.problem and not failed.acceptable
    other = Package({**package.files, MISSING: with_example(MISSING, end="x").files[MISSING]})
    with pytest.raises(InvalidSubmission) as refused:
        accept_examples(other, SERVICES)
    assert list(refused.value.fields) == [RESEND]


@pytest.mark.parametrize("content", [b"{", b"7", b"[]", b"\xff", b"[" * 100_000, b""])
def test_a_file_that_is_no_example_is_told(content):
    failed = outcome_of(Package({**FOLDER.files, RESEND: content}), RESEND)
    assert failed.problem and not failed.acceptable and failed.path == ()


def with_a_mail() -> Package:
    """After the status is recorded, somebody else gets a mail, of which no example says anything."""
    mail = (
        '<bpmn:serviceTask id="Tell" name="Tell"><bpmn:extensionElements>'
        '<spiffworkflow:serviceTaskOperator id="mail/send" resultVariable="told"><spiffworkflow:parameters>'
        '<spiffworkflow:parameter id="group" type="any" value="\'Front desk\'" />'
        '<spiffworkflow:parameter id="template" type="any" value="\'invitation\'" />'
        "</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator></bpmn:extensionElements></bpmn:serviceTask>"
        '<bpmn:sequenceFlow id="Onward" sourceRef="Tell" targetRef="InvitationSent" />'
    )
    text = FOLDER.text("enrollment.bpmn")
    direct = 'sourceRef="RecordPending" targetRef="InvitationSent" />'
    assert direct in text
    text = text.replace(direct, f'sourceRef="RecordPending" targetRef="Tell" />{mail}')
    return Package({**FOLDER.files, "enrollment.bpmn": text.encode()})


def test_the_answer_of_an_effect_that_is_lacking_is_made_up_told_and_written():
    package = with_a_mail()
    failed = outcome_of(package, RESEND)
    assert failed.problem == "it has no answer for the service mail/send; one was made up"
    assert failed.acceptable and failed.path[-2:] == ("Tell", "InvitationSent")
    assert value_problems(SERVICES.get("mail/send").result, failed.made_up["mail/send"], where="it", most=1) == []
    rewritten = accept_examples(package, SERVICES)
    again = Package({**package.files, **rewritten})
    assert run_examples(again, SERVICES).failed == 0
    example, before = json.loads(rewritten[RESEND]), json.loads(FOLDER.text(RESEND))
    assert example["services"] == {**before["services"], "mail/send": [failed.made_up["mail/send"]]}
    assert example["do"] == before["do"]


def test_what_a_service_reads_is_never_made_up():
    failed = outcome_of(with_example(RESEND, services={}), RESEND)
    assert not failed.acceptable and not failed.made_up
    assert "no answer for the service patient/load" in failed.problem


@pytest.mark.parametrize("operator", [operator.name for operator in SERVICES if operator.mode is Mode.EFFECT])
def test_a_made_up_answer_is_of_the_shape_that_is_declared(operator):
    found = made_up_answer(SERVICES, operator)
    assert found is None or value_problems(SERVICES.get(operator).result, found, where=operator, most=1) == []
