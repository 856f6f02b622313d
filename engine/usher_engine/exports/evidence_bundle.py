"""The evidence bundle of one case: a signed page that opens from a disk and contains the export with proof.

The web package renders the page; this module collects its contents, signs it, and verifies it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoints.database_key import signing_key
from ..checkpoints.merkle import signs_export
from ..core.actor import Actor
from ..core.errors import Misconfigured
from ..core.findings import Finding
from ..engine import Engine
from ..reexecution import Verified
from ..store.export_rows import Selection
from .export import Export
from .offline_verifier import verify_export

#: The page contains the record as a link that saves it.
MEDIA = "application/x-ndjson"
_LINK = re.compile(f'href="data:{MEDIA};base64,([A-Za-z0-9+/=]*)"'.encode())

#: The last line of the page; the signature is over everything before it.
_SEAL = re.compile(rb"\n<!-- usher evidence signature ([A-Za-z0-9+/=]+) -->\n\Z")

#: First bytes of the page, which distinguish it from a bare record.
PAGE = b"<!doctype html>"

MAX_PAGE = 200_000_000  # bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """
    The record of one case, and the result of verifying it when the bundle was written.

    *head* is the newest signed checkpoint and *runs* the places of the steps in its tree, both as in the record.
    """

    lines: tuple[bytes, ...]
    key: str
    head: dict[str, Any] | None
    runs: tuple[dict[str, Any], ...]
    digest: str
    checked: Verified

    @property
    def link(self) -> str:
        """The record as a data URL inside the page."""
        return f"data:{MEDIA};base64,{base64.b64encode(b''.join(self.lines)).decode()}"


def evidence(engine: Engine, case: str, *, actor: Actor) -> Evidence:
    """Return the record of *case* with its audit events, verified; raise what `Export` raises."""
    export = Export(engine, "jsonl", Selection(cases=(case,)), actor=actor, with_audit=True, recorded_as="evidence")
    lines = tuple(export.pieces())
    key = signing_key(engine.database, engine.settings).public_text
    proof: dict[str, Any] = next((json.loads(line) for line in lines if b'"kind":"proof"' in line[:80]), {"runs": []})
    signed = json.loads(lines[0])["head"]
    return Evidence(
        lines=lines,
        key=key,
        head=signed["head"] if signed else None,
        runs=tuple(proof["runs"]),
        digest=json.loads(lines[-1])["sha256"],
        checked=verify_export(lines, key=key),
    )


def seal(engine: Engine, page: str) -> bytes:
    """Return *page* with a signature over all of it appended."""
    whole = page.encode()
    signature = signing_key(engine.database, engine.settings).sign_export(hashlib.sha256(whole).digest())
    return whole + f"\n<!-- usher evidence signature {signature} -->\n".encode()


def verify_file(file: Path, *, key: str, checkpoints: Iterable[str] | None = None) -> Verified:
    """
    Check an exported file: JSON Lines with proof, or an evidence bundle with the record in it.

    Raises:
        Misconfigured: The file cannot be read.
    """
    try:
        with file.open("rb") as lines:
            beginning = lines.read(len(PAGE))
            lines.seek(0)
            if beginning.lower() != PAGE:
                return verify_export(lines, key=key, checkpoints=checkpoints)
            return _verify_page(lines.read(MAX_PAGE), key, checkpoints)
    except OSError as error:
        raise Misconfigured(f"The file {file} cannot be read: {error.strerror or type(error).__name__}.") from error


def _verify_page(page: bytes, key: str, checkpoints: Iterable[str] | None) -> Verified:
    found = _LINK.findall(page)
    try:
        record = base64.b64decode(found[0], validate=True) if len(found) == 1 else None
    except binascii.Error:
        record = None
    if record is None:
        return Verified(findings=[_about("page", "The page has no record or several; it was altered or cut off.")])
    result = verify_export(record.splitlines(keepends=True), key=key, checkpoints=checkpoints)
    seal = _SEAL.search(page)
    if seal is None:
        result.findings.append(_about("page", "The page has no signature at its end; it was altered or cut off."))
    elif not signs_export(key, hashlib.sha256(page[: seal.start()]).digest(), seal[1].decode()):
        message = "The page around the record was altered: it may show something else. "
        result.findings.append(_about("page", f"{message}The record in it was verified separately."))
    return result


def _about(kind: str, message: str) -> Finding:
    return Finding("", None, "", kind, message)
