"""What a draft begins with: an uploaded file or package, or a blank one. Does not check the content."""

from __future__ import annotations

from flask import request
from usher_engine import InvalidSubmission
from usher_engine.authoring import draft_key
from usher_engine.definitions import Package, from_zip
from usher_engine.mail_templates import language_of

#: The content of a new file, by its ending; other files begin empty.
BLANK = {
    ".form": '{"type": "default", "schemaVersion": 19, "components": []}\n',
    ".bpmn": """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" \
xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" \
id="Definitions_{key}" targetNamespace="http://usher.local/processes/{key}">
  <bpmn:process id="{key}" name="{name}" isExecutable="true">
    <bpmn:startEvent id="Start" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="Diagram_{key}">
    <bpmndi:BPMNPlane id="Plane_{key}" bpmnElement="{key}">
      <bpmndi:BPMNShape id="Shape_Start" bpmnElement="Start">
        <dc:Bounds x="180" y="160" width="36" height="36" />
      </bpmndi:BPMNShape>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>
""",
    ".dmn": """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="Definitions_{key}" name="{name}" \
namespace="http://usher.local/decisions/{key}">
  <decision id="{key}" name="{name}">
    <decisionTable id="Table_{key}" hitPolicy="UNIQUE">
      <input id="Input_1" label="">
        <inputExpression id="InputExpression_1" typeRef="string"><text></text></inputExpression>
      </input>
      <output id="Output_1" label="" name="result" typeRef="string" />
    </decisionTable>
  </decision>
</definitions>
""",
}
#: The content of a new mail: where its subject goes, and a greeting.
BLANK_MAIL = '---\nsubject:\n---\n\nHello{{ " " + first_name if first_name else "" }},\n'


def uploaded_package() -> Package | None:
    """The upload as a package; None without an upload."""
    sent = request.files.get("upload")
    if sent is None or not sent.filename:
        return None
    content = sent.read()
    if sent.filename.lower().endswith(".zip"):
        return _without_wrapper(from_zip(content))
    if not sent.filename.lower().endswith((".bpmn", ".xml")):
        reason = "Choose a .bpmn file, or a package as a .zip."
        raise InvalidSubmission(reason, fields={"upload": reason})
    return Package({f"{sent.filename.rpartition('/')[2].rpartition('.')[0]}.bpmn": content})


def _without_wrapper(package: Package) -> Package:
    """For a zip of a folder, return its files without the folder's name and without files of the operating system."""
    files = {p: c for p, c in package.files.items() if not any(part.startswith((".", "__")) for part in p.split("/"))}
    tops = {path.partition("/")[0] for path in files}
    if len(tops) == 1 and not any("/" not in path for path in files):
        files = {path.partition("/")[2]: content for path, content in files.items()}
    return Package(files)


def new_process(key: str, name: str) -> tuple[str, Package]:
    """The id of a new process and the content of its draft: the upload, or a blank diagram."""
    package = uploaded_package()
    process = key or (draft_key(package) if package else "")
    if not process:
        reason = (
            "The file names no process; give it an id here." if package else "Give the process an id, or choose a file."
        )
        raise InvalidSubmission(reason, fields={"key": reason})
    return process, package or Package({f"{process}.bpmn": blank_file(f"{process}.bpmn", process, name)})


def new_file(path: str) -> tuple[str, bytes]:
    """Path and content of a new file of a draft: the upload, or the blank content of its kind."""
    sent = request.files.get("upload")
    brought = sent.read() if sent and sent.filename else None
    path = path or ((sent.filename or "") if sent else "")
    if not path:
        raise InvalidSubmission("Give it a name.", fields={"path": "Give the file a name, or choose one."})
    return path, blank_file(path, path.rpartition("/")[2].partition(".")[0]) if brought is None else brought


def blank_file(path: str, key: str, name: str = "") -> bytes:
    """The blank content of a new file; *key* and *name* are inserted as XML text."""
    if language_of(path):
        return BLANK_MAIL.encode()
    blank = next((text for ending, text in BLANK.items() if path.endswith(ending)), "")
    safe = "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in key) or "new"
    words = (name or key).translate({ord("&"): "&amp;", ord("<"): "&lt;", ord('"'): "&quot;"})
    return blank.replace("{key}", safe).replace("{name}", words).encode()
