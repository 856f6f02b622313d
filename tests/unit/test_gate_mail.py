"""What the gate says of mails: templates, languages, values and the elements that send them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from xml.sax.saxutils import quoteattr

import pytest
from usher_engine.definitions import Finding, Package
from usher_engine.enrollment import enrollment_services
from usher_engine.gate import check_package
from usher_engine.settings import Settings

SERVICES = enrollment_services(Settings(), None, None, None)  # type: ignore[arg-type]  # the gate calls no operator
RIGHT = "---\nsubject: News\n---\n\nHello {{ first_name }}"


def task(key: str, operator: str, parameters: Mapping[str, str]) -> str:
    given = "".join(
        f'<spiffworkflow:parameter id="{name}" type="any" value={quoteattr(value)} />'
        for name, value in parameters.items()
    )
    return (
        f'<bpmn:serviceTask id="{key}" name="{key}"><bpmn:extensionElements>'
        f'<spiffworkflow:serviceTaskOperator id="{operator}" resultVariable="r_{key}">'
        f"<spiffworkflow:parameters>{given}</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
        f'</bpmn:extensionElements></bpmn:serviceTask><bpmn:boundaryEvent id="{key}_no" attachedToRef="{key}">'
        f'<bpmn:errorEventDefinition id="{key}_any" /></bpmn:boundaryEvent>'
        f'<bpmn:sequenceFlow id="{key}_not" sourceRef="{key}_no" targetRef="end" />'
    )


def diagram(*tasks: str) -> str:
    keys = ["begin", *(one.split('id="')[1].split('"')[0] for one in tasks), "end"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}" />'
        for n, (a, b) in enumerate(pairwise(keys))
    )
    return (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="x">'
        f'<bpmn:process id="p" isExecutable="true"><bpmn:startEvent id="begin" />{"".join(tasks)}'
        f'<bpmn:endEvent id="end" />{flows}</bpmn:process></bpmn:definitions>'
    )


def mails(files: Mapping[str, str], *tasks: str) -> list[Finding]:
    content = {"p.bpmn": diagram(*tasks), **files}
    found = check_package(Package({path: text.encode() for path, text in content.items()}), SERVICES)
    return [finding for finding in found if finding.rule == "mail"]


def send(**parameters: str) -> str:
    return task("tell", "mail/send", {"patient_id": '"p1"', "template": '"news"', **parameters})


def test_a_right_mail_has_no_finding() -> None:
    assert mails({"mail/news.en.md": RIGHT}, send()) == []
    assert mails({"mail/invitation.en.md": RIGHT}, task("t", "invitation/send", {"patient_id": "patient_id"})) == []


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"template": '"newz"'}, "There is no mail template “newz”. Did you mean “news”?"),
        ({"template": '"other"'}, "There is no mail template “other”. Add mail/other.en.md."),
        ({"template": '"news" if a else "xyz"'}, "no mail template “xyz”"),
        ({"address": '"a@b.example"'}, "exactly one"),
        ({"patient_id": "None"}, "exactly one"),
        ({"values": '{"link": 1}'}, "“link” of a mail is Usher's own"),
        ({"language": '"english"'}, "“english” is not the tag of a language"),
    ],
)
def test_what_an_element_says_wrong_stands_on_it(parameters: dict[str, str], words: str) -> None:
    found = mails({"mail/news.en.md": RIGHT}, send(**parameters))
    (finding,) = (one for one in found if one.element == "tell")
    assert words in finding.message
    assert finding.severity == "error"


def test_a_language_that_is_not_there_is_a_warning() -> None:
    (finding,) = mails({"mail/news.en.md": RIGHT}, send(language='"vi"'))
    assert finding.message == "There is no mail/news.vi.md; the mail goes out in English."
    assert (finding.element, finding.severity) == ("tell", "warning")
    assert mails({"mail/news.en.md": RIGHT}, send(language='"en-US"')) == []


def test_a_template_by_expression_needs_some_template() -> None:
    (finding,) = mails({}, send(template="which.mail"))
    assert (finding.element, finding.severity) == ("tell", "error")
    assert mails({"mail/news.en.md": RIGHT}, send(template="which.mail")) == []


def test_the_invitation_needs_its_template() -> None:
    (finding,) = mails({"mail/news.en.md": RIGHT}, task("t", "invitation/send", {"patient_id": "patient_id"}))
    assert "Add mail/invitation.en.md." in finding.message


@pytest.mark.parametrize(
    ("parameters", "body", "unknown"),
    [
        ({}, "{{ first_nam }}", "first_nam"),
        ({}, "[Open]({{ link }})", "link"),
        ({"with_link": "False"}, "{{ expires }}", "expires"),
        ({"with_link": "True"}, "[Open]({{ link }}) {{ expires }}", ""),
        ({"with_link": "perhaps"}, "{{ expires }}", ""),
        ({"patient_id": "None", "address": "desk"}, "{{ first_name }}", "first_name"),
        ({"patient_id": "None", "address": "desk"}, "{{ contact }}", ""),
        ({"values": '{"what": x}'}, "{{ what }}", ""),
        ({"values": '{"what": x}'}, "{{ wat }}", "wat"),
        ({"values": "given"}, "{{ anything }}", ""),
    ],
)
def test_a_mail_names_the_values_that_its_element_gives(
    parameters: dict[str, str], body: str, unknown: str
) -> None:
    found = mails({"mail/news.en.md": f"---\nsubject: x\n---\n\n{body}"}, send(**parameters))
    assert all(finding.message.startswith("Line 5: ") and finding.file == "mail/news.en.md" for finding in found)
    assert [f"Nothing fills “{unknown}”" in finding.message for finding in found[:1]] == [True] * bool(unknown)


def test_every_element_that_sends_a_mail_must_fill_it() -> None:
    text = "---\nsubject: x\n---\n\n{{ what }} {{ who }}"
    both = [task(key, "mail/send", {"patient_id": "p", "template": '"news"', "values": values})
            for key, values in (("a", '{"what": 1, "who": 2}'), ("b", '{"what": 1}'))]  # fmt: skip
    (finding,) = mails({"mail/news.en.md": text}, *both)
    assert "“who”" in finding.message


def test_a_mail_that_no_element_names_may_use_what_operators_give() -> None:
    assert mails({"mail/news.en.md": RIGHT + "{{ link }}"}) == []
    (finding,) = mails({"mail/news.en.md": RIGHT + "{{ what }}"})
    assert "“what”" in finding.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hello", "Line 1: The mail has no subject. Begin with three lines: ---, subject: …, ---."),
        (RIGHT + " [a](javascript:x)", "Line 5: A link begins with https://"),
        (RIGHT + "\n\n[a](https://a.b){.button} [b](https://a.b){.button}", "Line 7: A mail has one button"),
        (RIGHT + "\n\n{{ ( }}", "Line 7: In “{{ … }}”"),
    ],
)
def test_what_is_wrong_in_a_file_stands_on_its_line(text: str, message: str) -> None:
    (finding,) = mails({"mail/news.en.md": text}, send())
    assert finding.message.startswith(message)
    assert (finding.file, finding.severity) == ("mail/news.en.md", "error")


def test_a_language_that_another_mail_has_is_missed() -> None:
    files = {"mail/news.en.md": RIGHT, "mail/news.es.md": RIGHT, "mail/desk.en.md": RIGHT}
    (finding,) = mails(files)
    assert finding.message == (
        "“news” is there in Spanish, “desk” is not: patients who prefer it get this mail in English. "
        "Add mail/desk.es.md."
    )
    assert (finding.file, finding.severity) == ("mail/desk.en.md", "warning")


@pytest.mark.parametrize(
    ("files", "file", "words", "severity"),
    [
        ({"mail/a.txt": "x"}, "mail/a.txt", "Half of a mail: mail/a.html is missing", "warning"),
        ({"mail/a.html": "x"}, "mail/a.html", "Half of a mail: mail/a.txt is missing", "warning"),
        ({"mail/a.md": "x"}, "mail/a.md", "No mail is made from this file", "warning"),
        ({"mail/a.txt": "x", "mail/a.en.md": RIGHT}, "mail/a.txt", "mail/a.en.md takes its place", "warning"),
        ({"mail/a.txt": "{{ ( }}", "mail/a.html": ""}, "mail/a.txt", "In a placeholder", "error"),
        ({"mail/a.txt": "{{ ssn }}", "mail/a.html": ""}, "mail/a.txt", "Nothing fills “ssn”", "error"),
        ({"mail/a.en.md": RIGHT, "mail/a.EN.md": RIGHT}, "mail/a.en.md", "the same language", "error"),
    ],
)
def test_files_that_make_no_whole_mail(files: dict[str, str], file: str, words: str, severity: str) -> None:
    (finding,) = mails(files)
    assert words in finding.message
    assert (finding.file, finding.severity) == (file, severity)


def test_a_file_that_is_no_text_is_told() -> None:
    package = Package({"p.bpmn": diagram().encode(), "mail/a.en.md": b"\xff"})
    (finding,) = (found for found in check_package(package, SERVICES) if found.rule == "mail")
    assert "not UTF-8" in finding.message
