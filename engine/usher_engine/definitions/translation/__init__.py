"""Translates other vendors' diagrams into Usher's notation: a pure function from files to files, plus findings.

The translation never guesses. It leaves unsupported content unchanged and reports an error on the element, with advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from usher_engine.core.errors import InvalidDefinition

from ..lint_finding import Finding
from ..package import Package
from ..safe_xml import BPMN, parse_as_written
from .defaults import apply_defaults
from .embedded_expressions import translate_expressions
from .encoding import as_utf8
from .file_ids import separate_files
from .message_payloads import translate_messages
from .schema_repair import repair
from .service_tasks import translate_services
from .translation_context import TranslationContext
from .unsupported_attributes import report_unsupported
from .user_tasks import translate_user_tasks


@dataclass(frozen=True, kw_only=True)
class Translation:
    """The translated *package*; *written* maps, per file, each changed id to the id in the original file."""

    package: Package
    findings: list[Finding]
    written: Mapping[str, Mapping[str, str]]


def translate(package: Package) -> tuple[Package, list[Finding]]:
    """
    Return *package* with its diagrams translated, and one finding for each translation or refusal.

    A package that needs no translation is returned unchanged, byte for byte; translating the result again changes
    nothing. The gate reports files that are not XML or not BPMN.
    """
    translation = translation_of(package)
    return translation.package, translation.findings


def translation_of(package: Package) -> Translation:
    """Like `translate`, plus the ids that changed; the findings name ids as in the original files."""
    files = dict(package.files)
    findings: list[Finding] = []
    contexts: dict[str, TranslationContext] = {}
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
        context = contexts[file] = TranslationContext(file=file, root=tree.getroot(), files=files)
        _translate(context)
        if context.changed:
            files[file] = etree.tostring(tree, encoding="UTF-8", xml_declaration=True)
        files |= {name: form for name, form in context.added.items() if name not in files}
    written = separate_files(files, contexts)
    findings += [finding for context in contexts.values() for finding in context.findings]
    after = package if files == dict(package.files) else Package(files)
    return Translation(package=after, findings=findings, written=written)


def _translate(context: TranslationContext) -> None:
    repair(context)
    translate_expressions(context)
    translate_user_tasks(context)
    translate_services(context)
    apply_defaults(context)
    translate_messages(context)
    report_unsupported(context)
