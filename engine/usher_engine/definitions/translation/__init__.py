"""What other products draw, read into Usher's own: a pure function from files to files, and what was read as what.

What is not understood is never guessed: it stays as it is and is refused by element, with what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from usher_engine.core.errors import InvalidDefinition

from ..lint_finding import Finding
from ..package import Package
from ..safe_xml import BPMN, parse_as_written
from .defaults import translate_kinds
from .embedded_expressions import translate_texts
from .encoding import as_utf8
from .file_ids import separate_files
from .message_payloads import translate_messages
from .schema_repair import repair
from .service_tasks import translate_services
from .translation_context import Page
from .unsupported_attributes import tell_leftovers
from .user_tasks import translate_user_tasks


@dataclass(frozen=True, kw_only=True)
class Translation:
    """*package* in Usher's words; *written* has, by file and by id in it, the id that stands in the file as it came."""

    package: Package
    findings: list[Finding]
    written: Mapping[str, Mapping[str, str]]


def translate(package: Package) -> tuple[Package, list[Finding]]:
    """
    *package* with its diagrams in Usher's words, and a finding for each thing that was read or is refused.

    A package that needs no translation comes back as it is, byte for byte; what comes back needs none again. Files
    that are no XML or no BPMN are left to the gate.
    """
    translation = translation_of(package)
    return translation.package, translation.findings


def translation_of(package: Package) -> Translation:
    """The same, with the ids that were changed; the findings name ids as they stand in the files."""
    files = dict(package.files)
    findings: list[Finding] = []
    pages: dict[str, Page] = {}
    for file in package.diagrams():
        content, note = as_utf8(package.files[file])
        if note:
            findings.append(Finding(file=file, element="", rule="translated", message=note, severity="info"))
        try:
            tree = parse_as_written(content, file)
        except InvalidDefinition:
            continue
        files[file] = content
        if tree.getroot().tag != f"{{{BPMN}}}definitions":
            continue
        page = pages[file] = Page(file=file, root=tree.getroot(), files=files)
        _translate(page)
        if page.changed:
            files[file] = etree.tostring(tree, encoding="UTF-8", xml_declaration=True)
        files |= {name: form for name, form in page.added.items() if name not in files}
    written = separate_files(files, pages)
    findings += [finding for page in pages.values() for finding in page.findings]
    after = package if files == dict(package.files) else Package(files)
    return Translation(package=after, findings=findings, written=written)


def _translate(page: Page) -> None:
    repair(page)
    translate_texts(page)
    translate_user_tasks(page)
    translate_services(page)
    translate_kinds(page)
    translate_messages(page)
    tell_leftovers(page)
