"""Reads and writes packages: folders as analysts keep them, zip files as Usher stores and sends them."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from pathlib import Path

from usher_engine.core.errors import InvalidDefinition, NotAllowed

from .package import MAX_FILE_BYTES, MAX_FILES, MAX_PACKAGE_BYTES, Package
from .translation.encoding import as_utf8

#: File endings for BPMN in other products, and files that a diagram may name by an id inside them.
_BPMN = (".bpmn20.xml", ".bpmn2", ".bpmn20", ".bpmn.xml")
_WITH_IDS = (".form", ".dmn")
_DECISION = rb"""<(?:\w+:)?decision\b[^>]*?\bid\s*=\s*["']([^"']+)"""
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # fixed, so that equal packages give equal zip files


def read_folder(path: str | Path) -> Package:
    """Return the package in the folder *path*, without hidden files, editor backups and links out of the folder."""
    folder = Path(path)
    if not folder.is_dir():
        raise InvalidDefinition(f"{path} is not a folder; a process package is a folder with a .bpmn file in it.")
    found: dict[str, bytes] = {}
    for file in sorted(folder.rglob("*")):
        relative = file.relative_to(folder)
        if not file.is_file() or _is_ignored(relative) or not file.resolve().is_relative_to(folder.resolve()):
            continue
        if len(found) == MAX_FILES:
            raise InvalidDefinition(f"{path} has more than {MAX_FILES} files; is it the folder of one process?")
        found[relative.as_posix()] = _read(file)
    return Package(found)


def read_file(path: str | Path) -> Package:
    """
    Return the file *path* with the mails in its folder and the forms and decisions it names, but no other diagram.

    A file that ends in ``.bpmn20.xml`` or ``.bpmn2`` is read as a ``.bpmn`` file.
    """
    file = Path(path)
    if not file.is_file():
        raise InvalidDefinition(f"{path} is not a file.")
    content = _read(file)
    siblings = [other for pattern in ("*.form", "*.dmn", "mail/*") for other in sorted(file.parent.glob(pattern))]
    text = as_utf8(content)[0]
    named = {other: _read(other) for other in siblings if other.is_file() and other.stat().st_size <= MAX_FILE_BYTES}
    companions = {
        other.relative_to(file.parent).as_posix(): found
        for other, found in named.items()
        if other.suffix not in _WITH_IDS or any(name in text for name in _possible_references(other, found))
    }
    name = next((file.name.removesuffix(end) + ".bpmn" for end in _BPMN if file.name.endswith(end)), file.name)
    return Package({**companions, name: content})


def _possible_references(file: Path, content: bytes) -> set[bytes]:
    """The names by which a diagram may refer to the form or decision table *file*: its file name and the ids in it."""
    own = rb'"id"\s*:\s*"([^"]+)"' if file.suffix == ".form" else _DECISION
    return {file.stem.encode(), *re.findall(own, content)}


def write_folder(package: Package, path: str | Path) -> None:
    """Write *package* into a new or empty folder; raises `NotAllowed` if the folder already holds files."""
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotAllowed(f"{path} already holds files; name a new or empty folder.")
    for name, content in package.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def to_zip(package: Package) -> bytes:
    """Return the package as one zip file; equal packages give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in package.files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def from_zip(content: bytes) -> Package:
    """Return the package in a zip file; checks sizes and compression methods before it unpacks anything."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_entries(entries)
            return Package({entry.filename: archive.read(entry) for entry in entries})
    except InvalidDefinition:
        raise
    except Exception as error:  # zipfile does not document what it raises for a garbled file
        raise InvalidDefinition("This is not a readable zip file.") from error


def _refuse_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_PACKAGE_BYTES:
        raise InvalidDefinition("The zip file is larger than a process package may be. Remove some files.")
    ways = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    reason = "The file uses an unsupported compression method or a password. Use deflate, without a password."
    problems = [(entry.filename, reason) for entry in entries if entry.compress_type not in ways or entry.flag_bits & 1]
    names = Counter(entry.filename for entry in entries)
    problems += [(name, "The zip file contains two files of this name.") for name, times in names.items() if times > 1]
    if problems:
        raise InvalidDefinition(problems=problems)


def _is_ignored(relative: Path) -> bool:
    return any(part.startswith((".", "__")) for part in relative.parts) or relative.name.endswith(("~", ".bak"))


def _read(file: Path) -> bytes:
    if file.stat().st_size > MAX_FILE_BYTES:
        raise InvalidDefinition(problems=[(file.name, f"The file is larger than {MAX_FILE_BYTES // 1000} kB.")])
    return file.read_bytes()
