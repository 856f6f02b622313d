"""The process `tests/processes/invited`, and one package for each kind of change an analyst makes to it."""

from __future__ import annotations

from conftest import ROOT, package
from usher_engine.definitions import Package, read_folder

_ENROLLMENT = read_folder(ROOT / "processes" / "enrollment")
_MAILS = {name: file for name, file in _ENROLLMENT.files.items() if name.startswith("mail/")}
DIAGRAM = "invited.bpmn"
FIRST = Package({**package("invited").files, **_MAILS})
_CONDITION = '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{}</bpmn:conditionExpression>'


def changed(file: str, *pairs: tuple[str, str], of: Package = FIRST) -> Package:
    """*of* with each first text in *file* replaced by the second."""
    text = of.text(file)
    for before, after in pairs:
        assert before in text, before
        text = text.replace(before, after)
    return Package({**of.files, file: text.encode()})


def flow(source: str, target: str, condition: str = "", name: str = "") -> str:
    begin = f'<bpmn:sequenceFlow id="{name or f"{source}_{target}"}" sourceRef="{source}" targetRef="{target}"'
    return f"{begin}>{_CONDITION.format(condition)}</bpmn:sequenceFlow>" if condition else f"{begin}/>"


def without(element: str, of: Package) -> Package:
    """*of* without *element* and the flow out of it; each stands on a line of its own."""
    left = [
        line
        for line in of.text(DIAGRAM).splitlines(keepends=True)
        if f' id="{element}"' not in line and f'sourceRef="{element}"' not in line
    ]
    return Package({**of.files, DIAGRAM: "".join(left).encode()})


def removed_step() -> Package:
    """Nobody removes the patient's answer any more."""
    onward = flow("Enroll", "Missing", name="Enroll_Remove")
    return without("Remove", changed(DIAGRAM, (flow("Enroll", "Remove"), onward)))


def removed_task() -> Package:
    """Nobody is called any more."""
    return without("Call", changed(DIAGRAM, (flow("How", "Call", 'channel == "call"'), "")))


def new_task() -> Package:
    """After a call somebody reviews."""
    review = '<bpmn:userTask id="Review" name="Review"/>'
    return changed(DIAGRAM, (flow("Call", "Send"), f"{review}{flow('Call', 'Review')}{flow('Review', 'Send')}"))


def new_reminder() -> Package:
    """Two days after the invitation the record is read again; only who has not answered is waited for any longer."""
    wait = "<bpmn:timerEventDefinition><bpmn:timeDuration>P2D</bpmn:timeDuration></bpmn:timerEventDefinition>"
    look = FIRST.text(DIAGRAM).split('<bpmn:serviceTask id="Look"')[1].split("</bpmn:serviceTask>")[0]
    drawn = (
        f'<bpmn:intermediateCatchEvent id="Days">{wait}</bpmn:intermediateCatchEvent>'
        f'<bpmn:serviceTask id="Early"{look}</bpmn:serviceTask>'
        '<bpmn:exclusiveGateway id="Soon" default="Soon_Week"/>'
    )
    flows = (
        flow("Record", "Days"), flow("Days", "Early"), flow("Early", "Soon"), flow("Soon", "Week"),
        flow("Soon", "Done", 'patient.status != "Pending"'),
    )  # fmt: skip
    return changed(DIAGRAM, (flow("Record", "Week"), drawn + "".join(flows)))


def other_default() -> Package:
    """Patients whom no rule sends a mail are called, instead of the other way round."""
    return changed(
        DIAGRAM,
        ('default="How_Send"', 'default="How_Call"'),
        (flow("How", "Call", 'channel == "call"'), flow("How", "Call")),
        (flow("How", "Send"), flow("How", "Send", 'channel == "mail" and patient.fields.language == "en"')),
    )


PHONE = '"label": "Mobile"'
ZIP_CODE = '  {"type": "textfield", "key": "zip_code", "label": "ZIP code", "validate": {"required": true}},\n'
PENDING = 'patient.status == "Pending"'
DUE_TOMORROW = '<spiffworkflow:property name="dueIn" value="P1D"/>'

#: By the kind of change.
CHANGES: dict[str, Package] = {
    "condition": changed(
        DIAGRAM, (flow("Answered", "Remind", PENDING), flow("Answered", "Remind", 'patient.status != "Completed"'))
    ),
    "form": changed("update.form", (ZIP_CODE, "")),
    "required field": changed("update.form", (PHONE, f'{PHONE}, "validate": {{"required": true}}')),
    "table row": changed("channel.dmn", ("vi", "es")),
    "operator's parameter": changed(DIAGRAM, ("'update.form'", "'short.form'")),
    "timer": changed(DIAGRAM, (">P7D<", ">P3D<")),
    "timer of a task": changed(DIAGRAM, (">P5D<", ">P1D<")),
    "longer timer of a task": changed(DIAGRAM, (">P5D<", ">P9D<")),
    "message text": changed(DIAGRAM, ("{{ missing.text }} missing.", "Please fill in {{ missing.text }}.")),
    "default flow": other_default(),
    "new user task": new_task(),
    "new read after a wait": new_reminder(),
    "removed step": removed_step(),
    "removed task": removed_task(),
    "due date and priority": changed(DIAGRAM, ('"dueIn" value="P2D"', '"dueIn" value="P1D"'), ('"60"', '"90"')),
    "group": changed(DIAGRAM, (f'value="Front desk"/>{DUE_TOMORROW}', f'value="Billing"/>{DUE_TOMORROW}')),
}
