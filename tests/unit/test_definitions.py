"""Packages: immutable, identified by their content, read from folders and zip files; and the one safe XML parser."""

import io
import re
import zipfile

import pytest
from usher_engine.core.errors import InvalidDefinition, NotAllowed
from usher_engine.definitions import (
    Package,
    from_zip,
    parse_xml,
    read_diagram,
    read_file,
    read_folder,
    to_zip,
    write_folder,
)

PROCESS = b"""<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">
  <bpmn:process id="main" name="The main one" isExecutable="true">
    <bpmn:startEvent id="begin"/>
    <bpmn:sequenceFlow sourceRef="begin" targetRef="end"/>
    <bpmn:endEvent id="end"/>
  </bpmn:process>
</bpmn:definitions>"""


def test_hash_depends_on_paths_and_content_alone():
    one = Package({"a.bpmn": PROCESS, "b.form": b"{}"})
    same = Package({"b.form": b"{}", "a.bpmn": PROCESS})
    assert one.hash == same.hash
    assert one.hash != Package({"a.bpmn": PROCESS, "c.form": b"{}"}).hash
    assert one.hash != Package({"a.bpmn": PROCESS, "b.form": b"{ }"}).hash


def test_a_single_file_brings_only_the_forms_and_decisions_it_names(tmp_path):
    decision = b'<definitions><decision id="dish"/></definitions>'
    forms = {"ask.form": b"{}", "other.form": b"{", "form1.form": b'{"id": "Form_7"}'}
    siblings = {**forms, "a.dmn": decision, "z.dmn": b"<"}
    diagram = PROCESS.replace(b"The main one", b"ask Form_7 dish").decode().encode("utf-16")
    for name, content in {**siblings, "main.bpmn20.xml": diagram, "else.bpmn": b"<"}.items():
        (tmp_path / name).write_bytes(content)
    assert set(read_file(tmp_path / "main.bpmn20.xml").files) == {"main.bpmn", "ask.form", "form1.form", "a.dmn"}


def test_files_cannot_be_changed():
    package = Package({"a.bpmn": PROCESS})
    with pytest.raises(TypeError):
        package.files["a.bpmn"] = b""  # type: ignore[index]


def test_key_and_name_are_those_of_the_main_process():
    package = Package({"a.bpmn": PROCESS})
    assert (package.key, package.name) == ("main", "The main one")


def test_a_called_process_is_not_the_main_process():
    caller = PROCESS.replace(b'id="main"', b'id="caller"').replace(
        b"<bpmn:endEvent", b'<bpmn:callActivity id="c" calledElement="main"/><bpmn:endEvent'
    )
    assert Package({"a.bpmn": PROCESS, "b.bpmn": caller}).key == "caller"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "no .bpmn file"),
        ({"a.bpmn": PROCESS.replace(b"true", b"false")}, "No process is executable"),
        ({"a.bpmn": PROCESS, "b.bpmn": PROCESS.replace(b'"main"', b'"other"')}, "Several processes"),
    ],
)
def test_without_one_main_process_there_is_no_key(files, reason):
    with pytest.raises(InvalidDefinition, match=reason):
        _ = Package(files).key


@pytest.mark.parametrize("path", ["../a.bpmn", "/a.bpmn", "a//b.bpmn", "a\\b.bpmn", "C:a", "", "a\nb", "x" * 201])
def test_paths_stay_inside_the_package(path):
    with pytest.raises(InvalidDefinition, match="path"):
        Package({path: b""})


def test_sizes_are_bounded():
    with pytest.raises(InvalidDefinition, match="larger than 1000 kB"):
        Package({"a.bpmn": b"x" * 1_000_001})
    with pytest.raises(InvalidDefinition, match="more than 200 files"):
        Package({f"{i}.txt": b"" for i in range(201)})


def test_text_names_the_file_that_cannot_be_read():
    package = Package({"a.form": b"\xff\xfe\x00"})
    with pytest.raises(InvalidDefinition, match=r"a\.form.*UTF-8"):
        package.text("a.form")
    with pytest.raises(InvalidDefinition, match=r"b\.form.*no file of this name"):
        package.text("b.form")


