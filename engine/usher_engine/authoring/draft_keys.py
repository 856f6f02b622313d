"""The id of the process that a draft is of: from an upload, and what it may be."""

from __future__ import annotations

import re

from ..core.canonical import is_reserved
from ..core.errors import InvalidDefinition, InvalidSubmission
from ..definitions import Package, parse_xml, read_diagram

_KEY = re.compile(r"[^\W\d][\w.-]{0,99}")


def draft_key(package: Package) -> str:
    """The process of which an uploaded package is a draft: its main process, else the first one; may be empty."""
    try:
        return package.key
    except InvalidDefinition:
        for file in package.diagrams():
            for process in _processes(package, file):
                if _KEY.fullmatch(process):
                    return process
    return ""


def _processes(package: Package, file: str) -> list[str]:
    try:
        return [process.id for process in read_diagram(parse_xml(package.files[file], file), file).processes]
    except InvalidDefinition:
        return []


def check_key(process: str) -> None:
    """Raise `InvalidSubmission` unless *process* may be the id of a process."""
    if not _KEY.fullmatch(process) or is_reserved(process):
        reason = "The id of a process is a letter, then letters, digits, points, dashes or _; at most 100."
        raise InvalidSubmission(reason, fields={"process": reason})
