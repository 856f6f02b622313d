"""The files of a comment: checked by content and size, stored once in a case by SHA-256, given back only if intact."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..core.attachments import kind_of, refused_file, safe_name
from ..core.canonical import Json, check_input
from ..core.case_comments import MAX_FILES, Attached
from ..core.errors import Corrupt
from ..settings import Settings
from ..store import Transaction, file_rows

MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFile:
    """A file as somebody sent it; neither its name nor its content is trusted."""

    name: str
    content: bytes


def checked_files(files: Sequence[NewFile], settings: Settings) -> list[tuple[Attached, bytes]]:
    """*files* as the record names them, with their contents; raises `InvalidSubmission`."""
    if len(files) > MAX_FILES:
        raise refused_file(f"is one of {len(files)}; a comment takes {MAX_FILES}")
    if sum(len(one.content) for one in files) > settings.attachment_mb * MB:
        raise refused_file(f"is too large: the files of a comment may have {settings.attachment_mb} MB together")
    return [(_described(one), one.content) for one in files]


def _described(file: NewFile) -> Attached:
    kind = kind_of(file.content)
    name = safe_name(file.name, kind)
    check_input(name, where="file")
    return Attached(name=name, sha256=hashlib.sha256(file.content).hexdigest(), kind=kind, size=len(file.content))


def in_record(files: Sequence[tuple[Attached, bytes]]) -> dict[str, Json]:
    """What the fact of a comment says of its files; nothing if it has none."""
    return {"files": [asdict(attached) for attached, _ in files]} if files else {}


def store_files(tx: Transaction, instance: str, files: Sequence[tuple[Attached, bytes]], settings: Settings) -> None:
    """Store the contents that the case does not have; raises `InvalidSubmission` if they are too much for it."""
    for attached, content in files:
        file_rows.put(tx, instance, attached.sha256, attached.kind, content)
    if files and file_rows.size_of(tx, instance) > settings.attachments_case_mb * MB:
        raise refused_file(f"does not fit: the files of a case may have {settings.attachments_case_mb} MB together")


def intact_content(tx: Transaction, instance: str, sha256: str) -> bytes:
    """The content of a file; raises `Corrupt` if it is not the one that was attached."""
    content = file_rows.content(tx, instance, sha256)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        raise Corrupt("This file was altered outside Usher; it is not given out. Tell the person who runs Usher.")
    return content