def test_folder_and_back(tmp_path):
    package = Package({"a.bpmn": PROCESS, "mail/x.txt": b"hello"})
    write_folder(package, tmp_path / "out")
    (tmp_path / "out" / ".hidden").write_text("x")
    (tmp_path / "out" / "a.bpmn~").write_text("x")
    assert read_folder(tmp_path / "out").hash == package.hash


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.txt").symlink_to(tmp_path / "secret")
    assert not read_folder(tmp_path / "p").files


def test_a_folder_in_use_is_not_overwritten(tmp_path):
    (tmp_path / "precious").write_text("x")
    with pytest.raises(NotAllowed, match="already holds files"):
        write_folder(Package({}), tmp_path)


def test_zip_and_back_is_the_same_to_the_byte():
    package = Package({"a.bpmn": PROCESS, "mail/x.txt": b"hello"})
    assert from_zip(to_zip(package)).hash == package.hash
    assert to_zip(from_zip(to_zip(package))) == to_zip(package)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", to_zip(Package({"a": b"x" * 100}))[:40]])
def test_a_broken_zip_is_refused(content):
    with pytest.raises(InvalidDefinition, match="not a readable zip file"):
        from_zip(content)


def test_a_zip_with_any_byte_changed_is_read_or_refused():
    """Python's zipfile does not document what it raises for garbled files, so this changes every byte in turn."""
    content = to_zip(Package({"é.txt": b"x" * 100, "b": b"y"}))
    refused = 0
    for place in range(len(content)):
        for value in (0, 1, 8, 14, 0x7F, 0xFF):
            garbled = bytearray(content)
            garbled[place] = value
            try:
                from_zip(bytes(garbled))
            except InvalidDefinition:
                refused += 1
    assert refused > len(content)


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bpmn", b"0" * 20_000_000)
    with pytest.raises(InvalidDefinition, match="larger than a process package"):
        from_zip(buffer.getvalue())


def test_a_zip_entry_cannot_leave_the_package():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../evil", b"x")
    with pytest.raises(InvalidDefinition, match="path"):
        from_zip(buffer.getvalue())


def test_missing_ids_are_added_deterministically():
    trees = [parse_xml(PROCESS, "a.bpmn") for _ in range(2)]
    (flow,) = read_diagram(trees[0], "a.bpmn").processes[0].flows
    assert flow.id == "sequenceFlow_unnamed_1"
    assert read_diagram(trees[1], "a.bpmn") == read_diagram(trees[0], "a.bpmn")


def test_an_added_id_avoids_those_in_use():
    taken = PROCESS.replace(b'"begin"', b'"sequenceFlow_unnamed_1"')
    (flow,) = read_diagram(parse_xml(taken, "a"), "a").processes[0].flows
    assert flow.id == "sequenceFlow_unnamed_2"


BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Document is empty"),
        (b"plain text", "Start tag expected"),
        (b"<a>", "Premature end"),
        (b"\x00\x01", "Document is empty"),
        (b"<!DOCTYPE a><a/>", "has a DOCTYPE"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "has a DOCTYPE"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "has a DOCTYPE"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', "has a DOCTYPE"),
        (BOMB + b"]><a>&j;</a>", "entity amplification|has a DOCTYPE"),
        (b"<a>&undefined;</a>", "'undefined' not defined"),
        (b"<a>" * 101 + b"</a>" * 101, "deeper than 100 levels"),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "Excessive depth|deeper than 100 levels"),
        (b"<a>" + b"x" * 1_000_000 + b"</a>", "larger than 1000 kB"),
        (b"<?xml version='1.0' encoding='no-such'?><a/>", "encoding"),
    ],
)
def test_hostile_xml_is_refused_with_the_name_of_the_file(content, reason):
    with pytest.raises(InvalidDefinition) as caught:
        parse_xml(content, "evil.bpmn")
    ((file, message),) = caught.value.problems
    assert file == "evil.bpmn"
    assert re.search(reason, message), message


def test_xinclude_and_processing_instructions_do_nothing():
    content = b"""<?xml-stylesheet href="x"?><a xmlns:i="http://www.w3.org/2001/XInclude">
      <i:include href="file:///etc/hostname" parse="text"/></a>"""
    root = parse_xml(content, "a").getroot()
    assert [child.get("href") for child in root] == ["file:///etc/hostname"]
    assert "".join(root.itertext()).strip() == ""
